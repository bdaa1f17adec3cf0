"""What one probe of a provider found, as one byte, and a UTC day of such bytes (pure)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

from tasks.moment import SECOND, Moment
from verifiers.trouble import Undecodable

DAY = 86_400 * SECOND
LEAST_EVERY_SECONDS = 10
MOST_LABELS = 32
LONGEST_LABEL = 80

Capacity = tuple[tuple[str, int], ...]
"""GPUs by label as the inventory writes it (`nvidia/a100`), sorted. A campaign's names are the judge's business."""


class Standing(StrEnum):
    """How a provider stood in one slot."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


NOT_PROBED = "not_probed"
NO_CONTROL = "no_control"
TOO_MANY = "too_many_changes"
OTHER = "other"

# The places in these lists are what is stored: only ever add at the end.
_DOWN = (
    "timeout", "refused", "unreachable", "name_unknown", "tls", "cut_body", "bad_certificate", "rate_limited",
    "server_error", "denied", "grpc_failed", "not_ready", "redirected", "too_large", "undecodable", "unimplemented",
    "wrong_content_type", "host_refused", OTHER,
)  # fmt: skip
_UNKNOWN = (NO_CONTROL, "own_network", "grpc_port_unknown", "chain", "no_record", TOO_MANY, OTHER)
_FIRST_DOWN, _FIRST_UNKNOWN, _FIRST_UP = 1, 64, 128
MOST_CAPACITIES = 256 - _FIRST_UP


@dataclass(frozen=True, slots=True)
class State:
    """What a probe found. `cause`: why it is not up. `capacity`: of one that is up."""

    standing: Standing
    cause: str = ""
    capacity: Capacity = ()

    @classmethod
    def up(cls, capacity: Mapping[str, int]) -> State:
        """Up with this inventory; labels are cut and counted, they come from outside."""
        kept: dict[str, int] = {}
        for label, count in sorted(capacity.items())[:MOST_LABELS]:
            name = ascii(label[:LONGEST_LABEL])[1:-1]
            kept[name] = kept.get(name, 0) + min(max(count, 0), 10_000)
        return cls(Standing.UP, "", tuple(sorted(kept.items())))

    @classmethod
    def down(cls, cause: str) -> State:
        """Down for a reason of its own."""
        return cls(Standing.DOWN, cause if cause in _DOWN else OTHER)

    @classmethod
    def unknown(cls, cause: str) -> State:
        """Not known, for a reason of ours."""
        return cls(Standing.UNKNOWN, cause if cause in _UNKNOWN else OTHER)


NOTHING = State(Standing.UNKNOWN, NOT_PROBED)


@dataclass(frozen=True)
class ProbeDay:
    """One provider's UTC day. `day`: whole days since 1970-01-01. `slots`: one byte for each `every_seconds`.

    0: not probed. 1 to 63: down, by cause. 64 to 127: unknown, by cause. From 128 up: up, with that place in
    `capacities`.
    """

    provider: str
    day: int
    every_seconds: int
    slots: bytes
    capacities: tuple[Capacity, ...] = ()

    @classmethod
    def empty(cls, provider: str, day: int, every_seconds: int) -> ProbeDay:
        """A day before its first probe. Raises ValueError for no such length of a slot."""
        if not LEAST_EVERY_SECONDS <= every_seconds <= DAY // SECOND:
            raise ValueError("a slot lasts from ten seconds to a day")
        return cls(provider, day, every_seconds, bytes(-(-DAY // (every_seconds * SECOND))))

    @property
    def begins(self) -> Moment:
        """Its midnight."""
        return Moment(self.day * DAY)

    def slot_of(self, moment: Moment) -> int:
        """The slot that a moment of this day lies in."""
        return (moment - self.begins) // (self.every_seconds * SECOND)

    def span(self, slot: int, end: int | None = None) -> tuple[Moment, Moment]:
        """From when to when the slots from `slot` up to `end` (one, where that is left out) last."""
        length = self.every_seconds * SECOND
        last = slot + 1 if end is None else end
        return Moment(self.begins + slot * length), Moment(min(self.begins + last * length, self.begins + DAY))

    def state(self, slot: int) -> State:
        """What was found in a slot."""
        return self.state_of(self.slots[slot])

    def state_of(self, byte: int) -> State:
        """What a byte of this day means; one that nothing here writes is unknown."""
        if byte >= _FIRST_UP:
            place = byte - _FIRST_UP
            known = place < len(self.capacities)
            return State(Standing.UP, "", self.capacities[place]) if known else State.unknown(OTHER)
        if byte >= _FIRST_UNKNOWN:
            return State.unknown(_at(_UNKNOWN, byte - _FIRST_UNKNOWN))
        return State.down(_at(_DOWN, byte - _FIRST_DOWN)) if byte else NOTHING

    def with_state(self, slot: int, state: State) -> ProbeDay:
        """The same day with what a probe found; a slot that has its byte keeps it."""
        if self.slots[slot] or state == NOTHING:
            return self
        capacities = self.capacities
        if state.standing is Standing.UP and state.capacity not in capacities:
            if len(capacities) == MOST_CAPACITIES:
                state = State.unknown(TOO_MANY)
            else:
                capacities = (*capacities, state.capacity)
        byte = _byte(state, capacities)
        slots = self.slots[:slot] + bytes((byte,)) + self.slots[slot + 1 :]
        return replace(self, slots=slots, capacities=capacities)

    def document(self) -> dict[str, object]:
        """The day as JSON values, slots in base64."""
        return {
            "provider": self.provider,
            "day": self.day,
            "every_seconds": self.every_seconds,
            "capacities": [dict(capacity) for capacity in self.capacities],
            "slots": base64.b64encode(self.slots).decode(),
        }

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical document, hex: what seals the day."""
        return hashlib.sha256(canonical(self.document())).hexdigest()


def _at(causes: tuple[str, ...], place: int) -> str:
    return causes[place] if place < len(causes) else OTHER


def _byte(state: State, capacities: tuple[Capacity, ...]) -> int:
    if state.standing is Standing.UP:
        return _FIRST_UP + capacities.index(state.capacity)
    if state.standing is Standing.DOWN:
        return _FIRST_DOWN + _DOWN.index(state.cause)
    return _FIRST_UNKNOWN + _UNKNOWN.index(state.cause)


def canonical(document: object) -> bytes:
    """Canonical JSON."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def read_day(document: Any) -> ProbeDay:
    """A day from its document. Raises Undecodable, also where there are more or fewer slots than the day has."""
    try:
        day = ProbeDay(
            provider=str(document["provider"]),
            day=int(document["day"]),
            every_seconds=int(document["every_seconds"]),
            slots=base64.b64decode(document["slots"], validate=True),
            capacities=tuple(
                tuple(sorted((str(label), int(count)) for label, count in capacity.items()))
                for capacity in document["capacities"]
            ),
        )
        is_whole = len(day.slots) == len(ProbeDay.empty("", 0, day.every_seconds).slots)
    except (KeyError, TypeError, ValueError, AttributeError, binascii.Error):
        raise Undecodable("This is no day of probes.") from None
    if not is_whole:
        raise Undecodable("This day of probes has another number of slots than its length says.")
    return day


def day_of(moment: Moment) -> int:
    """The UTC day of a moment, as whole days since 1970-01-01."""
    return moment // DAY
