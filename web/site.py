"""What every page shows around its own content: the campaign's name, the links, who is signed in, the network."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, g, request, url_for

from ledger.errors import LedgerError
from services import campaigns
from services.campaigns import Loaded
from services.errors import UseCaseError
from services.network import Network, network_in
from web.context import house
from web.payout_rights import reads_payouts
from web.review_views import is_reviewer
from web.security import current_person

PLAIN_TITLE = "Waymark"

_LINKS = (
    ("Tasks", "tasks_pages.tasks_page"),
    ("Leaderboard", "leaderboard.leaderboard_page"),
    ("Figures", "figures.figures_page"),
    ("Providers", "providers.providers_page"),
    ("Rules", "rules.rules_page"),
)
_MINE = ("My tasks", "mine.mine_page")
_REVIEW = ("Review", "review.queue_page")
_PAY = ("Payouts", "paying.payouts_page")
_PARTS = {"review_appeals": "review", "paying_payout": "paying", "paying_batch": "paying"}
"""Blueprints that belong to the link of another one."""


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of the top bar."""

    title: str
    url: str
    here: bool


@dataclass(frozen=True, slots=True)
class NetworkWords:
    """The network in one line for the foot of each page."""

    words: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Read once for each request: the campaign in force and the state of the network."""

    campaign: Loaded | None
    network: Network | None


def surroundings() -> Surroundings:
    """The campaign and the network, read at the first use in a request."""
    known = g.get("surroundings")
    if not isinstance(known, Surroundings):
        here = house()
        with here.ledger.read() as session:
            campaign = campaigns.current_in(session, here.settings.campaign)
            known = Surroundings(campaign, network_in(session, campaigns.chain_id(here, campaign), here.clock.now()))
        g.surroundings = known
    return known


def task_titles() -> dict[str, str]:
    """The titles of the campaign's tasks by their slugs; empty without a campaign."""
    known = surroundings().campaign
    return {task.slug: task.title for task in known.newest.tasks} if known else {}


def init_app(app: Flask) -> None:
    """Give every template `site`, `person` and `now`."""
    app.context_processor(_context)


def _context() -> dict[str, Any]:
    with suppress(LedgerError, UseCaseError):
        surroundings()
    return {"site": Site(), "person": current_person(), "now": house().clock.now()}


class Site:
    """Read by `base.html`; each part is worked out where it is used, so an error page needs no database."""

    @property
    def title(self) -> str:
        """The campaign's title; the product's name without one or while the database does not answer."""
        known = g.get("surroundings")
        campaign = known.campaign if isinstance(known, Surroundings) else None
        return campaign.newest.title if campaign else PLAIN_TITLE

    @property
    def links(self) -> list[Link]:
        """The top bar's links."""
        person = current_person()
        entries = (_MINE, *_LINKS) if person else _LINKS
        entries = (*entries, _REVIEW) if is_reviewer(person) else entries
        entries = (*entries, _PAY) if reads_payouts(person) else entries
        room = _PARTS.get(request.blueprint or "", request.blueprint)
        return [
            Link(title, url_for(endpoint), room == endpoint.split(".")[0])
            for title, endpoint in entries
            if endpoint in current_app.view_functions
        ]

    @property
    def network(self) -> NetworkWords | None:
        """One line on the chain, or None before the first contact."""
        known = g.get("surroundings")
        seen = known.network if isinstance(known, Surroundings) else None
        return NetworkWords(f"{seen.chain_id}: {seen.state}, block {seen.height:,}") if seen else None

    @property
    def signin_url(self) -> str | None:
        """Where people sign in, coming back to this page."""
        return self._url("signin.signin_page")

    @property
    def signout_url(self) -> str | None:
        """Where signing out is posted."""
        return self._url("signin.signout")

    @property
    def account_url(self) -> str | None:
        """The signed-in person's own account."""
        return self._url("signin.account")

    @staticmethod
    def _url(endpoint: str) -> str | None:
        return url_for(endpoint) if endpoint in current_app.view_functions else None
