"""From one look at a provider to its state in a slot (pure)."""

from __future__ import annotations

from collections import Counter

from verifiers.probes import NO_CONTROL, Standing, State
from verifiers.provider import identity
from verifiers.provider.facts import End, ProviderSeen
from verifiers.provider.questions import STATUS
from verifiers.provider.trouble import Whose, whose

PROBED_ROUTES = (STATUS,)
"""A probe asks these, and GetStatus: without both ends nobody can deploy there."""

UNASKED = "unasked"

SILENT = frozenset({"timeout", "refused", "unreachable", "name_unknown", "tls", "cut_body"})
"""Causes of a host that is not there: asking it costs the most and brings nothing."""


def state_of(seen: ProviderSeen) -> State:
    """Up with its inventory where both ends are the provider's and answer; else down or unknown, with the cause."""
    for end, answer_trouble in ((seen.rest, _rest_trouble(seen)), (seen.grpc, seen.inventory.trouble)):
        state = _end(end) or (_troubled(answer_trouble) if answer_trouble is not None else None)
        if state is not None:
            return state
    inventory = seen.known_inventory
    if inventory is None:
        return State.unknown("chain")
    capacity: Counter[str] = Counter()
    for node in inventory.nodes:
        capacity.update(node.counts())
    return State.up(capacity)


def _rest_trouble(seen: ProviderSeen) -> str | None:
    """Of /status; where an earlier route used up the patience, that route's."""
    if seen.status.trouble != UNASKED:
        return seen.status.trouble
    earlier = (answer.trouble for answer in (seen.version, seen.address))
    return next((trouble for trouble in earlier if trouble not in {None, UNASKED}), UNASKED)


def _end(end: End) -> State | None:
    if end.trouble is not None:
        return _troubled(end.trouble)
    if end.identity.standing is identity.Standing.UNKNOWN:
        return State.unknown("chain")
    return None if end.identity.is_known else State.down("bad_certificate")


def _troubled(trouble: str) -> State:
    return State.unknown(trouble) if whose(trouble) is Whose.OURS else State.down(trouble)


def controlled(state: State, *, is_reachable: bool) -> State:
    """The state as it counts: down only where our own way out was open in that round."""
    if state.standing is Standing.DOWN and not is_reachable:
        return State.unknown(NO_CONTROL)
    return state


_AFTER_ITS_CERTIFICATE = frozenset(
    {
        "rate_limited", "server_error", "denied", "grpc_failed", "not_ready", "redirected", "too_large",
        "undecodable", "unimplemented", "wrong_content_type",
    }
)  # fmt: skip


def shows_way_out(state: State) -> bool:
    """Whether this provider itself has answered. A foreign certificate is no proof: what stands between our network
    and the world shows one to everybody, and refuses connections in other people's names."""
    return state.standing is Standing.UP or state.cause in _AFTER_ITS_CERTIFICATE
