"""Reading what tasks pay from the file: amounts, decay, slots, overflow, pools and ranking bonuses."""

from __future__ import annotations

from typing import Literal, cast

from tasks.fields import SLUG, Fields
from tasks.moment import Duration
from tasks.parts import Amount, Decay, Overflow, Pool, RankingBonus, Reward, SlotLine
from tasks.rewards.money import Micro, parse_micro
from tasks.yaml_text import Mapping

_AMOUNT = "an amount such as 40 or 12.5 (at most six decimals)"
_PERCENT = "a whole number from 0 to 100"


def slug_text(text: str) -> str:
    """A slug inside a list. Raises ValueError."""
    if SLUG.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no slug")
    return text


def read_reward(fields: Fields) -> Reward:
    """A task's `reward` block."""
    once_per = fields.texts("once_per") if fields.has("once_per") else ("subject",)
    if fields.is_empty_list("once_per"):
        fields.refuse(
            "once_per", "an empty list says nothing", "leave it out (once for each subject) or name attributes"
        )
    reward = Reward(
        amount=_amount(fields),
        decay=_decay(fields.mapping("decay")),
        slots=tuple(_slot_line(entry) for entry in fields.mappings("slots")),
        once_per=once_per,
        per_participant=fields.whole("per_participant", least=1),
        budget=fields.micro("budget"),
        overflow=_overflow(fields.mapping("overflow")),
    )
    fields.done()
    return reward


def _amount(fields: Fields) -> Amount:
    if not isinstance(fields.node.values.get("amount"), Mapping):
        return Amount(None, fields.micro("amount", required=True) or Micro(0))
    block = fields.mapping("amount")
    if block is None:
        return Amount(None, Micro(0))
    by = block.required_text("by", "the attribute that the table goes by, such as gpu_model")
    table: dict[str, Micro] = {}
    rows = block.mapping("table", required=True)
    for key, text, node in rows.scalars() if rows else ():
        try:
            table[key] = parse_micro(text)
        except ValueError as error:
            block.refuse_at(node, f"{block.at('table')}.{key}", str(error), f"write {_AMOUNT}")
        if not key.strip():
            block.refuse_at(
                node, block.at("table"), "a value without a name", "absent values are never listed: remove it"
            )
    if rows is not None and not rows.node.values:
        block.refuse("table", "the table is empty", "list what each value is worth: {h100: 4000}")
    block.done()
    return Amount(by or "", Micro(0), table)


def _percent(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text[:4]) <= 100 and len(text) <= 3):
        raise ValueError(f"{text!r} is not a whole percent from 0 to 100")
    return int(text)


def _decay(fields: Fields | None) -> Decay | None:
    if fields is None:
        return None
    every = fields.duration("every", required=True)
    percents = tuple(fields.listed("percents", _percent, _PERCENT, required=True) or ())
    if fields.is_empty_list("percents"):
        fields.refuse("percents", "no percent is listed", "list one for each step: [100, 50, 25]")
    after = fields.read("after", _percent, _PERCENT)
    fields.done()
    return Decay(every or Duration(1), percents or (0,), after or 0)


def _slot_line(fields: Fields) -> SlotLine:
    most = fields.whole("max", required=True)
    where: list[tuple[str, str]] = []
    block = fields.mapping("where")
    for key, text, node in block.scalars() if block else ():
        if not text.strip():
            fields.refuse_at(
                node, f"{fields.at('where')}.{key}", "an absent value can't be asked for", "write a value"
            )
        where.append((key, text))
    per = fields.required_text("per", "one attribute, such as gpu_model") if fields.has("per") else None
    fields.done()
    return SlotLine(most or 0, tuple(where), per)


def _overflow(fields: Fields | None) -> Overflow | None:
    if fields is None:
        return None
    percent = fields.read("percent", _percent, _PERCENT, required=True)
    budget = fields.micro("budget", required=True)
    fields.done()
    return Overflow(percent or 0, budget or Micro(0))


def read_pool(fields: Fields) -> Pool:
    """One entry of `pools`."""
    slug = fields.slug("slug") or ""
    amount = fields.micro("amount", required=True) or Micro(0)
    among = _among(fields, required=True) or ()
    split_by: str | None = None
    if isinstance(fields.node.values.get("split"), Mapping):
        block = fields.mapping("split")
        if block is not None:
            split_by = block.required_text("by", "the attribute to weigh by, such as lease_blocks")
            block.done()
    else:
        fields.choice("split", ("equal",)) if fields.has("split") else fields.required_text(
            "split", "equal or {by: …}"
        )
    fields.done()
    return Pool(slug, amount, among, split_by)


def _among(fields: Fields, *, required: bool) -> tuple[str, ...] | None:
    block = fields.mapping("among", required=required)
    if block is None:
        return None
    tasks = block.texts("tasks", required=True)
    if block.is_empty_list("tasks"):
        block.refuse("tasks", "no task is named", "list tasks: [a, b]")
    block.done()
    return tasks


def read_bonus(fields: Fields) -> RankingBonus:
    """One entry of `ranking_bonuses`."""
    slug = fields.slug("slug") or ""
    rank_by = fields.choice("rank_by", ("completions", "awards"))
    among = _among(fields, required=False)
    amounts = tuple(fields.listed("amounts", parse_micro, _AMOUNT, required=True) or ())
    if fields.is_empty_list("amounts"):
        fields.refuse("amounts", "no amount is listed", "list one for each place: [200, 100, 50]")
    fields.done()
    mode = cast("Literal['completions', 'awards']", rank_by or "completions")
    return RankingBonus(slug, mode, among, amounts)
