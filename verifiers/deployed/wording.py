"""How the checks of a deployment put amounts, times and names for a reader (pure)."""

from __future__ import annotations

from collections.abc import Iterable

from tasks.moment import SECOND, Moment, format_moment
from verifiers.chain.answers import Atto, format_atto

_SIZES = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))

TROUBLES = {
    "pruned": "the nodes have forgotten that height",
    "timeout": "the node did not answer in time",
    "unreachable": "the node could not be reached",
    "rate_limited": "the node asked us to slow down",
    "server_error": "the node had an error",
    "cut_body": "the node's answer broke off",
    "cut_list": "the node's list broke off",
    "lagging": "the node lags behind",
    "disagree": "two nodes disagree",
    "wrong_chain": "the node is on another chain",
    "wrong_height": "the node answered for another height",
    "undecodable": "the node's answer could not be read",
    "not_looked": "it was not looked at",
    "syncing": "the node is still catching up",
    "bad_certificate": "the node showed a certificate that can't be trusted",
    "denied": "the node wanted credentials",
    "redirected": "the node redirected us",
    "too_large": "the node's answer is too large",
    "wrong_content_type": "the node's answer was no JSON",
    "bad_request": "the node refused the question",
    "bad_page": "the node's list never ends",
    "index_off": "the node keeps no index of transactions",
    "not_indexed": "the node has not indexed it yet",
    "not_implemented": "the node does not know the question",
    "unknown_api_set": "the node speaks a version that we don't know",
    "not_connected": "no node is connected",
    "host_refused": "the node's address is none that may be asked",
    "does_not_exist": "the node does not have it",
}
"""By the name that `Observation.trouble` carries, of every trouble with a node."""


def duration(nanoseconds: int) -> str:
    """`10m`, `1h 5m`, `35s`: the two largest units that are not zero, rounded down."""
    seconds = max(nanoseconds, 0) // SECOND
    parts = []
    for unit, size in _SIZES:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"


def amount(atto: Atto, denom: str) -> str:
    """`4200 uakt`."""
    return f"{format_atto(atto)} {denom}"


def short(address: str) -> str:
    """`akash152rnf…slw99`."""
    return address if len(address) <= 20 else f"{address[:12]}…{address[-5:]}"


def listed(names: Iterable[str], most: int = 5) -> str:
    """Names with commas, the rest counted."""
    every = list(names)
    rest = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + rest


def block(height: int, time: Moment | None) -> str:
    """`height 41 (2023-06-20T16:00:00Z)`."""
    return f"height {height}" + (f" ({format_moment(time)})" if time is not None else "")


def could_not_look(trouble: str | None) -> str:
    """Why nothing is known, as ours."""
    return f"could not look: {TROUBLES.get(trouble or '', trouble or 'no reason given')}"


def count_of(count: int, one: str) -> str:
    """`1 lease`, `3 leases`."""
    return f"{count} {one}{'' if count == 1 else 's'}"
