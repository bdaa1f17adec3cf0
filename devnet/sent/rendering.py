"""Sent transactions as the gateway and the events show them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from devnet import wire
from devnet.sent.signatures import signature_parts
from devnet.sent.transaction import MODE_NAMES, Multi, SentTransaction, SignerInfo, Single, timeout_text
from devnet.state.bank import FEE_COLLECTOR
from devnet.state.events import Coins, Event, Plain, base64_text, message_tail, render_events


def rest_document(sent: SentTransaction) -> str:
    """`tx` of REST."""
    shown: dict[str, Any] = {
        "body": {
            "messages": list(sent.messages),
            "memo": sent.memo,
            "timeout_height": str(sent.timeout_height),
            "unordered": sent.is_unordered,
            "timeout_timestamp": None if sent.timeout_ns is None else timeout_text(sent.timeout_ns),
            "extension_options": [],
            "non_critical_extension_options": [],
        },
        "auth_info": {
            "signer_infos": [_signer(each) for each in sent.signers],
            "fee": {
                "amount": [{"denom": denom, "amount": amount} for denom, amount in sent.fee.coins],
                "gas_limit": str(sent.fee.gas_limit),
                "payer": sent.fee.payer,
                "granter": sent.fee.granter,
            },
            "tip": None,
        },
        "signatures": [base64_text(each) for each in sent.signatures],
    }
    return json.dumps(shown, separators=(",", ":"), ensure_ascii=False)


def ante_events(sent: SentTransaction) -> str:
    """The events of the checks: the fee, the signers' sequences and signatures."""
    told: list[Event] = []
    if sent.fee.coins:
        told.append(Coins(sent.fee_payer, FEE_COLLECTOR, sent.fee.shown))
    told.append(Plain("tx", (("fee", sent.fee.shown), ("fee_payer", sent.fee_payer))))
    for address, signer, signature in zip(sent.senders, sent.signers, sent.signatures, strict=False):
        told.append(Plain("tx", (("acc_seq", f"{address}/{signer.sequence}"),)))
        parts = signature_parts(signer.mode, signature)
        told += [Plain("tx", (("signature", base64_text(part)),)) for part in parts]
    return render_events(told)


def message_events(told: Sequence[Sequence[Event]]) -> str:
    """The events of the messages, each with its place."""
    return ",".join(render_events(each, message_tail(place)) for place, each in enumerate(told))


def response_data(sent: SentTransaction) -> bytes:
    """`data` of a transaction that succeeded: the empty response of each message."""
    return b"".join(wire.response_data(message["@type"]) for message in sent.messages)


def _signer(signer: SignerInfo) -> dict[str, Any]:
    return {
        "public_key": signer.key.shown() if signer.key else None,
        "mode_info": _mode(signer.mode),
        "sequence": str(signer.sequence),
    }


def _mode(mode: Single | Multi) -> dict[str, Any]:
    if isinstance(mode, Single):
        return {"single": {"mode": MODE_NAMES.get(mode.mode, str(mode.mode))}}
    bits = {"extra_bits_stored": mode.extra_bits, "elems": base64_text(mode.elements)}
    return {"multi": {"bitarray": bits, "mode_infos": [_mode(each) for each in mode.modes]}}
