"""Signing in: one use, five minutes, one browser, and sessions that end."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from ledger.people import ChallengeRow, RoleRow, SessionRow
from services import sessions, signin
from services.errors import NotAllowed, NotFound, Refused, SignInRefused, TooMany
from services.house import House
from services.proofs import CommandLineProof, WalletProof
from services.signin import Purpose
from tests.houses import later, make_house
from tests.services_signing import BROWSER, sign_in, wallet_proof
from tests.wallets import Keyholder, amino_signer, send_amino_bytes, signed_like_cli
from verifiers.wallet.signatures import ORDER

ADA = Keyholder("Ada of the tests")
BOB = Keyholder("Bob of the tests")


@pytest.fixture
def house(tmp_path) -> House:
    return make_house(tmp_path)


def count(house: House, row: type) -> int:
    with house.ledger.read() as session:
        return session.scalar(select(func.count()).select_from(row))


def test_make_challenge__address__gives_each_form_of_the_same_nonce(house):
    challenge = signin.make_challenge(house, ADA.address, "sign_in", BROWSER)
    lines = challenge.text.split("\n")
    assert lines[0] == "127.0.0.1:8000 wants you to sign in with your Akash account:"
    assert lines[1] == ADA.address
    assert "Chain ID: local-v2" in lines
    assert f"Request ID: {challenge.challenge_id}" in lines
    nonce = next(line for line in lines if line.startswith("Nonce: "))[7:]
    assert len(nonce) == 32
    assert challenge.memo == f"waymark-login {nonce}"
    assert challenge.unsigned_tx["body"]["memo"] == challenge.memo
    assert challenge.sign_chain_id == "not-a-chain-akash-incentive-proof"


def test_make_challenge__no_campaign_and_no_chain__leaves_the_chain_id_out(tmp_path):
    challenge = signin.make_challenge(make_house(tmp_path, campaign=None), ADA.address, "sign_in", BROWSER)
    assert "Chain ID" not in challenge.text
    assert challenge.memo_chain_ids == ()


def test_make_challenge__payout_chain_id_set__names_it(tmp_path):
    house = make_house(tmp_path, payout_chain_id="akashnet-2", public_url="https://waymark.example", secret_keys="k")
    text = signin.make_challenge(house, ADA.address, "sign_in", BROWSER).text
    assert text.startswith("waymark.example wants you")
    assert "Chain ID: akashnet-2" in text


@pytest.mark.parametrize("address", ["", "akash1", ADA.address.upper(), "cosmos" + ADA.address[5:]])
def test_make_challenge__no_address__is_refused_with_the_field(house, address):
    with pytest.raises(Refused) as refused:
        signin.make_challenge(house, address, "sign_in", BROWSER)
    assert refused.value.field == "address"


def test_make_challenge__too_many_open_in_one_browser__is_refused_until_they_end(house):
    for _ in range(signin.OPEN_CHALLENGES_OF_A_BROWSER):
        signin.make_challenge(house, ADA.address, "sign_in", BROWSER)
    with pytest.raises(TooMany):
        signin.make_challenge(house, ADA.address, "sign_in", BROWSER)
    signin.make_challenge(house, ADA.address, "sign_in", "another browser")
    signin.make_challenge(house, BOB.address, "sign_in", BROWSER)
    signin.make_challenge(later(house, 300), ADA.address, "sign_in", BROWSER)
    assert count(house, ChallengeRow) == 2


def test_make_challenge__too_many_open_for_one_address__is_refused(house):
    for number in range(signin.OPEN_CHALLENGES_OF_AN_ADDRESS):
        signin.make_challenge(house, ADA.address, "sign_in", f"browser {number}")
    with pytest.raises(TooMany):
        signin.make_challenge(house, ADA.address, "sign_in", "one more")


@pytest.mark.parametrize("person", [None, "unregistered"])
def test_make_challenge__link_without_an_account__is_refused(house, person):
    if person is not None:
        person = sessions.session_of(house, sign_in(house, ADA).session_token)
    with pytest.raises((SignInRefused, NotAllowed)):
        signin.make_challenge(house, BOB.address, "link", BROWSER, person)


def test_verify__wallet_signature__signs_in(house):
    done = sign_in(house, ADA)
    assert done.address == ADA.address
    assert not done.registered
    assert done.roles == ()
    person = sessions.session_of(house, done.session_token)
    assert person.address == ADA.address
    assert person.csrf_token == done.csrf_token
    with house.ledger.read() as session:
        assert session.scalars(select(SessionRow.token_hash)).one() == sessions.hash_token(done.session_token)


def test_verify__transaction_of_the_command_line__signs_in(house):
    challenge = signin.make_challenge(house, ADA.address, "sign_in", BROWSER)
    signature = ADA.sign(send_amino_bytes(ADA.address, challenge.memo))
    signed = signed_like_cli(challenge.unsigned_tx, amino_signer(ADA), signature)
    assert signin.verify(house, challenge.challenge_id, CommandLineProof(signed), BROWSER).address == ADA.address


def refusal(house: House, *arguments: object) -> str:
    with pytest.raises(SignInRefused) as refused:
        signin.verify(house, *arguments)
    return refused.value.message


def high_s(proof: WalletProof) -> WalletProof:
    signature = base64.b64decode(proof.signature)
    twin = signature[:32] + (ORDER - int.from_bytes(signature[32:])).to_bytes(32)
    return WalletProof(proof.pub_key, base64.b64encode(twin).decode())


@pytest.mark.parametrize(
    ("wrong", "is_used_up"),
    [
        pytest.param(lambda challenge, proof: (challenge, proof, "another browser"), False, id="another browser"),
        pytest.param(lambda challenge, proof: (challenge, proof, None), False, id="no browser cookie"),
        pytest.param(lambda challenge, proof: ("no such", proof, BROWSER), False, id="no such challenge"),
        pytest.param(lambda challenge, proof: (challenge, high_s(proof), BROWSER), True, id="high-S twin"),
        pytest.param(
            lambda challenge, proof: (challenge, WalletProof(proof.pub_key, "%"), BROWSER), True, id="no base64"
        ),
        pytest.param(
            lambda challenge, proof: (challenge, wallet_proof(BOB, "x"), BROWSER), True, id="another's signature"
        ),
        pytest.param(
            lambda challenge, proof: (challenge, CommandLineProof("{}"), BROWSER), True, id="no transaction"
        ),
    ],
)
def test_verify__anything_wrong__is_refused_with_the_same_words(house, wrong, is_used_up):
    challenge = signin.make_challenge(house, ADA.address, "sign_in", BROWSER)
    proof = wallet_proof(ADA, challenge.text)
    assert refusal(house, *wrong(challenge.challenge_id, proof)) == signin.REFUSAL
    assert count(house, ChallengeRow) == (0 if is_used_up else 1)
    assert count(house, SessionRow) == 0
    if is_used_up:
        assert refusal(house, challenge.challenge_id, proof, BROWSER) == signin.REFUSAL


def test_verify__second_time__is_refused(house):
    challenge = signin.make_challenge(house, ADA.address, "sign_in", BROWSER)
    proof = wallet_proof(ADA, challenge.text)
    signin.verify(house, challenge.challenge_id, proof, BROWSER)
    assert refusal(house, challenge.challenge_id, proof, BROWSER) == signin.REFUSAL


def test_verify__many_at_once__signs_in_once(house):
    challenge = signin.make_challenge(house, ADA.address, "sign_in", BROWSER)
    proof = wallet_proof(ADA, challenge.text)

    def attempt(_: int) -> bool:
        try:
            return bool(signin.verify(house, challenge.challenge_id, proof, BROWSER))
        except SignInRefused:
            return False

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(attempt, range(8))) == 1


def test_verify__after_five_minutes__is_refused(house):
    challenge = signin.make_challenge(house, ADA.address, "sign_in", BROWSER)
    proof = wallet_proof(ADA, challenge.text)
    assert refusal(later(house, 300), challenge.challenge_id, proof, BROWSER) == signin.REFUSAL
    assert signin.verify(later(house, 299.9), challenge.challenge_id, proof, BROWSER)


def test_verify__text_of_another_challenge__is_refused(house):
    first = signin.make_challenge(house, ADA.address, "sign_in", BROWSER)
    second = signin.make_challenge(house, ADA.address, "sign_in", BROWSER)
    assert refusal(house, first.challenge_id, wallet_proof(ADA, second.text), BROWSER) == signin.REFUSAL


def test_prove__challenge_for_signing_in__links_nothing(house):
    challenge = signin.make_challenge(house, ADA.address, "sign_in", BROWSER)
    proof = wallet_proof(ADA, challenge.text)
    with pytest.raises(SignInRefused):
        signin.prove(house, challenge.challenge_id, proof, BROWSER, Purpose.LINK, linked_to=BOB.address)


def test_open_challenge__in_its_browser__is_the_same_again(house):
    challenge = signin.make_challenge(house, ADA.address, "sign_in", BROWSER)
    assert signin.open_challenge(house, challenge.challenge_id, BROWSER) == challenge
    for where, browser in ((house, "another"), (house, None), (later(house, 300), BROWSER)):
        with pytest.raises(NotFound):
            signin.open_challenge(where, challenge.challenge_id, browser)


def test_session_of__no_token_or_a_made_up_one__is_nobody(house):
    sign_in(house, ADA)
    assert sessions.session_of(house, None) is None
    assert sessions.session_of(house, "") is None
    assert sessions.session_of(house, "made up \udcff") is None


def test_session_of__idle_for_half_an_hour__is_over(house):
    token = sign_in(house, ADA).session_token
    assert sessions.session_of(later(house, 1799), token)
    assert sessions.session_of(later(house, 1799 + 1799), token)
    assert sessions.session_of(later(house, 1799 + 1799 + 1800), token) is None


@pytest.mark.parametrize(("roles", "hours"), [((), 12), (("organizer",), 2)], ids=["participant", "staff"])
def test_session_of__never_idle__ends_at_its_longest(house, roles, hours):
    with house.ledger.write() as session:
        session.add_all([RoleRow(address=ADA.address, role=role) for role in roles])
    done = sign_in(house, ADA)
    assert done.roles == roles
    seconds = 0
    while seconds + 1200 < hours * 3600:
        seconds += 1200
        assert sessions.session_of(later(house, seconds), done.session_token).roles == roles
    assert sessions.session_of(later(house, hours * 3600 - 1), done.session_token)
    assert sessions.session_of(later(house, hours * 3600), done.session_token) is None


def test_session_of__role_given_after_the_sign_in__shortens_the_session(house):
    done = sign_in(house, ADA)
    for minute in range(0, 121, 20):
        assert sessions.session_of(later(house, minute * 60), done.session_token)
    with house.ledger.write() as session:
        session.add(RoleRow(address=ADA.address, role="organizer"))
    assert sessions.session_of(later(house, 7201), done.session_token) is None


def test_end_session__copied_token__is_worthless(house):
    first, second = sign_in(house, ADA), sign_in(house, ADA)
    sessions.end_session(house, first.session_token)
    assert sessions.session_of(house, first.session_token) is None
    assert sessions.session_of(house, second.session_token)
    sessions.end_all_sessions(house, ADA.address)
    assert sessions.session_of(house, second.session_token) is None
