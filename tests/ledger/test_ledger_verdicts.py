"""Observations are stored once; due claims are taken by one worker; a verdict row is written where it says more."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from ledger.base import Ledger
from ledger.claims import ClaimRow, VerdictObservationRow, VerdictRow
from ledger.observations import BodyRow, ObservationRow, known, load_observations, store_observations
from ledger.people import ParticipantRow
from ledger.verdicts import Decision, claim_id, let_go, load_verdict, record_verdicts, take_due
from tasks.moment import Duration, Moment
from verifiers.evidence import ChainPoint, Check, Observation, Outcome, Source, Verdict

POINT = ChainPoint("local-1", 40, Moment(1_000))
BLOCK = "GET /cosmos/base/tendermint/v1beta1/blocks/7"


def observed(request: str = "GET /x", body: bytes = b"{}", **changes: object) -> Observation:
    values: dict[str, object] = {"status": 200, "chain_id": "local-1", "height": 40} | changes
    return Observation(Source.CHAIN, request, body, "node", Moment(5), **values)  # type: ignore[arg-type]


def verdict(seen: str = "3", outcome: Outcome = Outcome.PASSED, **changes: object) -> Verdict:
    check = Check("providers", "3", seen, outcome, ("id",), 40, Moment(1_000))
    values: dict[str, object] = {"at": Moment(9), "height": 7, "attributes": {"app": "x"}} | changes
    return Verdict(outcome, (check,), "ai_deployment", 1, POINT, **values)  # type: ignore[arg-type]


def add_claim(ledger: Ledger, subject: str, due: int | None = 100, participant: str = "p") -> str:
    name = claim_id("c", participant, "t", subject)
    with ledger.write() as session:
        if session.get(ParticipantRow, participant) is None:
            session.add(ParticipantRow(address=participant, created_ns=1))
            session.flush()
        session.add(
            ClaimRow(
                id=name, campaign="c", participant=participant, task="t", kind="k", subject=subject, fields={},
                received_ns=1, found=True, due_ns=due, outcome="pending", attributes={}, holds_place=False,
                settled=False,
            )
        )  # fmt: skip
    return name


def take(ledger: Ledger, worker: str = "w", now: int = 100, limit: int = 10) -> list[str]:
    return ledger.transact(
        lambda session: [row.id for row in take_due(session, Moment(now), worker, limit, Duration(50))]
    )


def record(
    ledger: Ledger, name: str, said: Verdict, worker: str = "w", due: int | None = None, *more: Observation
) -> dict[str, bool]:
    decision = Decision(name, said, (observed(), observed(BLOCK), *more), None if due is None else Moment(due))
    return ledger.transact(lambda session: record_verdicts(session, [decision], worker, Moment(200)))


def count(ledger: Ledger, table: type) -> int:
    with ledger.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_store_observations__same_twice_and_same_body__kept_once(ledger: Ledger) -> None:
    first, second = observed("GET /x"), observed("GET /y")
    for _ in range(2):
        ledger.transact(lambda session: store_observations(session, [first, second, first], "k/1", POINT))
    assert (count(ledger, ObservationRow), count(ledger, BodyRow)) == (2, 1)
    with ledger.read() as session:
        assert load_observations(session, [second.id, first.id]) == {second.id: second, first.id: first}
        assert session.get_one(ObservationRow, first.id).time_ns == POINT.time


@pytest.mark.parametrize(
    ("request_text", "changes", "found"),
    [
        (BLOCK, {}, True),
        ("RPC block_results?height=7", {}, True),
        ("GET /akash/deployment/v1beta4/deployments/info?id.dseq=7", {}, False),
        (BLOCK, {"chain_id": "other"}, False),
        (BLOCK, {"trouble": "pruned", "status": None, "body": b""}, False),
        (BLOCK, {"status": 404}, False),
    ],
    ids=["block", "results", "state", "other chain", "trouble", "absent"],
)
def test_known__only_answers_that_never_change(
    ledger: Ledger, request_text: str, changes: dict[str, object], found: bool
) -> None:
    seen = observed(request_text, **changes)
    ledger.transact(lambda session: store_observations(session, [seen], "k/1"))
    with ledger.read() as session:
        assert known(session, request_text, "local-1") == (seen if found else None)


@pytest.mark.parametrize(("height", "found"), [(7, True), (8, False), (None, False)])
def test_known__state__only_at_its_own_block(ledger: Ledger, height: int | None, found: bool) -> None:
    request = "GET /akash/deployment/v1beta4/deployments/info?id.dseq=7"
    seen = observed(request, height=7)
    ledger.transact(lambda session: store_observations(session, [seen], "k/1"))
    with ledger.read() as session:
        assert known(session, request, "local-1", height) == (seen if found else None)


def test_take_due__two_workers__share_without_overlap(ledger: Ledger) -> None:
    names = {add_claim(ledger, str(number), due=number) for number in range(6)}
    first, second = take(ledger, "a", limit=4), take(ledger, "b", limit=4)
    assert len(first) == 4
    assert set(first) | set(second) == names
    assert not set(first) & set(second)


@pytest.mark.parametrize(
    ("due", "now", "taken"), [(100, 99, False), (100, 100, True), (None, 100, False)], ids=["early", "due", "never"]
)
def test_take_due__by_time(ledger: Ledger, due: int | None, now: int, taken: bool) -> None:
    name = add_claim(ledger, "s", due=due)
    assert take(ledger, now=now) == ([name] if taken else [])


def test_take_due__several_participants__whole_ones_by_their_longest_due_claim(ledger: Ledger) -> None:
    dues = {"anna": (70, 90, 95), "bert": (60, 99), "carl": (80, 85, 101)}
    owners = {
        add_claim(ledger, str(number), due, participant): participant
        for participant, all_due in dues.items()
        for number, due in enumerate(all_due)
    }
    batches = [{owners[name] for name in take(ledger, limit=limit)} for limit in (2, 3, 9)]
    assert batches == [{"bert"}, {"anna"}, {"carl"}]
    assert take(ledger, now=101), "one more is due now"


def test_take_due__holder_died__free_after_its_lease(ledger: Ledger) -> None:
    name = add_claim(ledger, "s")
    assert take(ledger, "dead", now=100) == [name]
    assert take(ledger, "next", now=149) == []
    assert take(ledger, "next", now=150) == [name]
    assert record(ledger, name, verdict(), worker="dead") == {}
    assert record(ledger, name, verdict(), worker="next") == {name: True}


def test_let_go__undecided__is_due_again(ledger: Ledger) -> None:
    name = add_claim(ledger, "s")
    take(ledger)
    ledger.transact(lambda session: let_go(session, [name], "w", Moment(120)))
    assert take(ledger, now=119) == []
    assert take(ledger, now=120) == [name]


def test_record_verdicts__first__stores_all_and_frees_the_claim(ledger: Ledger) -> None:
    name = add_claim(ledger, "s")
    take(ledger)
    said = verdict(outcome=Outcome.PENDING, seen="2", holds_place=True, next_look=Moment(300), missing=("one more",))
    assert record(ledger, name, said, due=300) == {name: True}
    with ledger.read() as session:
        row = session.get_one(ClaimRow, name)
        assert (row.outcome, row.at_ns, row.holds_place, row.due_ns) == ("pending", 9, True, 300)
        assert (row.taken_by, row.looked_ns, row.looked_height) == (None, 200, 40)
        assert row.verdict_id is not None
        assert load_verdict(session, row.verdict_id) == (said, [observed(), observed(BLOCK)])


@pytest.mark.parametrize(
    ("second", "new"),
    [
        (verdict(), False),
        (verdict(next_look=Moment(7)), False),
        (verdict(seen="4"), True),
        (verdict(outcome=Outcome.UNKNOWN), True),
        (verdict(attributes={"app": "y"}), True),
        (verdict(at=Moment(10)), True),
    ],
    ids=["same", "only the next look", "a check", "the outcome", "an attribute", "the time"],
)
def test_record_verdicts__again__writes_a_row_only_where_it_says_something_new(
    ledger: Ledger, second: Verdict, new: bool
) -> None:
    name = add_claim(ledger, "s")
    take(ledger)
    record(ledger, name, verdict(), due=250)
    take(ledger, now=250)
    assert record(ledger, name, second) == {name: new}
    assert count(ledger, VerdictRow) == (2 if new else 1)


def test_record_verdicts__says_nothing_new__keeps_what_was_learned_for_good_and_nothing_else(ledger: Ledger) -> None:
    name = add_claim(ledger, "s")
    take(ledger)
    record(ledger, name, verdict(), "w", 250)
    take(ledger, now=250)
    before = count(ledger, VerdictObservationRow)
    block, past = observed(BLOCK.replace("7", "8"), b"8"), observed("GET /state", b"past", height=39)
    passing = observed("GET /state", b"now"), observed(BLOCK.replace("7", "9"), trouble="timeout", status=None)
    assert record(ledger, name, verdict(), "w", None, block, past, *passing) == {name: False}
    assert count(ledger, VerdictObservationRow) == before
    with ledger.read() as session:
        assert known(session, block.request, "local-1") == block
        assert known(session, past.request, "local-1", 39) == past
        assert list(load_observations(session, [each.id for each in passing])) == []


def test_claim_id__is_the_hash_of_the_joined_names() -> None:
    assert claim_id("c", "p", "t", "s") == "30d6c45291c8df1176bfe16b8000da61"
