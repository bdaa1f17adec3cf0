"""The nodes of one kind (REST or RPC): which to ask next, which to leave alone for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from verifiers.chain.trouble import Syncing, WrongChain
from verifiers.http import Door, Limits
from verifiers.trouble import (
    CutBody,
    Denied,
    RateLimited,
    Redirected,
    ServerError,
    Timeout,
    TooLarge,
    Trouble,
    Undecodable,
    Unreachable,
    WrongContentType,
)

_LONGEST_BACK_OFF_SECONDS = 60.0
_RATE_LIMIT_SECONDS = 2.0
_GIVEN_UP_FAILURES = 5
_SICK = (CutBody, Denied, RateLimited, Redirected, ServerError, Syncing, Timeout, TooLarge, Undecodable,
         Unreachable, WrongChain, WrongContentType)  # fmt: skip
"""Trouble that speaks of the host; everything else (pruned, lagging, …) speaks of the one question."""


@dataclass(frozen=True, slots=True)
class Reached:
    """The newest height by one host's own word. `kind` is `rpc` or `rest`."""

    kind: str
    host: str
    height: int


class Host:
    """One node and what is remembered of it."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.failures = 0
        self.resting_until = 0.0
        self.held_until = 0.0
        self.chain_id: str | None = None
        self.identified_at = 0.0

    @property
    def name(self) -> str:
        """For an Observation: host and port, no credentials."""
        return self.door.name


class Hosts:
    """The configured nodes in their order. Thread safe: all that is remembered is a hint."""

    def __init__(self, addresses: Sequence[str], limits: Limits, monotonic: Callable[[], float]) -> None:
        self.all = tuple(Host(Door(address, limits)) for address in addresses)
        self._monotonic = monotonic

    def __len__(self) -> int:
        return len(self.all)

    def in_turn(self) -> Iterator[Host]:
        """First those in good health in the configured order, then those that rest, the earliest to be fit first."""
        now = self._monotonic()
        yield from sorted(self.all, key=lambda host: max(host.resting_until, host.held_until, now))

    def held(self, host: Host) -> RateLimited | None:
        """The reason not to ask a host at all just now: it asked for a pause."""
        seconds = host.held_until - self._monotonic()
        if seconds <= 0:
            return None
        return RateLimited(f"{host.name} asked for a pause of {seconds:.0f} s more.", seconds)

    def succeeded(self, host: Host) -> None:
        """It answered: fit again."""
        host.failures = 0
        host.resting_until = 0.0

    def failed(self, host: Host, trouble: Trouble) -> None:
        """It gave trouble: let it rest, longer each time in a row."""
        if not isinstance(trouble, _SICK):
            return
        now = self._monotonic()
        if isinstance(trouble, RateLimited):
            host.held_until = now + (trouble.retry_after or _RATE_LIMIT_SECONDS)
        host.failures += 1
        host.resting_until = now + min(2.0 ** min(host.failures - 1, 10), _LONGEST_BACK_OFF_SECONDS)

    def are_given_up(self) -> bool:
        """Whether each failed several times in a row: then a short wait helps nobody."""
        return all(host.failures > _GIVEN_UP_FAILURES for host in self.all)

    def close(self) -> None:
        """Close all connections."""
        for host in self.all:
            host.door.close()


_HOPE = (WrongChain, Undecodable, WrongContentType, Redirected, Denied, Unreachable, Timeout, CutBody, ServerError,
         Syncing, RateLimited)  # fmt: skip


def most_telling(troubles: Sequence[Trouble]) -> Trouble:
    """The one of several hosts' troubles to report.

    What speaks of the question comes before what speaks of a host, and another chain only where nobody says anything
    else. Of several pauses asked for, the shortest.
    """

    def worth(trouble: Trouble) -> tuple[int, float]:
        rank = _HOPE.index(type(trouble)) if type(trouble) in _HOPE else len(_HOPE)
        pause = trouble.retry_after if isinstance(trouble, RateLimited) else None
        return rank, -(pause or 0.0)

    return max(troubles, key=worth)
