"""SDLs written for others as everybody may read them: the text of a claim, what is like it, two side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.claims import CheckRow, ClaimRow
from ledger.observations import load_observations
from ledger.submissions import SubmittedSdlRow, versions_of
from services.author_codes import author_codes
from services.campaigns import Loaded
from services.errors import NotFound
from services.house import House
from tasks.parts import Task
from verifiers.submitted.novelty import Likeness, read_comparison
from verifiers.submitted.params import submission_params

KIND = "sdl_submission"
MOST_MATCHED_LINES = 2_000
"""Longer texts are set side by side line by line: matching takes the square of their length."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Every version of a claim's SDL, the newest first, and what the newest is like."""

    claim: str
    versions: Sequence[SubmittedSdlRow]
    alike: Sequence[Likeness]

    @property
    def newest(self) -> SubmittedSdlRow:
        """The version that is judged."""
        return self.versions[0]


@dataclass(frozen=True, slots=True)
class Line:
    """One row of two texts side by side; a number is None where the text has no line there."""

    left_number: int | None
    left: str
    right_number: int | None
    right: str
    is_same: bool


@dataclass(frozen=True, slots=True)
class Beside:
    """Two versions side by side; `likeness` None where the comparison does not name the other one."""

    left: SubmittedSdlRow
    right: SubmittedSdlRow
    likeness: Likeness | None
    lines: Sequence[Line]


def shown(house: House, claim: str) -> Shown | None:
    """The SDL of a claim; None where the claim has none."""
    with house.ledger.read() as session:
        return _shown(session, claim)


def beside(house: House, claim: str, other: str) -> Beside:
    """The newest versions of two claims side by side. Raises NotFound where one has no SDL."""
    with house.ledger.read() as session:
        left, right = _shown(session, claim), _shown(session, other)
    if left is None or right is None:
        raise NotFound("One of these claims has no SDL that we keep. The claim's page shows what there is.")
    likeness = next((each for each in left.alike if each.claim == other), None)
    # what was compared is what was there at that time, also where another version came later
    version = next((each for each in right.versions if likeness and each.number == likeness.number), right.newest)
    return Beside(left.newest, version, likeness, tuple(side_by_side(left.newest.text, version.text)))


def _shown(session: Session, claim: str) -> Shown | None:
    versions = versions_of(session, claim)
    if not versions:
        return None
    newest = versions[-1]
    return Shown(claim, tuple(reversed(versions)), _alike(session, claim, newest.number))


def _alike(session: Session, claim: str, number: int) -> Sequence[Likeness]:
    checks = select(CheckRow).join(ClaimRow, ClaimRow.verdict_id == CheckRow.verdict)
    found = session.scalars(checks.where(ClaimRow.id == claim, CheckRow.name == "novelty")).first()
    if found is None:
        return ()
    compared = read_comparison(claim, number, load_observations(session, found.observations).values())
    return compared.near if compared is not None else ()


def side_by_side(left: str, right: str) -> Iterator[Line]:
    """Two texts line by line, what both have in one row."""
    ours, theirs = left.splitlines(), right.splitlines()
    if max(len(ours), len(theirs)) > MOST_MATCHED_LINES:
        yield from _rows(ours, theirs, 0, 0)
        return
    for tag, i, i_end, j, j_end in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        yield from _rows(ours[i:i_end], theirs[j:j_end], i, j, is_same=tag == "equal")


def _rows(
    ours: Sequence[str], theirs: Sequence[str], i: int, j: int, *, is_same: bool | None = None
) -> Iterator[Line]:
    for offset, (one, other) in enumerate(zip_longest(ours, theirs)):
        yield Line(
            left_number=None if one is None else i + offset + 1,
            left=one or "",
            right_number=None if other is None else j + offset + 1,
            right=other or "",
            is_same=one == other if is_same is None else is_same,
        )


def code_of(house: House, loaded: Loaded, task: Task, participant: str) -> str | None:
    """The code that this participant puts into a pull request's text; None where the task asks for none."""
    if task.kind != KIND:
        return None
    params = submission_params(task.params)
    if not params.asks_pull_request or not params.asks_code:
        return None
    return author_codes(house.settings, loaded.slug, participant)[0]
