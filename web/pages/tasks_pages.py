"""The tasks: what is asked, what it is worth, which places are left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, render_template

from services import task_board
from services.campaigns import required
from services.results import Results
from services.spot_checks import commitment_of
from services.task_board import DecayNow, Phase, Places, TaskNow
from services.uptime_seen import latest_start
from tasks.parts import Campaign, Task
from web import rules_in_words
from web.context import house
from web.markdown import first_words
from web.security import current_person
from web.site import surroundings

blueprint = Blueprint("tasks_pages", __name__)


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task for the card macro."""

    task: Task
    phase: Phase
    places: Places
    decay: DecayNow | None
    words: str
    results: Results


def task_view(entry: TaskNow) -> TaskView:
    """The task with its summary's first words."""
    words = first_words(entry.task.summary)
    return TaskView(entry.task, entry.phase, entry.places, entry.decay, words, entry.results)


def in_order(entries: Sequence[TaskNow]) -> list[TaskNow]:
    """What can be done now first, then what comes, then what is over, then what can't be confirmed here yet."""
    order = (Phase.OPEN, Phase.BEFORE, Phase.CLOSED, Phase.NOT_BUILT)
    return sorted(entries, key=lambda entry: order.index(entry.phase))


@blueprint.get("/tasks")
def tasks_page() -> str:
    """All tasks: what can be done now first, then what comes, then the rest."""
    entries = in_order(task_board.board(house()))
    campaign = surroundings().campaign
    return render_template(
        "tasks.html", tasks=[task_view(entry) for entry in entries], campaign=campaign.newest if campaign else None
    )


@blueprint.get("/tasks/<slug>")
def task_page(slug: str) -> str:
    """One task with all its rules."""
    return task_html(required(house()).newest, task_board.one(house(), slug))


def task_html(campaign: Campaign, entry: TaskNow) -> str:
    """The page of one task as it stands."""
    titles = {task.slug: task.title for task in campaign.tasks}
    task, person = entry.task, current_person()
    is_known = bool(task.parts) and person is not None and person.participant is not None
    own = task_board.own_outcomes(house(), str(person.participant)) if is_known and person else {}
    return render_template(
        "task.html",
        campaign=campaign,
        entry=task_view(entry),
        fields=entry.fields,
        parameters=rules_in_words.parameters(task.params),
        parts=[(slug, titles.get(slug, slug), own.get(slug)) for slug in task.parts],
        shows_own=is_known,
        rewards=rules_in_words.reward_table(task.reward) if task.reward else [],
        reward_rules=rules_in_words.reward_rules(task, campaign),
        requirement=rules_in_words.requirement(task, titles),
        latest_start=latest_start(task),
        spot_seed=commitment_of(house(), task.slug) if task.params.get("spot_checks") else None,
    )
