"""Loaded campaign files, every revision as it was read."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from ledger.base import Base


class CampaignRevisionRow(Base):
    """One revision of a campaign: the YAML text and its digest, never changed."""

    __tablename__ = "campaign_revisions"

    campaign: Mapped[str] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    digest: Mapped[str]
    text: Mapped[str]
    author: Mapped[str]
    reason: Mapped[str | None]
    loaded_ns: Mapped[int]
    counts_from_ns: Mapped[int]
