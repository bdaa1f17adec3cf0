"""The file that keeps what was sent to a local chain, so that a second start goes on where the first ended."""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


class Journal:
    """First when block 1 was, then a line for each transaction: the block that it goes into, and its bytes in base64.

    Lines are only ever added.
    """

    def __init__(self, path: Path) -> None:
        """A last line that was cut by a crash is dropped: nobody was told that its transaction was taken."""
        self._path = path
        if path.exists():
            kept = path.read_bytes()
            whole = kept[: kept.rfind(b"\n") + 1]
            if whole != kept:
                os.truncate(path, len(whole))

    def begun(self, start: int) -> int:
        """When block 1 was, in Unix nanoseconds; `start` where the journal begins only now.

        Raises ValueError where the file is none of ours, OSError where it can't be written.
        """
        for number, told in self._lines():
            if not isinstance(told.get("start"), int):
                raise ValueError(f"{self._path} line {number} does not say when the chain began")
            return int(told["start"])
        self._write({"start": start})
        return start

    def read(self) -> Iterator[tuple[int, bytes]]:
        """Height and bytes of every transaction, oldest first. Raises ValueError where the file is none of ours."""
        for number, told in self._lines():
            if "start" in told:
                continue
            try:
                yield int(told["height"]), base64.b64decode(told["tx"], validate=True)
            except (ValueError, KeyError, TypeError, binascii.Error) as error:
                raise ValueError(f"{self._path} line {number} is no transaction: {error!r}") from error

    def add(self, height: int, raw: bytes) -> None:
        """Keep one more; it is on the disk when this returns. Raises OSError, and keeps nothing of it then."""
        self._write({"height": height, "tx": base64.b64encode(raw).decode()})

    def _lines(self) -> Iterator[tuple[int, dict[str, Any]]]:
        text = self._path.read_text() if self._path.exists() else ""
        for number, line in enumerate(text.splitlines(), 1):
            try:
                told = json.loads(line)
            except ValueError as error:
                raise ValueError(f"{self._path} line {number} is no transaction: {error}") from error
            if not isinstance(told, dict):
                raise ValueError(f"{self._path} line {number} is no transaction")
            yield number, told

    def _write(self, told: Mapping[str, Any]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps(told).encode() + b"\n"
        with self._path.open("ab", buffering=0) as out:
            size = out.tell()
            try:
                if out.write(line) != len(line):
                    raise OSError(f"{self._path}: the disk is full")
                os.fsync(out.fileno())
            except OSError:
                out.truncate(size)
                raise
