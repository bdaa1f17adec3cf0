"""The leaderboard: everybody registered, ranked by what the ledger holds, provisional amounts apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ledger.awards import AwardLineRow, ProvisionalLineRow
from ledger.people import AddressRow, PersonalRow, RegistrationRow
from services import campaigns
from services.house import House
from services.paging import PER_PAGE, Page, paged
from services.remembered import awards_state, remembered
from tasks.standings import Standing, Sums, rank


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


@dataclass(frozen=True, slots=True)
class Ranking:
    """Everybody in order, and each one's standing by address."""

    order: Sequence[Standing]
    of: Mapping[str, Standing]


def leaderboard(house: House, page: int = 1, per_page: int = PER_PAGE, search: str = "") -> Leaderboard:
    """The page `page` (from 1), ranked over all; `search` picks by a part of a name or of any address of a person."""
    with house.ledger.read() as session:
        loaded = campaigns.current_in(session, house.settings.campaign)
        if loaded is None:
            return Leaderboard(None, None, Page((), page, per_page, 0))
        order = ranking(house, session, loaded.slug).order
        if search:
            wanted = _found(session, search)
            order = [standing for standing in order if standing.participant in wanted]
        part = paged(order, page, per_page)
        places = _places(session, loaded.slug, part.items)
    return Leaderboard(loaded.slug, loaded.newest.reward.unit, Page(places, page, per_page, part.total))


def place_of(house: House, session: Session, campaign: str, address: str) -> Place | None:
    """Where one participant stands, or None where they are not registered."""
    standing = ranking(house, session, campaign).of.get(address)
    return _places(session, campaign, [standing])[0] if standing else None


def ranking(house: House, session: Session, campaign: str) -> Ranking:
    """Everybody registered by amount, then provisional, then address (DESIGN section 5); kept until a line is new."""
    key = awards_state(session, campaign)
    return remembered(house.ledger, "ranking", key, lambda: _ranked(session, campaign))


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


def _ranked(session: Session, campaign: str) -> Ranking:
    awarded, held = _sums(session, AwardLineRow, campaign), _sums(session, ProvisionalLineRow, campaign)
    people = session.scalars(select(RegistrationRow.participant).where(RegistrationRow.campaign == campaign))
    order = rank(Sums(address, awarded.get(address, 0), held.get(address, 0)) for address in people)
    return Ranking(order, {standing.participant: standing for standing in order})


def _sums(session: Session, table: type[AwardLineRow | ProvisionalLineRow], campaign: str) -> dict[str, int]:
    statement = (
        select(table.participant, func.sum(table.amount_micro))
        .where(table.campaign == campaign)
        .group_by(table.participant)
    )
    return {participant: int(amount) for participant, amount in session.execute(statement)}


def _places(session: Session, campaign: str, standings: Sequence[Standing]) -> list[Place]:
    addresses = [standing.participant for standing in standings]
    by_task = amounts_by_task(session, campaign, addresses)
    named = select(PersonalRow.participant, PersonalRow.display_name).where(PersonalRow.participant.in_(addresses))
    names = {participant: name for participant, name in session.execute(named)}  # noqa: C416 - rows are no pairs
    return [
        Place(
            rank=standing.rank,
            address=standing.participant,
            name=names.get(standing.participant) or None,
            amount_micro=standing.amount_micro,
            provisional_micro=standing.provisional_micro,
            tasks=by_task.get(standing.participant, {}),
        )
        for standing in standings
    ]


def _found(session: Session, search: str) -> set[str]:
    """Participants with this text in their name or in one of their addresses, whatever its case."""
    part = search.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    pattern = f"%{part}%"
    named = select(PersonalRow.participant).where(func.lower(PersonalRow.display_name).like(pattern, escape="\\"))
    owning = select(AddressRow.participant).where(AddressRow.address.like(pattern, escape="\\"))
    return {*session.scalars(named), *session.scalars(owning)}
