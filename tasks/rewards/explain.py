"""Why a line has its amount: one sentence and one table, rule by rule, from its working and what stands around it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tasks.moment import SECOND, format_moment
from tasks.parts import Task
from tasks.rewards.money import format_micro
from tasks.rewards.refusals import REFUSALS, Place, names, place_in_full

PASSED, FAILED = "passed", "failed"
FULL = ("participant_limit", "slots_full", "budget_spent", "overflow")

_STOPS = {
    "ineligible": 1,
    "outside_window": 2,
    "before_registration": 2,
    "duplicate": 3,
    "subject_taken": 3,
    "requires": 4,
    "not_listed": 5,
    "no_reward": 6,
    "decayed": 7,
    "participant_limit": 8,
    "slots_full": 8,
    "budget_spent": 8,
}
"""The rule (CAMPAIGN_FORMAT, "How awards follow") at which a line without an award ended."""


@dataclass(frozen=True, slots=True)
class Told:
    """A line as it is to be explained. `place`: when the work was done; what it was worked with stands in `working`.

    `waiting_before`: how many completions before it found the same places taken; None: not known.
    """

    reason: str
    amount_micro: int
    working: Mapping[str, object]
    unit: str
    place: Place
    task: Task | None = None
    waiting_before: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One rule: its number, what it asks, what was found, and `passed`, `failed` or `` where it only counts."""

    rule: int
    asks: str
    found: str
    outcome: str = PASSED


@dataclass(frozen=True, slots=True)
class Explanation:
    """The sentence, and a row for every rule that was asked."""

    sentence: str
    rows: Sequence[Row] = field(default_factory=tuple)


def explain(told: Told) -> Explanation:
    """The explanation of a line of the rules; one of the ledger's own reasons has a sentence and no rows."""
    if told.reason not in _STOPS and told.reason not in {"awarded", "partly_awarded", "overflow"}:
        return Explanation(_OTHERS.get(told.reason, f"{told.reason.replace('_', ' ').capitalize()}."))
    if "final_micro" in told.working:
        return Explanation(f"{_sentence(told)} {_AFTER_FINAL}")
    stop = _STOPS.get(told.reason, 9)
    return Explanation(_sentence(told), tuple(row for row in _rows(told, stop) if row.rule <= stop))


_AFTER_FINAL = (
    "The results were final when this was found out: nobody else moves up, and what was paid is set against "
    "later awards."
)
_OTHERS = {
    "withdrawn": "Taken back: the claim does not count any more. Its checks say why.",
    "after_final": "It counts, but the results were final by then: nobody loses what was final. "
    "The organizers can grant something by hand.",
    "grant": "Granted by hand, outside the places.",
    "pool": "A share of a pool.",
    "bonus": "A bonus for a place in a ranking.",
}


def _sentence(told: Told) -> str:
    refusal = REFUSALS.get(told.reason)
    if refusal is not None:
        return refusal(told.working, told.place, told.waiting_before)
    amount = _money(told.amount_micro, told)
    slot = told.working.get("slot")
    if told.reason == "overflow":
        share = told.working.get("overflow_percent")
        cause = _full_cause(told)
        return f"{cause} Work without a place gets {share} % of its amount here: {amount}."
    where = ""
    if isinstance(slot, Mapping):
        where = f" It took place {_count(slot['taken'], 1)} of {_count(slot['max'])}{names(slot)}."
    if told.reason == "partly_awarded":
        return f"{amount}: a part of the amount, which was all that was left of the {_bound(told)}.{where}"
    step = _step_words(told)
    return f"{amount}{step}.{where}"


def _full_cause(told: Told) -> str:
    limit = told.working.get("participant_limit")
    if isinstance(limit, Mapping) and limit["taken"] >= limit["max"]:
        return REFUSALS["participant_limit"](told.working, told.place, None)
    if isinstance(told.working.get("slot"), Mapping):
        return REFUSALS["slots_full"](told.working, told.place, told.waiting_before)
    return REFUSALS["budget_spent"](told.working, told.place, None)


def _bound(told: Told) -> str:
    task, whole = (told.working.get(key) for key in ("task_left_micro", "budget_left_micro"))
    return "task's budget" if task == told.amount_micro and task != whole else "campaign's budget"


def _step_words(told: Told) -> str:
    percent, base = told.working.get("percent"), told.working.get("base_micro")
    if not isinstance(base, int) or percent == 100:
        return ""
    return f": {percent} % of {_money(base, told)} at that time"


def _rows(told: Told, stop: int) -> Iterator[Row]:
    working, reason = told.working, told.reason
    yield Row(1, "the participant and the claim may be paid", *_answer(stop == 1, "not eligible", "eligible"))
    yield from _times(told)
    held = working.get("held_by")
    found = f"held by claim {str(held['claim'])[:12]}" if isinstance(held, Mapping) else "not awarded before"
    yield Row(3, "the same thing is not awarded already", *_answer(stop == 3, found, found))
    yield from _needs(told)
    by = working.get("amount_by")
    listed = (
        f"{_plain(by['attribute'])} {by['value']}" if isinstance(by, Mapping) else "nothing that has to be listed"
    )
    yield Row(5, "what the amount goes by is listed", *_answer(stop == 5, "not listed", listed))
    base = working.get("base_micro")
    pays = _money(base, told) if isinstance(base, int) else "nothing itself, it counts for others"
    yield Row(6, "the task's amount", pays, "" if reason != "no_reward" else FAILED)
    yield from _decay(told)
    yield from _limits(told)
    yield from _budgets(told)
    yield Row(9, "the award", _money(told.amount_micro, told))


def _answer(is_failed: bool, bad: str, good: str) -> tuple[str, str]:  # noqa: FBT001 - read with its two words
    return (bad, FAILED) if is_failed else (good, PASSED)


def _worked(told: Told) -> Place:
    """The place it was worked with: its own, unless it waited for another task."""
    return Place.of(told.working) or told.place


def _times(told: Told) -> Iterator[Row]:
    worked = _worked(told)
    opens, closes = told.working.get("opens"), told.working.get("closes")
    if told.task is not None and closes is None:
        opens, closes = format_moment(told.task.opens), format_moment(told.task.closes)
    window = f"from {opens} until before {closes}" if closes is not None else "within the task's dates"
    yield Row(2, f"done {window}", place_in_full(worked), FAILED if told.reason == "outside_window" else PASSED)
    registered = told.working.get("registered_at")
    if registered is not None:
        yield Row(2, "done after the registration", f"registered at {registered}", FAILED)


def _needs(told: Told) -> Iterator[Row]:
    requires, waited = told.working.get("requires"), told.working.get("waited_for")
    made = told.working.get("made_by")
    if isinstance(requires, Mapping):
        mode, tasks = next(iter(requires.items()))
        words = "each of" if mode == "all_of" else "one of"
        yield Row(4, f"{words} {', '.join(map(str, tasks))} done", "not done", FAILED)
    elif waited is not None:
        yield Row(4, "the tasks it needs are done", f"done with claim {str(waited)[:12]}; it counts from then")
    elif made is not None:
        yield Row(4, "every part of the set is done", f"the last part was claim {str(made)[:12]}")
    elif told.task is not None and told.task.requires is not None:
        yield Row(4, "the tasks it needs are done", "done before")


def _decay(told: Told) -> Iterator[Row]:
    percent, step, every = (told.working.get(key) for key in ("percent", "step", "every_ns"))
    if not isinstance(percent, int):
        return
    if not isinstance(step, int) or not isinstance(every, int):
        yield Row(7, "the share paid at that time", f"{percent} %", "")
        return
    excused = told.working.get("excused_ns")
    left_out = f", {_span(excused)} excused" if isinstance(excused, int) and excused else ""
    asks = f"the share paid at that time: a step every {_span(every)} from {told.working['opens']}"
    yield Row(7, asks, f"step {step + 1}{left_out}: {percent} %", FAILED if percent == 0 else "")


def _limits(told: Told) -> Iterator[Row]:
    limit = told.working.get("participant_limit")
    if isinstance(limit, Mapping):
        is_full = limit["taken"] >= limit["max"]
        found = f"{limit['taken']} taken before" if is_full else f"number {limit['taken'] + 1}"
        yield Row(8, f"at most {limit['max']} for one participant", found, FAILED if is_full else PASSED)
    slot, slots = told.working.get("slot"), told.working.get("slots")
    for each in slots if isinstance(slots, list) else [slot]:
        if isinstance(each, Mapping):
            is_full = each["taken"] >= each["max"]
            found = "all taken" if is_full else f"place {_count(each['taken'], 1)}"
            asks = f"a place among {_count(each['max'])}{names(each)} (line {each['line']})"
            yield Row(8, asks, found, FAILED if is_full else PASSED)
    left = told.working.get("task_left_micro")
    if isinstance(left, int):
        yield Row(8, "left of the task's budget", _money(left, told), PASSED if left else FAILED)


def _budgets(told: Told) -> Iterator[Row]:
    percent, small = told.working.get("overflow_percent"), told.working.get("overflow_left_micro")
    if percent is not None and isinstance(small, int):
        yield Row(8, f"{percent} % without a place, left for it", _money(small, told), "")
    left = told.working.get("budget_left_micro")
    if isinstance(left, int):
        rule = 9 if told.reason not in FULL else 8
        outcome = PASSED if left else FAILED
        yield Row(rule, "left of the campaign's budget", _money(left, told), outcome)


def _money(micro: int, told: Told) -> str:
    """`4,000 USD`, `0.85 USD`: exact."""
    whole, dot, decimals = format_micro(micro).partition(".")
    return f"{int(whole):,}{dot}{decimals} {told.unit}" if whole != "-0" else f"{format_micro(micro)} {told.unit}"


def _span(nanoseconds: int) -> str:
    """`7 d`, `1 d 2 h`, `90 s`: whole units, the greatest first."""
    words, left = [], nanoseconds // SECOND
    for name, seconds in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left = divmod(left, seconds)
        if count:
            words.append(f"{count} {name}")
    return " ".join(words) or "0 s"


def _count(number: object, more: int = 0) -> str:
    return f"{number + more:,}" if isinstance(number, int) else str(number)


def _plain(name: object) -> str:
    return str(name).replace("_", " ")
