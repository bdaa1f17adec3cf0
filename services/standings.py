"""The leaderboard: everybody registered, ranked by what the ledger holds, provisional amounts apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Subquery, func, or_, select
from sqlalchemy.orm import Session

from ledger.awards import AwardLineRow, ProvisionalLineRow
from ledger.people import AddressRow, PersonalRow, RegistrationRow
from services import campaigns
from services.house import House
from services.paging import PER_PAGE, Page


@dataclass(frozen=True, slots=True)
class Place:
    """One participant on the leaderboard; amounts in micro of the campaign's unit.

    `amount_micro` sums every line of the ledger, `provisional_micro` what the claims that hold their place would
    get today. `tasks`: what of `amount_micro` came from each task.
    """

    rank: int
    address: str
    name: str | None
    amount_micro: int
    provisional_micro: int
    tasks: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """One page of it. `slug` and `unit` None without a campaign, which has an empty leaderboard."""

    slug: str | None
    unit: str | None
    places: Page[Place]


def leaderboard(house: House, page: int = 1, per_page: int = PER_PAGE, search: str = "") -> Leaderboard:
    """The page `page` (from 1), ranked over all; `search` picks by a part of a name or of any address of a person."""
    with house.ledger.read() as session:
        loaded = campaigns.current_in(session, house.settings.campaign)
        if loaded is None:
            return Leaderboard(None, None, Page((), page, per_page, 0))
        ranked = _ranked(loaded.slug)
        wanted = _found(ranked, search)
        total = session.scalar(select(func.count()).select_from(ranked).where(*wanted)) or 0
        rows = session.execute(
            select(ranked).where(*wanted).order_by(ranked.c.rank).limit(per_page).offset((page - 1) * per_page)
        ).all()
        by_task = amounts_by_task(session, loaded.slug, [row.address for row in rows])
    places = [
        Place(row.rank, row.address, row.name, row.amount, row.provisional, by_task.get(row.address, {}))
        for row in rows
    ]
    return Leaderboard(loaded.slug, loaded.newest.reward.unit, Page(places, page, per_page, total))


def place_of(session: Session, campaign: str, address: str) -> Place | None:
    """Where one participant stands, or None where they are not registered."""
    ranked = _ranked(campaign)
    row = session.execute(select(ranked).where(ranked.c.address == address)).one_or_none()
    if row is None:
        return None
    by_task = amounts_by_task(session, campaign, [address])
    return Place(row.rank, row.address, row.name, row.amount, row.provisional, by_task.get(address, {}))


def amounts_by_task(session: Session, campaign: str, addresses: Iterable[str]) -> dict[str, dict[str, int]]:
    """What each of the named people got from each task, in micro; tasks without a line are left out."""
    statement = (
        select(AwardLineRow.participant, AwardLineRow.task, func.sum(AwardLineRow.amount_micro))
        .where(
            AwardLineRow.campaign == campaign,
            AwardLineRow.participant.in_(list(addresses)),
            AwardLineRow.task.is_not(None),
        )
        .group_by(AwardLineRow.participant, AwardLineRow.task)
    )
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for participant, task, amount in session.execute(statement):
        found[participant][str(task)] = int(amount)
    return dict(found)


def _ranked(campaign: str) -> Subquery:
    """Everybody registered with both sums and the rank: amount, then provisional, then address (DESIGN section 5)."""
    awarded = _sums(AwardLineRow, campaign)
    held = _sums(ProvisionalLineRow, campaign)
    amount = func.coalesce(awarded.c.amount, 0)
    provisional = func.coalesce(held.c.amount, 0)
    order = (amount.desc(), provisional.desc(), RegistrationRow.participant)
    return (
        select(
            RegistrationRow.participant.label("address"),
            PersonalRow.display_name.label("name"),
            amount.label("amount"),
            provisional.label("provisional"),
            func.row_number().over(order_by=order).label("rank"),
        )
        .outerjoin(awarded, awarded.c.participant == RegistrationRow.participant)
        .outerjoin(held, held.c.participant == RegistrationRow.participant)
        .outerjoin(PersonalRow, PersonalRow.participant == RegistrationRow.participant)
        .where(RegistrationRow.campaign == campaign)
        .subquery("ranked")
    )


def _sums(table: type[AwardLineRow | ProvisionalLineRow], campaign: str) -> Subquery:
    return (
        select(table.participant, func.sum(table.amount_micro).label("amount"))
        .where(table.campaign == campaign)
        .group_by(table.participant)
        .subquery()
    )


def _found(ranked: Subquery, search: str) -> tuple[ColumnElement[bool], ...]:
    if not search:
        return ()
    part = search.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    pattern = f"%{part}%"
    linked = select(AddressRow.participant).where(AddressRow.address.like(pattern, escape="\\"))
    return (
        or_(
            func.lower(ranked.c.name).like(pattern, escape="\\"),
            ranked.c.address.like(pattern, escape="\\"),
            ranked.c.address.in_(linked),
        ),
    )
