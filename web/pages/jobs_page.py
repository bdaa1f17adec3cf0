"""Our own work: when each job ran, how it went, how far behind it is."""

from __future__ import annotations

from flask import Blueprint, render_template

from ledger.jobs import job_states
from services.probing import advice
from web.context import house
from web.site import surroundings

blueprint = Blueprint("jobs_page", __name__)

_TITLES = {
    "follow": "Follow the chain",
    "find": "Find deployments of participants",
    "verify": "Check what is due",
    "registrations": "Give early registrations their block",
    "rewards": "Compute the rewards",
    "campaign": "Watch the campaign's chain and dates",
    "housekeeping": "Remove what has expired",
}


@blueprint.get("/jobs")
def jobs_page() -> str:
    """Every job with its last run."""
    with house().ledger.read() as session:
        states = job_states(session)
    told = advice(house())
    return render_template("jobs.html", states=states, titles=_TITLES, network=surroundings().network, advice=told)
