"""Transactions written from their JSON are the recorded bytes, hash for hash."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from devnet import wire

from .conftest import recorded


@pytest.mark.parametrize(("folder", "at_least"), [("akash-recorded", 50), ("akash-recorded-v2", 50)])
def test_transaction__written_from_recorded_json__has_the_recorded_hash(folder: str, at_least: int) -> None:
    seen = 0
    for asked in recorded(folder, "rest-txs"):
        told = json.loads(asked["body"]) if asked["status"] == 200 else {}
        tx = told.get("tx") or {}
        kinds = [message["@type"] for message in tx.get("body", {}).get("messages", [])]
        signers = tx.get("auth_info", {}).get("signer_infos", [])
        known = kinds and all(kind in wire.MESSAGES or kind in wire.SAME_AS for kind in kinds)
        if not known or "key" not in signers[0]["public_key"] or "tx_response" not in told:
            continue
        fee = tx["auth_info"]["fee"]
        info = wire.auth_info(
            base64.b64decode(signers[0]["public_key"]["key"]),
            int(signers[0]["sequence"]),
            int(fee["amount"][0]["amount"]),
            int(fee["gas_limit"]),
        )
        signature = base64.b64decode(tx["signatures"][0])
        written = wire.transaction(tx["body"]["messages"], tx["body"]["memo"], info, signature)
        assert hashlib.sha256(written).hexdigest().upper() == told["tx_response"]["txhash"], asked["name"]
        seen += 1
    assert seen >= at_least
