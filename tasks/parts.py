"""The parts of a campaign as frozen values: what a campaign file says once it has been read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tasks.moment import Duration, Moment
from tasks.rewards.money import Micro, Rate


@dataclass(frozen=True, slots=True)
class GpuModel:
    """A GPU that the campaign lists: `gpu_class` is e.g. `data_center` or `consumer`."""

    id: str
    gpu_class: str
    vram_gib: int | None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Excused:
    """Time that counts against nobody: `[start, end)`, with the reason shown to all."""

    start: Moment
    end: Moment
    reason: str


@dataclass(frozen=True, slots=True)
class Grants:
    """What organizers may give by hand; reserved from the budget."""

    budget: Micro


@dataclass(frozen=True, slots=True)
class Change:
    """Why a revision exists and from when work counts by it; `reaches_back`: from the start."""

    reason: str
    counts_from: Moment | None
    reaches_back: bool = False


@dataclass(frozen=True, slots=True)
class Amount:
    """One number for all (`by` is None), or a table by the value of an attribute."""

    by: str | None
    single: Micro
    table: Mapping[str, Micro] = field(default_factory=dict)

    @property
    def greatest(self) -> Micro:
        """The most that one completion can be worth before decay."""
        return max(self.table.values(), default=Micro(0)) if self.by else self.single


@dataclass(frozen=True, slots=True)
class Decay:
    """Whole percents, one for each step of `every`, and `after` past the list."""

    every: Duration
    percents: tuple[int, ...]
    after: int = 0

    def percent(self, step: int) -> int:
        """The percent that holds in a step (0 is the first)."""
        return self.percents[step] if step < len(self.percents) else self.after

    @property
    def highest(self) -> int:
        """The greatest percent of the list or `after`."""
        return max(*self.percents, self.after)


@dataclass(frozen=True, slots=True)
class SlotLine:
    """At most `most` awards among completions that equal every `where` value; with `per`, for each value apart."""

    most: int
    where: tuple[tuple[str, str], ...] = ()
    per: str | None = None


@dataclass(frozen=True, slots=True)
class Overflow:
    """What a completion without a place gets: `percent` of its amount, together at most `budget`."""

    percent: int
    budget: Micro


@dataclass(frozen=True, slots=True)
class Reward:
    """What a task pays (CAMPAIGN_FORMAT, "How awards follow")."""

    amount: Amount
    decay: Decay | None = None
    slots: tuple[SlotLine, ...] = ()
    once_per: tuple[str, ...] = ("subject",)
    per_participant: int | None = None
    budget: Micro | None = None
    overflow: Overflow | None = None


@dataclass(frozen=True, slots=True)
class Requires:
    """Prerequisites: each of the named tasks (`all_of`) or one of them (`any_of`)."""

    mode: Literal["any_of", "all_of"]
    tasks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """One task. `params` are those of its kind with the defaults filled in; `reward` None: pays nothing itself."""

    slug: str
    kind: str
    title: str
    summary: str
    opens: Moment
    closes: Moment
    params: Mapping[str, object]
    requires: Requires | None
    reward: Reward | None

    @property
    def parts(self) -> tuple[str, ...]:
        """The tasks that an `all_of` task is made of; empty for every other kind."""
        named = self.params.get("tasks", ()) if self.kind == "all_of" else ()
        return tuple(str(slug) for slug in named) if isinstance(named, tuple) else ()


@dataclass(frozen=True, slots=True)
class Pool:
    """An amount shared among those who hold an award in `among`; `split_by` None: equally, else by an attribute."""

    slug: str
    amount: Micro
    among: tuple[str, ...]
    split_by: str | None


@dataclass(frozen=True, slots=True)
class RankingBonus:
    """Fixed amounts for the first places by the number of completions or awards; `among` None: all but `all_of`."""

    slug: str
    rank_by: Literal["completions", "awards"]
    among: tuple[str, ...] | None
    amounts: tuple[Micro, ...]


@dataclass(frozen=True, slots=True)
class Money:
    """The campaign's `reward` block: the quoted unit, what is paid, the simulation's rate, the budget."""

    unit: str
    denom: str
    rate: Rate | None
    rate_rule: str
    budget: Micro
    overcommit: bool


@dataclass(frozen=True, slots=True)
class Campaign:
    """One revision of a campaign, read whole. `gpu_models` None: any model counts.

    `digest` names the normalised content (tasks/digests.py), `rules_digest` what a participant accepts,
    `terms_digest` the terms alone; all are hex SHA-256. `text` is the file as it was read.
    """

    slug: str
    revision: int
    change: Change | None
    title: str
    summary: str
    terms: str
    links: Mapping[str, str]
    chain_id: str | None
    payout_chain_id: str | None
    opens: Moment
    closes: Moment
    results_by: Moment | None
    appeals: Duration
    count_earlier_work: bool
    reward: Money
    grants: Grants
    excused: tuple[Excused, ...]
    gpu_models: tuple[GpuModel, ...] | None
    tasks: tuple[Task, ...]
    pools: tuple[Pool, ...]
    ranking_bonuses: tuple[RankingBonus, ...]
    text: str = field(default="", repr=False, compare=False)
    digest: str = ""
    rules_digest: str = ""
    terms_digest: str = ""

    def task(self, slug: str) -> Task | None:
        """The task with this slug, or None."""
        return next((task for task in self.tasks if task.slug == slug), None)

    def gpu_model(self, model_id: str) -> GpuModel | None:
        """The listed GPU with this id, or None."""
        return next((model for model in self.gpu_models or () if model.id == model_id), None)

    @property
    def budget_for_rules(self) -> Micro:
        """What tasks, pools and bonuses can pay together: the budget without the grants."""
        return Micro(self.reward.budget - self.grants.budget)
