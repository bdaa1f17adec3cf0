"""Campaigns: loading a file, the campaign in force, its dates and chain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.campaigns import CampaignRevisionRow
from services.errors import Conflict, NotFound, Unavailable
from services.house import House
from tasks.campaign import Campaign, load
from tasks.moment import format_moment
from tasks.parts import Task
from tasks.revisions import Rules
from verifiers.kinds import verifier_of


@dataclass(frozen=True, slots=True)
class Loaded:
    """A campaign with all its revisions."""

    rules: Rules

    @property
    def newest(self) -> Campaign:
        """The newest revision: what everything but the working of earlier completions goes by."""
        return self.rules.newest

    @property
    def slug(self) -> str:
        """The campaign's name for ever."""
        return self.newest.slug

    def task(self, slug: str) -> Task:
        """A task. Raises NotFound that names the ones there are."""
        found = self.newest.task(slug)
        if found is None:
            known = ", ".join(task.slug for task in self.newest.tasks)
            raise NotFound(f"There is no task {slug!r} in this campaign. Its tasks are: {known}.")
        return found


def is_built(task: Task) -> bool:
    """Whether the task's kind can be verified here; one that can't is shown as "not open yet"."""
    return verifier_of(task.kind) is not None


def current(house: House) -> Loaded | None:
    """The campaign that this platform shows, or None before one is loaded.

    Raises Unavailable where several are loaded and no setting says which.
    """
    with house.ledger.read() as session:
        return current_in(session, house.settings.campaign)


def current_in(session: Session, wanted: str | None) -> Loaded | None:
    """The same inside a transaction. `wanted`: the slug of the settings."""
    slugs = _slugs(session)
    if wanted is None and len(slugs) > 1:
        raise Unavailable(_several(slugs))
    slug = wanted or next(iter(slugs), None)
    return loaded(session, slug) if slug is not None and slug in slugs else None


def _slugs(session: Session) -> Sequence[str]:
    return session.scalars(select(CampaignRevisionRow.campaign).where(CampaignRevisionRow.revision == 1)).all()


def _several(slugs: Iterable[str]) -> str:
    return f"Several campaigns are loaded ({', '.join(sorted(slugs))}): the operator must set WAYMARK_CAMPAIGN."


def undecided(house: House) -> str:
    """What the operator must do where several campaigns are loaded and the settings name none, else an empty text."""
    with house.ledger.read() as session:
        slugs = _slugs(session)
    return _several(slugs) if house.settings.campaign is None and len(slugs) > 1 else ""


def required(house: House) -> Loaded:
    """The campaign in force. Raises NotFound that says how to load one."""
    with house.ledger.read() as session:
        return required_in(session, house.settings.campaign)


def required_in(session: Session, wanted: str | None) -> Loaded:
    """The same inside a transaction. `wanted`: the slug of the settings."""
    found = current_in(session, wanted)
    if found is None:
        raise NotFound("No campaign is loaded yet. The operator loads one with: python app.py campaign load FILE")
    return found


def loaded(session: Session, slug: str) -> Loaded | None:
    """One campaign with its revisions, or None."""
    statement = (
        select(CampaignRevisionRow.text)
        .where(CampaignRevisionRow.campaign == slug)
        .order_by(CampaignRevisionRow.revision)
    )
    texts = tuple(session.scalars(statement))
    return Loaded(_rules(texts)) if texts else None


@lru_cache(maxsize=8)
def _rules(texts: tuple[str, ...]) -> Rules:
    return Rules([load(text) for text in texts])


def revised(session: Session, campaign: Campaign) -> Rules:
    """The rules with this file as their newest revision. Raises CampaignErrors, and Conflict for another content."""
    before = loaded(session, campaign.slug)
    kept = {revision.revision: revision for revision in before.rules.revisions} if before else {}
    if campaign.revision in kept:
        if kept[campaign.revision].digest != campaign.digest:
            raise Conflict(
                f"Revision {campaign.revision} of {campaign.slug} is loaded already with another content. "
                f"A change needs `revision: {max(kept) + 1}` and a `change:` that says why."
            )
        return Rules(kept.values())
    return Rules([*kept.values(), campaign])


def chain_id(house: House, campaign: Loaded | None) -> str | None:
    """The chain whose facts count: the settings' word, else the campaign's; None: the node's at first contact."""
    return house.settings.chain_id or (campaign.newest.chain_id if campaign else None)


def payout_chain_id(house: House, campaign: Loaded | None) -> str | None:
    """The chain where rewards are paid, named in the text that people sign; None while nothing says it."""
    wanted = house.settings.payout_chain_id
    return wanted or (campaign.newest.payout_chain_id if campaign else None) or chain_id(house, campaign)


def watch(house: House) -> str:
    """A job: says for the job list which campaign runs and in which part of its dates it is."""
    campaign = current(house)
    if campaign is None:
        return "no campaign is loaded"
    now, newest = house.clock.now(), campaign.newest
    if now < newest.opens:
        return f"{campaign.slug} opens at {format_moment(newest.opens)}"
    if now < newest.closes:
        return f"{campaign.slug} is open until {format_moment(newest.closes)}"
    return f"{campaign.slug} closed at {format_moment(newest.closes)}"
