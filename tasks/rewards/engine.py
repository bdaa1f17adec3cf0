"""From completions to awards: rules 1 to 9 in one sequence, then pools and bonuses, then the conversion.

Everything is an integer; the same completions in any order give the same answer; after every payment the sum of
what was paid and what is left is the budget (CAMPAIGN_FORMAT, "How awards follow").
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from tasks.moment import Moment
from tasks.revisions import Rules
from tasks.rewards.awards import Awards, make_awards
from tasks.rewards.collector import collector_paused
from tasks.rewards.completion import Completion, refuse_mistakes
from tasks.rewards.lines import HOLDS_AWARD, AwardLine, Facts, Reason
from tasks.rewards.places import TaskState
from tasks.rewards.plan import ExcusedTime, TaskPlan, Version, attribute, make_plans
from tasks.rewards.pools import share_rest

_ABSENT = 1 << 100
"""Stands for an absent height or index in keys: it sorts after every present one."""

_Key = tuple[int, int, int, int, str]
_Entry = tuple[int, int, int, int, str, Completion]
_Again = tuple[int, int, int, int, str, Completion, AwardLine]


def compute(rules: Rules, completions: Iterable[Completion]) -> Awards:
    """All award lines, pools, bonuses, totals and the conversion.

    Raises CompletionErrors (nothing is computed then) for input that can't be worked: an unknown task, a claim id
    twice, an `all_of` task's row, a pool weight that is no non-negative decimal, a time by an unknown revision.
    """
    given = list(completions)
    with collector_paused():
        refuse_mistakes(rules, given)
        season = _Season(rules)
        lines = season.work(given)
        pools, bonuses, left = share_rest(rules.newest, lines, season.left)
        participants = {each.participant for each in given}
        return make_awards(rules, participants, lines, pools, bonuses, left)


class _Season:
    """One pass over all completions.

    The sequence is the sorted input merged with a heap of what joins later: completions that waited for a
    prerequisite, and those made for a set. Each is worked at once; what passes rules 1 to 4 may release waiting ones.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.left: int = rules.newest.budget_for_rules
        self._plans = make_plans(rules)
        self._states = {slug: TaskState(plan) for slug, plan in self._plans.items()}
        self._sets = [plan for plan in self._plans.values() if plan.parts]
        self._excused = ExcusedTime(rules.newest.excused)
        self._asks_registration = not rules.newest.count_earlier_work
        self._passed: dict[str, int] = {}
        self._waiting: dict[str, list[tuple[_Key, Completion]]] = {}
        self._again: list[_Again] = []
        self._lines: list[AwardLine] = []
        self._single = len(rules.revisions) == 1

    def work(self, completions: list[Completion]) -> list[AwardLine]:
        """The lines in the order worked; at the end those whose prerequisites never came."""
        for entry in self._in_order(completions):
            while self._again and self._again[0][:5] < entry[:5]:
                self._work_again()
            self._work(entry[:5], entry[5], entry[5].height, entry[5].tx_index, None)
        while self._again:
            self._work_again()
        self._refuse_waiting()
        return self._lines

    def _in_order(self, completions: list[Completion]) -> list[_Entry]:
        plans = self._plans
        entries: list[_Entry] = [
            (
                each.at,
                _ABSENT if each.height is None else each.height,
                _ABSENT if each.tx_index is None else each.tx_index,
                plans[each.task].position,
                each.claim,
                each,
            )
            for each in completions
        ]
        entries.sort()  # claim ids differ, so completions are never compared; str order is that of their UTF-8 bytes
        return entries

    def _work_again(self) -> None:
        entry = heapq.heappop(self._again)
        height = None if entry[1] == _ABSENT else entry[1]
        tx_index = None if entry[2] == _ABSENT else entry[2]
        self._work(entry[:5], entry[5], height, tx_index, entry[6])

    def _work(
        self, key: _Key, completion: Completion, height: int | None, tx_index: int | None, cause: AwardLine | None
    ) -> None:
        """Ask the rules of one completion at its key, and write its line unless it waits."""
        plan = self._plans[completion.task]
        state = self._states[completion.task]
        facts = Facts(plan, self._version(plan, completion.at), key[0], height, tx_index, cause)
        reason = self._refusal(completion, state, facts)
        if reason is not None:
            self._lines.append(AwardLine(completion, 0, reason, facts))
            return
        passed = self._passed.get(completion.participant, 0)
        if facts.version.requires and not facts.version.is_met(passed):
            self._waiting.setdefault(completion.participant, []).append((key, completion))
            return
        line = self._price(completion, state, facts)
        self._lines.append(line)
        if not passed & plan.bit:
            self._passed[completion.participant] = passed | plan.bit
            self._release(key, line, passed | plan.bit)

    def _version(self, plan: TaskPlan, at: int) -> Version:
        if self._single:
            return plan.versions[0]
        return plan.versions[self.rules.index_in_force(at) or 0]

    def _refusal(self, completion: Completion, state: TaskState, facts: Facts) -> Reason | None:
        """Rules 1 to 3."""
        task = facts.plan.task
        if not completion.eligible:
            return Reason.INELIGIBLE
        if not task.opens <= facts.at < task.closes:
            return Reason.OUTSIDE_WINDOW
        registered_at = completion.registered_at
        if self._asks_registration and registered_at is not None and facts.at < registered_at:
            return Reason.BEFORE_REGISTRATION
        facts.other = state.holder_of_once(completion)
        if facts.other is not None:
            return Reason.DUPLICATE
        facts.other = state.other_holder_of_subject(completion)
        return Reason.SUBJECT_TAKEN if facts.other is not None else None

    def _release(self, key: _Key, line: AwardLine, passed: int) -> None:
        """Put back what waited for this task, and make the sets that it completes (rule 4, `all_of`)."""
        completion, bit = line.completion, line.facts.plan.bit
        waiting = self._waiting.get(completion.participant)
        if waiting:
            still: list[tuple[_Key, Completion]] = []
            for first_key, each in waiting:
                plan = self._plans[each.task]
                if self._version(plan, each.at).is_met(passed):
                    heapq.heappush(self._again, (*key[:3], plan.position, each.claim, each, line))
                else:
                    still.append((first_key, each))
            self._waiting[completion.participant] = still
        for plan in self._sets:
            if plan.parts & bit and plan.parts & passed == plan.parts:
                made = self._made(plan, line)
                heapq.heappush(self._again, (*key[:3], plan.position, made.claim, made, line))

    @staticmethod
    def _made(plan: TaskPlan, part: AwardLine) -> Completion:
        """The completion of a set, made with the time at which its last part was worked."""
        participant, facts = part.participant, part.facts
        return Completion(
            claim=f"{plan.slug}/{participant}",
            participant=participant,
            task=plan.slug,
            at=Moment(facts.at),
            height=facts.height,
            tx_index=facts.tx_index,
            subject=participant,
            registered_at=part.completion.registered_at,
        )

    def _price(self, completion: Completion, state: TaskState, facts: Facts) -> AwardLine:
        """Rules 5 to 9."""
        reason = self._reason_without_price(completion, facts)
        if reason is None:
            reason = self._reason_without_place(completion, state, facts)
            if reason is None:
                return self._award(completion, state, facts)
            if reason is not Reason.BUDGET_SPENT or facts.task_left == 0:
                return self._overflow(completion, state, facts, reason)
        line = AwardLine(completion, 0, reason, facts)
        if reason in HOLDS_AWARD:
            state.hold(line)
        return line

    def _reason_without_price(self, completion: Completion, facts: Facts) -> Reason | None:
        """Rules 5 to 7; without a reason, `facts.base` and `facts.percent` are known."""
        version, attributes = facts.version, completion.attributes
        model = attributes.get("gpu_model", "")
        if model and version.models is not None and model not in version.models:
            return Reason.NOT_LISTED
        amount = version.amount
        if amount is None:
            return Reason.NO_REWARD
        base: int | None = amount.single
        if amount.by:
            facts.value = attribute(attributes, amount.by, version.classes)
            base = amount.table.get(facts.value)
            if base is None:
                return Reason.NOT_LISTED
        facts.base = base
        if base == 0:
            return Reason.NO_REWARD
        facts.percent = 100
        decay = version.decay
        if decay is not None:
            opens = facts.plan.task.opens
            facts.excused = self._excused.between(opens, facts.at)
            facts.step = (facts.at - opens - facts.excused) // decay.every
            facts.percent = decay.percent(facts.step)
        return Reason.DECAYED if facts.percent == 0 else None

    def _reason_without_place(self, completion: Completion, state: TaskState, facts: Facts) -> Reason | None:
        """Rule 8, and of rule 9 that nothing is left of the campaign's budget."""
        state.read_rooms(completion, facts)
        facts.task_left = state.left
        facts.budget_left = self.left
        if facts.limit is not None and facts.limit.is_full:
            return Reason.PARTICIPANT_LIMIT
        for room in facts.rooms:
            if room.is_full:
                return Reason.SLOTS_FULL
        return Reason.BUDGET_SPENT if state.left == 0 or self.left == 0 else None

    def _overflow(self, completion: Completion, state: TaskState, facts: Facts, led_here: Reason) -> AwardLine:
        """Rule 8's second half: a share from the overflow's budget, or nothing with the reason that led here."""
        overflow = facts.plan.overflow
        if overflow is None:
            return AwardLine(completion, 0, led_here, facts)
        facts.overflow_percent = overflow.percent
        facts.overflow_left = state.overflow_left
        share = (facts.base or 0) * overflow.percent * (facts.percent or 0) // 10_000
        amount = min(share, state.overflow_left, self.left)
        if amount == 0:
            return AwardLine(completion, 0, led_here, facts)
        line = AwardLine(completion, amount, Reason.OVERFLOW, facts)
        state.draw_overflow(amount)
        self._pay(amount)
        state.hold(line)
        return line

    def _award(self, completion: Completion, state: TaskState, facts: Facts) -> AwardLine:
        """Rule 9: the places are taken and the amount is paid, cut where a budget ends."""
        full = (facts.base or 0) * (facts.percent or 0) // 100
        amount = min(full, self.left) if state.left is None else min(full, self.left, state.left)
        line = AwardLine(completion, amount, Reason.AWARDED if amount == full else Reason.PARTLY_AWARDED, facts)
        state.take(line)
        self._pay(amount)
        state.hold(line)
        return line

    def _pay(self, amount: int) -> None:
        self.left -= amount
        if self.left < 0:
            raise ArithmeticError("more was paid than the campaign's budget")

    def _refuse_waiting(self) -> None:
        """Those whose prerequisites never came, ordered by the key each first had."""
        never = sorted(entry for entries in self._waiting.values() for entry in entries)
        for key, completion in never:
            plan = self._plans[completion.task]
            version = self._version(plan, completion.at)
            facts = Facts(plan, version, key[0], completion.height, completion.tx_index, None)
            self._lines.append(AwardLine(completion, 0, Reason.REQUIRES, facts))
