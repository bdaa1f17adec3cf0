"""Any row of acts: what a fold of them can never say."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tasks.moment import SECOND, Duration, Moment
from verifiers.evidence import Outcome
from verifiers.reviewing import VOTES, Act, Step, read_steps, standing_of

NAME = "a" * 32
HOUR = 3600 * SECOND
KEEPS = Duration(24 * HOUR)

acts = st.tuples(
    st.sampled_from(list(Act)), st.integers(0, 40), st.sampled_from("abc"), st.sampled_from(["", "low", "high"])
)


@st.composite
def rows(draw: st.DrawFn) -> list[Step]:
    """Steps in the order of their receipt."""
    made, now = [], 1_800_000_000 * SECOND
    for number, (act, hours, by, severity) in enumerate(draw(st.lists(acts, max_size=12)), start=1):
        now += hours * HOUR
        decided = {"severity": severity} if severity and act == Act.ACCEPT else {}
        who = "" if act == Act.ANSWER else by
        made.append(Step(NAME, number, act, Moment(now), who, "a reason", decided))
    return made


@given(rows(), st.integers(1, 3))
def test_fold__any_acts__needs_that_many_different_reviewers_who_agree(steps: list[Step], reviewers: int) -> None:
    standing = standing_of(steps, reviewers, KEEPS)
    if standing.outcome == Outcome.PENDING:
        assert standing.decided == {}
        return
    wanted = Act.ACCEPT if standing.outcome == Outcome.PASSED else Act.REJECT
    agreeing = {
        step.by
        for step in steps
        if step.act == wanted and (wanted == Act.REJECT or dict(step.decided) == dict(standing.decided))
    }
    assert len(agreeing) >= reviewers
    assert standing.waiting is None
    assert standing.last is not None


@given(rows(), st.integers(1, 3))
def test_fold__any_acts__moves_the_time_only_to_an_answer_that_came_late(steps: list[Step], reviewers: int) -> None:
    standing = standing_of(steps, reviewers, KEEPS)
    if standing.moved_to is not None:
        late = [step for step in steps if step.act == Act.ANSWER and step.at == standing.moved_to]
        asked = [step for step in steps if step.act == Act.NEEDS_WORK and step.at < standing.moved_to - KEEPS]
        assert late
        assert asked
    if standing.waiting is not None:
        assert standing.keeps_until is not None
        assert standing.keeps_until <= standing.waiting.at + KEEPS


@given(rows(), st.integers(1, 3))
def test_fold__acts_after_a_decision__change_nothing_but_reopenings(steps: list[Step], reviewers: int) -> None:
    before = standing_of(steps, reviewers, KEEPS)
    if before.outcome == Outcome.PENDING:
        return
    end = steps[-1].at
    for act in (*VOTES, Act.ANSWER):
        more = Step(NAME, len(steps) + 1, act, Moment(end + HOUR), "d", "another reason")
        assert standing_of([*steps, more], reviewers, KEEPS) == before
    reopened = Step(NAME, len(steps) + 1, Act.REOPEN, Moment(end + HOUR), "d", "another reason")
    assert standing_of([*steps, reopened], reviewers, KEEPS).outcome == Outcome.PENDING


@given(rows())
def test_steps__kept_and_read__are_the_same_in_any_order(steps: list[Step]) -> None:
    seen = [step.observed() for step in reversed(steps)]
    read = read_steps(NAME, seen)
    assert read.is_whole
    assert [step.observed().id for step in read.steps] == [step.observed().id for step in steps]
    if len(steps) > 1:
        assert not read_steps(NAME, seen[:-1]).is_whole
