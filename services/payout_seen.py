"""A transaction as it is kept: the values that were read of it, as JSON and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from tasks.moment import Moment
from verifiers.payout.seen import Seen
from verifiers.payout.transfers import json_of, message_from_json


def seen_document(seen: Seen) -> dict[str, object]:
    """A transaction as JSON."""
    return {
        "hash": seen.hash,
        "height": seen.height,
        "code": seen.code,
        "codespace": seen.codespace,
        "log": seen.log,
        "time_ns": seen.time,
        "memo": seen.memo,
        "timeout_height": seen.timeout_height,
        "sequence": seen.sequence,
        "messages": [json_of(message) for message in seen.messages],
        "other_messages": seen.other_messages,
    }


def seen_of(document: Mapping[str, object]) -> Seen:
    """The transaction of `seen_document`."""
    kept = cast("Mapping[str, Any]", document)
    messages = [message_from_json(message) for message in kept["messages"]]
    return Seen(
        hash=kept["hash"],
        height=kept["height"],
        code=kept["code"],
        codespace=kept["codespace"],
        log=kept["log"],
        time=None if kept["time_ns"] is None else Moment(kept["time_ns"]),
        memo=kept["memo"],
        timeout_height=kept["timeout_height"],
        sequence=kept["sequence"],
        messages=tuple(message for message in messages if message is not None),
        other_messages=kept["other_messages"],
    )
