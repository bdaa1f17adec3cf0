"""What was worked out from the ledger and holds until a number that is cheap to read says that it changed."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ledger.awards import AwardLineRow, ProvisionalLineRow, RewardRunRow
from ledger.base import Ledger
from ledger.people import RegistrationRow

Value = TypeVar("Value")

# One process's memory of each database it has open; gone with the Ledger it belongs to.
_KEPT: WeakKeyDictionary[Ledger, dict[str, tuple[Hashable, Any]]] = WeakKeyDictionary()


def remembered(ledger: Ledger, name: str, key: Hashable, make: Callable[[], Value]) -> Value:
    """The value made for `key`, made anew where the key is another one; only the newest is kept."""
    kept = _KEPT.setdefault(ledger, {})
    known = kept.get(name)
    if known is not None and known[0] == key:
        return cast("Value", known[1])
    value = make()
    kept[name] = (key, value)
    return value


def awards_state(session: Session, campaign: str) -> Hashable:
    """Changes whenever the campaign's award lines, provisional amounts or registrations do.

    Award lines are only ever added, provisional ones are replaced with each run, registrations come and go.
    """
    lines = session.scalar(select(func.max(AwardLineRow.id)))
    run = session.get(RewardRunRow, campaign)
    held = select(func.count(), func.sum(ProvisionalLineRow.amount_micro)).where(
        ProvisionalLineRow.campaign == campaign
    )
    people = select(func.count(), func.max(RegistrationRow.received_ns)).where(RegistrationRow.campaign == campaign)
    return (
        campaign,
        lines,
        (run.inputs, run.computed_ns) if run else None,
        tuple(session.execute(held).one()),
        tuple(session.execute(people).one()),
    )
