"""The rules in force, and how verification works in plain words."""

from __future__ import annotations

from flask import Blueprint, Response, render_template

from services.errors import NotFound
from tasks.kinds import by_kind
from tasks.parts import Task
from web import rules_in_words
from web.site import surroundings

blueprint = Blueprint("rules", __name__)


@blueprint.get("/rules")
def rules_page() -> str:
    """The newest revision with its digest, the terms, and the earlier revisions."""
    loaded = surroundings().campaign
    if loaded is None:
        return render_template("rules.html", campaign=None, revisions=[], tasks=[], pools=[], bonuses=[])
    campaign = loaded.newest
    titles = {task.slug: task.title for task in campaign.tasks}

    def row(task: Task) -> tuple[Task, str | None, list[str]]:
        return task, rules_in_words.requirement(task, titles), rules_in_words.reward_rules(task, campaign)

    return render_template(
        "rules.html",
        campaign=campaign,
        revisions=list(reversed(loaded.rules.revisions)),
        tasks=[row(task) for task in campaign.tasks],
        pools=rules_in_words.pools(campaign),
        bonuses=rules_in_words.bonuses(campaign),
    )


@blueprint.get("/rules/<int:revision>.yaml")
def rules_file(revision: int) -> Response:
    """A revision as it was loaded. Raises NotFound."""
    loaded = surroundings().campaign
    found = next((each for each in loaded.rules.revisions if each.revision == revision), None) if loaded else None
    if found is None:
        raise NotFound("There is no such revision. The rules page lists those there are.")
    response = Response(found.text, mimetype="text/plain")
    response.headers["Content-Disposition"] = f'attachment; filename="{found.slug}-{revision}.yaml"'
    return response


@blueprint.get("/how-we-check")
def checking_page() -> str:
    """How verification works, for people."""
    loaded = surroundings().campaign
    kinds = {task.kind for task in loaded.newest.tasks} if loaded else set()
    return render_template("checking.html", kinds=[kind for kind in sorted(kinds) if by_kind(kind)])
