"""The order of tasks in which completions of one moment are worked, and the cycles that make none possible."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.parts import Task


def needed_by(task: Task) -> tuple[str, ...]:
    """The tasks that must be placed before this one: those it requires and those it is made of."""
    return (task.requires.tasks if task.requires else ()) + task.parts


def positions(tasks: Sequence[Task]) -> dict[str, int]:
    """Slug → position: repeatedly the first task in file order of which all required and part tasks are placed.

    (CAMPAIGN_FORMAT, "How awards follow".) Tasks on a cycle, or behind one, have no position; names of tasks that
    do not exist are left to the check that names them.
    """
    known = {task.slug for task in tasks}
    placed: dict[str, int] = {}
    open_tasks = list(tasks)
    while open_tasks:
        ready = next(
            (
                task
                for task in open_tasks
                if all(slug in placed for slug in needed_by(task) if slug in known and slug != task.slug)
            ),
            None,
        )
        if ready is None:
            break
        placed[ready.slug] = len(placed)
        open_tasks.remove(ready)
    return placed


def cycle_through(tasks: Sequence[Task], slug: str) -> tuple[str, ...]:
    """A shortest way from a task back to itself along what it needs, or () where there is none."""
    needs = {task.slug: needed_by(task) for task in tasks}
    ways: list[tuple[str, ...]] = [(slug,)]
    seen: set[str] = set()
    for way in ways:  # grows while it is walked: breadth first
        for following in needs.get(way[-1], ()):
            if following == slug:
                return (*way, slug)
            if following not in seen:
                seen.add(following)
                ways.append((*way, following))
    return ()
