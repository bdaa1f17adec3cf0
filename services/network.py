"""The state of the network as our follower knows it: which chain, which height, and whether it can be relied on."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.chain import CursorRow
from services import campaigns
from services.chain_health import chain_health
from services.house import House
from tasks.moment import Moment


@dataclass(frozen=True, slots=True)
class Network:
    """Where the follower stands. `height` 0 and `time` None before the first block was applied in full.

    `state` is bootstrapping, following, halted, lagging, reset or unreachable; `detail` says it in a sentence.
    """

    chain_id: str
    state: str
    detail: str
    height: int
    time: Moment | None
    tip_height: int | None
    tip_time: Moment | None
    checked: Moment
    earliest_height: int | None

    @property
    def is_reliable(self) -> bool:
        """Whether what we show is as new as the chain."""
        return self.state == "following"

    @property
    def lag_blocks(self) -> int | None:
        """How many blocks we are behind the newest one seen, None while that is unknown."""
        return None if self.tip_height is None else max(0, self.tip_height - self.height)


def network(house: House) -> Network | None:
    """The followed chain, or None before the first contact with a node."""
    with house.ledger.read() as session:
        loaded = campaigns.current_in(session, house.settings.campaign)
        return network_in(session, campaigns.chain_id(house, loaded), house.clock.now())


def network_in(session: Session, chain_id: str | None, now: Moment | None = None) -> Network | None:
    """The same inside a transaction; without an id the chain that was looked at last.

    With `now`, a state that was good when it was written and has gone stale since is shown as what it is.
    """
    statement = select(CursorRow).order_by(CursorRow.checked_ns.desc()).limit(1)
    if chain_id is not None:
        statement = statement.where(CursorRow.chain_id == chain_id)
    row = session.scalar(statement)
    if row is None:
        return None
    health = None if now is None else chain_health(session, row.chain_id, now)
    return Network(
        chain_id=row.chain_id,
        state=row.state if health is None else health.state,
        detail=row.detail if health is None else health.detail,
        height=row.height,
        time=_moment(row.time_ns),
        tip_height=row.tip_height,
        tip_time=_moment(row.tip_time_ns),
        checked=Moment(row.checked_ns),
        earliest_height=row.earliest_height,
    )


def _moment(value: int | None) -> Moment | None:
    return None if value is None else Moment(value)
