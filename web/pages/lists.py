"""The address lists for providers' bid scripts, at `/` and under the API: one address a line, with an ETag."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from flask import Blueprint, Response, request

from services.directory import allowed_addresses, blocked_addresses
from web.context import house

blueprint = Blueprint("lists", __name__)


@blueprint.get("/allowlist.txt")
@blueprint.get("/api/v1/allowlist.txt", endpoint="allowlist_api")
def allowlist() -> Response:
    """Registered and linked addresses that are not excluded."""
    return _listed(allowed_addresses(house()))


@blueprint.get("/blocklist.txt")
@blueprint.get("/api/v1/blocklist.txt", endpoint="blocklist_api")
def blocklist() -> Response:
    """Addresses of participants whom an organizer has declared ineligible."""
    return _listed(blocked_addresses(house()))


def _listed(addresses: Sequence[str]) -> Response:
    body = "".join(f"{address}\n" for address in addresses).encode()
    response = Response(body, mimetype="text/plain")
    response.headers["Cache-Control"] = "public, no-cache"
    response.set_etag(hashlib.sha256(body).hexdigest()[:32])
    response.make_conditional(request)
    return response
