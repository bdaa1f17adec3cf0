"""Who did what by hand: rows chained by hash, so that none can be taken out unseen."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from ledger.base import Base, Json


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
