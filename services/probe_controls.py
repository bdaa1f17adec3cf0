"""Our own way out: which addresses show that it is open, and when those of our own network are not enough."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import IntEnum
from functools import partial
from ipaddress import ip_address
from urllib.parse import urlsplit

from services.settings import Settings
from verifiers.guard import is_public, named_host
from verifiers.http import Door, Limits
from verifiers.sockets import Deadline, Resolve, resolve
from verifiers.trouble import Timeout, Trouble, Unreachable

CONTROL = Limits(deadline_seconds=5, connect_seconds=3, body_bytes=1 << 20)
LOOK_UP_SECONDS = 2.0
_NEAR_ENDINGS = (".local", ".localhost", ".lan", ".internal", ".home.arpa")

ADVICE = (
    "Only addresses of our own network show whether our way out is open: name two or three public ones in "
    "WAYMARK_CONTROL_PROBES. Until then nobody counts as down in a round in which no provider answers."
)


class WayOut(IntEnum):
    """What the control targets say of our own way out, the worst first."""

    CLOSED = 0
    """Fewer than half of them answer."""
    NEAR = 1
    """All that answer stand in our own network: they would answer without any way out."""
    OPEN = 2


def control_targets(settings: Settings) -> tuple[str, ...]:
    """The addresses that are asked: those that the operator names, else the nodes of the chain."""
    return settings.control_probes or (*settings.chain_rest, *settings.chain_rpc)


def way_out(targets: Sequence[str], look_up: Resolve = resolve) -> WayOut:
    """Ask all of them, side by side. `look_up`: what says whether those that answer stand in our own network."""
    if not targets:
        return WayOut.CLOSED
    with ThreadPoolExecutor(len(targets), thread_name_prefix="control") as pool:
        answering = [target for target, is_there in zip(targets, pool.map(answers, targets), strict=True) if is_there]
        if len(answering) * 2 < len(targets):
            return WayOut.CLOSED
        return WayOut.OPEN if any(pool.map(partial(_is_far, look_up=look_up), answering)) else WayOut.NEAR


def answers(target: str) -> bool:
    """Whether an address of the operator answers, whatever it says."""
    door = Door(target, CONTROL)
    try:
        door.get("/")
    except (Timeout, Unreachable):
        return False
    except Trouble:
        return True
    finally:
        door.close()
    return True


def are_near_by_name(targets: Sequence[str]) -> bool:
    """Whether the names alone say that all of them stand in our own network; asks no name server."""
    return bool(targets) and all(_is_near_name(urlsplit(target).hostname or "") for target in targets)


def is_asked_through(host_uri: str, *, looks_up: bool) -> bool:
    """Whether this provider is asked through our way out. `looks_up`: its name may mean a private address.

    One whose name has no address now counts as such: a dead way out looks like that.
    """
    try:
        named = named_host(host_uri)
    except Trouble:
        return False
    if named.is_literal:
        return is_public(ip_address(named.host))
    found = _addresses(named.host, named.port) if looks_up else ()
    return not found or any(map(_is_public, found))


def _is_far(target: str, look_up: Resolve) -> bool:
    parts = urlsplit(target)
    found = _addresses(parts.hostname or "", parts.port or 443, look_up)
    return bool(found) and all(map(_is_public, found))


def _addresses(host: str, port: int, look_up: Resolve = resolve) -> tuple[str, ...]:
    deadline = Deadline(LOOK_UP_SECONDS)
    deadline.start(LOOK_UP_SECONDS)
    try:
        return tuple(str(where[0]) for *_, where in look_up(host, port, deadline))
    except OSError:
        return ()


def _is_public(address: str) -> bool:
    return is_public(ip_address(address.partition("%")[0]))


def _is_near_name(host: str) -> bool:
    try:
        return not is_public(ip_address(host))
    except ValueError:
        return "." not in host or host.endswith(_NEAR_ENDINGS)
