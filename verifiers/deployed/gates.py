"""How one lease stands at each gate between it and a completed claim (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from tasks.moment import Moment
from verifiers.chain.answers import Atto, Group, LeaseId, LeaseInfo
from verifiers.chain.escrow import Span
from verifiers.deployed.apps import AppFinding

ANY_MODEL = "*"


class Gate(IntEnum):
    """How one lease stands at one gate; the highest of several decides."""

    YES = 0
    OPEN = 1
    DRY = 2
    UNKNOWN = 3
    NO = 4


@dataclass(frozen=True, slots=True)
class Want:
    """One thing that would decide: `what` is block, results, bid, deployment or moment."""

    what: str
    height: int = 0
    dseq: int = 0
    lease: LeaseId | None = None
    moment: Moment | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """How long a lease counted: chain time from its creation to the end of its counted blocks."""

    gate: Gate
    span: Span
    created: Moment | None = None
    elapsed_ns: int = 0
    observations: tuple[str, ...] = ()
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """What a lease paid against what the required minutes cost, in `denom`."""

    gate: Gate
    paid: Atto
    needed: Atto | None
    denom: str


@dataclass(frozen=True, slots=True)
class LeaseView:
    """One lease at all its gates; `order` is (created_at, tx_index, name)."""

    info: LeaseInfo
    group: Group
    order: tuple[object, ...]
    app: Gate
    finding: AppFinding
    model: Gate
    own: Gate
    activity: Activity
    payment: Payment

    @property
    def provider(self) -> str:
        """Who runs it."""
        return self.info.lease.id.provider

    @property
    def trouble(self) -> str | None:
        """What kept us from reading its times, or what it ran."""
        return self.activity.trouble or self.finding.trouble

    @property
    def standing(self) -> Gate:
        """The worst of its gates."""
        return max(self.app, self.model, self.own, self.activity.gate, self.payment.gate)


def model_names(models: Sequence[str]) -> frozenset[str]:
    """`nvidia/a100` as `a100`."""
    return frozenset(model.rpartition("/")[2] for model in models)
