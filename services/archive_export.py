"""`audit export`: one state of the ledger, written as one file that anyone can work again."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from ledger.audit import head_hash
from ledger.awards import RewardRunRow
from services import campaigns
from services.archive import format as archive
from services.archive.container import pack
from services.archive_tables import SOURCES, Export, texts
from services.campaigns import Loaded
from services.errors import Unavailable
from services.house import House
from services.rewards import compute_if_changed, is_computed
from tasks.moment import Moment
from verifiers.kinds import verifier_of

TRIES = 4


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written. `digest`: SHA-256 of the file, hex, to be published beside it."""

    path: Path
    digest: str
    size_bytes: int
    lines: Mapping[str, int]

    def document(self) -> dict[str, object]:
        """As JSON."""
        return {
            "file": str(self.path),
            "sha256": self.digest,
            "size_bytes": self.size_bytes,
            "lines": dict(self.lines),
        }


def export_archive(house: House, path: Path) -> Exported:
    """Write the archive of the campaign to `path`; the same state gives the same bytes.

    The award lines are brought in step with the verdicts first. An earlier file at `path` is replaced whole, or
    stays where anything fails. Raises NotFound without a campaign, Unavailable while verdicts come faster than they
    can be worked, OSError where the file can't be written.
    """
    campaigns.required(house)
    for _ in range(TRIES):
        compute_if_changed(house)
        with house.ledger.read() as session:
            loaded = campaigns.current_in(session, house.settings.campaign)
            if loaded is not None and is_computed(session, loaded, house.clock.now()):
                return _write(session, loaded, path, house.clock.now())
    raise Unavailable("New verdicts came while the awards were worked: try again, or stop `serve` for the export.")


def _write(session: Session, loaded: Loaded, path: Path, now: Moment) -> Exported:
    with tempfile.TemporaryDirectory(prefix="waymark-archive-") as name:
        spool = _Spool(Path(name))
        export = Export(session, loaded, now)
        for file_name, text in texts(export):
            spool.add(file_name, [text.encode()], lines=None)
        for member in archive.MEMBERS:
            spool.add_lines(member.name, SOURCES[member.name](export))
        spool.add(archive.SCHEMA, [archive.canonical(archive.schema()).encode() + b"\n"], lines=None)
        manifest = _manifest(session, loaded, spool)
        spool.add(archive.MANIFEST, [archive.canonical(manifest).encode() + b"\n"], lines=None)
        digest, size = _pack(spool, path)
    lines = {entry.name: entry.lines for entry in spool.entries if entry.lines is not None}
    return Exported(path, digest, size, lines)


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    path: Path
    size: int
    sha256: str
    lines: int | None

    def document(self) -> dict[str, object]:
        return {"name": self.name, "size": self.size, "sha256": self.sha256, "lines": self.lines}


class _Spool:
    """The members as files, each written once and digested on the way: no member is ever whole in memory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.entries: list[_Entry] = []

    def add_lines(self, name: str, lines: Iterable[Mapping[str, object]]) -> None:
        count = 0

        def written() -> Iterator[bytes]:
            nonlocal count
            for line in lines:
                count += 1
                yield archive.canonical(line).encode() + b"\n"

        entry = self._write(written())
        self.entries.append(_Entry(name, *entry, count))

    def add(self, name: str, chunks: Iterable[bytes], lines: int | None) -> None:
        self.entries.append(_Entry(name, *self._write(chunks), lines))

    def _write(self, chunks: Iterable[bytes]) -> tuple[Path, int, str]:
        path = self._folder / str(len(self.entries))
        digest, size = hashlib.sha256(), 0
        with path.open("wb") as file:
            for chunk in chunks:
                digest.update(chunk)
                file.write(chunk)
                size += len(chunk)
        return path, size, digest.hexdigest()

    def in_order(self) -> list[_Entry]:
        """The manifest first, then the schema, then the rest as it was added."""
        first = {archive.MANIFEST: 0, archive.SCHEMA: 1}
        return sorted(self.entries, key=lambda entry: first.get(entry.name, 2))


def _manifest(session: Session, loaded: Loaded, spool: _Spool) -> dict[str, object]:
    run = session.get(RewardRunRow, loaded.slug)
    newest = loaded.newest
    kinds = sorted({task.kind for task in newest.tasks})
    verifiers = {kind: verifier.VERSION for kind in kinds if (verifier := verifier_of(kind)) is not None}
    return {
        "format": archive.FORMAT,
        "version": archive.VERSION,
        "campaign": loaded.slug,
        "revision": newest.revision,
        "digest": newest.digest,
        "unit": newest.reward.unit,
        "awards_computed_ns": run.computed_ns if run is not None else None,
        "judges": verifiers,
        "audit_log_head": head_hash(session),
        "members": [entry.document() for entry in spool.in_order()],
    }


def _pack(spool: _Spool, path: Path) -> tuple[str, int]:
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as out:
            digest = pack([(entry.name, entry.path) for entry in spool.in_order()], out)
            out.flush()
            os.fsync(out.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return digest, path.stat().st_size
