"""A task's parameters and its reward in plain words, whatever its kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks.campaign import Campaign
from tasks.parts import Reward, SlotLine, Task
from web.formats import amount, counted, duration_long, integer, percent, permille

_LABELS = {
    "group_by": "One claim for each",
    "providers": "Different providers needed",
    "active_ns": "Each lease active for at least",
    "gpu_models": "GPU models that count",
    "own_provider": "Leases on your own provider",
    "apps": "Apps that count",
    "min_cpu": "CPU cores at least",
    "uptime_permille": "Uptime at least",
    "probe_every_ns": "We look every",
    "min_observed_ns": "Observed for at least",
    "tenants": "Whose lease proves it",
    "auditors": "Signed by one of these auditors",
    "spot_checks": "Spot checks at moments that we draw: all claimed GPUs leased at once within 24 hours",
    "tasks": "Parts",
    "repositories": "Pull request to",
    "state": "The pull request must be",
    "own_run": "Run it once yourself",
    "signed_by": "signedBy filters",
    "author_proof": "Proof that it is yours",
    "suite": "Version of the tests",
    "expires_ns": "A challenge holds for",
    "within_permille_of_median": "Values may differ from the median by",
    "lease": "A lease of yours",
    "fields": "What is entered",
    "reviewers": "Reviewers who must agree",
    "needs_work_keeps_ns": "A request for changes keeps your place for",
}
_WORDS = {
    ("gpu_models", "any"): "any",
    ("gpu_models", "listed"): "those in the rules",
    ("tenants", "registered"): "a registered participant's",
    ("own_provider", "refused"): "do not count",
    ("own_provider", "allowed"): "count",
    ("state", "open"): "open or merged",
    ("state", "merged"): "merged; when makes no difference",
    ("signed_by", "refused"): "refused, they keep providers from bidding",
    ("author_proof", "code"): "your code in the pull request's text",
    ("lease", "required"): "must be active when the result comes",
    ("lease", "optional"): "is not asked",
    ("group_by", "app"): "app",
    ("group_by", "deployment"): "deployment",
}

_EMPTY = {"auditors": "none is needed"}
"""What an empty list means, where it is not "any"."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a task's rules; `items` where the value is a list that deserves a list."""

    label: str
    value: str
    items: tuple[str, ...] = ()


def parameters(params: Mapping[str, object]) -> list[Fact]:
    """Every parameter of a task, in the order of its kind; empty lists say `any`."""
    return [_fact(name, value) for name, value in params.items()]


def _fact(name: str, value: object) -> Fact:
    label = _LABELS.get(name) or name.removesuffix("_ns").replace("_", " ").capitalize()
    if isinstance(value, str) and (name, value) in _WORDS:
        return Fact(label, _WORDS[name, value])
    if isinstance(value, Sequence) and not isinstance(value, str):
        items = tuple(_named(item) for item in value)
        return Fact(label, "" if items else _EMPTY.get(name, "any"), items)
    return Fact(label, _plain(name, value))


def _plain(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        if name.endswith("_ns"):
            return duration_long(value)
        if name == "within_permille_of_median":
            return f"a factor of {value / 1000:g}, else a person looks"
        return permille(value) if name.endswith("_permille") else integer(value)
    return "none" if value is None else str(value)


def _named(item: object) -> str:
    if isinstance(item, Mapping) and "label" in item:
        return _asked(item)
    if isinstance(item, Mapping):
        title = str(item.get("title") or item.get("slug") or item.get("name") or "")
        images = item.get("images")
        shown = ", ".join(str(image) for image in images) if isinstance(images, Sequence) and images else ""
        return f"{title} ({shown})" if shown else title
    return str(item)


def _asked(item: Mapping[str, object]) -> str:
    hosts, choices = item.get("hosts"), item.get("choices")
    words = str(item["label"])
    if isinstance(hosts, Sequence) and hosts:
        words += f" (at {' or '.join(map(str, hosts))})"
    if isinstance(choices, Sequence) and choices:
        words += f" ({', '.join(map(str, choices))})"
    if item.get("decided"):
        return f"{words}: the reviewer decides it"
    return words if item.get("required") else f"{words}, if you like"


@dataclass(frozen=True, slots=True)
class RewardRow:
    """One row of the reward table: for which value, how much (micro)."""

    value: str
    micro: int


def reward_table(reward: Reward) -> list[RewardRow]:
    """What one completion is worth before decay, the greatest first; one row without a value where all are equal."""
    if reward.amount.by is None:
        return [RewardRow("", reward.amount.single)]
    return [
        RewardRow(value, micro)
        for value, micro in sorted(reward.amount.table.items(), key=lambda entry: (-entry[1], entry[0]))
    ]


def reward_rules(task: Task, campaign: Campaign) -> list[str]:
    """The rules that a task's reward follows, one sentence each."""
    reward, unit = task.reward, campaign.reward.unit
    if reward is None:
        return ["No reward of its own: it counts as a part or a requirement of other tasks."]
    sentences = [_slot(line) for line in reward.slots]
    if reward.per_participant is not None:
        sentences.append(f"At most {counted(reward.per_participant, 'award')} for each participant.")
    if reward.once_per != ("subject",):
        sentences.append(f"One award for each participant and {_and(reward.once_per)}.")
    if reward.decay is not None:
        decay = reward.decay
        steps = ", ".join(percent(value) for value in decay.percents)
        every = duration_long(decay.every)
        sentences.append(f"The amount changes every {every}: {steps}, then {percent(decay.after)}.")
    if reward.budget is not None:
        sentences.append(f"Together at most {amount(reward.budget, unit)}.")
    if reward.overflow is not None:
        sentences.append(
            f"Without a place: {percent(reward.overflow.percent)} of the amount, "
            f"together at most {amount(reward.overflow.budget, unit)}."
        )
    return sentences


def requirement(task: Task, titles: Mapping[str, str]) -> str | None:
    """What must be done before, in one sentence."""
    if task.requires is None:
        return None
    names = [titles.get(slug, slug) for slug in task.requires.tasks]
    if len(names) == 1:
        return f"Needs “{names[0]}” first."
    which = "one of" if task.requires.mode == "any_of" else "each of"
    return f"Needs {which} these first: {'; '.join(names)}."


def _slot(line: SlotLine) -> str:
    kind = "".join(f" with {_plain_name(name)} {value.replace('_', ' ')}" for name, value in line.where)
    each = f" for each {_plain_name(line.per)}" if line.per else ""
    return f"{counted(line.most, 'place')}{kind}{each}."


def _and(names: Sequence[str]) -> str:
    return " and ".join(_plain_name(name) for name in names)


def _plain_name(name: str) -> str:
    return name.replace("gpu_", "GPU ").replace("_", " ")


def pools(campaign: Campaign) -> list[str]:
    """What is shared out when the campaign closes, one sentence a pool."""
    titles = {task.slug: task.title for task in campaign.tasks}
    return [
        f"{amount(pool.amount, campaign.reward.unit)} shared among those with an award in "
        f"{_titles(pool.among, titles)}, "
        + ("equally." if pool.split_by is None else f"by {_plain_name(pool.split_by)}.")
        for pool in campaign.pools
    ]


def bonuses(campaign: Campaign) -> list[str]:
    """What the first places get when the campaign closes, one sentence a bonus."""
    titles = {task.slug: task.title for task in campaign.tasks}
    sentences = []
    for bonus in campaign.ranking_bonuses:
        amounts = ", ".join(amount(each, campaign.reward.unit) for each in bonus.amounts)
        among = _titles(bonus.among, titles) if bonus.among is not None else "all tasks"
        sentences.append(
            f"{amounts} for the first {counted(len(bonus.amounts), 'place')} by {bonus.rank_by} in {among}."
        )
    return sentences


def _titles(slugs: Sequence[str], titles: Mapping[str, str]) -> str:
    return "; ".join(f"“{titles.get(slug, slug)}”" for slug in slugs)
