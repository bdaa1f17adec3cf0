"""What the API answers about review signals: to staff, and to those whom a decision concerns."""

from __future__ import annotations

from pydantic import Field

from web.api.models import Address, Answer, Time


class TraceAnswer(Answer):
    """One thing seen; ids of the claim and the observation, height and hash of the transaction where there are."""

    said: str
    claim: str | None
    observation: str | None
    height: str | None
    tx: str | None


class EdgeAnswer(Answer):
    """A sign between `one` and `other`, null where it concerns one alone.

    `strength`: strong, notable or weak. `status`: open, watched, confirmed or dismissed. `decision`: number of the
    newest decision. `found`: whether the newest look found it.
    """

    id: str
    signal: str
    one: Address
    other: Address | None
    strength: str
    said: str
    evidence: list[TraceAnswer]
    first_seen_at: Time
    found: bool
    status: str
    decision: int | None


class ClusterAnswer(Answer):
    """Participants who hang together by signs that are not dismissed.

    `seriousness`: several_strong (signs of several kinds, a strong one among them), strong, several or single.
    """

    participants: list[Address]
    seriousness: str
    signals: list[str]
    undecided: int
    edges: list[EdgeAnswer]


class SignalDecisionAnswer(Answer):
    """A decision about some signs. It changes no verdict and no award."""

    id: int
    outcome: str
    reason: str
    decided_by: str = Field(description="a random id")
    decided_at: Time
    edges: list[str]


class SignalAppealAnswer(Answer):
    """An appeal against such a decision; `outcome` is open, won or lost."""

    id: str
    decision: int
    participant: Address
    text: str
    made_at: Time
    outcome: str
    reason: str | None
    ruled_at: Time | None


class NoticeAnswer(Answer):
    """A decision as a participant reads it; `holds`: no later one is about the same."""

    decision: SignalDecisionAnswer
    evidence: list[TraceAnswer]
    holds: bool
    appeal: SignalAppealAnswer | None
