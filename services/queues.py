"""How many stand before each claim that found its places taken: what makes it the 51st of 50."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ledger.awards import AwardLineRow, ProvisionalLineRow
from services.house import House
from services.remembered import awards_state, remembered

WAITS = ("slots_full", "overflow")


def waiting_before(house: House, session: Session, campaign: str) -> Mapping[str, int]:
    """By claim: how many completions before it found the same slot line full; kept until a line is new."""
    key = awards_state(session, campaign)
    return remembered(house.ledger, "queues", key, lambda: _counted(session, campaign))


def _counted(session: Session, campaign: str) -> dict[str, int]:
    newest = (
        select(func.max(AwardLineRow.id))
        .where(AwardLineRow.campaign == campaign, AwardLineRow.kind == "claim")
        .group_by(AwardLineRow.key)
    )
    kept = select(AwardLineRow.position, AwardLineRow.key, AwardLineRow.task, AwardLineRow.working).where(
        AwardLineRow.id.in_(newest), AwardLineRow.reason.in_(WAITS)
    )
    held = select(
        ProvisionalLineRow.position, ProvisionalLineRow.claim, ProvisionalLineRow.task, ProvisionalLineRow.working
    ).where(ProvisionalLineRow.campaign == campaign, ProvisionalLineRow.reason.in_(WAITS))
    rows = sorted([*session.execute(kept), *session.execute(held)], key=lambda row: (row[0], row[1]))
    lengths: dict[tuple[str, str], int] = {}
    found: dict[str, int] = {}
    for _, claim, task, working in rows:
        slot = working.get("slot")
        if not isinstance(slot, Mapping):
            continue
        queue = (str(task), f"{slot.get('line')} {slot.get('per')}")
        found[claim] = lengths.get(queue, 0)
        lengths[queue] = found[claim] + 1
    return found
