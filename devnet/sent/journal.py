"""The file that keeps what was sent to a local chain, so that a second start goes on where the first ended."""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Iterator
from pathlib import Path


class Journal:
    """One line a transaction: the block that it goes into, and its bytes in base64. Lines are only ever added."""

    def __init__(self, path: Path) -> None:
        """A last line that was cut by a crash is dropped: nobody was told that its transaction was taken."""
        self._path = path
        if path.exists():
            kept = path.read_bytes()
            whole = kept[: kept.rfind(b"\n") + 1]
            if whole != kept:
                os.truncate(path, len(whole))

    def read(self) -> Iterator[tuple[int, bytes]]:
        """Height and bytes of every transaction, oldest first. Raises ValueError where the file is none of ours."""
        if not self._path.exists():
            return
        for number, line in enumerate(self._path.read_text().splitlines(), 1):
            try:
                told = json.loads(line)
                yield int(told["height"]), base64.b64decode(told["tx"], validate=True)
            except (ValueError, KeyError, TypeError, binascii.Error) as error:
                raise ValueError(f"{self._path} line {number} is no transaction: {error}") from error

    def add(self, height: int, raw: bytes) -> None:
        """Keep one more; it is on the disk when this returns. Raises OSError, and keeps nothing of it then."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"height": height, "tx": base64.b64encode(raw).decode()}).encode() + b"\n"
        with self._path.open("ab", buffering=0) as out:
            size = out.tell()
            try:
                if out.write(line) != len(line):
                    raise OSError(f"{self._path}: the disk is full")
                os.fsync(out.fileno())
            except OSError:
                out.truncate(size)
                raise
