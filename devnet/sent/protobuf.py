"""Reads protobuf's wire form as strictly as the SDK does before it takes a transaction, with its words for errors."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

VARINT, FIXED64, BYTES, START_GROUP, END_GROUP, FIXED32 = range(6)
_NAMES = {VARINT: "varint", FIXED64: "fixed64", BYTES: "bytes", FIXED32: "fixed32"}
_FIRST_NON_CRITICAL = 1 << 10
"""Fields with this bit may be unknown where a message allows it (ADR-020)."""

FIELD_NUMBER = "proto:\u00a0invalid field number"
CUT = "unexpected EOF"
_RESERVED = "proto:\u00a0cannot parse reserved wire type"
_OVERFLOW = "proto:\u00a0variable length integer overflow"


class ReadingError(ValueError):
    """Bytes that are no transaction; the message is the node's."""


class Part(NamedTuple):
    """One field: its number, wire type and value (a number, or bytes)."""

    number: int
    kind: int
    value: int | bytes


def check_outermost(data: bytes) -> None:
    """What ADR-027 asks of a TxRaw: fields of bytes in ascending order, lengths as short as possible.

    Raises ReadingError in the wording of cosmos-sdk `x/tx/decode/adr027.go`.
    """
    place, before = 0, 0
    while place < len(data):
        try:
            number, kind, after = _read_tag(data, place)
        except ReadingError as error:
            raise ReadingError(f"invalid length; {error}") from None
        if kind != BYTES:
            raise ReadingError(f"expected {BYTES} wire type, got {kind}")
        if number < before:
            raise ReadingError(f"txRaw must follow ADR-027, got tagNum {number} after tagNum {before}")
        before = number
        try:
            size, begin = read_varint(data, after)
        except ReadingError as error:
            raise ReadingError(f"invalid length; {error}") from None
        needed = max(1, -(-size.bit_length() // 7))
        if begin - after != needed:
            raise ReadingError(
                f"length prefix varint for tagNum {number} is not as short as possible, read {begin - after}, "
                f"only need {needed}"
            )
        place = begin + size
        if place > len(data):
            raise ReadingError(f"invalid length; {CUT}")


class Message:
    """The fields of one message, which may hold only known ones."""

    def __init__(self, name: str, data: bytes, known: Collection[int], *, lenient: bool = False) -> None:
        """`lenient`: unknown fields that are marked as not critical are passed over. Raises ReadingError."""
        self._values: dict[int, list[int | bytes]] = {}
        self.has_unknown = False
        for number, kind, value in parts(data):
            if number not in known:
                if not (lenient and number & _FIRST_NON_CRITICAL):
                    shown = _NAMES.get(kind, str(kind))
                    raise ReadingError(f'{name}: {{TagNum: {number}, WireType:"{shown}"}}: unknown protobuf field')
                self.has_unknown = True
                continue
            self._values.setdefault(number, []).append(value)

    def number(self, number: int) -> int:
        """A whole number, 0 where it is missing. Raises ReadingError where it is none."""
        value = self._values.get(number, [0])[-1]
        if not isinstance(value, int):
            raise ReadingError("proto:\u00a0cannot parse invalid wire-format data")
        return value

    def octets(self, number: int) -> bytes:
        """Bytes, empty where they are missing."""
        found = self.every(number)
        return found[-1] if found else b""

    def text(self, number: int) -> str:
        """A text, empty where it is missing."""
        return read_text(self.octets(number))

    def every(self, number: int) -> list[bytes]:
        """Every value of a field of bytes."""
        found = []
        for value in self._values.get(number, ()):
            if not isinstance(value, bytes):
                raise ReadingError("proto:\u00a0cannot parse invalid wire-format data")
            found.append(value)
        return found

    def has(self, number: int) -> bool:
        """Whether the field occurs."""
        return number in self._values


def read_text(data: bytes) -> str:
    """Bytes as UTF-8. Raises ReadingError."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ReadingError("proto:\u00a0field contains invalid UTF-8") from None


def parts(data: bytes) -> Iterator[Part]:
    """The fields of a message in their order. Raises ReadingError."""
    place = 0
    while place < len(data):
        number, kind, place = _read_tag(data, place)
        if kind == VARINT:
            value, place = read_varint(data, place)
            yield Part(number, kind, value)
            continue
        if kind == BYTES:
            size, place = read_varint(data, place)
        elif kind in {FIXED64, FIXED32}:
            size = 8 if kind == FIXED64 else 4
        else:
            raise ReadingError(_RESERVED)
        if place + size > len(data):
            raise ReadingError(CUT)
        yield Part(number, kind, data[place : place + size])
        place += size


def read_varint(data: bytes, place: int) -> tuple[int, int]:
    """A number of up to 64 bits and where it ends. Raises ReadingError."""
    value = 0
    for step in range(10):
        if place >= len(data):
            raise ReadingError(CUT)
        octet = data[place]
        place += 1
        value |= (octet & 127) << 7 * step
        if octet < 128:
            if value >> 64:
                break
            return value, place
    raise ReadingError(_OVERFLOW)


def _read_tag(data: bytes, place: int) -> tuple[int, int, int]:
    tag, place = read_varint(data, place)
    number = tag >> 3
    if not 1 <= number < 1 << 29:
        raise ReadingError(FIELD_NUMBER)
    return number, tag & 7, place
