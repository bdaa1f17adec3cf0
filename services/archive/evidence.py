"""The archived answers and observations: digests and ids worked again, and read back one by one."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import sys
from collections import OrderedDict
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

from services.archive.format import BODIES, OBSERVATIONS, REVIEW_STEPS
from services.archive.reading import Contents, Line, decoded
from tasks.moment import Moment
from verifiers.evidence import Observation, Source

KEPT_BYTES = 64 << 20
_SOURCES = frozenset(map(str, Source))
_REDUCED = {
    Source.ENTERED: "texts that were entered: reduced SDLs and answers, the originals are not kept or not published",
    Source.CODEHOST: "answers of code hosts, reduced when they came",
    Source.COMPARISON: "comparisons with other people's claims, made when the claim was looked at",
    Source.RECORD: "lists of who was registered when a claim was looked at: nobody was left out",
}

_WITH_ORIGINAL = ("SUBMISSION ", "LOOKS ", "SPOT CHECKS ")


class NotThere(Exception):
    """An observation can't be given to a judge. `is_restricted`: because it stays with the platform."""

    def __init__(self, message: str, *, is_restricted: bool) -> None:
        super().__init__(message)
        self.is_restricted = is_restricted


class _Record(NamedTuple):
    """An observation without its answer: there may be a million of them in memory."""

    source: str
    request: str | None
    status: int | None
    chain_id: str | None
    height: int | None
    trouble: str | None
    body_digest: str
    host: str | None
    seen_ns: int
    restricted: bool


def _record(line: Line) -> _Record:
    shared = ("source", "chain_id", "trouble", "host")
    kept = {name: sys.intern(line[name]) for name in shared if line[name] is not None}
    return _Record._make(kept.get(name, line[name]) for name in _Record._fields)


class _Place(NamedTuple):
    """Where an answer stands in its member's file."""

    offset: int
    length: int


class Evidence:
    """All observations by id. Answers are read from the member's file when a judge needs them, the newest kept."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._bodies: dict[str, _Place] = {}
        self._records: dict[str, _Record] = {}
        self._used: set[str] = set()
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._kept_bytes = 0

    def read(self) -> None:
        """Index both members and check every digest and id."""
        report = self._contents.report
        for place, line, offset, length in self._contents.located(BODIES):
            self._bodies[line["digest"]] = _Place(offset, length)
            report.counts["answers"] += 1
            wrong = _wrong_body(line)
            if wrong is not None:
                report.differ(place, wrong)
        wanted: set[str] = set()
        for place, line in self._contents.lines(OBSERVATIONS):
            self._records[line["id"]] = _record(line)
            report.counts["observations"] += 1
            if not line["restricted"]:
                wanted.add(line["body_digest"])
            self._check(place, line)
        for digest in sorted(self._bodies.keys() - wanted):
            report.differ(
                f"{BODIES.name} (digest {digest})", "no observation refers to it: lines were removed or added"
            )

    def _check(self, place: str, line: Line) -> None:
        report = self._contents.report
        if line["source"] not in _SOURCES:
            report.differ(place, f"there is no source {line['source'][:40]!r}")
        if line["restricted"]:
            report.skip(place, "it is restricted: question and answer stay with the platform, only digests leave")
            return
        if observation_id(line) != line["id"]:
            report.differ(place, "its id is not the digest of what it says: a field was changed")
        if line["body_digest"] not in self._bodies:
            report.differ(place, f"its answer {line['body_digest'][:80]} is missing in {BODIES.name}")
        word = _REDUCED.get(Source(line["source"])) if line["source"] in _SOURCES else None
        if word is not None and not str(line["request"]).startswith(_WITH_ORIGINAL):
            report.trusted[word] += 1

    def use(self, names: Sequence[str], place: str) -> None:
        """Note that something refers to these observations; those that are not there become differences."""
        self._used.update(names)
        for name in names:
            if name not in self._records:
                self._contents.report.differ(place, f"it refers to observation {name[:80]}, which is missing")

    def names(self, source: Source, begins: str = "") -> list[str]:
        """The ids of public observations of a source whose request begins so."""
        return sorted(
            name
            for name, record in self._records.items()
            if record.source == source and not record.restricted and str(record.request).startswith(begins)
        )

    def check_steps(self, steps: AbstractSet[str]) -> None:
        """Every act that a judge was told of is among the review steps, whose observations are `steps`."""
        for name, record in sorted(self._records.items()):
            if name not in steps and str(record.request).startswith("REVIEW "):
                message = f"{REVIEW_STEPS.name} has no step of it: a line was removed"
                self._contents.report.differ(f"{OBSERVATIONS.name} (id {name[:80]})", message)

    def check_used(self) -> None:
        """After everything was read: each observation has someone who refers to it."""
        for name in sorted(self._records.keys() - self._used):
            message = "nothing refers to it: lines were removed or added"
            self._contents.report.differ(f"{OBSERVATIONS.name} (id {name[:80]})", message)

    def source(self, name: str) -> str | None:
        """Where an observation comes from; None where it is not there."""
        record = self._records.get(name)
        return record.source if record is not None else None

    def observation(self, name: str) -> Observation:
        """One observation as its judge was given it. Raises NotThere."""
        record = self._records.get(name)
        if record is None:
            raise NotThere(f"observation {name[:80]} is missing", is_restricted=False)
        if record.restricted:
            raise NotThere(f"it rests on observation {name}, which is restricted", is_restricted=True)
        if record.source not in _SOURCES or record.body_digest not in self._bodies:
            raise NotThere(f"observation {name} is damaged", is_restricted=False)
        return Observation(
            source=Source(record.source),
            request=record.request or "",
            body=self._body(record.body_digest),
            host=record.host or "",
            seen_at=Moment(record.seen_ns),
            status=record.status,
            chain_id=record.chain_id,
            height=record.height,
            trouble=record.trouble,
        )

    def _body(self, digest: str) -> bytes:
        kept = self._kept.get(digest)
        if kept is not None:
            self._kept.move_to_end(digest)
            return kept
        place = self._bodies[digest]
        with self._contents.files[BODIES.name].open("rb") as file:
            file.seek(place.offset)
            raw = raw_body(decoded(file.read(place.length).decode("utf-8"))) or b""
        self._kept[digest] = raw
        self._kept_bytes += len(raw)
        while self._kept_bytes > KEPT_BYTES:
            self._kept_bytes -= len(self._kept.popitem(last=False)[1])
        return raw


def raw_body(line: Line) -> bytes | None:
    """The bytes of an answer; None where the line holds neither form, or both, or no base64."""
    text, coded = line["text"], line["base64"]
    if (text is None) is (coded is None):
        return None
    try:
        return text.encode("utf-8") if text is not None else base64.b64decode(coded, validate=True)
    except (binascii.Error, ValueError):
        return None


def _wrong_body(line: Line) -> str | None:
    raw = raw_body(line)
    if raw is None:
        return "it holds no answer: exactly one of text and base64 must hold it"
    digest = hashlib.sha256(raw).hexdigest()
    if digest != line["digest"]:
        return f"the answer was changed: its SHA-256 is {digest}"
    if len(raw) != line["size"]:
        return f"it has {len(raw):,} bytes, not {line['size']:,}"
    return None


def observation_id(line: Line) -> str:
    """The id of an observation from its record (`verifiers/evidence.py`, `Observation.id`)."""
    names = ("source", "request", "status", "chain_id", "height", "trouble", "body_digest")
    named: list[Any] = [line[name] for name in names]
    return hashlib.sha256(json.dumps(named, separators=(",", ":")).encode()).hexdigest()[:32]
