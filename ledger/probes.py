"""What our probes found: one row for each provider and UTC day, and where its state changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import zstandard
from sqlalchemy import Index, and_, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from ledger.base import Base, Json
from ledger.rows import in_parts, insert_once, replace_rows
from verifiers.probes import ProbeDay, Standing, State

LARGEST_DAY = 1 << 16


class ProbeDayRow(Base):
    """One provider's UTC day (`verifiers/probes.py`), never changed once sealed.

    `slots`: one byte each; zstd once sealed. `capacities`: the inventories that bytes from 128 up point at.
    `digest`: what seals it, SHA-256; None while the day may still get bytes. `chain_id`: the chain whose record of
    the provider was probed, empty where that was not noted: an address may be another provider on another chain.
    """

    __tablename__ = "probe_days"
    # kept in the order of its key: the space that a day gives back when it is sealed serves the provider's next days
    __table_args__ = (Index(None, "sealed", "day"), {"sqlite_with_rowid": False})

    provider: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    every_seconds: Mapped[int]
    slots: Mapped[bytes]
    capacities: Mapped[list[dict[str, int]]] = mapped_column(Json)
    sealed: Mapped[bool]
    digest: Mapped[bytes | None]
    chain_id: Mapped[str] = mapped_column(server_default="")


class ProbeChangeRow(Base):
    """A probe that found something else than the one before it, or the first: with all that it saw."""

    __tablename__ = "probe_changes"

    provider: Mapped[str] = mapped_column(primary_key=True)
    at_ns: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    standing: Mapped[str]
    cause: Mapped[str]
    capacity: Mapped[dict[str, int]] = mapped_column(Json)
    observations: Mapped[list[str]] = mapped_column(Json)
    chain_id: Mapped[str] = mapped_column(server_default="")


def open_days(
    session: Session, providers: Sequence[str], day: int, every_seconds: int, chain_id: str = ""
) -> dict[str, ProbeDay]:
    """The unsealed days of these providers, begun where there is none yet; one that is sealed, or that was probed for
    another chain, is left out."""
    found: dict[str, ProbeDay] = {}
    for part in in_parts(providers):
        here = ProbeDayRow.day == day, ProbeDayRow.provider.in_(part)
        rows = {row.provider: row for row in session.scalars(select(ProbeDayRow).where(*here))}
        for provider in part:
            row = rows.get(provider)
            if row is None:
                begun = ProbeDay.empty(provider, day, every_seconds)
                insert_once(session, ProbeDayRow, {**_values(begun, sealed=False), "chain_id": chain_id})
                found[provider] = begun
            elif not row.sealed and _is_of(row.chain_id, chain_id):
                found[provider] = day_in(row)
    return found


def keep_days(session: Session, days: Iterable[ProbeDay], *, sealed: bool = False) -> None:
    """Store these days as they are now; one that is sealed already stays as it is."""
    rows = [_values(day, sealed=sealed) for day in days]
    replace_rows(session, ProbeDayRow, rows, where=lambda _, old: old.sealed.is_(False))


def unsealed_before(session: Session, day: int, limit: int) -> list[ProbeDay]:
    """Days before `day` that are not sealed, the oldest first."""
    query = select(ProbeDayRow).where(ProbeDayRow.sealed.is_(False), ProbeDayRow.day < day)
    query = query.order_by(ProbeDayRow.day, ProbeDayRow.provider).limit(limit)
    return [day_in(row) for row in session.scalars(query)]


def load_days(
    session: Session, provider: str, first: int, last: int, chain_id: str = ""
) -> list[tuple[ProbeDay, bool]]:
    """The days of a provider from `first` to `last` on this chain, each with whether it is sealed."""
    here = ProbeDayRow.provider == provider, ProbeDayRow.day >= first, ProbeDayRow.day <= last
    rows = session.scalars(select(ProbeDayRow).where(*here).order_by(ProbeDayRow.day))
    return [(day_in(row), row.sealed) for row in rows if _is_of(row.chain_id, chain_id)]


def _is_of(kept: str, wanted: str) -> bool:
    """Whether what was probed for one chain says something about another; nothing is known of an empty one."""
    return kept == wanted or not kept or not wanted


def last_changes(session: Session, providers: Sequence[str], chain_id: str = "") -> dict[str, State]:
    """The state that each of these providers was last seen to change to on this chain."""
    found: dict[str, State] = {}
    for part in in_parts(providers):
        newest = (
            select(ProbeChangeRow.provider, func.max(ProbeChangeRow.at_ns).label("at_ns"))
            .where(ProbeChangeRow.provider.in_(part), ProbeChangeRow.chain_id.in_(("", chain_id)))
            .group_by(ProbeChangeRow.provider)
            .subquery()
        )
        here = ProbeChangeRow.provider == newest.c.provider, ProbeChangeRow.at_ns == newest.c.at_ns
        for row in session.scalars(select(ProbeChangeRow).join(newest, and_(*here))):
            capacity = tuple(sorted(row.capacity.items()))
            found[row.provider] = State(Standing(row.standing), row.cause, capacity)
    return found


def stored_today(session: Session, providers: Sequence[str], since: int) -> dict[str, int]:
    """How many changes of each of these providers there are since a moment."""
    found: dict[str, int] = {}
    for part in in_parts(providers):
        query = select(ProbeChangeRow.provider, func.count()).where(
            ProbeChangeRow.provider.in_(part), ProbeChangeRow.at_ns >= since
        )
        found.update({row[0]: row[1] for row in session.execute(query.group_by(ProbeChangeRow.provider))})
    return found


def changes_of(session: Session, provider: str, since: int, most: int) -> Sequence[ProbeChangeRow]:
    """The newest changes of a provider since a moment, the newest first."""
    here = ProbeChangeRow.provider == provider, ProbeChangeRow.at_ns >= since
    return session.scalars(
        select(ProbeChangeRow).where(*here).order_by(ProbeChangeRow.at_ns.desc()).limit(most)
    ).all()


def day_in(row: ProbeDayRow) -> ProbeDay:
    """The day of a row."""
    slots = row.slots
    if row.sealed:
        slots = zstandard.ZstdDecompressor().decompress(slots, max_output_size=LARGEST_DAY)
    capacities = tuple(tuple(sorted(capacity.items())) for capacity in row.capacities)
    return ProbeDay(row.provider, row.day, row.every_seconds, slots, capacities)


def _values(day: ProbeDay, *, sealed: bool) -> dict[str, object]:
    return {
        "provider": day.provider,
        "day": day.day,
        "every_seconds": day.every_seconds,
        "slots": zstandard.ZstdCompressor().compress(day.slots) if sealed else day.slots,
        "capacities": [dict(capacity) for capacity in day.capacities],
        "sealed": sealed,
        "digest": bytes.fromhex(day.digest) if sealed else None,
    }
