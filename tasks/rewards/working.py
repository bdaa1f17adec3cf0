"""The working of an award: every number that played a part, and the amount from these numbers alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from tasks.moment import Moment, format_moment

if TYPE_CHECKING:
    from tasks.rewards.lines import AwardLine, Facts, Room


@lru_cache(maxsize=4096)
def _text(moment: int) -> str:
    """Openings, closes and last takers are the same for many lines."""
    return format_moment(Moment(moment))


_SHOWS_WINDOW = frozenset({"outside_window"})
_TAKES_PLACE = frozenset({"awarded", "partly_awarded"})
_SHOWS_TIME = frozenset({"outside_window", "before_registration"})


class Rooms:
    """How limits are written into a working: as JSON values."""

    def slot(self, room: Room, facts: Facts) -> object:
        """A slot line as it stood, with what it counts."""
        return slot_values(room, facts)

    def slots(self, rooms: Sequence[Room], facts: Facts) -> object:
        """Every slot line that applied."""
        return [self.slot(room, facts) for room in rooms]

    def limit(self, room: Room) -> object:
        """The personal limit as it stood."""
        return room_values(room)


AS_VALUES = Rooms()


def write_working(line: AwardLine, rooms: Rooms = AS_VALUES) -> dict[str, object]:
    """The working of one line as JSON values (docs/rewards.md lists the keys); `rooms` writes its limits.

    Places in the sequence are named by (at, height, tx_index) and claim, never by a running number, so that a line
    that has nothing to do with this one can't change it.
    """
    facts = line.facts
    working: dict[str, object] = {"revision": facts.version.revision}
    if facts.cause is not None:
        working["made_by" if facts.plan.parts else "waited_for"] = facts.cause.claim
        _write_place(working, facts.at, facts.height, facts.tx_index)
    elif line.reason in _SHOWS_TIME:
        working["at"] = _text(facts.at)
    if line.reason in _SHOWS_WINDOW:
        working["opens"] = _text(facts.plan.task.opens)
        working["closes"] = _text(facts.plan.task.closes)
    _write_refusal(working, line, facts)
    amount = facts.version.amount
    if facts.value is not None and amount is not None:
        working["amount_by"] = {"attribute": amount.by, "value": facts.value}
    if facts.base is not None:
        _write_price(working, facts)
    if facts.limit is not None:
        working["participant_limit"] = rooms.limit(facts.limit)
    if facts.rooms and _slots_decided(line.reason, facts):
        _write_rooms(working, facts, rooms)
    if facts.overflow_percent is not None:
        working["overflow_percent"] = facts.overflow_percent
        working["overflow_left_micro"] = facts.overflow_left
    if facts.task_left is not None:
        working["task_left_micro"] = facts.task_left
    if facts.budget_left is not None:
        working["budget_left_micro"] = facts.budget_left
    return working


def _slots_decided(reason: str, facts: Facts) -> bool:
    """Whether a place was taken, or a full slot line is why none was: else slots played no part."""
    if reason in _TAKES_PLACE:
        return True
    return not (facts.limit is not None and facts.limit.is_full) and any(room.is_full for room in facts.rooms)


def _write_refusal(working: dict[str, object], line: AwardLine, facts: Facts) -> None:
    completion = line.completion
    if line.reason == "ineligible" and completion.ineligible_reason:
        working["ineligible_reason"] = completion.ineligible_reason
    if line.reason == "before_registration" and completion.registered_at is not None:
        working["registered_at"] = _text(completion.registered_at)
    if line.reason == "requires":
        working["requires"] = {"all_of" if facts.version.needs_all else "any_of": list(facts.version.required)}
    if facts.other is not None:
        working["held_by"] = {"claim": facts.other.claim, "participant": facts.other.participant}
        _write_place_of(working["held_by"], facts.other)  # type: ignore[arg-type]  # made a dict one line above


def _write_price(working: dict[str, object], facts: Facts) -> None:
    decay = facts.version.decay
    working["base_micro"] = facts.base
    if facts.percent is None:
        return
    working["percent"] = facts.percent
    if facts.step is not None and decay is not None:
        working["step"] = facts.step
        working["at"] = _text(facts.at)
        working["opens"] = _text(facts.plan.task.opens)
        working["excused_ns"] = facts.excused
        working["every_ns"] = decay.every


def _write_rooms(working: dict[str, object], facts: Facts, rooms: Rooms) -> None:
    """`slot` is the line that decides: the first without room, else the one with the fewest places left."""
    deciding = next((room for room in facts.rooms if room.is_full), None)
    if deciding is None:
        deciding = min(facts.rooms, key=lambda room: room.most - room.taken)
    working["slot"] = rooms.slot(deciding, facts)
    if len(facts.rooms) > 1:
        working["slots"] = rooms.slots(facts.rooms, facts)


def slot_values(room: Room, facts: Facts) -> dict[str, object]:
    """A slot line of the task as it stood before this line."""
    slot = {"line": room.line, **room_values(room)}
    line = facts.plan.slots[room.line - 1]
    if line.per is not None:
        slot["per"] = {"attribute": line.per, "value": room.value}
    if line.where:
        slot["where"] = dict(line.where)
    return slot


def room_values(room: Room) -> dict[str, object]:
    """A limit as it stood before this line: `taken` of `max` places, `last_claim` took the latest."""
    written: dict[str, object] = {"max": room.most, "taken": room.taken, "last_claim": None}
    if room.last is not None:
        written["last_claim"] = room.last.claim
        if room.is_full:
            last: dict[str, object] = {}
            _write_place_of(last, room.last)
            written["last_place"] = last
    return written


def _write_place_of(written: dict[str, object], line: AwardLine) -> None:
    _write_place(written, line.facts.at, line.facts.height, line.facts.tx_index)


def _write_place(written: dict[str, object], at: int, height: int | None, tx_index: int | None) -> None:
    written["at"] = _text(at)
    written["height"] = height
    written["tx_index"] = tx_index


def amount_from_working(working: Mapping[str, object]) -> int:
    """The amount in micro that a line has, from its working alone (CAMPAIGN_FORMAT, rules 6 to 9).

    Raises ValueError where a number is missing or none.
    """
    if "base_micro" not in working:
        return 0
    base = _number(working, "base_micro")
    if "percent" not in working:
        return 0
    percent = _number(working, "percent")
    bounds = [_number(working, key) for key in ("budget_left_micro",) if key in working]
    task_left = _number(working, "task_left_micro") if "task_left_micro" in working else None
    if task_left == 0 or _is_full(working.get("participant_limit")) or _is_full(working.get("slot")):
        if "overflow_percent" not in working:
            return 0
        share = base * _number(working, "overflow_percent") * percent // 10_000
        return min([share, _number(working, "overflow_left_micro"), *bounds])
    if task_left is not None:
        bounds.append(task_left)
    return min([base * percent // 100, *bounds])


def _is_full(limit: object) -> bool:
    return isinstance(limit, Mapping) and _number(limit, "taken") >= _number(limit, "max")


def _number(values: Mapping[str, object], key: str) -> int:
    value = values.get(key)
    if type(value) is not int:
        raise ValueError(f"{key} is {value!r}, not a whole number")
    return value
