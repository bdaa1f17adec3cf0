"""Signing in by a memo on the chain, and registrations that waited for the first block known."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from ledger.people import ChallengeRow, RegistrationRow
from services import campaigns, registrations, signin
from services.clock import StoppedClock
from services.errors import SignInRefused, Unavailable
from services.house import House
from services.proofs import MemoProof
from services.signin import Challenge
from tasks.moment import SECOND, Moment
from tests.houses import CAMPAIGN, NOON, later, make_house
from tests.nodes import BIRTH, Answer, Asked, Node
from tests.services_signing import BROWSER
from tests.wallets import FIXTURES, Keyholder
from verifiers.chain.client import Chain
from verifiers.evidence import ChainPoint

ADA = Keyholder("Ada of the tests")
BOB = Keyholder("Bob of the tests")
HASH = "ab" * 32
HEIGHT_AT_NOON = 1 + (NOON - BIRTH) // (6 * SECOND)
NOT_FOUND = {"code": 5, "message": "tx not found", "details": []}
INDEX_OFF = (500, {"code": 2, "message": "transaction indexing is disabled", "details": []})


@pytest.fixture
def node() -> Iterator[Node]:
    with Node("local-v2", tip=HEIGHT_AT_NOON + 3) as node:
        yield node


@pytest.fixture
def chain(node) -> Iterator[Chain]:
    yield from connected(node)


@pytest.fixture
def house(tmp_path, chain) -> House:
    return make_house(tmp_path, chain=chain)


def connected(node: Node) -> Iterator[Chain]:
    """The client of a node where no transaction is known."""
    node.routes["*"] = lambda asked: Answer(NOT_FOUND, 404) if "/txs/" in asked.route else unrouted(node, asked)
    chain = Chain([node.url], [node.url], StoppedClock(NOON), sleep=lambda _: None)
    yield chain
    chain.close()


def unrouted(node: Node, asked: Asked) -> Answer:
    """What the node answers by itself."""
    everything, node.routes = node.routes, {}
    try:
        return node.answer(asked)
    finally:
        node.routes = everything


def show(node: Node, status: int, body: object) -> None:
    """Let the node know the transaction HASH."""
    node.routes[f"/cosmos/tx/v1beta1/txs/{HASH.upper()}"] = lambda asked: Answer(body, status)


def transfer(address: str, memo: str, time: str = "2026-11-24T12:01:00Z", code: int = 0) -> object:
    """A recorded transfer to oneself, with another sender, memo and time."""
    body = json.loads((FIXTURES / "login-by-memo-local-v2.json").read_text())
    body["tx"]["body"] |= {"memo": memo}
    body["tx"]["body"]["messages"][0] |= {"from_address": address, "to_address": address}
    body["tx_response"] |= {"txhash": HASH.upper(), "timestamp": time, "code": code}
    return body


def asked(house: House) -> Challenge:
    return signin.make_challenge(house, ADA.address, "sign_in", BROWSER)


def open_challenges(house: House) -> int:
    with house.ledger.read() as session:
        return session.scalar(select(func.count()).select_from(ChallengeRow))


def test_memo__transfer_of_the_address__signs_in_once(house, node):
    challenge = asked(house)
    assert challenge.memo_chain_ids == ("local-v2",)
    show(node, 200, transfer(ADA.address, challenge.memo))
    assert signin.verify(house, challenge.challenge_id, MemoProof(HASH), BROWSER).address == ADA.address
    with pytest.raises(SignInRefused):
        signin.verify(house, challenge.challenge_id, MemoProof(HASH), BROWSER)


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(lambda memo: transfer(BOB.address, memo), id="another sender"),
        pytest.param(lambda memo: transfer(ADA.address, "waymark-login 0"), id="another memo"),
        pytest.param(lambda memo: transfer(ADA.address, memo, code=5), id="failed on the chain"),
        pytest.param(lambda memo: transfer(ADA.address, memo, time="2026-11-24T11:00:00Z"), id="too early"),
        pytest.param(lambda memo: transfer(ADA.address, memo, time="2026-11-24T13:00:00Z"), id="too late"),
        pytest.param(lambda memo: {"tx": None}, id="another answer"),
    ],
)
def test_memo__transfer_that_shows_something_else__is_refused_and_used_up(house, node, shown):
    challenge = asked(house)
    show(node, 200, shown(challenge.memo))
    with pytest.raises(SignInRefused) as refused:
        signin.verify(house, challenge.challenge_id, MemoProof(HASH), BROWSER)
    assert refused.value.message == signin.REFUSAL
    assert open_challenges(house) == 0


def test_memo__not_in_a_block_yet__may_be_sent_again(house, node):
    challenge = asked(house)
    with pytest.raises(SignInRefused):
        signin.verify(house, challenge.challenge_id, MemoProof(HASH), BROWSER)
    show(node, 200, transfer(ADA.address, challenge.memo))
    assert signin.verify(house, challenge.challenge_id, MemoProof(HASH), BROWSER)


@pytest.mark.parametrize(
    "answer", [INDEX_OFF, (500, {}), (200, "cut")], ids=["index off", "server error", "no object"]
)
def test_memo__chain_in_trouble__is_our_side_and_refuses_nobody(house, node, answer):
    challenge = asked(house)
    show(node, *answer)
    with pytest.raises(Unavailable):
        signin.verify(house, challenge.challenge_id, MemoProof(HASH), BROWSER)
    assert open_challenges(house) == 1


@pytest.mark.parametrize("text", ["", "ab", "../../x", HASH + "?a=b", "0x" + HASH])
def test_memo__text_that_is_no_hash__never_reaches_the_node(house, node, text):
    challenge = asked(house)
    with pytest.raises(SignInRefused):
        signin.verify(house, challenge.challenge_id, MemoProof(text), BROWSER)
    assert node.asked == []


def test_memo__without_the_browsers_challenge__asks_no_node(house, node):
    challenge = asked(house)
    with pytest.raises(SignInRefused):
        signin.verify(house, challenge.challenge_id, MemoProof(HASH), "another browser")
    assert node.asked == []


def test_memo__no_chain_connected__is_refused(tmp_path):
    house = make_house(tmp_path)
    challenge = asked(house)
    assert challenge.memo_chain_ids == ()
    with pytest.raises(SignInRefused):
        signin.verify(house, challenge.challenge_id, MemoProof(HASH), BROWSER)


def test_memo__on_the_payout_chain__counts_too(tmp_path, chain):
    with Node("local-pay") as payout:
        payout_chain = next(connected(payout))
        house = make_house(tmp_path, chain=chain, payout_chain=payout_chain, payout_chain_id="local-pay")
        challenge = asked(house)
        assert challenge.memo_chain_ids == ("local-pay", "local-v2")
        assert "Chain ID: local-pay" in challenge.text
        show(payout, 200, transfer(ADA.address, challenge.memo))
        assert signin.verify(house, challenge.challenge_id, MemoProof(HASH), BROWSER)


def registered(house: House, holder: Keyholder, seconds: float) -> None:
    digest = campaigns.required(house).newest.rules_digest
    assert registrations.register(later(house, seconds), holder.address, "small-test", digest).point is None


def point_of(house: House, holder: Keyholder) -> ChainPoint | None:
    return registrations.registration_of(house, "small-test", holder.address).point


def test_fill_registration_points__at_first_contact__gives_the_newest_block_not_later(house, node):
    early, exact, between, newest = (Keyholder(name) for name in ("early", "exact", "between", "newest"))
    since_birth = (NOON - BIRTH) // SECOND
    for holder, seconds in ((early, -since_birth - 60), (exact, 6), (between, 8.5), (newest, 60)):
        registered(house, holder, seconds)
    assert registrations.fill_registration_points(house) == 4
    assert point_of(house, early) is None
    assert point_of(house, exact) == point_of(house, between)
    assert point_of(house, exact) == ChainPoint("local-v2", HEIGHT_AT_NOON + 1, Moment(NOON + 6 * SECOND))
    assert point_of(house, newest) == ChainPoint("local-v2", HEIGHT_AT_NOON + 3, Moment(NOON + 18 * SECOND))
    node.asked.clear()
    assert registrations.fill_registration_points(house) == 0
    assert node.asked == []


def test_fill_registration_points__blocks_no_longer_kept__leaves_the_receipt_time(house, node):
    registered(house, ADA, -60)
    node.earliest = HEIGHT_AT_NOON
    assert registrations.fill_registration_points(house) == 1
    assert point_of(house, ADA) is None


def test_fill_registration_points__another_chain__fills_nothing(tmp_path, chain, node):
    house = make_house(tmp_path, chain=chain, campaign=CAMPAIGN.replace("local-v2", "another-1"))
    registered(house, ADA, 0)
    assert registrations.fill_registration_points(house) == 0
    with house.ledger.read() as session:
        assert session.scalars(select(RegistrationRow.chain_id)).one() is None


def test_fill_registration_points__no_chain_connected__waits(tmp_path):
    house = make_house(tmp_path)
    registered(house, ADA, 0)
    assert registrations.fill_registration_points(house) == 0


def test_fill_points__as_a_job__says_what_it_did(house, node):
    assert registrations.fill_points(house) == "no registration waits"
    registered(house, ADA, 0)
    assert registrations.fill_points(house) == "registrations that got their block: 1"


def test_fill_points__node_in_trouble__is_said(house, node):
    registered(house, ADA, 0)
    node.routes["/status"] = lambda asked: Answer({}, 503)
    with pytest.raises(Unavailable):
        registrations.fill_points(house)
    assert point_of(house, ADA) is None
