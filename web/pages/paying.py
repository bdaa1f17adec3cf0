"""The staff's list of payouts, what is owed, the books, and planning a payout."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ledger.audit import head_hash
from services import payout_books, payout_facts, payout_planning, payout_records
from services.campaigns import required
from services.errors import Conflict, NotFound, Refused, Unavailable, UseCaseError
from services.paging import paged
from services.payout_planning import Preview, Wanted
from services.payouts import owed
from services.remembered import awards_state, remembered
from tasks.moment import SECOND, Moment, format_moment
from tasks.payout.double_entry import Book
from verifiers.chain.answers import BlockLimits
from verifiers.payout.facts import PayerFacts
from web.asked import asked_page
from web.context import house
from web.payout_forms import PlanForm
from web.payout_rights import READERS, is_treasurer
from web.payout_words import payout_said
from web.security import current_person, limit_of, limiter, required_person, role_required
from web.site import task_titles

blueprint = Blueprint("paying", __name__)

MOST_SHOWN = 50
"""Rows and reasons of a preview; a stored plan shows all of them, page by page."""


@dataclass(frozen=True, slots=True)
class OwedSum:
    """What is owed in one state."""

    state: str
    people: int
    amount_micro: int


@dataclass(frozen=True, slots=True)
class Books:
    """The sum of all books, and whether everything agrees."""

    is_balanced: bool
    total: Book


@blueprint.get("/organize/payouts")
@role_required(*READERS)
def payouts_page() -> str:
    """Every payout with its state, what is owed, and whether the books agree."""
    asked = asked_page()
    loaded = required(house())
    return render_template(
        "paying/list.html",
        page=payout_records.payouts(house(), asked.page, asked.per_page),
        said=payout_said,
        owed=_owed(),
        books=_books(),
        unit=loaded.newest.reward.unit,
        titles=task_titles(),
        may_act=is_treasurer(current_person()),
        not_connected=_not_connected(),
    )


@blueprint.get("/organize/payouts/plan")
@role_required("treasurer")
def plan_page() -> str:
    """The form of a new payout."""
    form = PlanForm(None)
    now = house().clock.now()
    form.rate_at.data = format_moment(Moment(now - now % (60 * SECOND)))
    form.payer.data = house().settings.payout_payer
    form.has_ledger.data = house().settings.payout_has_ledger
    return _plan_page(form)


@blueprint.post("/organize/payouts/plan")
@limiter.limit(limit_of("LOOK_UP_LIMIT"))
@role_required("treasurer")
def plan_payout() -> str | Response | tuple[str, int]:
    """Work the plan out and show it; with `store`, keep it if it is still the one that was shown."""
    form = PlanForm()
    found: Preview | None = None
    try:
        wanted = form.wanted()
        facts, block = _facts(wanted)
        found = payout_planning.preview(house(), wanted, facts, block)
        shown = form.expected.data or ""
        form.expected.data = found.key
        if "store" not in request.form:
            return _plan_page(form, found)
        made = payout_planning.draft(house(), required_person().address, wanted, facts, block, shown)
    except (Refused, Conflict, NotFound, Unavailable) as error:
        if error.field in form:
            form[error.field].errors = [error.message]
            return _plan_page(form, found), error.status
        return _plan_page(form, found, error), error.status
    flash(f"Payout {made.number} is stored. Sign it next, so that somebody else can approve it.", "passed")
    return redirect(url_for("paying_payout.payout_page", number=made.number))


@blueprint.get("/organize/balance")
@role_required(*READERS)
def balance_page() -> str:
    """The books: for each participant in the unit, for each payout in uakt."""
    asked = asked_page()
    found = payout_books.balance(house())
    page = paged(sorted(found.books.items()), asked.page, asked.per_page)
    return render_template("paying/balance.html", balance=found, page=page)


def _facts(wanted: Wanted) -> tuple[PayerFacts, BlockLimits]:
    """What the payout chain says of the payer and its blocks. Raises Refused, Unavailable."""
    return payout_facts.payer_facts(house(), wanted.payer), payout_facts.payout_limits(house()).block


def _plan_page(form: PlanForm, found: Preview | None = None, trouble: UseCaseError | None = None) -> str:
    loaded = required(house())
    form.offer(task_titles(), loaded.newest.reward.unit)
    return render_template(
        "paying/plan.html",
        form=form,
        found=found,
        trouble=trouble.message if trouble else "",
        is_ours=isinstance(trouble, Unavailable),
        unit=loaded.newest.reward.unit,
        rate_rule=loaded.newest.reward.rate_rule,
        most=MOST_SHOWN,
    )


def _owed() -> list[OwedSum]:
    sums: dict[str, list[int]] = defaultdict(list)
    for row in owed(house()):
        sums[row.state].append(row.amount_micro)
    return [OwedSum(state, len(amounts), sum(amounts)) for state, amounts in sorted(sums.items())]


def _books() -> Books:
    """Worked out anew after each act and each award; the page of the balance always is."""
    loaded, ledger = required(house()), house().ledger
    with ledger.read() as session:
        key = (awards_state(session, loaded.slug), head_hash(session))

    def work_out() -> Books:
        found = payout_books.balance(house())
        return Books(found.is_balanced, found.total)

    return remembered(ledger, "payout books", key, work_out)


def _not_connected() -> str:
    """Why payouts can't be planned or sent here at all; empty where they can. Asks no node."""
    try:
        payout_facts.connected(house())
    except Unavailable as error:
        return error.message
    return ""
