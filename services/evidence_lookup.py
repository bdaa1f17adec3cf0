"""One observation as everybody may read it: the record and the raw answer, unless it is restricted."""

from __future__ import annotations

from dataclasses import dataclass

import zstandard
from sqlalchemy import select

from ledger.claims import ClaimRow, VerdictObservationRow
from ledger.observations import BodyRow, ObservationRow
from services.errors import NotFound
from services.house import House

MOST_CLAIMS = 20
LARGEST_BODY = 128 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Seen:
    """The record, the size of the raw answer, the answer itself (None where restricted), and who relies on it."""

    row: ObservationRow
    size: int
    body: bytes | None
    claims: tuple[tuple[str, str], ...]


def observation(house: House, observation_id: str) -> Seen:
    """The observation with its raw body; `claims` are (id, task) of newest verdicts that used it. Raises NotFound."""
    with house.ledger.read() as session:
        row = session.get(ObservationRow, observation_id)
        body = session.get(BodyRow, row.body_digest) if row else None
        if row is None or body is None:
            raise NotFound("We have seen nothing under this name. Follow a link from a check of a claim.")
        claims = session.execute(
            select(ClaimRow.id, ClaimRow.task)
            .join(VerdictObservationRow, VerdictObservationRow.verdict == ClaimRow.verdict_id)
            .where(VerdictObservationRow.observation == observation_id)
            .distinct()
            .order_by(ClaimRow.id)
            .limit(MOST_CLAIMS)
        ).all()
    raw = None if row.restricted else zstandard.ZstdDecompressor().decompress(body.body, LARGEST_BODY)
    return Seen(row, body.size, raw, tuple((claim, task) for claim, task in claims))
