"""From a claim down to the raw answers that it rests on."""

from __future__ import annotations

import json

from flask import Blueprint, Response, render_template

from services import appeals, evidence_lookup, profiles
from services.campaigns import required
from services.errors import NotAllowed
from services.evidence_lookup import Seen
from services.spot_checks import SpotCheck, own
from services.uptime_seen import causes_in_words, uptime_of
from web.claim_views import claim_view
from web.context import house
from web.review_views import people_view
from web.security import current_person

blueprint = Blueprint("evidence", __name__)

SHOWN_CHARACTERS = 20_000


@blueprint.get("/claims/<claim_id>")
def claim_page(claim_id: str) -> str:
    """One claim with all its evidence."""
    claim, unit = profiles.claim(house(), claim_id)
    loaded = required(house())
    windows = appeals.windows(house(), claim_id)
    people = people_view(claim, loaded.task(claim.row.task), current_person(), windows)
    return render_template(
        "claim.html",
        claim=claim_view(claim, unit, current_person()),
        unit=unit,
        people=people,
        appeals_until=people.appeals_until,
        uptime_seen=uptime_of(house(), loaded, claim.row),
        causes=causes_in_words,
        spot_checks=_open_spot_checks(claim.row.id, claim.row.participant),
    )


def _open_spot_checks(claim: str, participant: str) -> list[SpotCheck]:
    """Those that the reader can run for a claim of their own."""
    person = current_person()
    if person is None or person.participant != participant:
        return []
    return [each for each in own(house(), participant) if each.is_open and claim in each.claims]


@blueprint.get("/observations/<observation_id>")
def observation_page(observation_id: str) -> str:
    """One thing we saw: where, when, and the answer as text."""
    seen = evidence_lookup.observation(house(), observation_id)
    text, is_cut = readable(seen)
    return render_template("observation.html", seen=seen, text=text, is_cut=is_cut)


@blueprint.get("/observations/<observation_id>/raw")
def observation_raw(observation_id: str) -> Response:
    """The answer byte for byte, as a download that no browser renders."""
    seen = evidence_lookup.observation(house(), observation_id)
    if seen.body is None:
        raise NotAllowed("This answer is restricted: its digest and the checks are public, its text is not.")
    response = Response(seen.body, mimetype="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="{seen.row.id}.bin"'
    response.set_etag(seen.row.body_digest)
    return response


def readable(seen: Seen) -> tuple[str, bool]:
    """The answer as text, JSON set in lines; and whether it was cut to what a page can bear."""
    if not seen.body:
        return "", False
    text = seen.body.decode("utf-8", "replace")
    try:
        if len(seen.body) < 2_000_000:
            text = json.dumps(json.loads(seen.body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        pass  # not JSON: shown as it is
    return text[:SHOWN_CHARACTERS], len(text) > SHOWN_CHARACTERS
