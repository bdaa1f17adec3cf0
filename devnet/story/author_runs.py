"""Who of the crowd writes SDLs, and which of their deployments become runs of them: everybody only once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from devnet.story.parameters import Parameters
from devnet.story.plans import DeploymentPlan, Ending
from devnet.story.signups import Participant

SOON = 30
_LEAST_BLOCKS = 130
_USUAL = ("nvidia-smi", "notebook")
"""What the crowd runs that is no app of the catalogue: such a deployment may as well be an author's. Before the
deploy task opens every other may, too."""


@dataclass(frozen=True, slots=True)
class Window:
    """When a task takes claims: heights, `closes` is the first that is too late."""

    opens: int
    closes: int


class CrowdOfAuthors:
    """Gives people of the crowd away, those who run something with the earliest such deployment that there is."""

    def __init__(self, parameters: Parameters, crowd: Sequence[Participant], plans: Sequence[DeploymentPlan]) -> None:
        self._parameters = parameters
        self._by_name = {one.name: one for one in crowd}
        self._plans = sorted(plans, key=lambda plan: (plan.sdl.file not in _USUAL, plan.height, plan.who))
        busy = {plan.who for plan in plans if plan.asks_gpu}
        # the first ones keep providers
        self._idle = sorted((one for one in crowd if one.name not in busy), key=lambda one: -one.height)
        self._taken: set[str] = set()

    def running(self, window: Window, minutes: float | None = None) -> tuple[Participant, DeploymentPlan] | None:
        """Somebody with a whole lease within a window; with `minutes` the lease is made so short."""
        found = self._find(window, self._is_cuttable if minutes is not None else self._is_whole)
        if found is not None and minutes is not None:
            plan = found[1]
            plan.closes = plan.leases[0].closes = plan.leases[0].opens + self._parameters.calendar.blocks(minutes)
        return found

    def unleased(self, window: Window) -> tuple[Participant, DeploymentPlan] | None:
        """Somebody with a deployment that no bid was taken for."""
        return self._find(window, lambda plan: not plan.leases and not plan.hardly_bid_on)

    def idle(self, window: Window) -> Participant | None:
        """Somebody who leases no GPU, of those who registered last."""
        for one in self._idle:
            if one.name not in self._taken and one.height + SOON < window.closes:
                self._taken.add(one.name)
                return one
        return None

    def _find(
        self, window: Window, fits: Callable[[DeploymentPlan], bool]
    ) -> tuple[Participant, DeploymentPlan] | None:
        for plan in self._plans:
            one = self._by_name.get(plan.who)
            if (
                one is None
                or one.name in self._taken
                or not plan.asks_gpu
                or plan.updates
                or plan.deposit is not None
            ):
                continue
            since, until = max(window.opens, one.height), over(plan)
            is_in_time = since + SOON < plan.height and until + SOON < window.closes
            is_free = plan.sdl.file in _USUAL or until < self._parameters.task_opens
            if is_in_time and is_free and fits(plan):
                self._taken.add(one.name)
                return one, plan
        return None

    def _is_whole(self, plan: DeploymentPlan) -> bool:
        lease = plan.leases[0] if plan.leases else None
        return (
            lease is not None
            and lease.ending is Ending.DEPLOYMENT
            and lease.closes is not None
            and lease.closes - lease.opens >= _LEAST_BLOCKS
        )

    def _is_cuttable(self, plan: DeploymentPlan) -> bool:
        """Not where it is one of those that make the peak."""
        return self._is_whole(plan) and len(plan.leases) == 1 and over(plan) < self._parameters.peak_at


def over(plan: DeploymentPlan) -> int:
    """The block at which somebody has seen what became of a deployment: its first lease's end, or its making."""
    lease = plan.leases[0] if plan.leases else None
    return plan.height if lease is None else lease.closes or lease.opens
