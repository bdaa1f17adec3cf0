"""Review signals over a ledger and a local network: each found, with its evidence; unknown is asked again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from devnet.faults import Fault
from devnet.network import Devnet
from ledger.benchmarks import BenchmarkChallengeRow, BenchmarkRunRow
from ledger.claims import ClaimRow
from ledger.observations import ObservationRow, store_observations
from ledger.signals import SignalEdgeRow, SignalLookRow
from ledger.submissions import SubmittedSdlRow
from services import campaigns, signals
from services.house import House
from services.signal_kept import AGAIN, FIRST_RETRY, Answer, kept_look
from services.signal_looks import look
from services.signal_targets import Question, Target
from services.signals import cluster_of, overview, recompute
from tests.houses import later
from tests.signal_town import (
    ADA,
    BEN,
    CATALOGUE,
    DEE,
    EAST,
    ELI,
    FAY,
    NORTH,
    SOUTH,
    STRANGER,
    claim,
    entered_sdl,
    house_on,
    make_house,
    network,
)
from verifiers.evidence import Observation, Source
from verifiers.trouble import Timeout

HASH = "ab" * 32


@pytest.fixture
def house(tmp_path: Path) -> House:
    return make_house(tmp_path)


@pytest.fixture(scope="module")
def net() -> Iterator[Devnet]:
    with network() as net:
        yield net


@pytest.fixture
def followed(tmp_path: Path, net: Devnet) -> Iterator[House]:
    net.faults.clear()
    net.settings.indexes_txs = True
    yield house_on(tmp_path, net)
    net.faults.clear()
    net.settings.indexes_txs = True


def work(house: House) -> int:
    return recompute(house, campaigns.required(house))


def edges(house: House) -> dict[tuple[str, frozenset[str]], SignalEdgeRow]:
    with house.ledger.read() as session:
        rows = session.scalars(select(SignalEdgeRow).where(SignalEdgeRow.holds)).all()
    return {(row.signal, frozenset((row.one, row.other))): row for row in rows}


def pair(*people: str) -> frozenset[str]:
    return frozenset(people)


# ---------------------------------------------------------------- from the ledger


def test_subject__of_two_claims__names_both(house: House) -> None:
    first = claim(house, ADA, "https://video.example/watch/1")
    second = claim(house, BEN, "https://www.video.example/watch/1/")
    claim(house, DEE, "https://video.example/watch/2")
    work(house)
    found = edges(house)
    assert found.keys() == {("same_subject", pair(ADA, BEN))}
    (edge,) = found.values()
    assert (edge.strength, {trace["claim"] for trace in edge.traces}) == ("strong", {first, second})


def test_subject__a_provider_claimed_by_two__is_one_edge_whatever_the_gpu(house: House) -> None:
    for person, number in ((ADA, 1), (ADA, 2), (BEN, 2), (BEN, 3)):
        claim(house, person, f"{SOUTH}/a100/{number}", "video", "provider_onboarding")
    work(house)
    (edge,) = edges(house).values()
    assert (edge.signal, len(edge.traces)) == ("same_subject", 4)


@pytest.mark.parametrize(
    ("hashes", "strength", "said"),
    [
        ((HASH,), "notable", "Both entered the same SDL."),
        ((CATALOGUE,), "weak", "the campaign's own apps"),
    ],
    ids=["own", "catalogue"],
)
def test_sdl__of_two__is_weak_where_it_is_the_campaigns(
    house: House, hashes: tuple[str, ...], strength: str, said: str
) -> None:
    seen = {entered_sdl(house, ADA, 11, *hashes), entered_sdl(house, BEN, 22, *hashes)}
    work(house)
    (edge,) = edges(house).values()
    assert (edge.signal, edge.strength) == ("same_sdl", strength)
    assert said in edge.said
    assert {trace["observation"] for trace in edge.traces} == seen


def submit(house: House, person: str, link: str, hashed: str) -> str:
    name = claim(house, person, f"{link}:a/deploy.yaml", "video", "sdl_submission")
    body = f'{{"sdl": {{"hashes": ["{hashed}"]}}, "by": "{person}"}}'.encode()
    seen = Observation(Source.ENTERED, f"SUBMISSION {name}/1", body, "entered", house.clock.now())
    with house.ledger.write() as session:
        store_observations(session, [seen], "entered/1")
        session.flush()
        session.add(
            SubmittedSdlRow(
                claim=name, number=1, campaign="signals-test", received_ns=1, digest="d", text="",
                observation=seen.id, pull_request=link,
            )
        )  # fmt: skip
    return name


def test_pull_request__named_by_two__is_strong_and_its_deployments_say_little(house: House) -> None:
    link = "https://codehost.example/apps/apps/pull/7"
    claims = {submit(house, ADA, link, HASH), submit(house, BEN, link.replace("apps/pull", "Apps/pull"), "cd" * 32)}
    entered_sdl(house, DEE, 11, HASH)
    entered_sdl(house, ELI, 22, HASH)
    work(house)
    found = edges(house)
    assert found.keys() == {("same_pull_request", pair(ADA, BEN)), ("same_sdl", pair(DEE, ELI))}
    assert {trace["claim"] for trace in found["same_pull_request", pair(ADA, BEN)].traces} == claims
    assert "wrote it for everybody" in found["same_sdl", pair(DEE, ELI)].said


def run(house: House, person: str, output: str, *, confirmed: bool = True) -> None:
    challenge = f"challenge of {person}"
    name = claim(house, person, challenge, "video", "benchmark_run") if confirmed else None
    with house.ledger.write() as session:
        session.add(
            BenchmarkChallengeRow(
                id=challenge, campaign="signals-test", participant=person, provider=SOUTH, issued_ns=1, expires_ns=2,
                sdl_hashes=[],
            )
        )  # fmt: skip
        session.flush()
        session.add(
            BenchmarkRunRow(
                challenge=challenge, campaign="signals-test", participant=person, claim=name, delivered_by="owner",
                received_ns=1, gpu_model="a100", variant="a100", output_digest=output, result={},
            )
        )  # fmt: skip


def test_output__of_two_runs__is_strong_once_both_are_entered(house: House) -> None:
    run(house, ADA, "same")
    run(house, BEN, "same")
    run(house, DEE, "another")
    run(house, ELI, "same", confirmed=False)
    work(house)
    assert {name: edge.strength for name, edge in edges(house).items()} == {("same_output", pair(ADA, BEN)): "strong"}


def test_recompute__again_and_with_more__changes_only_what_is_new(house: House) -> None:
    claim(house, ADA, "https://video.example/1")
    claim(house, BEN, "https://video.example/1")
    assert [work(house), work(house)] == [1, 0]
    (before,) = edges(house).values()
    third = claim(house, DEE, "https://video.example/1")
    assert [work(later(house, 60)), work(house)] == [3, 0]
    after = edges(house)
    assert len(after) == 3
    kept = after["same_subject", pair(ADA, BEN)]
    assert (kept.id, kept.first_seen_ns) == (before.id, before.first_seen_ns)
    assert kept.changed_ns > before.changed_ns  # it says now that there are three
    with house.ledger.write() as session:
        session.delete(session.get_one(ClaimRow, third))
    assert [work(house), work(house)] == [3, 0]
    with house.ledger.read() as session:
        assert session.scalar(select(func.count()).select_from(SignalEdgeRow)) == 3
    assert edges(house).keys() == {("same_subject", pair(ADA, BEN))}


def test_verdicts_and_awards__whatever_is_found__stay_as_they_are(house: House) -> None:
    for person in (ADA, BEN):
        claim(house, person, "https://video.example/1")
    with house.ledger.read() as session:
        before = [(row.outcome, row.due_ns, row.settled) for row in session.scalars(select(ClaimRow))]
    signals.watch(house)
    with house.ledger.read() as session:
        assert [(row.outcome, row.due_ns, row.settled) for row in session.scalars(select(ClaimRow))] == before


# ---------------------------------------------------------------- from the chain


def answered(house: House, question: str, subject: str, **found: object) -> None:
    """An answer of the chain as it is kept."""
    with house.ledger.write() as session:
        session.add(
            SignalLookRow(
                campaign="signals-test", question=question, subject=subject, found=[{"said": "it was so"} | found],
                observation=None, trouble=None, tries=0, looked_ns=1, due_ns=None,
            )
        )  # fmt: skip


def paid(payer: str, address: str) -> dict[str, object]:
    return {"payer": payer, "address": address, "key": f"{payer}/{address}", "height": 7, "tx": "AB"}


ANSWERS = [
    ("fee_grants", ADA, paid(BEN, ADA), "fee_grant", "strong"),
    ("fee_allowances", ADA, paid(BEN, ADA), "fee_grant", "strong"),
    ("fee_grants", ADA, paid("akash1aservice", ADA), None, None),
    ("fee_allowances", SOUTH, paid(ELI, SOUTH), None, None),
    ("deposit_grants", ADA, paid(BEN, ADA), "deposit", "strong"),
    ("deposits", BEN, paid(BEN, ADA), "deposit", "strong"),
    ("deposits", BEN, paid(BEN, "akash1nobody"), None, None),
    ("escrow", f"{ADA}/7", paid(BEN, ADA), "deposit", "strong"),
    ("first_funds", ADA, paid(BEN, ADA), "first_funds", "notable"),
    ("first_funds", ADA, paid("akash1faucet", ADA), None, None),
]


@pytest.mark.parametrize(
    ("question", "subject", "found", "signal", "strength"),
    ANSWERS,
    ids=[
        f"{question}_{'joins' if signal else 'joins_nobody'}_{place}"
        for place, (question, _, _, signal, _) in enumerate(ANSWERS)
    ],
)
def test_answers__kept_of_the_chain__join_whom_they_concern(
    house: House, question: str, subject: str, found: dict[str, object], signal: str | None, strength: str | None
) -> None:
    answered(house, question, subject, **found)
    work(house)
    assert {name: edge.strength for name, edge in edges(house).items()} == (
        {(signal, pair(ADA, BEN)): strength} if signal else {}
    )


@pytest.mark.parametrize("value", ["key " + "ab" * 32, "serial 1795454448093825799"])
def test_certificates__of_two_providers__join_their_owners(house: House, value: str) -> None:
    answered(house, "certificates", NORTH, value=value)
    answered(house, "certificates", EAST, value=value)
    answered(house, "certificates", SOUTH, value="key " + "cd" * 32)
    work(house)
    assert {name: edge.strength for name, edge in edges(house).items()} == {
        ("same_certificate", pair(DEE, FAY)): "strong"
    }


@pytest.mark.parametrize(("claims", "strength"), [(True, "notable"), (False, "weak")])
def test_own_provider__leased__counts_where_deployments_are_claimed(
    house: House, claims: bool, strength: str
) -> None:
    if claims:
        claim(house, ELI, f"{ELI}/llm", "deploy", "ai_deployment")
    answered(house, "own_lease", f"{ELI}/5001/1/1/{SOUTH}/0", owner=ELI, provider=SOUTH, height=62)
    answered(house, "own_lease", f"{ELI}/5002/1/1/{NORTH}/0", owner=ELI, provider=NORTH, height=63)
    work(house)
    assert {name: edge.strength for name, edge in edges(house).items()} == {("own_provider", pair(ELI)): strength}


def test_shared_funder__of_two__is_weak_and_no_cluster(house: House) -> None:
    for person in (ADA, BEN):
        answered(house, "first_funds", person, **paid("akash1exchange", person))
    work(house)
    assert {name: edge.strength for name, edge in edges(house).items()} == {("shared_funder", pair(ADA, BEN)): "weak"}
    assert overview(house).clusters == []
    assert [edge.id for edge in overview(house).weak] == [row.id for row in edges(house).values()]


def with_claims(house: House) -> House:
    for person in (ADA, BEN, DEE, ELI, FAY, STRANGER):
        claim(house, person, f"{person}/llm", "deploy", "ai_deployment")
    return house


def test_chain__people_who_pay_for_each_other__are_joined_with_evidence(followed: House) -> None:
    said = signals.watch(with_claims(followed))
    assert "0 left for later" in said
    found = edges(followed)
    assert {name: edge.strength for name, edge in found.items()} == {
        ("first_funds", pair(ADA, STRANGER)): "notable",
        ("deposit", pair(BEN, FAY)): "strong",  # an active deployment: state and transaction say so
        ("deposit", pair(ADA, DEE)): "strong",  # closed since: the transaction alone
        ("own_provider", pair(ELI)): "notable",
        ("same_host", pair(DEE, FAY)): "strong",
    }
    funds = found["first_funds", pair(ADA, STRANGER)].traces
    assert [(trace["height"], len(str(trace["tx"]))) for trace in funds] == [(30, 64)]
    assert len(found["deposit", pair(BEN, FAY)].traces) == 2
    with followed.ledger.read() as session:
        for edge in found.values():
            for trace in edge.traces:
                assert session.get(ObservationRow, trace["observation"]) is not None
    assert signals.watch(followed).startswith("0 asked")
    assert work(followed) == 0


def test_chain__asked_again_with_the_same_answers__changes_nothing(followed: House) -> None:
    loaded = campaigns.required(with_claims(followed))
    look(followed, loaded)
    work(followed)
    before = {name: (edge.changed_ns, edge.traces) for name, edge in edges(followed).items()}
    with followed.ledger.write() as session:
        kept = session.scalar(select(func.count()).select_from(ObservationRow))
        for row in session.scalars(select(SignalLookRow)):
            row.due_ns = 0
    assert not look(followed, loaded).startswith("0 asked")
    assert work(later(followed, 60)) == 0
    assert {name: (edge.changed_ns, edge.traces) for name, edge in edges(followed).items()} == before
    with followed.ledger.read() as session:
        assert session.scalar(select(func.count()).select_from(ObservationRow)) == kept
        silent = [row for row in session.scalars(select(SignalLookRow)) if not row.found]
    assert silent
    assert {row.observation for row in silent} == {None}


def test_kept__what_was_seen_once__stays_when_the_node_tells_other_things(house: House) -> None:
    def answer(question: Question, *found: dict[str, object]) -> Answer:
        body = str(found).encode()
        seen = Observation(Source.CHAIN, f"GET {question}", body, "node.example", house.clock.now(), 200)
        return Answer(Target(question, ADA), list(found), seen)

    def kept(question: Question, *answers: Answer) -> tuple[list[object], object, list[bool]]:
        row, news = None, []
        for each in answers:
            values, seen = kept_look(row, each, house.clock.now())
            row = SignalLookRow(campaign="signals-test", **values)
            news.append(seen is not None)
        assert row is not None
        return [found["said"] for found in row.found], row.due_ns, news

    one, other = {"said": "one"}, {"said": "other"}
    again = house.clock.now() + AGAIN
    for question in (Question.DEPOSITS, Question.FEE_ALLOWANCES):
        looks = [answer(question, one), answer(question, other), answer(question, one, other), answer(question)]
        assert kept(question, *looks) == (["one", "other"], again, [True, True, False, False])
    moved = [answer(Question.PROVIDER, one), answer(Question.PROVIDER, other), answer(Question.PROVIDER)]
    assert kept(Question.PROVIDER, *moved) == ([], again, [True, True, False])
    assert kept(Question.FIRST_FUNDS, answer(Question.FIRST_FUNDS, one)) == (["one"], None, [True])
    assert kept(Question.FIRST_FUNDS, answer(Question.FIRST_FUNDS)) == ([], again, [False])
    failed = Answer(Target(Question.DEPOSITS, ADA), [], None, Timeout("late"))
    waits = [FIRST_RETRY, 2 * FIRST_RETRY, 4 * FIRST_RETRY]
    for count, wait in enumerate(waits, 1):
        said, due, news = kept(Question.DEPOSITS, answer(Question.DEPOSITS, one), *[failed] * count)
        assert (said, due, news[1:]) == (["one"], house.clock.now() + wait, [False] * count)
    assert kept(Question.DEPOSITS, *[failed] * 40)[1] == again


def test_chain__questions_that_a_node_does_not_serve__are_unknown_and_said_so(followed: House, net: Devnet) -> None:
    net.faults.add(Fault("status", api="rest", path="feegrant", status=501))
    said = signals.watch(with_claims(followed))
    assert said.endswith("the node answers nothing of fee_allowances")
    asked = {each.question: (each.known, each.failed, each.trouble) for each in overview(followed).asked}
    assert asked["fee_allowances"][::2] == (0, "not_implemented")
    assert asked["first_funds"][1:] == (0, "")
    assert asked["deposit_grants"][1:] == (0, "")


def test_grants__that_a_node_lists__join_with_the_answer_as_evidence(followed: House, net: Devnet) -> None:
    allowance = f'{{"granter":"{BEN}","grantee":"{ADA}","allowance":{{}}}}'
    authorization = '{"@type":"/akash.escrow.v1.DepositAuthorization"}'
    grant = f'{{"granter":"{ELI}","grantee":"{DEE}","authorization":{authorization},"expiration":null}}'
    for path, name, row in ((f"allowances/{ADA}", "allowances", allowance), (f"grantee/{DEE}", "grants", grant)):
        net.faults.add(
            Fault("lie", api="rest", path=path, find=f'"{name}":\\[\\]', put=f'"{name}":[{row}]'),
        )
    signals.watch(with_claims(followed))
    found = edges(followed)
    for name in (("fee_grant", pair(ADA, BEN)), ("deposit", pair(DEE, ELI))):
        (trace,) = found[name].traces
        with followed.ledger.read() as session:
            row = session.get_one(ObservationRow, trace["observation"])
        assert (row.status, row.height) == (200, 300)


def test_index__off__leaves_first_funds_unknown_until_it_is_on(followed: House, net: Devnet) -> None:
    loaded = campaigns.required(with_claims(followed))
    net.settings.indexes_txs = False
    look(followed, loaded)
    work(followed)
    assert not {name for name in edges(followed) if name[0] == "first_funds"}
    asked = {each.question: (each.known, each.trouble) for each in overview(followed).asked}
    assert asked["first_funds"] == (0, "index_off")
    net.settings.indexes_txs = True
    assert look(followed, loaded).startswith("0 asked")  # it is not asked again at once
    with followed.ledger.write() as session:
        for row in session.scalars(select(SignalLookRow).where(SignalLookRow.trouble == "index_off")):
            assert row.due_ns is not None
            assert row.due_ns > followed.clock.now()
            row.due_ns = followed.clock.now()
    look(followed, loaded)
    work(followed)
    assert ("first_funds", pair(ADA, STRANGER)) in edges(followed)


def test_node__that_fails__is_given_up_for_now_and_nothing_is_lost(followed: House, net: Devnet) -> None:
    loaded = campaigns.required(with_claims(followed))
    look(followed, loaded)
    work(followed)
    before = edges(followed).keys()
    with followed.ledger.write() as session:
        for row in session.scalars(select(SignalLookRow)):
            row.due_ns = 0
    net.faults.add(Fault("status", api="rpc", path="tx_search", status=503))
    said = look(followed, loaded)
    assert "could not be answered" in said
    assert "0 left" not in said
    assert work(followed) == 0
    assert edges(followed).keys() == before
    net.faults.clear()
    net.faults.add(Fault("status", api="rest", path="deployments/list", status=503))
    assert look(followed, loaded).startswith("the chain could not be asked")


def test_look__without_time__leaves_everything_for_later(followed: House) -> None:
    said = look(with_claims(followed), campaigns.required(followed), seconds=0)
    assert said.startswith("0 asked, 0 could not be answered, ")
    assert not said.startswith("0 asked, 0 could not be answered, 0 left")


def test_cluster__by_any_address_of_a_participant__is_found(followed: House) -> None:
    signals.watch(with_claims(followed))
    participant, cluster, others = cluster_of(followed, SOUTH)
    assert (participant, others) == (ELI, [])
    assert cluster is not None
    assert cluster.participants == (ELI,)
    everybody = overview(followed).clusters
    assert {name for each in everybody for name in each.participants} == {ADA, STRANGER, DEE, BEN, FAY, ELI}
    assert len(everybody) == 2
    assert [len(each.clusters) for each in (overview(followed, "own_provider"), overview(followed, "fee_grant"))] == [
        1, 0,
    ]  # fmt: skip
