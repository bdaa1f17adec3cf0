"""What people decided about a claim, prepared for the pages: who said what, what was entered, appeals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.appeals import AWARD, RESULT, Appeal, Window
from services.profiles import SeenClaim
from services.review_queue import entered_now
from services.sessions import Person
from tasks.parts import Task
from verifiers.entries import asked_fields
from verifiers.reviewing import Act
from web.claim_views import waits_for_answer

STAFF = ("reviewer", "organizer")
_WORDS = {
    Act.ACCEPT: ("Accepted", "passed"),
    Act.NEEDS_WORK: ("Changes asked for", "pending"),
    Act.REJECT: ("Rejected", "failed"),
    Act.REOPEN: ("Opened again", "pending"),
    Act.ANSWER: ("Answered by the participant", "pending"),
    Act.APPEAL_WON: ("Appeal won", "passed"),
}


@dataclass(frozen=True, slots=True)
class StepView:
    """One act. `looks`: the outcome whose icon fits; `fields`: an answer, as far as the reader may see it."""

    words: str
    looks: str
    who: str
    at_ns: int
    reason: str
    decided: Mapping[str, str]
    fields: Sequence[EnteredView]
    observation: str


@dataclass(frozen=True, slots=True)
class EnteredView:
    """One value; `is_link`: a web address; `value` None: only the participant and reviewers read it."""

    label: str
    value: str | None
    is_link: bool


@dataclass(frozen=True, slots=True)
class AppealView:
    """One appeal; `text` None where only its participant and the organizers read it."""

    id: str
    about: str
    outcome: str
    looks: str
    text: str | None
    made_ns: int
    ruled_ns: int | None
    reason: str
    observation: str | None


@dataclass(frozen=True, slots=True)
class PeopleView:
    """The part of a claim's page that people wrote, for one reader."""

    entered: Sequence[EnteredView]
    steps: Sequence[StepView]
    appeals: Sequence[AppealView]
    waits_for_answer: bool
    may_answer: bool
    may_appeal_result: bool
    may_appeal_award: bool
    appeals_until: int | None
    may_review: bool


def is_reviewer(person: Person | None) -> bool:
    """Whether somebody may look into the queue."""
    return person is not None and bool(set(person.roles) & set(STAFF))


def people_view(claim: SeenClaim, task: Task, person: Person | None, windows: Mapping[str, Window]) -> PeopleView:
    """What the reader sees and may do; what was written freely is for its participant and the staff alone."""
    is_own = person is not None and person.participant == claim.row.participant
    sees_all = is_own or is_reviewer(person)
    waits = waits_for_answer(claim)
    contested = {appeal.row.about for appeal in claim.appeals}
    may = {about: window for about, window in windows.items() if window.is_open and is_own}
    if f"result/{claim.row.verdict_id}" in contested:
        may.pop(RESULT, None)
    return PeopleView(
        entered=entered_views(task, entered_now(claim.row, claim.steps), sees_all=sees_all),
        steps=step_views(claim, task, sees_all=sees_all),
        appeals=[appeal_view(each, sees_all=sees_all) for each in claim.appeals],
        waits_for_answer=waits,
        may_answer=is_own and waits,
        may_appeal_result=RESULT in may,
        may_appeal_award=AWARD in may,
        appeals_until=next((window.until for window in may.values()), None),
        may_review=is_reviewer(person) and not is_own,
    )


def step_views(claim: SeenClaim, task: Task, *, sees_all: bool) -> list[StepView]:
    """What was done to a claim, the oldest first."""
    made = []
    for step in claim.steps:
        words, looks = _WORDS[Act(step.act)]
        note = step.fields.get("note")
        made.append(
            StepView(
                words=words,
                looks=looks,
                who=step.name,
                at_ns=step.at_ns,
                reason=step.reason,
                decided=step.decided,
                fields=(
                    *entered_views(task, step.fields, sees_all=sees_all),
                    *((EnteredView("Note", note if sees_all else None, is_link=False),) if note else ()),
                ),
                observation=step.observation,
            )
        )
    return made


def entered_views(task: Task, values: Mapping[str, str], *, sees_all: bool) -> tuple[EnteredView, ...]:
    """The campaign's own fields as entered; addresses are public, they are what the claim is about."""
    return tuple(
        EnteredView(
            field.label,
            values[field.name] if sees_all or field.type != "text" else None,
            field.type == "url" and values[field.name].startswith("https://"),
        )
        for field in asked_fields(task.params, decided=False)
        if field.name in values
    )


def appeal_view(appeal: Appeal, *, sees_all: bool) -> AppealView:
    """One appeal as the reader may see it."""
    ruling = appeal.ruling
    return AppealView(
        id=appeal.row.id,
        about="the award" if appeal.about == AWARD else "the result",
        outcome={"open": "Not decided yet", "won": "Won", "lost": "Not granted"}[appeal.outcome],
        looks={"open": "pending", "won": "passed", "lost": "failed"}[appeal.outcome],
        text=appeal.row.text if sees_all else None,
        made_ns=appeal.row.made_ns,
        ruled_ns=ruling.at_ns if ruling else None,
        reason=ruling.reason if ruling else "",
        observation=ruling.observation if ruling else None,
    )
