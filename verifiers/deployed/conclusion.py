"""The lease that completes a claim: the first qualifying one of the N-th distinct provider (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tasks.moment import Moment
from verifiers.deployed.facts import FORGOTTEN, Seen
from verifiers.deployed.gates import ANY_MODEL, Gate, LeaseView, model_names
from verifiers.deployed.survey import Survey


@dataclass(frozen=True, slots=True)
class Conclusion:
    """`completing`: the lease on the N-th provider, if enough qualify or may still. `is_certain`: no open or unknown
    lease can change which one it is. `ready`: when the missing minutes may be reached."""

    completing: LeaseView | None
    is_certain: bool
    tx_index: Seen[int]
    offered: Seen[frozenset[str]]
    ready: Moment | None

    @property
    def at(self) -> Moment | None:
        """The block time of the completing lease."""
        return self.completing.activity.created if self.completing else None

    @property
    def gpu_model(self) -> str | None:
        """The one model offered, else the one requested, else none (CAMPAIGN_FORMAT "The kinds")."""
        if self.completing is None:
            return None
        for models in (self.offered.value or frozenset(), model_names(self.completing.group.gpu_models)):
            if len(models) == 1 and ANY_MODEL not in models:
                return next(iter(models))
        return None


def conclude(survey: Survey) -> Conclusion:
    """Find the completing lease among the survey's views; wants what only that lease needs."""
    needed = survey.params.providers
    definite = first_of_each(survey.views, lambda view: view.standing == Gate.YES)
    possible = first_of_each(survey.views, may_qualify)
    certain = definite[needed - 1] if len(definite) >= needed else None
    likely = possible[needed - 1] if len(possible) >= needed else None
    completing = certain or likely
    before = tuple(survey.wants)
    is_certain = certain is not None
    if certain is not None and likely is not None and likely.order < certain.order and _may_be_seen(survey, certain):
        completing, is_certain = likely, False
    if completing is None:
        return Conclusion(None, is_certain=False, tx_index=Seen(None), offered=Seen(None), ready=None)
    # what only this lease needs is asked once it is settled which one it is
    is_open = bool(survey.wants) and not survey.asks_the_rest
    tx_index = survey.tx_index(completing.info)
    offered = survey.offered(completing.info)
    if is_open:
        survey.wants[:] = [want for want in survey.wants if want.what not in ("results", "bid") or want in before]
    return Conclusion(completing, is_certain, tx_index, offered, _ready(survey, possible[:needed]))


def may_qualify(view: LeaseView) -> bool:
    """Whether a lease counts, or may without anybody doing anything."""
    return view.standing in (Gate.YES, Gate.OPEN, Gate.UNKNOWN)


def first_of_each(views: Iterable[LeaseView], counts: Callable[[LeaseView], bool]) -> Sequence[LeaseView]:
    """The first lease of each provider that counts, in order."""
    first: dict[str, LeaseView] = {}
    for view in sorted(views, key=lambda view: view.order):
        if counts(view):
            first.setdefault(view.provider, view)
    return tuple(first.values())


def _may_be_seen(survey: Survey, certain: LeaseView) -> bool:
    """Whether a lease before the certain one is unknown for a reason that may pass."""
    return any(
        view.order < certain.order and view.standing == Gate.UNKNOWN and view.trouble not in FORGOTTEN
        for view in survey.views
    )


def _ready(survey: Survey, views: Sequence[LeaseView]) -> Moment | None:
    """When the last of the still running leases may have its minutes."""
    moments = [
        view.activity.created + survey.params.active_ns
        for view in views
        if view.standing == Gate.OPEN and view.activity.created is not None
    ]
    return Moment(max(moments)) if moments else None
