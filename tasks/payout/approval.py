"""Four eyes on a plan, six above an amount: who may approve, and when it is enough."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Approvals:
    """A plan's people. `third_above_uakt`: above it two others must approve, None where one always does."""

    planner: str
    approvers: tuple[str, ...]
    total_uakt: int
    third_above_uakt: int | None = None

    @property
    def needed(self) -> int:
        """How many others must approve."""
        return 2 if self.third_above_uakt is not None and self.total_uakt > self.third_above_uakt else 1

    @property
    def is_enough(self) -> bool:
        """Whether enough different people other than the planner approved."""
        return len(set(self.approvers) - {self.planner}) >= self.needed

    def refusal(self, person: str, addresses: Collection[str] = ()) -> str | None:
        """Why `person` may not approve, None where it may. `addresses`: all that this person has linked.

        A person with several addresses is one pair of eyes.
        """
        own = {person, *addresses}
        if self.planner in own:
            return "who planned a payout can't approve it: somebody else must look at it"
        if own & set(self.approvers):
            return "you approved this payout already"
        return None
