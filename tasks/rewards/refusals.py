"""Why a completion got nothing, in one sentence for each reason, with the numbers that decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tasks.moment import Moment, format_moment

Working = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the sequence: an RFC 3339 time, the height and the index in its block where it has them."""

    at: str | None
    height: int | None = None
    tx_index: int | None = None

    @classmethod
    def of(cls, written: Mapping[str, object]) -> Place | None:
        """The place written in a working, None where none stands there."""
        at, height, index = written.get("at"), written.get("height"), written.get("tx_index")
        if not isinstance(at, str) or "height" not in written:
            return None
        return cls(at, height if isinstance(height, int) else None, index if isinstance(index, int) else None)

    @classmethod
    def at_moment(cls, at: int | None, height: int | None, tx_index: int | None) -> Place:
        """The place of a claim; `at` in nanoseconds."""
        return cls(None if at is None else format_moment(Moment(at)), height, tx_index)


def place_words(place: Place) -> str:
    """`block 1,204,331`, else the time."""
    if place.height is not None:
        return f"block {place.height:,}"
    return f"{place.at}" if place.at is not None else "an unknown time"


def place_in_full(place: Place) -> str:
    """Block and time, as far as they are known."""
    return f"{place_words(place)}, {place.at}" if place.height is not None and place.at else place_words(place)


def both_words(first: Place, second: Place) -> tuple[str, str]:
    """Two places said alike, so that a reader sees which was earlier: by block, else by index, else by time."""
    if first.height is None or second.height is None:
        return str(first.at), str(second.at)
    if first.height == second.height and first.tx_index is not None and second.tx_index is not None:
        return tuple(f"block {each.height:,}, transaction {each.tx_index:,}" for each in (first, second))  # type: ignore[return-value]
    return place_words(first), place_words(second)


def names(slot: Mapping[str, object]) -> str:
    """For which work a slot line counts: ` for gpu class consumer`."""
    words = []
    where, per = slot.get("where"), slot.get("per")
    if isinstance(where, Mapping):
        words += [f"{str(name).replace('_', ' ')} {value}" for name, value in where.items()]
    if isinstance(per, Mapping):
        name, value = str(per.get("attribute")).replace("_", " "), per.get("value")
        words.append(f"{name} {value}" if value else f"no {name}")
    return f" for {' and '.join(words)}" if words else ""


def ordinal(number: int) -> str:
    """`1st`, `12th`, `1,203rd`."""
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"


def _ineligible(working: Working, _place: Place, _before: int | None) -> str:
    said = working.get("ineligible_reason")
    return f"Not payable: {said}." if said else "Not payable."


def _outside_window(working: Working, place: Place, _before: int | None) -> str:
    at = working.get("at") or place.at
    return (
        f"Done at {at}, outside the task's dates: from {working.get('opens')} until before {working.get('closes')}."
    )


def _before_registration(working: Working, place: Place, _before: int | None) -> str:
    at = working.get("at") or place.at
    return f"Done at {at}, before the registration at {working.get('registered_at')}. Work after it counts."


def _held(whose: str) -> Callable[[Working, Place, int | None], str]:
    def sentence(working: Working, _place: Place, _before: int | None) -> str:
        held = working.get("held_by")
        if not isinstance(held, Mapping):
            return f"The same thing was already awarded to {whose}."
        where = Place.of(held)
        when = f", done at {place_words(where)}" if where else ""
        return f"The same thing was already awarded to {whose}: claim {str(held['claim'])[:12]} holds it{when}."

    return sentence


def _requires(working: Working, _place: Place, _before: int | None) -> str:
    requires = working.get("requires")
    if not isinstance(requires, Mapping):
        return "Another task has to be done first. Once it is, this counts from then."
    mode, tasks = next(iter(requires.items()))
    which = "all of" if mode == "all_of" else "one of"
    wanted = f"{which} {', '.join(map(str, tasks))}" if len(tasks) > 1 else str(tasks[0])
    return f"It needs {wanted} to be done first. Once that is, this counts from then."


def _not_listed(working: Working, _place: Place, _before: int | None) -> str:
    by = working.get("amount_by")
    if not isinstance(by, Mapping):
        return "The rules list no amount for this."
    name = str(by["attribute"]).replace("_", " ")
    if not by["value"]:
        return f"The amount goes by the {name}, which nobody has decided or seen."
    return f"The rules list no amount for this ({name} {by['value']})."


def _decayed(working: Working, _place: Place, _before: int | None) -> str:
    step = working.get("step")
    at = f" in step {step + 1}" if isinstance(step, int) else ""
    return f"By the time it was done the amount had fallen to nothing{at}."


def _participant_limit(working: Working, _place: Place, _before: int | None) -> str:
    limit = working.get("participant_limit")
    most = limit["max"] if isinstance(limit, Mapping) else "all"
    awards = "1 award of this task, and this participant has it" if most == 1 else None
    return f"One participant can have {awards or f'{most} awards of this task, and this participant has them'}."


def _slots_full(working: Working, place: Place, before: int | None) -> str:
    slot = working.get("slot")
    if not isinstance(slot, Mapping):
        return "All places were taken by earlier work."
    most = slot["max"]
    lead = f"{ordinal(most + before + 1)} of {most:,}" if before is not None else f"No place left of {most:,}"
    last = slot.get("last_place")
    last_place = Place.of(last) if isinstance(last, Mapping) else None
    if last_place is None:
        return f"{lead}{names(slot)}."
    theirs, yours = both_words(last_place, Place.of(working) or place)
    tie = " too, and comes after it in the order" if theirs == yours else ""
    return f"{lead}{names(slot)}: the last place went to a completion at {theirs}; yours is at {yours}{tie}."


def _budget_spent(working: Working, _place: Place, _before: int | None) -> str:
    whose = "task's" if working.get("task_left_micro") == 0 else "campaign's"
    return f"The {whose} budget was spent by earlier work."


def _no_reward(_working: Working, _place: Place, _before: int | None) -> str:
    return "This task pays nothing itself; it counts for the tasks that need it."


REFUSALS: Mapping[str, Callable[[Working, Place, int | None], str]] = {
    "ineligible": _ineligible,
    "outside_window": _outside_window,
    "before_registration": _before_registration,
    "duplicate": _held("this participant"),
    "subject_taken": _held("somebody else, who did it earlier"),
    "requires": _requires,
    "not_listed": _not_listed,
    "no_reward": _no_reward,
    "decayed": _decayed,
    "participant_limit": _participant_limit,
    "slots_full": _slots_full,
    "budget_spent": _budget_spent,
}
"""The sentence of each reason without a full award; the third argument: how many before it found no place."""
