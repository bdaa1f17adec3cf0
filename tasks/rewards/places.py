"""What is taken and what is left while completions are worked: places, personal limits, budgets, subjects held."""

from __future__ import annotations

from collections.abc import Mapping

from tasks.rewards.completion import Completion
from tasks.rewards.lines import AwardLine, Facts, Room
from tasks.rewards.plan import TaskPlan, attribute


class TaskState:
    """The state of one task: who holds what, how full each slot line is, what its budgets have left."""

    def __init__(self, plan: TaskPlan) -> None:
        self.plan = plan
        self.left = plan.budget
        self.overflow_left = plan.overflow.budget if plan.overflow else 0
        self._slots: list[dict[str, Room]] = [{} for _ in plan.slots]
        self._limits: dict[str, Room] = {}
        self._subjects: dict[str, AwardLine] = {}
        self._once: dict[tuple[str, ...], AwardLine] = {}

    def _once_values(self, completion: Completion) -> tuple[str, ...]:
        attributes, classes = completion.attributes, self.plan.classes
        return (
            completion.participant,
            *(
                completion.subject if name == "subject" else attribute(attributes, name, classes)
                for name in self.plan.once_per
            ),
        )

    def holder_of_once(self, completion: Completion) -> AwardLine | None:
        """The line of the same participant with the same `once_per` values that holds an award (rule 3)."""
        subject = completion.subject
        if self.plan.once_per_subject and subject:
            # A subject is held by one participant only, so this one look-up answers for both halves of rule 3.
            holder = self._subjects.get(subject)
            return holder if holder is not None and holder.participant == completion.participant else None
        return self._once.get(self._once_values(completion))

    def other_holder_of_subject(self, completion: Completion) -> AwardLine | None:
        """The line of another participant that holds the same non-empty subject (rule 3)."""
        holder = self._subjects.get(completion.subject) if completion.subject else None
        return holder if holder is not None and holder.participant != completion.participant else None

    def hold(self, line: AwardLine) -> None:
        """The line holds an award from now on."""
        completion = line.completion
        if completion.subject:
            self._subjects.setdefault(completion.subject, line)
        if not (self.plan.once_per_subject and completion.subject):
            self._once.setdefault(self._once_values(completion), line)

    def read_rooms(self, completion: Completion, facts: Facts) -> None:
        """Write how full the personal limit and every slot line that applies are (rule 8).

        What is as full as before is the same Room: most lines of a large season meet places that are all taken.
        """
        plan = self.plan
        if plan.per_participant is not None:
            limit = self._limits.get(completion.participant)
            if limit is None:
                limit = Room(0, plan.per_participant, 0, None, completion.participant)
                self._limits[completion.participant] = limit
            facts.limit = limit
        if not plan.slots:
            return
        rooms = []
        for index, line in enumerate(plan.slots):
            if line.where and not self._applies(line.where, completion.attributes):
                continue
            value = attribute(completion.attributes, line.per, plan.classes) if line.per else ""
            room = self._slots[index].get(value)
            if room is None:
                room = self._slots[index][value] = Room(index + 1, line.most, 0, None, value)
            rooms.append(room)
        facts.rooms = tuple(rooms)

    def _applies(self, where: tuple[tuple[str, str], ...], attributes: Mapping[str, str]) -> bool:
        return all(attribute(attributes, name, self.plan.classes) == value for name, value in where)

    def take(self, line: AwardLine) -> None:
        """The line takes its places and, of the task's budget, its amount (rule 9)."""
        facts = line.facts
        if facts.limit is not None:
            self._limits[facts.limit.value] = facts.limit.taken_by(line)
        for room in facts.rooms:
            self._slots[room.line - 1][room.value] = room.taken_by(line)
        if self.left is not None:
            self.left -= line.amount_micro
            if self.left < 0:
                raise ArithmeticError(f"{self.plan.slug} paid more than its budget")

    def draw_overflow(self, amount: int) -> None:
        """Take an amount out of the overflow's budget."""
        self.overflow_left -= amount
        if self.overflow_left < 0:
            raise ArithmeticError(f"{self.plan.slug} paid more than its overflow budget")
