"""Test clients that are signed in, over the API or by a session of the ledger, and what their pages say."""

from __future__ import annotations

import base64
import re
from html import unescape

from flask import Flask
from flask.testing import FlaskClient

from ledger.people import SessionRow
from services.house import House
from services.sessions import hash_token
from tasks.moment import SECOND
from tests.wallets import Keyholder

API = "/api/v1"


def challenge(browser: FlaskClient, holder: Keyholder, **more: object) -> dict[str, object]:
    """A text for `holder` to sign."""
    answer = browser.post(f"{API}/auth/challenge", json={"address": holder.address, **more})
    assert answer.status_code == 200, answer.json
    return dict(answer.json)


def proof(holder: Keyholder, made: dict[str, object]) -> dict[str, object]:
    """What the wallet of `holder` answers."""
    return {
        "challenge_id": made["challenge_id"],
        "pub_key": base64.b64encode(holder.public_key).decode(),
        "signature": base64.b64encode(holder.sign_text(str(made["text"]))).decode(),
    }


def sign_in(browser: FlaskClient, holder: Keyholder) -> dict[str, str]:
    """Sign in; what comes back are the headers of later calls."""
    answer = browser.post(f"{API}/auth/verify", json=proof(holder, challenge(browser, holder)))
    assert answer.status_code == 200, answer.json
    return {"X-CSRF-Token": answer.json["csrf_token"]}


def opened(house: House, app: Flask, who: str, address: str | None) -> FlaskClient:
    """A browser with an hour's session of `address`; None: nobody is signed in."""
    client = app.test_client()
    if address is not None:
        now = house.clock.now()
        with house.ledger.write() as session:
            session.merge(
                SessionRow(
                    token_hash=hash_token(f"token-{who}"), address=address, created_ns=now, seen_ns=now,
                    expires_ns=now + 3600 * SECOND, csrf_token="a-token",
                )
            )  # fmt: skip
        client.set_cookie("waymark-session", f"token-{who}")
    return client


def shown(html: str) -> str:
    """The words of a page."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())
