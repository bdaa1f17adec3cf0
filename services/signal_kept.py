"""What is kept of an answer of the chain for review signals, beside what was kept before (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ledger.signals import SignalLookRow
from services.signal_targets import Question, Target
from tasks.moment import SECOND, Duration, Moment
from verifiers.chain.trouble import IndexOff, NotImplementedThere, UnknownApiSet
from verifiers.evidence import Observation
from verifiers.trouble import Trouble

AGAIN = Duration(24 * 3600 * SECOND)
FIRST_RETRY = Duration(600 * SECOND)
NOT_HERE_RETRY = Duration(3600 * SECOND)
MOST_FOUND = 100

FOR_GOOD = frozenset({Question.FIRST_FUNDS, Question.OWN_LEASE, Question.ESCROW})
"""What can't change once it was found."""

AS_IT_IS = frozenset({Question.PROVIDER, Question.CERTIFICATES})
"""Where only the present counts. Of everything else what was seen once stays true, also when it is over."""

NOT_HERE = (IndexOff, NotImplementedThere, UnknownApiSet)
"""Troubles of a question and not of an address: the node answers none of that sort."""

Found = list[dict[str, object]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one question brought: what it says, the answer itself, or the trouble on the way."""

    target: Target
    found: Found
    observation: Observation | None = None
    trouble: Trouble | None = None


def kept_look(
    before: SignalLookRow | None, answer: Answer, now: Moment
) -> tuple[Mapping[str, object], Observation | None]:
    """The columns of the look but for its campaign, and the answer where it is to be kept: it says something new.

    Each thing found names the observation that said it first.
    """
    known = before.found if before else []
    row = {"question": str(answer.target.question), "subject": answer.target.subject, "looked_ns": now}
    if answer.trouble is not None:
        tries = (before.tries if before else 0) + 1
        is_here = not isinstance(answer.trouble, NOT_HERE)
        wait = min(AGAIN, FIRST_RETRY * 2 ** min(tries - 1, 10)) if is_here else NOT_HERE_RETRY
        kept = {"found": known, "observation": before.observation if before else None}
        return row | kept | {"trouble": answer.trouble.name, "tries": tries, "due_ns": now + wait}, None
    found, seen = _joined(known, answer)
    newest = seen.id if seen else before.observation if before and found else None
    due = None if found and answer.target.question in FOR_GOOD else now + AGAIN
    return row | {"found": found, "observation": newest, "trouble": None, "tries": 0, "due_ns": due}, seen


def _joined(known: Found, answer: Answer) -> tuple[Found, Observation | None]:
    """What was found before and now, each once; the answer where it adds something."""
    plain = [_plain(each) for each in known]
    news = [each for each in answer.found if each not in plain]
    name = answer.observation.id if answer.observation else ""
    fresh = [each | {"observation": name} for each in news]
    stays = known
    if answer.target.question in AS_IT_IS:
        stays = [each for each in known if _plain(each) in answer.found]
    return [*stays, *fresh][-MOST_FOUND:], answer.observation if news else None


def _plain(found: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in found.items() if name != "observation"}
