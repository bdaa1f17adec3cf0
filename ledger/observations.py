"""What was seen: raw answers, compressed and kept once by digest, and the observations that point at them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import zstandard
from sqlalchemy import ForeignKey, Index, select, true
from sqlalchemy.orm import Mapped, Session, mapped_column

from ledger.base import Base
from ledger.rows import in_parts, insert_rows
from tasks.moment import Moment
from verifiers.evidence import ChainPoint, Observation, Source

_FOR_GOOD = re.compile(
    r"GET /cosmos/base/tendermint/v1beta1/blocks/[1-9][0-9]*|RPC block(_results)?\?height=[1-9][0-9]*"
)
"""Requests whose answer never changes: a block and its results."""


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


def store_observations(
    session: Session, observations: Iterable[Observation], verifier: str, point: ChainPoint | None = None
) -> None:
    """Store what is not there yet: an observation once by id, a body once by digest.

    `verifier`: who asked, with version, such as `ai_deployment/1`. `point`: gives the block time of the
    observations made at its height.
    """
    by_id = {observation.id: observation for observation in observations}
    missing = [by_id[name] for name in _absent(session, list(by_id))]
    _store_bodies(session, missing)
    insert_rows(session, ObservationRow, [_row(observation, verifier, point) for observation in missing])


def _absent(session: Session, ids: Sequence[str]) -> list[str]:
    present: set[str] = set()
    for part in in_parts(ids):
        present.update(session.scalars(select(ObservationRow.id).where(ObservationRow.id.in_(part))))
    return [name for name in ids if name not in present]


def _store_bodies(session: Session, observations: Sequence[Observation]) -> None:
    bodies = {observation.body_digest: observation.body for observation in observations}
    present: set[str] = set()
    for part in in_parts(list(bodies)):
        present.update(session.scalars(select(BodyRow.digest).where(BodyRow.digest.in_(part))))
    compressor = zstandard.ZstdCompressor()
    rows = [
        {"digest": digest, "body": compressor.compress(body), "size": len(body)}
        for digest, body in bodies.items()
        if digest not in present
    ]
    insert_rows(session, BodyRow, rows)


def _row(observation: Observation, verifier: str, point: ChainPoint | None) -> dict[str, object]:
    here = point is not None and (observation.chain_id, observation.height) == (point.chain_id, point.height)
    return {
        "id": observation.id,
        "source": str(observation.source),
        "request": observation.request,
        "body_digest": observation.body_digest,
        "host": observation.host,
        "seen_ns": observation.seen_at,
        "status": observation.status,
        "chain_id": observation.chain_id,
        "height": observation.height,
        "time_ns": point.time if point is not None and here else None,
        "trouble": observation.trouble,
        "restricted": observation.restricted,
        "verifier": verifier,
    }


def load_observations(session: Session, ids: Sequence[str]) -> dict[str, Observation]:
    """The observations of these ids with their raw bodies, in the order asked; unknown ids are left out."""
    found: dict[str, Observation] = {}
    for part in in_parts(ids):
        query = select(ObservationRow, BodyRow).join(BodyRow).where(ObservationRow.id.in_(part))
        for row, body in session.execute(query):
            found[row.id] = _observation(row, body)
    return {name: found[name] for name in ids if name in found}


def is_for_good(observation: Observation, point: ChainPoint) -> bool:
    """Whether `known` answers from it in every later look: about a block, or the state at one before `point`."""
    if observation.source is not Source.CHAIN or observation.trouble is not None or observation.status != 200:
        return False
    earlier = observation.height is not None and observation.height < point.height
    return earlier or _FOR_GOOD.fullmatch(observation.request) is not None


def known(session: Session, request: str, chain_id: str, height: int | None = None) -> Observation | None:
    """The stored answer to a request that is answered the same for ever, or `None`.

    A block and its results, which name their height in the request; or, with `height`, the state at that block.
    """
    if height is None and _FOR_GOOD.fullmatch(request) is None:
        return None
    query = (
        select(ObservationRow, BodyRow)
        .join(BodyRow)
        .where(ObservationRow.request == request, ObservationRow.chain_id == chain_id)
        .where(ObservationRow.trouble.is_(None), ObservationRow.status == 200)
        .where(ObservationRow.height == height if height is not None else true())
        .order_by(ObservationRow.seen_ns, ObservationRow.id)
        .limit(1)
    )
    row = session.execute(query).first()
    return _observation(*row) if row is not None else None


def known_requests(session: Session, chain_id: str) -> frozenset[str]:
    """All requests for blocks that `known` has an answer to: asked once for many look-ups."""
    query = (
        select(ObservationRow.request)
        .where(ObservationRow.chain_id == chain_id, ObservationRow.trouble.is_(None), ObservationRow.status == 200)
        .where(ObservationRow.request.like("%block%"))
    )
    return frozenset(request for request in session.scalars(query) if _FOR_GOOD.fullmatch(request))


def _observation(row: ObservationRow, body: BodyRow) -> Observation:
    return Observation(
        source=Source(row.source),
        request=row.request,
        body=zstandard.ZstdDecompressor().decompress(body.body, max_output_size=body.size),
        host=row.host,
        seen_at=Moment(row.seen_ns),
        status=row.status,
        chain_id=row.chain_id,
        height=row.height,
        trouble=row.trouble,
        restricted=row.restricted,
    )
