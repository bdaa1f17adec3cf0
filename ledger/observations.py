"""What was seen: raw answers, compressed and kept once by digest, and the observations that point at them."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from ledger.base import Base


class BodyRow(Base):
    """A raw answer, zstd; `digest` is the SHA-256 of the raw bytes, hex; `size` their number."""

    __tablename__ = "bodies"

    digest: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[bytes]
    size: Mapped[int]


class ObservationRow(Base):
    """One observation (`verifiers/evidence.py`), never changed. `verifier` names who asked, with its version."""

    __tablename__ = "observations"
    __table_args__ = (Index(None, "request", "chain_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str]
    request: Mapped[str]
    body_digest: Mapped[str] = mapped_column(ForeignKey("bodies.digest"), index=True)
    host: Mapped[str]
    seen_ns: Mapped[int]
    status: Mapped[int | None]
    chain_id: Mapped[str | None]
    height: Mapped[int | None]
    time_ns: Mapped[int | None]
    trouble: Mapped[str | None]
    restricted: Mapped[bool]
    verifier: Mapped[str]
