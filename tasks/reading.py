"""Reading a campaign file: its header and its tasks, every value typed, every mistake with line, path and mend."""

from __future__ import annotations

import difflib
import re
from typing import Literal

from tasks.fields import Fields
from tasks.kinds import by_kind, kinds
from tasks.mistakes import Findings, Mistake
from tasks.moment import Duration, Moment
from tasks.parts import Campaign, Change, Excused, GpuModel, Grants, Money, Requires, Task
from tasks.reading_rewards import read_bonus, read_pool, read_reward, slug_text
from tasks.rewards.money import Micro
from tasks.yaml_text import Mapping, Node

_CHAIN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_UNIT = re.compile(r"[A-Za-z][A-Za-z0-9]{1,15}")
_DENOM = re.compile(r"[a-zA-Z][a-zA-Z0-9/:._-]{2,127}")
_MODEL = re.compile(r"\S(.{0,62}\S)?")


def read_campaign(root: Node, findings: Findings) -> Campaign | None:
    """The campaign that a document holds; with mistakes in `findings`, some values are stand-ins.

    None where the document is no mapping at all.
    """
    if not isinstance(root, Mapping):
        what = Mistake(root.line, root.column, "", "a campaign is a mapping", "begin with campaign: <slug>")
        findings.refuse(what)
        return None
    fields = Fields(root, "", findings)
    opens, closes = _window(fields, None, None)
    revision = fields.whole("revision", least=1, most=10_000, default=1) or 1
    chain_id = fields.read("chain_id", _matching(_CHAIN_ID, "chain id"), "a chain id such as akashnet-2")
    payout = fields.read("payout_chain_id", _matching(_CHAIN_ID, "chain id"), "a chain id such as akashnet-2")
    slug = fields.slug("campaign") or ""
    campaign = Campaign(
        slug=slug,
        revision=revision,
        change=_change(fields, revision),
        title=fields.text("title", slug, longest=200),
        summary=fields.text("summary"),
        terms=fields.text("terms"),
        links=_links(fields),
        chain_id=chain_id,
        payout_chain_id=payout or chain_id,
        opens=opens or Moment(0),
        closes=closes or Moment(2**63 - 1),
        results_by=fields.moment("results_by"),
        appeals=fields.duration("appeals", "7d") or Duration(0),
        count_earlier_work=fields.flag("count_earlier_work"),
        reward=_money(fields),
        grants=_grants(fields.mapping("grants")),
        excused=tuple(_excused(entry) for entry in fields.mappings("excused")),
        gpu_models=_gpu_models(fields),
        tasks=_tasks(fields, opens, closes),
        pools=tuple(read_pool(entry) for entry in fields.mappings("pools")),
        ranking_bonuses=tuple(read_bonus(entry) for entry in fields.mappings("ranking_bonuses")),
    )
    fields.done()
    return campaign


class _matching:  # noqa: N801 - used as a function
    """A parser that takes what a pattern matches whole."""

    def __init__(self, pattern: re.Pattern[str], what: str) -> None:
        self._pattern, self._what = pattern, what

    def __call__(self, text: str) -> str:
        if self._pattern.fullmatch(text) is None:
            raise ValueError(f"{text!r} is no {self._what}")
        return text


def _window(
    fields: Fields, opens_default: Moment | None, closes_default: Moment | None
) -> tuple[Moment | None, Moment | None]:
    """`opens` and `closes`; required where there is no default."""
    needed = not fields.path
    opens = fields.moment("opens", required=needed)
    closes = fields.moment("closes", required=needed)
    if not fields.has("opens"):
        opens = opens_default
    if not fields.has("closes"):
        closes = closes_default
    inherited = not needed and not fields.has("opens") and not fields.has("closes")
    if opens is not None and closes is not None and not inherited:
        at = "closes" if fields.has("closes") else "opens"
        if closes < opens:
            fields.refuse(at, "the window ends before it begins", "let closes be later than opens")
        elif closes == opens:
            fields.warn(at, "the window is empty: nothing can be done in it", "let closes be later than opens")
    return opens, closes


def _change(fields: Fields, revision: int) -> Change | None:
    block = fields.mapping("change")
    if block is None:
        if revision > 1 and not fields.has("change"):
            fields.refuse(
                "change",
                f"revision {revision} does not say what changed",
                "write change: {reason: …, counts_from: …}",
            )
        return None
    if revision == 1:
        fields.refuse("change", "revision 1 changes nothing", "leave change out, or write the revision's number")
    reason = block.required_text("reason", "why the rules changed, for all to read") or ""
    reaches_back = block.flag("reaches_back")
    counts_from = block.moment("counts_from", required=not reaches_back)
    block.done()
    return Change(reason, counts_from, reaches_back)


def _links(fields: Fields) -> dict[str, str]:
    block = fields.mapping("links")
    links: dict[str, str] = {}
    for key, text, node in block.scalars() if block else ():
        if not text.startswith(("https://", "http://")):
            fields.refuse_at(node, f"links.{key}", f"{text!r} is no web address", "begin with https://")
        links[key] = text
    return links


def _money(fields: Fields) -> Money:
    block = fields.mapping("reward", required=True)
    if block is None:
        return Money("", "uakt", None, "", Micro(0), overcommit=True)
    money = Money(
        unit=block.read("unit", _matching(_UNIT, "unit"), "what amounts are quoted in: USD or AKT", required=True)
        or "",
        denom=block.read("denom", _matching(_DENOM, "denom"), "what is paid, such as uakt") or "uakt",
        rate=block.rate("rate"),
        rate_rule=block.text("rate_rule", longest=1000),
        budget=block.micro("budget", required=True) or Micro(0),
        overcommit=block.flag("overcommit"),
    )
    if money.unit == "AKT" and money.rate is not None and money.rate.numerator != money.rate.denominator:
        block.warn("rate", "amounts are in AKT, and one AKT is not one AKT", 'write rate: "1"')
    block.done()
    return money


def _grants(block: Fields | None) -> Grants:
    if block is None:
        return Grants(Micro(0))
    grants = Grants(block.micro("budget", required=True) or Micro(0))
    block.done()
    return grants


def _excused(entry: Fields) -> Excused:
    start, end = entry.moment("from", required=True), entry.moment("to", required=True)
    reason = entry.required_text("reason", "why this time counts against nobody") or ""
    if start is not None and end is not None and end <= start:
        entry.refuse("to", "the range ends before it begins", "let to be later than from")
    entry.done()
    return Excused(start or Moment(0), end or Moment(0), reason)


def _gpu_models(fields: Fields) -> tuple[GpuModel, ...] | None:
    models = tuple(_gpu_model(entry) for entry in fields.mappings("gpu_models"))
    return models if fields.has("gpu_models") else None


def _gpu_model(entry: Fields) -> GpuModel:
    model = GpuModel(
        entry.read("id", _matching(_MODEL, "model"), "the model's short name, such as h100", required=True) or "",
        entry.read("class", _matching(_MODEL, "class"), "a class such as data_center", required=True) or "",
        entry.whole("vram_gib", least=1, most=100_000),
        entry.texts("aliases"),
    )
    entry.done()
    return model


def _tasks(fields: Fields, opens: Moment | None, closes: Moment | None) -> tuple[Task, ...]:
    entries = list(fields.mappings("tasks", required=True))
    if fields.is_empty_list("tasks"):
        fields.refuse("tasks", "a campaign without tasks asks for nothing", "list at least one task")
    return tuple(_task(entry, opens, closes) for entry in entries)


def _task(entry: Fields, campaign_opens: Moment | None, campaign_closes: Moment | None) -> Task:
    slug = entry.slug("slug") or ""
    opens, closes = _window(entry, campaign_opens, campaign_closes)
    kind = entry.required_text("kind", f"one of {', '.join(kinds())}") or ""
    reward = entry.mapping("reward")
    task = Task(
        slug=slug,
        kind=kind,
        title=entry.text("title", slug, longest=200),
        summary=entry.text("summary"),
        opens=opens or Moment(0),
        closes=closes or Moment(2**63 - 1),
        params=_params(entry, kind),
        requires=_requires(entry.mapping("requires")),
        reward=read_reward(reward) if reward is not None else None,
    )
    entry.done()
    return task


def _params(entry: Fields, kind: str) -> dict[str, object]:
    block = entry.mapping("params")
    known = by_kind(kind)
    if known is None:
        if kind:
            near = difflib.get_close_matches(kind, kinds(), n=1)
            mend = f"did you mean {near[0]}?" if near else f"write one of {', '.join(kinds())}"
            entry.refuse("kind", f"there is no kind {kind!r}", mend)
        return {}
    fields = block or Fields(Mapping(entry.node.line, entry.node.column), entry.at("params"), entry.findings)
    params = dict(known.read_params(fields))
    fields.done()
    return params


def _requires(block: Fields | None) -> Requires | None:
    if block is None:
        return None
    modes: list[Literal["any_of", "all_of"]] = ["any_of", "all_of"]
    given = [mode for mode in modes if block.has(mode)]
    lists = {mode: tuple(block.listed(mode, slug_text, "a task's slug") or ()) for mode in modes}
    block.done()
    if len(given) != 1:
        block.refuse_at(
            block.node, block.path, "say either any_of or all_of", "write {any_of: [a, b]} or {all_of: [a, b]}"
        )
        return None
    if block.is_empty_list(given[0]):
        block.refuse(given[0], "no task is named", "list tasks, or leave requires out")
    return Requires(given[0], tuple(dict.fromkeys(lists[given[0]])))
