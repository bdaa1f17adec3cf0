"""When spot checks happen: drawn from a committed seed and a later block, so that nobody can choose (pure).

The checks of one provider and model stand one behind the other. Each is drawn at its `begins`: the time from there to
the close is cut into as many equal parts as checks are still to come, and the moment lies in the first part, so far
before its end that the check is over by then. It follows from HMAC-SHA-256 under the platform's seed over the group,
the number and the hash of the first block from `begins` on. The seed's digest is published before that block exists:
the platform can't choose the moment, and who does not know the seed can't tell it, whoever makes the block.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tasks.moment import SECOND, Moment
from verifiers.onboarding.entry import Gpu
from verifiers.probes import ProbeDay
from verifiers.uptime import Interval, measure

OPEN_FOR = 24 * 3600 * SECOND
"""How long a spot check is open, in time of which we know how the provider stood."""


@dataclass(frozen=True, slots=True)
class Group:
    """The claims that share spot checks: one participant's GPUs of one model at one provider."""

    campaign: str
    task: str
    participant: str
    provider: str
    model: str

    @classmethod
    def of(cls, campaign: str, task: str, participant: str, gpu: Gpu) -> Group:
        """The group of a claimed GPU."""
        return cls(campaign, task, participant, gpu.provider, gpu.model)

    @property
    def name(self) -> str:
        """Its five parts in lines, as digests are made of them."""
        return f"{self.campaign}\n{self.task}\n{self.participant}\n{self.provider}\n{self.model}"


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a moment is drawn from: `parts` checks are to come in `[begins, ends)`; the block is the first from
    `begins` on. `block_hash`: upper-case hex."""

    begins: Moment
    ends: Moment
    parts: int
    chain_id: str
    height: int
    block_hash: str


def check_id(group: Group, number: int) -> str:
    """The id of a group's `number`-th spot check, 32 hex digits."""
    return hashlib.sha256(f"spot check\n{group.name}\n{number}".encode()).hexdigest()[:32]


def seed_from(key: bytes, campaign: str, task: str) -> str:
    """The seed of a task's draws from the platform's secret, 64 hex digits."""
    return hmac.digest(key, f"spot checks\n{campaign}\n{task}".encode(), "sha256").hex()


def commitment_to(seed: str) -> str:
    """What is published before anything is drawn: SHA-256 of the seed's hex digits."""
    return hashlib.sha256(seed.encode()).hexdigest()


def moment_of(seed: str, group: Group, number: int, drawn: Drawn) -> Moment:
    """The moment of a spot check, to the second. Raises ValueError where no part is long enough."""
    part = (drawn.ends - drawn.begins) // max(drawn.parts, 1)
    if part < OPEN_FOR:
        raise ValueError("a spot check needs 24 hours")
    text = f"{group.name}\n{number}\n{drawn.chain_id}\n{drawn.height}\n{drawn.block_hash}"
    digest = hmac.digest(bytes.fromhex(seed), text.encode(), "sha256")
    seconds = (part - OPEN_FOR) // SECOND + 1
    return Moment(drawn.begins + int.from_bytes(digest[:16], "big") * seconds // 2**128 * SECOND)


def fitting(left: int, wanted: int) -> int:
    """How many of the `wanted` spot checks fit one after the other into so many nanoseconds."""
    return max(0, min(wanted, left // OPEN_FOR))


def wanted_of(at: Moment, closes: Moment, count: int) -> int:
    """How many spot checks a claim whose time begins at `at` is to have: `count`, or as many as fit."""
    return fitting(closes - at, count)


def known_time(days: Iterable[ProbeDay], begins: Moment, ends: Moment, excused: Sequence[Interval]) -> int:
    """How much of `[begins, ends)` our probes knew how the provider stood, up or down, excused time left out."""
    return measure(days, lambda _: 1, 1, begins, ends, excused).known


def over_at(days: Sequence[ProbeDay], opens: Moment, now: Moment, excused: Sequence[Interval]) -> Moment | None:
    """When 24 hours of known time were over since `opens`; None while they are not."""
    if known_time(days, opens, now, excused) < OPEN_FOR:
        return None
    low, high = opens + OPEN_FOR, int(now)
    while low < high:
        middle = (low + high) // 2
        if known_time(days, opens, Moment(middle), excused) >= OPEN_FOR:
            high = middle
        else:
            low = middle + 1
    return Moment(low)
