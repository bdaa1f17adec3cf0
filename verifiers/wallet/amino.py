"""The amino-json form of what a key signs: one canonical JSON document (cosmos-sdk legacytx.StdSignDoc)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

# Go's JSON writer escapes these inside strings; they cannot occur outside of strings.
_ESCAPES = str.maketrans({character: f"\\u{ord(character):04x}" for character in "&<>\u2028\u2029"})


def sign_bytes(
    *,
    chain_id: str,
    account_number: int,
    sequence: int,
    fee: Mapping[str, object],
    messages: Sequence[Mapping[str, object]],
    memo: str,
    timeout_height: int = 0,
) -> bytes:
    """The bytes whose SHA-256 is signed in SIGN_MODE_LEGACY_AMINO_JSON.

    `messages` are `{"type", "value"}` in amino names, `fee` is `{"amount": [...], "gas": "N"}`.
    `timeout_height` 0 is left out, as the SDK does.
    """
    document: dict[str, object] = {
        "account_number": str(account_number),
        "chain_id": chain_id,
        "fee": fee,
        "memo": memo,
        "msgs": list(messages),
        "sequence": str(sequence),
    }
    if timeout_height:
        document["timeout_height"] = str(timeout_height)
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.translate(_ESCAPES).encode()
