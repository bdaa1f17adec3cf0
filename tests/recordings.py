"""The recorded answers of real nodes, for tests."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import zstandard

FIXTURES = Path(__file__).parent / "fixtures"
SETS = ("akash-recorded", "akash-recorded-v2")


@dataclass(frozen=True)
class Recording:
    """One exchange with a real node; `status` is `None` where the node cut the connection."""

    where: str
    name: str
    api: str
    method: str
    path: str
    request_headers: Mapping[str, str]
    status: int | None
    headers: Mapping[str, str]
    body: bytes

    @property
    def route(self) -> str:
        """The path without its query."""
        return self.path.partition("?")[0]


def files() -> list[str]:
    """Every file of both sets: `akash-recorded-v2/rpc`."""
    return [f"{folder}/{path.name.removesuffix('.jsonl.zst')}"
            for folder in SETS for path in sorted((FIXTURES / folder).glob("*.jsonl.zst"))]  # fmt: skip


@cache
def recordings(file: str) -> tuple[Recording, ...]:
    """All lines of one file."""
    return tuple(_lines(file))


def _lines(file: str) -> Iterator[Recording]:
    with (FIXTURES / f"{file}.jsonl.zst").open("rb") as packed:
        reader = zstandard.ZstdDecompressor().stream_reader(packed)
        for line in io.TextIOWrapper(reader, encoding="utf-8"):
            read = json.loads(line)
            yield Recording(
                where=f"{file} line {read['n']}",
                name=read["name"],
                api=read["api"],
                method=read["method"],
                path=read["path"],
                request_headers=read.get("request_headers") or {},
                status=read["status"],
                headers=read.get("headers") or {},
                body=(read.get("body") or "").encode(),
            )


def recorded(file: str, name: str, *, height: int | None = None) -> Recording:
    """The first line of a file with that name (and asked at that height)."""
    for line in recordings(file):
        asked = line.request_headers.get("x-cosmos-block-height")
        if line.name == name and (height is None or asked == str(height)):
            return line
    raise LookupError(f"{file} has no {name!r}")
