"""What can be wrong with a signed payout, in the order in which a node would find it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """Where something wrong shows."""

    REFUSED = "refused at once"
    """The node refuses the broadcast: no fee, the sequence stays."""

    IN_BLOCK = "fails in its block"
    """The broadcast is taken with code 0, the block fails it: fee paid and sequence used up, nobody paid."""

    NOT_APPROVED = "not what was approved"
    """A node would take it; we don't."""

    NOTE = "note"
    """Worth knowing, no reason against it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. `codespace` and `code` are the node's, empty and 0 where it would not mind."""

    name: str
    phase: Phase
    text: str
    codespace: str = ""
    code: int = 0


@dataclass(frozen=True, slots=True)
class NodeJudgement:
    """What a node does with the file: taken into a block with code 0, or where and with which code it fails."""

    phase: Phase | None
    codespace: str = ""
    code: int = 0

    @property
    def is_accepted(self) -> bool:
        """Whether the chain would do what the file says."""
        return self.phase is None


def judged_by_node(findings: tuple[Finding, ...]) -> NodeJudgement:
    """The first finding a node would make; those that it refuses at once come before what its block finds."""
    for phase in (Phase.REFUSED, Phase.IN_BLOCK):
        for finding in findings:
            if finding.phase is phase:
                return NodeJudgement(phase, finding.codespace, finding.code)
    return NodeJudgement(None)


def refused(name: str, code: int, text: str, codespace: str = "sdk") -> Finding:
    """A finding that a node makes before it takes the transaction."""
    return Finding(name, Phase.REFUSED, text, codespace, code)


def in_block(name: str, code: int, text: str, codespace: str = "sdk") -> Finding:
    """A finding that a block makes."""
    return Finding(name, Phase.IN_BLOCK, text, codespace, code)


def not_approved(name: str, text: str) -> Finding:
    """A finding of ours."""
    return Finding(name, Phase.NOT_APPROVED, text)


def note(name: str, text: str) -> Finding:
    """Something to know."""
    return Finding(name, Phase.NOTE, text)
