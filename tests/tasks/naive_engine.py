"""The rules of CAMPAIGN_FORMAT written down as naively as they read, to check the real engine against.

Every question is answered by looking through all lines so far; nothing is counted along the way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from tasks.parts import Campaign, Task
from tasks.revisions import Rules
from tasks.rewards.completion import Completion

HOLDS = {"awarded", "partly_awarded", "overflow", "no_reward"}
FAILS_FOUR = {"ineligible", "outside_window", "before_registration", "duplicate", "subject_taken", "requires"}


@dataclass(frozen=True)
class Entry:
    """A completion with the time it is worked with; `since` is its own time."""

    completion: Completion
    at: int
    height: int | None
    tx_index: int | None
    first_key: Any


@dataclass(frozen=True)
class Line:
    """What the naive engine says of a completion."""

    entry: Entry
    amount: int
    reason: str

    @property
    def completion(self) -> Completion:
        return self.entry.completion


class NaiveSeason:
    """Works a season by looking everything up anew each time."""

    def __init__(self, rules: Rules, completions: list[Completion]) -> None:
        self.rules, self.newest = rules, rules.newest
        self.lines: list[Line] = []
        self.pending = [self._entry(each, each.at, each.height, each.tx_index) for each in completions]
        self.waiting: list[Entry] = []
        self.made: set[str] = set()

    def _entry(self, completion: Completion, at: int, height: int | None, tx_index: int | None) -> Entry:
        entry = Entry(completion, at, height, tx_index, None)
        return replace(entry, first_key=self._key(entry))

    def _key(self, entry: Entry) -> Any:
        position = self.rules.positions[entry.completion.task]
        height = (1, 0) if entry.height is None else (0, entry.height)
        index = (1, 0) if entry.tx_index is None else (0, entry.tx_index)
        return (entry.at, height, index, position, entry.completion.claim.encode())

    def work(self) -> list[Line]:
        while self.pending:
            entry = min(self.pending, key=self._key)
            self.pending.remove(entry)
            line = self._ask(entry)
            if line is None:
                self.waiting.append(entry)
                continue
            self.lines.append(line)
            if line.reason not in FAILS_FOUR:
                self._after(entry)
        for entry in sorted(self.waiting, key=lambda each: each.first_key):
            self.lines.append(Line(entry, 0, "requires"))
        return self.lines

    def _after(self, entry: Entry) -> None:
        who = entry.completion.participant
        for other in [each for each in self.waiting if each.completion.participant == who]:
            if self._is_met(other):
                self.waiting.remove(other)
                moved = replace(other, at=entry.at, height=entry.height, tx_index=entry.tx_index)
                self.pending.append(moved)
        for task in self.newest.tasks:
            claim = f"{task.slug}/{who}"
            if task.parts and claim not in self.made and all(self._has(who, part) for part in task.parts):
                self.made.add(claim)
                made = Completion(
                    claim, who, task.slug, entry.at, entry.height, entry.tx_index, who,
                    registered_at=entry.completion.registered_at,
                )  # fmt: skip
                self.pending.append(self._entry(made, entry.at, entry.height, entry.tx_index))

    def _has(self, who: str, slug: str) -> bool:
        return any(
            line.completion.participant == who and line.completion.task == slug and line.reason not in FAILS_FOUR
            for line in self.lines
        )

    def _own(self, completion: Completion) -> tuple[Campaign, Task]:
        in_force = self.rules.in_force(completion.at)
        if in_force.task(completion.task) is None:
            in_force = self.newest
        task = in_force.task(completion.task)
        assert task is not None
        return in_force, task

    def _is_met(self, entry: Entry) -> bool:
        requires = self._own(entry.completion)[1].requires
        if requires is None:
            return True
        have = [self._has(entry.completion.participant, slug) for slug in requires.tasks]
        return any(have) if requires.mode == "any_of" else all(have)

    def _value(self, completion: Completion, name: str, campaign: Campaign) -> str:
        if name == "gpu_class":
            model = campaign.gpu_model(completion.attributes.get("gpu_model", ""))
            if model is not None:
                return model.gpu_class
        return completion.subject if name == "subject" else completion.attributes.get(name, "")

    def _ask(self, entry: Entry) -> Line | None:
        completion = entry.completion
        task = self.newest.task(completion.task)
        assert task is not None
        reason = self._rules_1_to_3(entry, task)
        if reason:
            return Line(entry, 0, reason)
        if not self._is_met(entry):
            return None
        return self._price(entry, task)

    def _rules_1_to_3(self, entry: Entry, task: Task) -> str:
        completion = entry.completion
        if not completion.eligible:
            return "ineligible"
        if entry.at < task.opens or entry.at >= task.closes:
            return "outside_window"
        late = completion.registered_at is not None and entry.at < completion.registered_at
        if late and not self.newest.count_earlier_work:
            return "before_registration"
        once_per = task.reward.once_per if task.reward else ("subject",)
        holding = [line for line in self.lines if line.completion.task == task.slug and line.reason in HOLDS]
        mine = [self._value(completion, name, self.newest) for name in once_per]
        for line in holding:
            theirs = [self._value(line.completion, name, self.newest) for name in once_per]
            if line.completion.participant == completion.participant and theirs == mine:
                return "duplicate"
        for line in holding:
            same = completion.subject and line.completion.subject == completion.subject
            if same and line.completion.participant != completion.participant:
                return "subject_taken"
        return ""

    def _price(self, entry: Entry, task: Task) -> Line:
        completion = entry.completion
        campaign, own = self._own(completion)
        model = completion.attributes.get("gpu_model", "")
        if campaign.gpu_models is not None and model and campaign.gpu_model(model) is None:
            return Line(entry, 0, "not_listed")
        amount = own.reward.amount if own.reward else None
        if amount is not None and amount.by:
            value = self._value(completion, amount.by, campaign)
            if value not in amount.table:
                return Line(entry, 0, "not_listed")
            base = amount.table[value]
        else:
            base = amount.single if amount else 0
        if base == 0:
            return Line(entry, 0, "no_reward")
        percent = 100
        decay = own.reward.decay if own.reward else None
        if decay is not None:
            step = (entry.at - task.opens - self._excused(task.opens, entry.at)) // decay.every
            percent = decay.percents[step] if step < len(decay.percents) else decay.after
        return Line(entry, 0, "decayed") if percent == 0 else self._place(entry, task, base, percent)

    def _excused(self, opens: int, at: int) -> int:
        """Hour by hour: the tests' excused ranges and times are whole hours."""
        hour = 3600 * 10**9
        hours = range(opens, at, hour)
        return hour * sum(any(each.start <= now < each.end for each in self.newest.excused) for now in hours)

    def _place(self, entry: Entry, task: Task, base: int, percent: int) -> Line:
        reward = task.reward
        left = self.newest.reward.budget - self.newest.grants.budget - sum(line.amount for line in self.lines)
        mine = [line for line in self.lines if line.completion.task == task.slug]
        takers = [line for line in mine if line.reason in {"awarded", "partly_awarded"}]
        who = entry.completion.participant
        task_left = None
        full = ""
        if reward is not None:
            own = [line for line in takers if line.completion.participant == who]
            if reward.budget is not None:
                task_left = reward.budget - sum(line.amount for line in takers)
            if reward.per_participant is not None and len(own) >= reward.per_participant:
                full = "participant_limit"
            elif self._is_full(entry.completion, reward.slots, takers):
                full = "slots_full"
            elif task_left == 0:
                full = "budget_spent"
        if full:
            overflow = reward.overflow if reward else None
            if overflow is None:
                return Line(entry, 0, full)
            drawn = sum(line.amount for line in mine if line.reason == "overflow")
            share = int(Fraction(base * overflow.percent * percent, 10_000))
            paid = min(share, overflow.budget - drawn, left)
            return Line(entry, paid, "overflow") if paid > 0 else Line(entry, 0, full)
        if left == 0:
            return Line(entry, 0, "budget_spent")
        whole = int(Fraction(base * percent, 100))
        paid = min([whole, left] + ([] if task_left is None else [task_left]))
        return Line(entry, paid, "awarded" if paid == whole else "partly_awarded")

    def _is_full(self, completion: Completion, slots: Any, takers: list[Line]) -> bool:
        for slot in slots:
            if any(self._value(completion, name, self.newest) != value for name, value in slot.where):
                continue
            taken = [
                line for line in takers
                if all(self._value(line.completion, name, self.newest) == value for name, value in slot.where)
                and (
                    slot.per is None
                    or self._value(line.completion, slot.per, self.newest)
                    == self._value(completion, slot.per, self.newest)
                )
            ]  # fmt: skip
            if len(taken) >= slot.most:
                return True
        return False
