"""What review signals are made of: things that participants hold, payments between addresses, and edges (pure)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum


class Signal(StrEnum):
    """What may join two participants (issue 5; reference/security.md 4). `OWN_PROVIDER` concerns one alone."""

    SAME_SUBJECT = "same_subject"
    SAME_SDL = "same_sdl"
    SAME_PULL_REQUEST = "same_pull_request"
    SAME_OUTPUT = "same_output"
    SAME_HOST = "same_host"
    SAME_CERTIFICATE = "same_certificate"
    DEPOSIT = "deposit"
    FEE_GRANT = "fee_grant"
    FIRST_FUNDS = "first_funds"
    SHARED_FUNDER = "shared_funder"
    OWN_PROVIDER = "own_provider"


class Strength(StrEnum):
    """How hard a sign is to explain by chance: `weak` ones never join a cluster by themselves."""

    STRONG = "strong"
    NOTABLE = "notable"
    WEAK = "weak"


ORDER = {Strength.WEAK: 0, Strength.NOTABLE: 1, Strength.STRONG: 2}
"""Strengths as numbers, the stronger the larger."""


@dataclass(frozen=True, slots=True, order=True)
class Trace:
    """One thing seen behind an edge: a sentence, and what proves it.

    `claim`, `observation`: their ids. `height`, `tx`: the block and the hash of a transaction, where it is one.
    """

    said: str
    claim: str = ""
    observation: str = ""
    height: int | None = None
    tx: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """A value that a participant stands behind: what two hold alike joins them.

    `value` is compared as it is; `at` orders those who hold it, the earliest first. `is_own_work`: whoever holds it
    says that they made it, so that a few who hold it alike are no plain reason.
    """

    signal: Signal
    value: str
    participant: str
    trace: Trace
    at: int = 0
    is_own_work: bool = False


@dataclass(frozen=True, slots=True)
class Paid:
    """Value that went from one address to, or for, another. `key` names the occasion, such as `<owner>/<dseq>`."""

    signal: Signal
    payer: str
    address: str
    key: str
    trace: Trace


@dataclass(frozen=True, slots=True)
class OwnLease:
    """A lease of a participant's own provider; `counted`: by a deployer who claims deployments for a reward."""

    participant: str
    key: str
    trace: Trace
    counted: bool


@dataclass(frozen=True, slots=True)
class Edge:
    """A sign between `one` and `other`, in the order of their addresses; the same person twice for a loop.

    `key` tells edges of one signal and pair apart. `said` says in a sentence what the sign is and why it is as
    strong as it is.
    """

    signal: Signal
    one: str
    other: str
    key: str
    strength: Strength
    said: str
    traces: tuple[Trace, ...]

    def id_in(self, campaign: str) -> str:
        """Names the edge for good: 32 hex digits of sha256 over campaign, signal, pair and key."""
        named = f"{campaign}\n{self.signal}\n{self.one}\n{self.other}\n{self.key}"
        return hashlib.sha256(named.encode()).hexdigest()[:32]
