"""Reading an unpacked archive: the manifest against its members, and their lines, each checked before it is used."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from services.archive.container import ArchiveRefused
from services.archive.format import FORMAT, MANIFEST, MEMBERS, SCHEMA, VERSION, canonical, misfit, schema
from services.archive.member import Member
from services.archive.report import Report

LARGEST_TEXT = 4 << 20
"""Bytes of a manifest, a schema or a campaign's file."""

Line = dict[str, Any]


class _Odd(ValueError):
    """Something that JSON may hold and an archive may not."""


def decoded(text: str) -> Any:
    """A JSON document of whole numbers. Raises ValueError with what is wrong with it."""
    try:
        return json.loads(text, parse_float=_refuse_number, parse_constant=_refuse_number)
    except _Odd:
        raise
    except ValueError as error:
        raise _Odd(f"it is no JSON ({error})") from error
    except RecursionError as error:
        raise _Odd("it is nested too deep") from error


def _refuse_number(text: str) -> NoReturn:
    raise _Odd(f"{text[:40]} is no whole number")


@dataclass(slots=True)
class Contents:
    """The members of an archive with the manifest's word for each of them."""

    files: Mapping[str, Path]
    report: Report
    manifest: Line = field(default_factory=dict)

    def open(self) -> None:
        """Read the manifest and hold every member against it. Raises ArchiveRefused without a manifest of ours."""
        self.manifest = self._manifest()
        listed: set[str] = set()
        for entry in self.manifest["members"]:
            listed.add(str(entry.get("name")))
            self._check_member(entry)
        for name in sorted(self.files.keys() - listed - {MANIFEST}):
            self.report.differ(name, "the manifest does not name it: it was added")
        for member in MEMBERS:
            if member.name not in self.files and member.name not in listed:
                self.report.differ(member.name, "it is missing")
        if self.text(SCHEMA) not in (None, canonical(schema()) + "\n"):
            self.report.differ(SCHEMA, "it describes another format than the one that this version reads")
        self.report.counts["members"] = len(self.files)

    def _manifest(self) -> Line:
        text = self.text(MANIFEST)
        if text is None:
            raise ArchiveRefused("it has no manifest.json that can be read: it is no archive of this platform")
        try:
            manifest = decoded(text)
        except ValueError as error:
            raise ArchiveRefused(f"{MANIFEST} cannot be read: {error}") from error
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise ArchiveRefused(f"{MANIFEST} is none of this platform's")
        if manifest.get("version") != VERSION:
            raise ArchiveRefused(
                f"it is of version {manifest.get('version')!r} of the format, this program reads {VERSION}: "
                "use the version of the program that wrote it"
            )
        members = manifest.get("members")
        if not isinstance(members, list) or not all(isinstance(entry, dict) for entry in members):
            raise ArchiveRefused(f"{MANIFEST} has no list of members")
        if text != canonical(manifest) + "\n":
            self.report.differ(MANIFEST, "it is not written as the exporter writes it: it was changed")
        return manifest

    def _check_member(self, entry: Line) -> None:
        name = str(entry.get("name"))
        path = self.files.get(name)
        if name == MANIFEST:
            return
        if path is None:
            self.report.differ(name[:100], "the manifest names it, the archive lacks it")
            return
        digest, lines = _digest(path)
        if digest == entry.get("sha256"):
            return
        said = entry.get("lines")
        counted = (
            f"; it has {lines:,} lines, the manifest says {said:,}" if type(said) is int and said != lines else ""
        )
        self.report.differ(name, f"it is not what was exported: its SHA-256 is another than the manifest's{counted}")

    def text(self, name: str) -> str | None:
        """A small member as text; None, and a difference, where it is not there or no UTF-8."""
        path = self.files.get(name)
        if path is None:
            return None
        if path.stat().st_size > LARGEST_TEXT:
            self.report.differ(name, f"it is longer than {LARGEST_TEXT:,} bytes")
            return None
        try:
            return path.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            self.report.differ(name, f"it is no UTF-8 text (byte {error.start})")
            return None

    def lines(self, member: Member) -> Iterator[tuple[str, Line]]:
        """The lines that fit the member, each with its place for messages; the others become differences."""
        for place, line, _, _ in self.located(member):
            yield place, line

    def located(self, member: Member) -> Iterator[tuple[str, Line, int, int]]:
        """The same with offset and length in the member's file."""
        path = self.files.get(member.name)
        if path is None:
            return
        before: tuple[Any, ...] | None = None
        offset = number = 0
        with path.open("rb") as file:
            while raw := file.readline(member.longest_line + 1):
                number += 1
                place = f"{member.name} line {number}"
                if len(raw) > member.longest_line:
                    self.report.differ(
                        place, f"it is longer than {member.longest_line:,} bytes: nothing after it is read"
                    )
                    return
                line = self._line(member, place, raw)
                if line is not None:
                    key = tuple(line[name] for name in member.key)
                    place = f"{place} ({_named(member, key)})"
                    self._check_order(place, before, key)
                    before = key
                    yield place, line, offset, len(raw)
                offset += len(raw)

    def _line(self, member: Member, place: str, raw: bytes) -> Line | None:
        try:
            text = raw.decode("utf-8")
            line = decoded(text)
            wrong = misfit(member, line)
            if wrong is not None:
                raise _Odd(wrong)
            written = canonical(line)
            written.encode("utf-8")  # half of a surrogate pair is no text
        except ValueError as error:
            self.report.differ(place, f"it cannot be used: {error}")
            return None
        if text != written + "\n":
            self.report.differ(place, "it is not written as the exporter writes it: it was changed")
        return dict(line)

    def _check_order(self, place: str, before: tuple[Any, ...] | None, key: tuple[Any, ...]) -> None:
        if before is None or before < key:
            return
        word = "it is there twice" if before == key else "it stands behind a later one: lines were swapped or moved"
        self.report.differ(place, word)


def _named(member: Member, key: tuple[Any, ...]) -> str:
    return ", ".join(f"{name} {str(value)[:80]}" for name, value in zip(member.key, key, strict=True))


def _digest(path: Path) -> tuple[str, int]:
    digest, lines = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(1 << 18):
            digest.update(chunk)
            lines += chunk.count(b"\n")
    return digest.hexdigest(), lines
