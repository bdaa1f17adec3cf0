"""Archives for tests: a small platform's, and the same with something changed and packed again."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import zstandard
from sqlalchemy import update

from ledger.people import PersonalRow, RegistrationRow
from services import appeals, campaigns, reviews
from services.archive_export import export_archive
from services.claims import submit
from services.house import House
from services.reviews import Ballot
from services.rewards import compute_awards
from tests.reviewing import (
    ADA,
    BEN,
    ORGANIZER,
    PLAYING_REVIEWER,
    REVIEWER,
    SECOND_REVIEWER,
    later,
    look,
    make_house,
)

Edit = Callable[[bytes], bytes | None]

SECRET_WORDS = "It stops when Ada of Example Street looks at it."
SECRET_NAME = "Ada Example"
REASON = "It shows what was asked."


def lived_in_house(folder: Path) -> House:
    """A platform where videos and a bug were claimed, accepted, rejected and sent back, and awards were made."""
    house = make_house(folder)
    rules = campaigns.required(house).newest.rules_digest
    with house.ledger.write() as session:
        session.execute(update(RegistrationRow).values(rules_digest=rules))
        session.add(PersonalRow(participant=ADA.address, display_name=SECRET_NAME, contact="ada@example.org"))
    first = submit(house, ADA.address, "video", {"url": "https://video.example/1"}).claim
    second = submit(house, BEN.address, "video", {"url": "https://video.example/2"}).claim
    third = submit(house, PLAYING_REVIEWER.address, "video", {"url": "https://video.example/3"}).claim
    submit(house, BEN.address, "video", {"url": "https://video.example/4"})
    bug = submit(house, ADA.address, "bug", {"words": SECRET_WORDS}).claim
    look(house)
    soon = later(house, 60)
    reviews.decide(soon, REVIEWER.address, first, Ballot("accept", REASON, {}))
    reviews.decide(soon, REVIEWER.address, second, Ballot("reject", "It shows something else.", {}))
    reviews.decide(soon, REVIEWER.address, third, Ballot("needs_work", "Please show the end of it too.", {}))
    for who in (REVIEWER, SECOND_REVIEWER):
        reviews.decide(soon, who.address, bug, Ballot("accept", REASON, {"severity": "high"}))
    look(soon)
    compute_awards(soon)
    afterwards = later(soon, 60)
    lost, _ = appeals.make(afterwards, BEN.address, second, appeals.RESULT, "Look at minute seven, please.")
    won, _ = appeals.make(afterwards, ADA.address, first, appeals.AWARD, "It was worth more than that.")
    appeals.rule(afterwards, ORGANIZER.address, lost.row.id, appeals.Ruling(appeals.LOST, "Minute seven is black."))
    appeals.rule(afterwards, ORGANIZER.address, won.row.id, appeals.Ruling(appeals.WON, "It was, and is granted."))
    look(afterwards)
    return afterwards


def exported(house: House, path: Path) -> Path:
    """The house's archive at `path`."""
    export_archive(house, path)
    return path


def unpacked(path: Path) -> dict[str, bytes]:
    """All members of an archive, by any tool that reads tar and zstd."""
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
        raw = stream.read()
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        return {info.name: archive.extractfile(info).read() for info in archive}  # type: ignore[union-attr]


def packed(members: Mapping[str, bytes], path: Path) -> Path:
    """The members packed by other tools than ours."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.uname = len(content), 1_700_000_000, "somebody"
            archive.addfile(info, io.BytesIO(content))
    path.write_bytes(zstandard.ZstdCompressor(level=3).compress(raw.getvalue()))
    return path


def changed(path: Path, out: Path, edits: Mapping[str, Edit], *, mended: bool) -> Path:
    """The archive with some members edited (None: taken out); `mended`: the manifest tells the new digests."""
    members = unpacked(path)
    for name, edit in edits.items():
        new = edit(members[name])
        assert new != members[name], f"the edit of {name} changes nothing"
        if new is None:
            del members[name]
        else:
            members[name] = new
    if mended:
        members["manifest.json"] = mended_manifest(members)
    return packed(members, out)


def mended_manifest(members: Mapping[str, bytes]) -> bytes:
    """The manifest with the digests that the members have now."""
    manifest = json.loads(members["manifest.json"])
    manifest["members"] = [
        {
            **entry,
            "sha256": hashlib.sha256(members[entry["name"]]).hexdigest(),
            "size": len(members[entry["name"]]),
            "lines": None if entry["lines"] is None else members[entry["name"]].count(b"\n"),
        }
        for entry in manifest["members"]
        if entry["name"] in members
    ]
    return line_of(manifest)


def line_of(value: object) -> bytes:
    """One line as the exporter writes it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def on_lines(edit: Callable[[list[dict[str, object]]], list[dict[str, object]] | None]) -> Edit:
    """An edit of decoded lines; they are written as the exporter writes them."""

    def edited(content: bytes) -> bytes:
        lines = [json.loads(line) for line in content.splitlines()]
        new = edit(lines)
        return b"".join(line_of(line) for line in (lines if new is None else new))

    return edited
