"""Who did what by hand: rows chained by hash, so that none can be changed or taken out unseen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from ledger.base import Base, Json
from tasks.moment import Moment

FIRST_HASH = "0" * 64
"""What the first row names as the one before."""


class AuditRow(Base):
    """One act. `hash` covers the row and `previous_hash`; a unique `previous_hash` keeps the chain from forking."""

    __tablename__ = "audit_log"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    at_ns: Mapped[int]
    actor: Mapped[str]
    act: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    detail: Mapped[dict[str, object]] = mapped_column(Json)
    previous_hash: Mapped[str] = mapped_column(unique=True)
    hash: Mapped[str] = mapped_column(unique=True)


@dataclass(frozen=True, slots=True)
class Break:
    """A row of the log that is not what was written; `id` None where rows are missing at the end."""

    id: int | None
    message: str


def append_act(
    session: Session, at: Moment, actor: str, act: str, subject: str, detail: Mapping[str, object]
) -> AuditRow:
    """Write one act behind the newest one; call it inside `Ledger.transact`, so that a race is repeated whole."""
    previous = head_hash(session)
    row = AuditRow(at_ns=at, actor=actor, act=act, subject=subject, detail=dict(detail), previous_hash=previous)
    row.hash = hash_of(row)
    session.add(row)
    session.flush()
    return row


def head_hash(session: Session) -> str:
    """The hash of the newest row, which stands for the whole log: kept elsewhere, it shows a cut at the end."""
    newest = select(AuditRow.hash).order_by(AuditRow.id.desc()).limit(1)
    return session.scalars(newest).first() or FIRST_HASH


def hash_of(row: AuditRow) -> str:
    """`sha256(previous_hash || canonical row)`, hex (reference/security.md, T9)."""
    said = [row.at_ns, row.actor, row.act, row.subject, row.detail]
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{row.previous_hash}{canonical}".encode()).hexdigest()


def check_log(session: Session, head: str | None = None) -> list[Break]:
    """Every place where the log is broken; empty where it is whole. `head`: the newest hash as known elsewhere."""
    breaks, previous, hashes = [], FIRST_HASH, {FIRST_HASH}
    for row in session.scalars(select(AuditRow).order_by(AuditRow.id)):
        if row.previous_hash != previous:
            breaks.append(
                Break(row.id, f"entry {row.id} does not follow the one before it: one was taken out or moved")
            )
        if hash_of(row) != row.hash:
            breaks.append(Break(row.id, f"entry {row.id} was changed after it was written"))
        previous = row.hash
        hashes.add(row.hash)
    if head is not None and head not in hashes:
        breaks.append(Break(None, "entries at the end were taken out: the newest hash known elsewhere is not there"))
    return breaks
