"""Reading and writing the follower's index: rows in bulk, the guarded cursor, blocks and their times."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from sqlalchemy import Table, and_, func, select, update
from sqlalchemy.orm import Session

from ledger.base import Base
from ledger.chain import BidRow, BlockRow, CursorRow, DeploymentRow, GroupRow, LeaseRow, OrderRow, ProviderRow
from ledger.rows import insert_rows, replace_rows
from tasks.moment import Moment

Row = Mapping[str, object]
INDEXED: tuple[type[Base], ...] = (DeploymentRow, GroupRow, OrderRow, BidRow, LeaseRow, ProviderRow)


class CursorMoved(Exception):
    """Another follower moved the cursor; what was about to be written was not."""


def cursor_of(session: Session, chain_id: str) -> CursorRow | None:
    """Where the follower stands on this chain."""
    return session.get(CursorRow, chain_id)


def newest_cursor(session: Session) -> CursorRow | None:
    """The cursor of the chain that was looked at last."""
    return session.scalar(select(CursorRow).order_by(CursorRow.checked_ns.desc(), CursorRow.chain_id).limit(1))


def begin_cursor(session: Session, chain_id: str, now: Moment, state: str, detail: str) -> None:
    """The first row of a chain, where there is none yet."""
    row: dict[str, object] = dict.fromkeys(column.key for column in CursorRow.__mapper__.columns)
    row |= {"chain_id": chain_id, "stage": "listing", "height": 0, "listing_round": 0}
    insert_rows(session, CursorRow, [row | {"state": state, "detail": detail, "checked_ns": now}])


def move_cursor(session: Session, before: CursorRow, changes: Row) -> None:
    """Move the cursor on from exactly where it was read.

    Raises CursorMoved where it stands elsewhere by now: the transaction must then be given up.
    """
    here = and_(
        CursorRow.chain_id == before.chain_id,
        CursorRow.stage == before.stage,
        CursorRow.height == before.height,
        CursorRow.listing.is_not_distinct_from(before.listing),
        CursorRow.listing_height.is_not_distinct_from(before.listing_height),
        CursorRow.page_key.is_not_distinct_from(before.page_key),
        CursorRow.listing_round == before.listing_round,
    )
    moved = session.scalar(update(CursorRow).where(here).values(dict(changes)).returning(CursorRow.height))
    if moved is None:
        raise CursorMoved(f"another follower has moved on from height {before.height} of {before.chain_id}")


def note_state(session: Session, chain_id: str, changes: Row) -> None:
    """Write what is shown of the follower (state, detail, tip), wherever its cursor stands."""
    session.execute(update(CursorRow).where(CursorRow.chain_id == chain_id).values(dict(changes)))


def store_index(session: Session, table: type[Base], rows: Sequence[Row], keep: frozenset[str] = frozenset()) -> None:
    """Write rows of the index; one that was read at a greater height stays as it is. `keep`: set at first only."""
    replace_rows(session, table, rows, where=lambda new, old: new.read_height >= old.read_height, keep=keep)


def store_blocks(session: Session, rows: Sequence[Row]) -> None:
    """Keep the hashes and times of blocks at first sight."""
    insert_rows(session, BlockRow, rows)


def set_lease_gpus(session: Session, chain_id: str, owner: str | None = None) -> None:
    """Give the leases (of one owner) the GPU units of their groups."""
    of_group = (
        select(GroupRow.gpu_units)
        .where(
            GroupRow.chain_id == LeaseRow.chain_id,
            GroupRow.owner == LeaseRow.owner,
            GroupRow.dseq == LeaseRow.dseq,
            GroupRow.gseq == LeaseRow.gseq,
        )
        .scalar_subquery()
    )
    whose = (
        [LeaseRow.chain_id == chain_id] if owner is None else [LeaseRow.chain_id == chain_id, LeaseRow.owner == owner]
    )
    session.execute(
        update(LeaseRow).where(*whose).values(gpu_units=func.coalesce(of_group, 0)),
        execution_options={"synchronize_session": False},
    )


def created_provider(session: Session, chain_id: str, owner: str, height: int) -> None:
    """Note the height at which a provider was created; the first word stands."""
    session.execute(
        update(ProviderRow)
        .where(ProviderRow.chain_id == chain_id, ProviderRow.owner == owner, ProviderRow.created_at.is_(None))
        .values(created_at=height, not_later_than=height)
    )


def existed_provider(session: Session, chain_id: str, owner: str, height: int) -> None:
    """Note that a provider existed at a height already, where nothing earlier is known."""
    session.execute(
        update(ProviderRow)
        .where(ProviderRow.chain_id == chain_id, ProviderRow.owner == owner, ProviderRow.not_later_than > height)
        .values(not_later_than=height)
    )


def read_heights(
    session: Session, table: type[Base], chain_id: str, owner: str, dseq: int | None
) -> dict[tuple[object, ...], int]:
    """The rest of the key → height read at, for all rows of a deployment (`dseq`) or of a provider (None)."""
    target: Table = table.__table__  # type: ignore[assignment]
    known = {"chain_id", "owner", "dseq"}
    rest = [column for column in target.primary_key.columns if column.name not in known]
    query = select(target.c.read_height, *rest).where(target.c.chain_id == chain_id, target.c.owner == owner)
    if dseq is not None:
        query = query.where(target.c.dseq == dseq)
    return {tuple(row[1:]): row[0] for row in session.execute(query)}


def unknown_creations(session: Session, chain_id: str) -> list[ProviderRow]:
    """Providers whose creation height is not known."""
    query = select(ProviderRow).where(ProviderRow.chain_id == chain_id, ProviderRow.created_at.is_(None))
    return list(session.scalars(query.order_by(ProviderRow.owner)))


def index_digest(session: Session, chain_id: str) -> str:
    """SHA-256 over every row of the index without the heights they were read at: equal where two lists agree."""
    digest = hashlib.sha256()
    for table in INDEXED:
        target: Table = table.__table__  # type: ignore[assignment]
        columns = [
            column for column in target.c if column.name not in {"read_height", "not_later_than", "created_at"}
        ]
        key = list(target.primary_key.columns)
        for row in session.execute(select(*columns).where(target.c.chain_id == chain_id).order_by(*key)):
            digest.update(repr(tuple(row)).encode())
    return digest.hexdigest()


def block_at(session: Session, chain_id: str, height: int) -> BlockRow | None:
    """A block's time and hash, where kept."""
    return session.get(BlockRow, (chain_id, height))


def last_hashed_block(session: Session, chain_id: str, height: int) -> BlockRow | None:
    """The newest kept block not above `height` whose hash is known."""
    query = select(BlockRow).where(BlockRow.chain_id == chain_id, BlockRow.height <= height)
    return session.scalar(query.where(BlockRow.hash.is_not(None)).order_by(BlockRow.height.desc()).limit(1))


def blocks_around(session: Session, chain_id: str, moment: Moment) -> tuple[BlockRow | None, BlockRow | None]:
    """The kept blocks next to a moment: the last one before it and the first one not before it."""
    mine = select(BlockRow).where(BlockRow.chain_id == chain_id)
    before = mine.where(BlockRow.time_ns < moment).order_by(BlockRow.time_ns.desc(), BlockRow.height.desc())
    after = mine.where(BlockRow.time_ns >= moment).order_by(BlockRow.time_ns, BlockRow.height)
    return session.scalar(before.limit(1)), session.scalar(after.limit(1))
