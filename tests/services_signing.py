"""Signing in by calling the use cases, as a browser wallet would make us do."""

from __future__ import annotations

import base64

from services import signin
from services.house import House
from services.proofs import WalletProof
from services.signin import SignedIn
from tests.wallets import Keyholder

BROWSER = "the browser of the tests"


def wallet_proof(holder: Keyholder, text: str) -> WalletProof:
    """What the wallet of `holder` answers."""
    return WalletProof(
        base64.b64encode(holder.public_key).decode(), base64.b64encode(holder.sign_text(text)).decode()
    )


def sign_in(house: House, holder: Keyholder, browser: str = BROWSER) -> SignedIn:
    """A fresh sign-in of `holder`."""
    challenge = signin.make_challenge(house, holder.address, "sign_in", browser)
    return signin.verify(house, challenge.challenge_id, wallet_proof(holder, challenge.text), browser)
