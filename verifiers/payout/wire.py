"""The little of protobuf's wire form that transactions need: written as the SDK writes it, read without trust."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_VARINT = 0
_FIXED64 = 1
_BYTES = 2
_FIXED32 = 5
_LONGEST_VARINT = 10


class WireError(ValueError):
    """Bytes that are no protobuf message, or not one of the form asked for."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message: `value` is a whole number or bytes, as its wire type says."""

    number: int
    value: int | bytes


def varint(number: int, value: int) -> bytes:
    """A whole number as field `number`; 0 is left out, as proto3 does."""
    if value < 0:
        raise WireError("a negative number is no unsigned field")
    return _tag(number, _VARINT) + _varint(value) if value else b""


def text(number: int, value: str) -> bytes:
    """Text as field `number`; empty text is left out."""
    return message(number, value.encode()) if value else b""


def octets(number: int, value: bytes) -> bytes:
    """Bytes as field `number`; none are left out."""
    return message(number, value) if value else b""


def message(number: int, value: bytes) -> bytes:
    """A message as field `number`, written also where it is empty: presence says something there."""
    return _tag(number, _BYTES) + _varint(len(value)) + value


def read_fields(data: bytes) -> Iterator[Field]:
    """The fields of a message in their order. Raises WireError where the bytes are cut or no message."""
    at = 0
    while at < len(data):
        tag, at = _read_varint(data, at)
        number, kind = tag >> 3, tag & 7
        if number == 0:
            raise WireError("a field has no number")
        if kind == _VARINT:
            value, at = _read_varint(data, at)
            yield Field(number, value)
            continue
        if kind == _BYTES:
            size, at = _read_varint(data, at)
        elif kind in {_FIXED64, _FIXED32}:
            size = 8 if kind == _FIXED64 else 4
        else:
            raise WireError(f"wire type {kind} occurs in no transaction")
        if at + size > len(data):
            raise WireError("the bytes end inside a field")
        yield Field(number, data[at : at + size])
        at += size


class Fields:
    """The fields of one message by number, for reading with the type expected."""

    def __init__(self, data: bytes) -> None:
        self._found: dict[int, list[int | bytes]] = {}
        for field in read_fields(data):
            self._found.setdefault(field.number, []).append(field.value)

    def only(self, *known: int) -> None:
        """Raises WireError where another field occurs: what we don't know we don't pass on."""
        others = sorted(set(self._found) - set(known))
        if others:
            raise WireError(f"field {others[0]} is unknown here")

    def number(self, number: int) -> int:
        """The whole number of a field, 0 where it is absent; of several the last, as proto3 says."""
        value = self._found.get(number, [0])[-1]
        if not isinstance(value, int):
            raise WireError(f"field {number} is no number")
        return value

    def octets(self, number: int) -> bytes:
        """The bytes of a field, none where it is absent."""
        return self.all(number)[-1] if number in self._found else b""

    def text(self, number: int) -> str:
        """The text of a field, empty where it is absent."""
        try:
            return self.octets(number).decode()
        except UnicodeDecodeError as error:
            raise WireError(f"field {number} is no text") from error

    def has(self, number: int) -> bool:
        """Whether the field occurs."""
        return number in self._found

    def all(self, number: int) -> list[bytes]:
        """Every occurrence of a field of bytes, in order."""
        values: list[bytes] = []
        for value in self._found.get(number, []):
            if not isinstance(value, bytes):
                raise WireError(f"field {number} is no message")
            values.append(value)
        return values


def _tag(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(_LONGEST_VARINT):
        if at >= len(data):
            raise WireError("the bytes end inside a number")
        octet = data[at]
        at += 1
        value |= (octet & 0x7F) << 7 * place
        if octet < 0x80:
            if value >> 64:
                break
            return value, at
    raise WireError("a number is longer than 64 bits")
