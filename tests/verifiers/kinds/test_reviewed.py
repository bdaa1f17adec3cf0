"""Work judged by people: what may be entered, and what reviewers' steps make of a claim."""
# ruff: noqa: E501  # tables of cases are read across

from __future__ import annotations

from dataclasses import replace

import pytest

from tasks.kinds import by_kind
from tasks.moment import SECOND, Duration, Moment, parse_moment
from verifiers import deciding
from verifiers.evidence import ChainPoint, Check, ClaimFacts, EntryRefused, Observation, Outcome, Verdict
from verifiers.kinds import all_of, reviewed, verifier_of
from verifiers.reviewing import Act, Done, Step, read_steps

HOUR = 3600 * SECOND
OPENS = parse_moment("2026-03-01T00:00:00Z")
CLOSES = parse_moment("2026-03-31T00:00:00Z")
RECEIVED = parse_moment("2026-03-10T12:00:00Z")
NAME = "c" * 32
ADDRESS = "akash1participant"

FIELDS = (
    {"name": "url", "label": "Link", "type": "url", "required": True, "hosts": ("video.example",), "choices": (), "decided": False},
    {"name": "note", "label": "Words", "type": "text", "required": False, "hosts": (), "choices": (), "decided": False},
    {"name": "views", "label": "Views", "type": "number", "required": False, "hosts": (), "choices": (), "decided": False},
    {"name": "sort", "label": "Sort", "type": "choice", "required": False, "hosts": (), "choices": ("a", "b"), "decided": False},
    {"name": "severity", "label": "Severity", "type": "choice", "required": False, "hosts": (), "choices": ("low", "high"), "decided": True},
)  # fmt: skip
PARAMS = {"fields": FIELDS, "reviewers": 1, "needs_work_keeps_ns": 72 * HOUR}
TWO = PARAMS | {"reviewers": 2}
GOOD = {"url": "https://video.example/1"}


def claim(received: Moment = RECEIVED, fields: dict[str, str] | None = None) -> ClaimFacts:
    return ClaimFacts(
        id=NAME,
        campaign="spring",
        chain_id="chain",
        task="video",
        kind="reviewed",
        participant=ADDRESS,
        addresses=(ADDRESS,),
        subject="https://video.example/1",
        fields=GOOD if fields is None else fields,
        received_at=received,
        opens=OPENS,
        closes=CLOSES,
    )


def at(hours: float) -> Moment:
    return Moment(RECEIVED + int(hours * HOUR))


def steps(*acts: tuple[object, ...]) -> list[Observation]:
    """(act, hours after the receipt, by, decided) as observations."""
    made = []
    for number, (act, hours, *rest) in enumerate(acts, start=1):
        by = str(rest[0]) if rest else ("" if act == Act.ANSWER else "ann")
        decided = rest[1] if len(rest) > 1 else {}
        made.append(
            Step(NAME, number, Act(str(act)), at(float(str(hours))), by, "because of this", decided).observed()
        )  # type: ignore[arg-type]
    return made


def judged(
    observations: list[Observation], params: dict[str, object] = PARAMS, now: float = 1000, **facts: object
) -> Verdict:
    point = ChainPoint("chain", 500, at(now))
    return deciding.judge(reviewed, claim(**facts), observations, params, point)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("https://video.example/1", "https://video.example/1"),
        ("HTTP://Video.Example:80/1/", "https://video.example/1"),
        ("https://video.example/a/../1/./#part", "https://video.example/1"),
        ("https://video.example/1?utm_source=x&fbclid=1", "https://video.example/1"),
        ("https://video.example/watch?v=Ab&b=2&a=1", "https://video.example/watch?a=1&b=2&v=Ab"),
        ("https://video.example/%7Eada/%41", "https://video.example/~ada/A"),
        ("https://video.example.", "https://video.example"),
    ],
    ids=["plain", "case-port-slash", "dots-fragment", "advertising", "order", "percent", "root"],
)
def test_enter__spellings_of_an_address__are_one_subject(text: str, spelling: str) -> None:
    entry = reviewed.enter({"url": text}, PARAMS, [ADDRESS])
    assert (entry.subject, entry.is_numbered) == (spelling, False)
    assert reviewed.enter({"url": spelling}, PARAMS, [ADDRESS]).subject == spelling


@pytest.mark.parametrize(
    ("entered", "field"),
    [
        ({}, "url"),
        ({"url": "  "}, "url"),
        ({"url": "video.example/1"}, "url"),
        ({"url": "ftp://video.example/1"}, "url"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"url": "https://video.example.evil.example/1"}, "url"),
        ({"url": "https://evil.example/https://video.example/1"}, "url"),
        ({"url": "https://video.example@evil.example/1"}, "url"),
        ({"url": "https://ada:pw@video.example/1"}, "url"),
        ({"url": "https://video.example:8443/1"}, "url"),
        ({"url": "https://video.example\\@evil.example/"}, "url"),
        ({"url": "https://video.example/a b"}, "url"),
        ({"url": "https://video.example:x/"}, "url"),
        ({"url": "https://127.0.0.1/1"}, "url"),
        ({"url": "https://[::1]/1"}, "url"),
        ({"url": f"https://video.example/{'a' * 3000}"}, "url"),
        (GOOD | {"views": "many"}, "views"),
        (GOOD | {"views": "1e5"}, "views"),
        (GOOD | {"sort": "c"}, "sort"),
        (GOOD | {"note": "x" * 4001}, "note"),
        (GOOD | {"severity": "high"}, "severity"),
        (GOOD | {"colour": "red"}, "colour"),
    ],
)
def test_enter__what_can_not_be_taken__names_the_field(entered: dict[str, str], field: str) -> None:
    with pytest.raises(EntryRefused) as refusal:
        reviewed.enter(entered, PARAMS, [ADDRESS])
    assert refusal.value.field == field
    assert refusal.value.message.endswith((".", "…"))


def test_enter__without_an_address__is_numbered() -> None:
    params = {"fields": FIELDS[1:]}
    entry = reviewed.enter({"note": "Hello"}, params, [ADDRESS, "akash1linked"])
    assert (entry.subject, entry.is_numbered, dict(entry.fields)) == (ADDRESS, True, {"note": "Hello"})


def test_params__as_a_campaign_gives_them__can_be_judged() -> None:
    kind = by_kind("reviewed")
    assert kind is not None
    assert [field.name for field in kind.claim_fields(PARAMS)] == ["url", "note", "views", "sort"]
    assert kind.attributes(PARAMS) == ("severity",)


P, F, W, U = Outcome.PASSED, Outcome.FAILED, Outcome.PENDING, Outcome.UNKNOWN
LOW, HIGH = {"severity": "low"}, {"severity": "high"}


@pytest.mark.parametrize(
    ("acts", "params", "now", "outcome", "holds", "counted", "next_look", "attributes"),
    [
        ([], PARAMS, 1, W, True, 0, None, {}),
        ([("accept", 1, "ann", HIGH)], PARAMS, 2, P, False, 0, None, HIGH),
        ([("reject", 1)], PARAMS, 2, F, False, None, None, {}),
        ([("reject", 1), ("accept", 2, "bob")], PARAMS, 3, F, False, None, None, {}),
        ([("needs_work", 1)], PARAMS, 2, W, True, 0, 73, {}),
        ([("needs_work", 1)], PARAMS, 73, W, True, 0, 73, {}),
        ([("needs_work", 1)], PARAMS, 74, W, False, None, None, {}),
        ([("needs_work", 1), ("answer", 73)], PARAMS, 74, W, True, 0, None, {}),
        ([("needs_work", 1), ("answer", 73.5)], PARAMS, 74, W, True, 73.5, None, {}),
        ([("needs_work", 1), ("answer", 73), ("accept", 90)], PARAMS, 91, P, False, 0, None, {}),
        ([("needs_work", 1), ("answer", 73.5), ("accept", 90)], PARAMS, 91, P, False, 73.5, None, {}),
        ([("needs_work", 1), ("needs_work", 50), ("answer", 120)], PARAMS, 121, W, True, 0, None, {}),
        ([("needs_work", 1), ("needs_work", 80), ("answer", 81)], PARAMS, 82, W, True, 81, None, {}),
        ([("needs_work", 1), ("answer", 2), ("needs_work", 3), ("answer", 4)], PARAMS, 5, W, True, 0, None, {}),
        ([("answer", 2)], PARAMS, 5, W, True, 0, None, {}),
        ([("needs_work", 1), ("accept", 2)], PARAMS, 500, P, False, 0, None, {}),
        ([("accept", 1), ("reopen", 2)], PARAMS, 3, W, True, 0, None, {}),
        ([("accept", 1), ("reopen", 2), ("reject", 3)], PARAMS, 4, F, False, None, None, {}),
        ([("reject", 1), ("appeal_won", 2)], PARAMS, 3, W, True, 0, None, {}),
        ([("reject", 1), ("appeal_won", 2), ("accept", 3, "bob", LOW)], PARAMS, 4, P, False, 0, None, LOW),
        ([("accept", 1, "ann")], TWO, 2, W, True, 0, None, {}),
        ([("accept", 1, "ann"), ("accept", 2, "ann")], TWO, 3, W, True, 0, None, {}),
        ([("accept", 1, "ann"), ("accept", 2, "bob")], TWO, 3, P, False, 0, None, {}),
        ([("accept", 1, "ann", LOW), ("accept", 2, "bob", HIGH)], TWO, 3, W, True, 0, None, {}),
        ([("accept", 1, "ann", LOW), ("accept", 2, "bob", HIGH), ("accept", 3, "ann", HIGH)], TWO, 4, P, False, 0, None, HIGH),
        ([("accept", 1, "ann"), ("reject", 2, "bob")], TWO, 3, W, True, 0, None, {}),
        ([("accept", 1, "ann"), ("reject", 2, "bob"), ("reject", 3, "cid")], TWO, 4, F, False, None, None, {}),
        ([("accept", 1, "ann"), ("needs_work", 2, "bob"), ("answer", 3), ("accept", 4, "bob")], TWO, 5, W, True, 0, None, {}),
    ],
    ids=[
        "waits", "accepted", "rejected", "settled by the first", "changes asked", "changes asked, last moment", "no answer in time",
        "answer in time", "answer late", "answer in time accepted", "answer late accepted", "asked again in time",
        "asked again too late", "two rounds in time", "answer to nothing", "request taken back", "reopened", "reopened and rejected",
        "appeal won", "appeal won and accepted", "one of two", "same reviewer twice", "both", "both, unlike fields", "both, agreed later",
        "disagree", "two reject", "accepted before the answer does not count after",
    ],
)  # fmt: skip
def test_judge__steps(
    acts: list[tuple[object, ...]],
    params: dict[str, object],
    now: float,
    outcome: Outcome,
    holds: bool,
    counted: float | None,
    next_look: float | None,
    attributes: dict[str, str],
) -> None:
    verdict = judged(steps(*acts), params, now)
    assert (verdict.outcome, verdict.holds_place) == (outcome, holds)
    assert verdict.at == (None if counted is None else at(counted))
    assert (verdict.height, verdict.tx_index) == (None, None)
    if next_look is None:
        assert verdict.next_look is None
    else:
        assert verdict.next_look is not None
        assert verdict.next_look > max(at(next_look), at(now))
    assert dict(verdict.attributes) == attributes
    assert judged(list(reversed(steps(*acts))), params, now) == verdict


@pytest.mark.parametrize(
    ("facts", "acts", "check", "outcome"),
    [
        ({}, [], "entered", P),
        ({"fields": {"url": "https://other.example/1"}}, [], "entered", F),
        ({"fields": {}}, [], "entered", F),
        ({}, [], "received", P),
        ({"received": OPENS}, [], "received", P),
        ({"received": Moment(OPENS - 1)}, [], "received", F),
        ({"received": Moment(CLOSES - 1)}, [], "received", P),
        ({"received": CLOSES}, [], "received", F),
        ({}, [("needs_work", 1)], "received", W),
        ({}, [("needs_work", 1), ("answer", 600)], "received", F),
        ({}, [], "review", W),
        ({}, [("accept", 1)], "review", P),
        ({}, [("reject", 1)], "review", F),
    ],
)
def test_judge__each_check__has_its_outcomes(
    facts: dict[str, object], acts: list[tuple[object, ...]], check: str, outcome: Outcome
) -> None:
    verdict = judged(steps(*acts), **facts)  # type: ignore[arg-type]
    assert {each.name: each.outcome for each in verdict.checks}[check] == outcome
    assert (verdict.outcome == F) == any(each.outcome == F for each in verdict.checks)


def test_judge__decision_that_can_not_be_read__is_unknown_and_holds_its_place() -> None:
    good = steps(("needs_work", 1), ("answer", 2), ("accept", 3))
    broken = replace(good[2], body=b"{")
    for seen in ([*good[:2], broken], good[1:], [replace(good[0], trouble="timeout", body=b""), *good[1:]]):
        verdict = judged(seen)
        assert (verdict.outcome, verdict.holds_place) == (Outcome.UNKNOWN, True)
        assert verdict.next_look is not None


def test_judge__steps_of_another_claim__change_nothing() -> None:
    other = Step("d" * 32, 1, Act.REJECT, at(1), "ann", "not this one").observed()
    assert judged([other]) == judged([])
    forged = replace(other, request=f"REVIEW {NAME}/1")
    assert judged([forged]).outcome == Outcome.UNKNOWN


def test_judge__request_for_changes__tells_what_and_until_when() -> None:
    verdict = judged(steps(("needs_work", 1)), now=2)
    assert verdict.missing == (
        "A reviewer asks for a change: because of this. Answer until 2026-03-13T13:00:00Z to keep your place.",
    )
    late = judged(steps(("needs_work", 1)), now=100)
    assert late.missing[0].endswith("it will count from the time of your answer.")
    assert judged(steps(("reject", 1))).missing == ("A reviewer rejected it: because of this. You may appeal.",)


def test_step__written_and_read__is_the_same() -> None:
    step = Step(
        NAME,
        1,
        Act.APPEAL_WON,
        at(1),
        "ann",
        "zu Unrecht – 不",
        {"a": "b"},
        ("paid",),
        Done(at(0), 7, None),
        {"u": "v"},
    )
    seen = step.observed()
    assert read_steps(NAME, [seen]).steps == (replace(step, observation=seen.id),)


# every other kind


def automatic(*checks: tuple[str, Outcome], holds: bool = False, done: Moment | None = None) -> Verdict:
    lines = tuple(Check(name, "expected", "seen", outcome) for name, outcome in checks)
    outcome = next((each for each in (F, U, W) if each in {line.outcome for line in lines}), P)
    point = ChainPoint("chain", 500, at(900))
    height = 77 if done is not None else None
    return Verdict(
        outcome, lines, "ai_deployment", 1, point, done, height, height, {"app": "x"}, holds, None, ("Do it.",)
    )


def decided(verdict: Verdict, observations: list[Observation]) -> Verdict:
    return deciding.decide(verdict, claim(), observations, {"providers": 3})


@pytest.mark.parametrize(
    ("act", "outcome", "missing"),
    [("accept", P, ()), ("reject", F, ("A reviewer rejected it: because of this. You may appeal.",))],
)
def test_decide__other_kind_in_review__reviewer_settles_it(
    act: str, outcome: Outcome, missing: tuple[str, ...]
) -> None:
    before = automatic(("active", P), ("review", W), holds=True, done=at(-5))
    after = decided(before, steps((act, 1)))
    assert (after.outcome, after.missing) == (outcome, missing)
    assert (after.at, after.height, after.tx_index) == ((at(-5), 77, 77) if outcome == P else (None, None, None))
    assert dict(after.attributes) == {"app": "x"}
    assert decided(before, []) == before


def test_decide__vote_without_a_review__changes_nothing() -> None:
    before = automatic(("active", P), done=at(-5))
    assert decided(before, steps(("reject", 1))) == replace(before, missing=())
    failed = automatic(("active", F))
    assert decided(failed, steps(("accept", 1))) == failed


def test_decide__passed_claim_reopened__is_in_review_and_holds_its_place() -> None:
    before = automatic(("active", P), done=at(-5))
    after = decided(before, steps(("reopen", 1)))
    assert (after.outcome, after.holds_place, after.at, after.height) == (W, True, at(-5), 77)
    assert decided(before, steps(("reopen", 1), ("reject", 2))).outcome == F
    assert decided(before, steps(("reopen", 1), ("accept", 2))).outcome == P


def appeal(*waives: str, done: Done | None = None) -> list[Observation]:
    return [Step(NAME, 1, Act.APPEAL_WON, at(1), "org", "the node lied", {}, waives, done).observed()]


def test_decide__appeal_won__sets_the_named_checks_aside_and_says_why() -> None:
    before = automatic(("active", F), ("paid", F), ("app", P))
    after = decided(before, appeal("active", "paid", done=Done(at(-9), 55, 2)))
    assert (after.outcome, after.at, after.height, after.tx_index) == (P, at(-9), 55, 2)
    assert [check.name for check in after.checks] == ["active", "paid", "app", "appeal"]
    assert after.checks[0].seen == "seen; set aside by the appeal"
    assert after.checks[-1].seen == "won on 2026-03-10T13:00:00Z: the node lied"
    assert decided(before, appeal("active")).outcome == F
    assert decided(before, appeal("active", "paid")).at == RECEIVED


def test_decide__appeal_won_while_something_is_open__holds_the_place_only_for_reviews() -> None:
    open_review = decided(automatic(("active", F), ("review", W)), appeal("active", done=Done(at(-9))))
    assert (open_review.outcome, open_review.holds_place, open_review.at) == (W, True, at(-9))
    open_work = decided(automatic(("active", F), ("providers", W)), appeal("active", done=Done(at(-9))))
    assert (open_work.outcome, open_work.holds_place, open_work.at) == (W, False, None)


def test_all_of__claimed__names_the_parts() -> None:
    with pytest.raises(EntryRefused) as refusal:
        all_of.enter({}, {"tasks": ("one", "two")}, [ADDRESS])
    assert refusal.value.field == "task"
    assert "one, two" in refusal.value.message
    assert verifier_of("all_of") is not None
    facts = replace(claim(), kind="all_of")
    assert all_of.judge(facts, (), {"tasks": ("one",)}, ChainPoint("chain", 1, at(0))).outcome == F


def test_keeps__by_default__three_days() -> None:
    assert deciding.keeps_of({}) == Duration(72 * HOUR)
    assert deciding.reviewers_of({}) == 1
