"""A small, strict reader of protobuf's wire format for messages known by field numbers (pure).

Hostile input is bounded: size, number of fields, and a depth that the schema itself ends. Unknown fields are skipped,
as protobuf asks; everything malformed is Undecodable.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from verifiers.trouble import Undecodable

MAX_FIELDS = 100_000
"""Fields in one message with all within it; 200 nodes have about 20,000."""


class Kind(Enum):
    """How a field's value is read."""

    TEXT = "text"
    UNSIGNED = "unsigned"
    SIGNED = "signed"
    MESSAGE = "message"
    MAP = "map"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message; `of` is the message of MESSAGE, and the value's message of MAP (text keys)."""

    name: str
    kind: Kind
    is_repeated: bool = False
    of: Mapping[int, Field] | None = None


Message = Mapping[int, Field]


@dataclass
class _Budget:
    fields: int = MAX_FIELDS

    def spend(self) -> None:
        self.fields -= 1
        if self.fields < 0:
            raise Undecodable(f"This message has more than {MAX_FIELDS} fields.")


def read_message(message: Message, data: bytes) -> dict[str, Any]:
    """Decode into plain values by field name; what is not in the message is absent. Raises Undecodable.

    A message within that came several times is merged, a single value's last one counts (protobuf's own rule).
    """
    return _read(message, memoryview(data), _Budget())


def _read(message: Message, data: memoryview, budget: _Budget) -> dict[str, Any]:
    found: dict[str, Any] = {}
    parts: dict[int, list[memoryview]] = {}
    for number, wire_type, value in _fields(data, budget):
        field = message.get(number)
        if field is None:
            continue
        if field.kind in {Kind.UNSIGNED, Kind.SIGNED}:
            found[field.name] = _number(field, wire_type, value)
            continue
        if wire_type != 2 or not isinstance(value, memoryview):
            raise Undecodable(f"Field {field.name} is not written as {field.kind.value}.")
        if field.kind is Kind.TEXT:
            text = _text(field, value)
            found[field.name] = [*found.get(field.name, ()), text] if field.is_repeated else text
        elif field.kind is Kind.MAP:
            key, entry = _entry(field, value, budget)
            found.setdefault(field.name, {})[key] = entry
        elif field.is_repeated:
            found.setdefault(field.name, []).append(_read(field.of or {}, value, budget))
        else:
            parts.setdefault(number, []).append(value)
    for number, pieces in parts.items():
        whole = pieces[0] if len(pieces) == 1 else memoryview(b"".join(pieces))
        found[message[number].name] = _read(message[number].of or {}, whole, budget)
    return found


def _entry(field: Field, data: memoryview, budget: _Budget) -> tuple[str, dict[str, Any]]:
    entry = _read({1: Field("key", Kind.TEXT), 2: Field("value", Kind.MESSAGE, of=field.of)}, data, budget)
    return entry.get("key", ""), entry.get("value", {})


def _text(field: Field, value: memoryview) -> str:
    try:
        return str(value, "utf-8")
    except UnicodeDecodeError:
        raise Undecodable(f"Field {field.name} is no text.") from None


def _number(field: Field, wire_type: int, value: int | memoryview) -> int:
    if wire_type != 0 or not isinstance(value, int):
        raise Undecodable(f"Field {field.name} is no number.")
    if field.kind is Kind.SIGNED and value >= 1 << 63:
        return value - (1 << 64)
    return value


def _fields(data: memoryview, budget: _Budget) -> Iterator[tuple[int, int, int | memoryview]]:
    at, end = 0, len(data)
    while at < end:
        budget.spend()
        key, at = _varint(data, at)
        number, wire_type = key >> 3, key & 7
        if not 0 < number < 1 << 29:
            raise Undecodable("This is no protobuf message: a field has no number.")
        if wire_type == 0:
            value, at = _varint(data, at)
            yield number, wire_type, value
            continue
        if wire_type == 2:
            size, at = _varint(data, at)
        elif wire_type in {1, 5}:
            size = 8 if wire_type == 1 else 4
        else:
            raise Undecodable(f"This is no protobuf message: wire type {wire_type}.")
        if size > end - at:
            raise Undecodable("This message is cut.")
        yield number, wire_type, data[at : at + size]
        at += size


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    for place in range(at, min(at + 10, len(data))):
        byte = data[place]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if value >= 1 << 64:
                raise Undecodable("This is no protobuf message: a number is too long.")
            return value, place + 1
        shift += 7
    raise Undecodable("This message is cut, or a number in it is too long.")
