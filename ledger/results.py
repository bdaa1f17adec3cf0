"""How far the results of each task are: published, and final. A row is never changed."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from ledger.base import Base, Json

PROVISIONAL, FINAL = "provisional", "final"

SHARES = ""
"""In the place of a task's slug: the pools and bonuses, which rest on all tasks together."""


class ResultStateRow(Base):
    """An organizer's act: the results of a task (or of SHARES) became provisional, or final.

    `until_ns`: until when one may appeal, for `provisional`. `excepted`: claims that were not decided then, each with
    the organizer's reason. `lines_to`, `verdicts_to`, `eligibility_to`: the newest award line, verdict and
    eligibility entry by then (0: none), so that what was final can be read again from rows that are never changed.
    """

    __tablename__ = "result_states"

    campaign: Mapped[str] = mapped_column(primary_key=True)
    task: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(primary_key=True)
    actor: Mapped[str]
    at_ns: Mapped[int]
    until_ns: Mapped[int | None]
    excepted: Mapped[dict[str, str]] = mapped_column(Json)
    lines_to: Mapped[int]
    verdicts_to: Mapped[int]
    eligibility_to: Mapped[int]


def result_states(session: Session, campaign: str) -> dict[tuple[str, str], ResultStateRow]:
    """Every state that was reached, by (task, state)."""
    rows = session.scalars(select(ResultStateRow).where(ResultStateRow.campaign == campaign))
    return {(row.task, row.state): row for row in rows}


def final_states(session: Session, campaign: str) -> dict[str, ResultStateRow]:
    """The tasks whose results are final (SHARES among them), each with its row."""
    return {task: row for (task, state), row in result_states(session, campaign).items() if state == FINAL}
