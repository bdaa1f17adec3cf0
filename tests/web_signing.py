"""Signing in over the API with a test client."""

from __future__ import annotations

import base64

from flask.testing import FlaskClient

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
