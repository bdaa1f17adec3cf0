"""Requests as the handlers see them, answers as the server sends them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

Params = Mapping[str, Sequence[str]]

INVALID, NOT_FOUND, UNIMPLEMENTED, INTERNAL, UNKNOWN = 3, 5, 12, 13, 2
STATUS_OF = {INVALID: 400, NOT_FOUND: 404, UNIMPLEMENTED: 501, INTERNAL: 500, UNKNOWN: 500}
"""gRPC codes that occur and the HTTP status of each."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer; `headers` without date, length and connection, which the server adds. `tells_time`: with
    `X-Server-Time`, which what is refused before it is handled does not have."""

    status: int
    body: bytes | Sequence[bytes]
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    tells_time: bool = True


class RestError(Exception):
    """An error of the gateway. `with_height`: the query reached the application, so the height is told."""

    def __init__(self, code: int, message: str, *, with_height: bool = True) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.with_height = with_height

    @property
    def body(self) -> bytes:
        """The error's JSON with the spaces that the gateway puts."""
        shown = json.dumps(self.message, ensure_ascii=False)
        return f'{{"code":{self.code}, "message":{shown}, "details":[]}}'.encode()


@dataclass(frozen=True, slots=True)
class Request:
    """A request at one height. `values`: what the path's placeholders held; `body`: of a POST."""

    path: str
    params: Params
    height: int
    values: tuple[str, ...] = ()
    tip: int = 0
    body: bytes = b""

    def text(self, name: str) -> str:
        """A parameter, empty where it is missing."""
        found = self.params.get(name)
        return found[-1] if found else ""

    def uint(self, name: str, bits: int = 64) -> int:
        """An unsigned number, 0 where it is missing. Raises RestError with Go's wording."""
        value = self.text(name)
        if not value:
            return 0
        if not value.isascii() or not value.isdigit():
            message = f'strconv.ParseUint: parsing "{value}": invalid syntax'
            raise RestError(INVALID, message, with_height=False)
        if int(value) >= 1 << bits:
            message = f'strconv.ParseUint: parsing "{value}": value out of range'
            raise RestError(INVALID, message, with_height=False)
        return int(value)

    def flag(self, name: str) -> bool:
        """A boolean, false where it is missing."""
        value = self.text(name)
        if value not in {"", "0", "1", "t", "f", "T", "F", "true", "false", "TRUE", "FALSE", "True", "False"}:
            message = f'strconv.ParseBool: parsing "{value}": invalid syntax'
            raise RestError(INVALID, message, with_height=False)
        return value in {"1", "t", "T", "true", "TRUE", "True"}


def parse_query(query: str) -> dict[str, list[str]]:
    """The parameters of a URL as Go reads them. Raises RestError for a broken escape."""
    out: dict[str, list[str]] = {}
    for part in query.split("&") if query else ():
        name, _, value = part.partition("=")
        out.setdefault(_unescape(name), []).append(_unescape(value))
    return out


def _unescape(text: str) -> str:
    if "%" not in text and "+" not in text:
        return text
    pieces = text.split("%")
    for piece in pieces[1:]:
        digits = piece[:2]
        if len(digits) < 2 or not all(digit in "0123456789abcdefABCDEF" for digit in digits):
            raise RestError(INVALID, f'invalid URL escape "%{digits}"', with_height=False)
    return unquote_to_bytes(text.replace("+", " ")).decode("utf-8", "replace")
