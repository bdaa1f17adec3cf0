"""Registering once, linking by proof, and the block that was the newest then."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from ledger.chain import BlockRow, CursorRow
from ledger.people import AddressRow, ParticipantRow, PersonalRow, RegistrationRow
from services import campaigns, registrations, sessions, signin
from services.errors import Conflict, NotAllowed, NotFound, Refused, SignInRefused
from services.house import House
from services.loading import load_campaign
from services.registrations import Linked
from tasks.moment import SECOND
from tests.houses import CAMPAIGN, NOON, later, make_house
from tests.services_signing import BROWSER, sign_in, wallet_proof
from tests.wallets import Keyholder
from verifiers.evidence import ChainPoint

ADA = Keyholder("Ada of the tests")
BOB = Keyholder("Bob of the tests")
DEPLOYER = Keyholder("a deployer of Ada")
SLUG = "small-test"


@pytest.fixture
def house(tmp_path) -> House:
    return make_house(tmp_path)


def digest(house: House) -> str:
    return campaigns.required(house).newest.rules_digest


def register(house: House, holder: Keyholder = ADA, **more: object) -> registrations.Registration:
    return registrations.register(house, holder.address, SLUG, digest(house), **more)


def link(house: House, account: Keyholder, address: Keyholder, signer: Keyholder | None = None) -> Linked:
    person = sessions.session_of(house, sign_in(house, account).session_token)
    challenge = signin.make_challenge(house, address.address, "link", BROWSER, person)
    proof = wallet_proof(signer or address, challenge.text)
    return registrations.link(house, account.address, challenge.challenge_id, proof, BROWSER)


def count(house: House, row: type) -> int:
    with house.ledger.read() as session:
        return session.scalar(select(func.count()).select_from(row))


def stand(house: House, height: int, time: int, *, tip: tuple[int, int] | None = None) -> None:
    """Let the follower stand at a block."""
    with house.ledger.write() as session:
        session.merge(
            CursorRow(
                chain_id="local-v2",
                stage="following",
                height=height,
                hash=None,
                time_ns=time,
                listing_round=0,
                state="following",
                detail="",
                checked_ns=time,
                tip_height=tip[0] if tip else None,
                tip_time_ns=tip[1] if tip else None,
            )
        )


def test_register__first_and_again__is_one_row(house):
    first = register(house, display_name="Ada", contact="ada at example")
    assert first.is_new
    assert first.participant == ADA.address
    assert first.received_at == NOON
    again = register(later(house, 60))
    assert not again.is_new
    assert again.received_at == NOON
    assert [count(house, row) for row in (ParticipantRow, AddressRow, RegistrationRow, PersonalRow)] == [1, 1, 1, 1]
    assert registrations.personal_of(house, ADA.address) == registrations.Personal("Ada", "ada at example")
    assert registrations.registration_of(house, SLUG, ADA.address).received_at == NOON


def test_register__many_at_once__is_one_row(house):
    with ThreadPoolExecutor(8) as threads:
        done = list(threads.map(lambda _: register(house), range(8)))
    assert sum(each.is_new for each in done) == 1
    assert count(house, RegistrationRow) == 1


def test_register__signed_in__makes_the_person_a_participant(house):
    token = sign_in(house, ADA).session_token
    assert not sessions.session_of(house, token).registered
    register(house)
    assert sessions.session_of(house, token).participant == ADA.address
    assert sign_in(house, ADA).registered


@pytest.mark.parametrize("wrong", ["", "0" * 64], ids=["empty", "another"])
def test_register__digest_of_other_rules__is_a_conflict(house, wrong):
    with pytest.raises(Conflict) as refused:
        registrations.register(house, ADA.address, SLUG, wrong)
    assert refused.value.field == "rules_digest"
    assert count(house, ParticipantRow) == 0


@pytest.mark.parametrize("campaign", ["", "another", "x" * 500])
def test_register__another_campaign__is_not_found(house, campaign):
    with pytest.raises(NotFound):
        registrations.register(house, ADA.address, campaign, digest(house))


def test_register__no_campaign_loaded__is_not_found(tmp_path):
    with pytest.raises(NotFound):
        registrations.register(make_house(tmp_path, campaign=None), ADA.address, SLUG, "0" * 64)


def test_register__rules_revised_since__keeps_the_row_and_takes_the_new_digest(house):
    first = register(house)
    revised = CAMPAIGN.replace("revision: 1", "revision: 2").replace("terms: Be kind.", "terms: Be kinder.")
    revised += 'change: {reason: "kinder", counts_from: 2026-11-25T00:00:00Z}\n'
    load_campaign(house, revised, "tests")
    assert digest(house) != first.rules_digest
    assert registrations.register(house, ADA.address, SLUG, first.rules_digest).rules_digest == first.rules_digest
    assert registrations.register(house, BOB.address, SLUG, digest(house)).is_new


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("display_name", "x" * 41),
        ("display_name", "a\nb"),
        ("display_name", "a\u202eb"),
        ("display_name", "a\u200bb"),
        ("display_name", "a\x00b"),
        ("contact", "x" * 201),
        ("contact", "a\x1b[31m"),
        ("contact", "a\u2028b"),
    ],
)
def test_register__bad_personal_field__is_refused_with_its_name(house, field, text):
    with pytest.raises(Refused) as refused:
        register(house, **{field: text})
    assert refused.value.field == field
    assert count(house, RegistrationRow) == 0


@pytest.mark.parametrize(
    ("text", "kept"),
    [("  Ada ", "Ada"), ("", None), ("   ", None), ("<b>&=HYPERLINK()", "<b>&=HYPERLINK()"), ("e\u0301", "\u00e9")],
)
def test_clean_name__text__is_kept_as_people_mean_it(text, kept):
    assert registrations.clean_name(text) == kept


def test_change_personal__empty_fields__are_erased(house):
    register(house, display_name="Ada", contact="there")
    registrations.change_personal(house, ADA.address, "", "here")
    assert registrations.personal_of(house, ADA.address) == registrations.Personal(None, "here")
    with pytest.raises(NotAllowed):
        registrations.change_personal(house, BOB.address, "Bob", None)


def test_link__further_address__belongs_to_the_account(house):
    register(house)
    assert link(house, ADA, DEPLOYER) == Linked(DEPLOYER.address, ADA.address, is_new=True)
    assert link(house, ADA, DEPLOYER) == Linked(DEPLOYER.address, ADA.address, is_new=False)
    assert registrations.addresses_of(house, ADA.address) == (ADA.address, DEPLOYER.address)


def test_link__address_of_someone_else__is_a_conflict(house):
    register(house)
    register(house, BOB)
    link(house, ADA, DEPLOYER)
    for taken in (DEPLOYER, ADA):
        with pytest.raises(Conflict):
            link(house, BOB, taken)
    assert registrations.addresses_of(house, BOB.address) == (BOB.address,)


def test_link__signed_by_the_account_instead_of_the_address__is_refused(house):
    register(house)
    with pytest.raises(SignInRefused):
        link(house, ADA, DEPLOYER, signer=ADA)


def test_link__challenge_made_for_another_account__is_refused(house):
    register(house)
    register(house, BOB)
    person = sessions.session_of(house, sign_in(house, ADA).session_token)
    challenge = signin.make_challenge(house, DEPLOYER.address, "link", BROWSER, person)
    assert ADA.address in challenge.text
    assert ADA.address in challenge.memo
    proof = wallet_proof(DEPLOYER, challenge.text)
    with pytest.raises(SignInRefused):
        registrations.link(house, BOB.address, challenge.challenge_id, proof, BROWSER)
    with pytest.raises(SignInRefused):
        signin.verify(house, challenge.challenge_id, proof, BROWSER)
    assert registrations.link(house, ADA.address, challenge.challenge_id, proof, BROWSER).is_new


def test_link__unregistered_account__is_refused(house):
    with pytest.raises(NotAllowed):
        registrations.link(house, ADA.address, "c", wallet_proof(ADA, "x"), BROWSER)


def test_link__own_address__is_refused(house):
    register(house)
    with pytest.raises(Refused):
        link(house, ADA, ADA)


def test_register__linked_address__is_a_conflict_that_names_the_account(house):
    register(house)
    link(house, ADA, DEPLOYER)
    with pytest.raises(Conflict, match=ADA.address):
        register(house, DEPLOYER)
    person = sessions.session_of(house, sign_in(house, DEPLOYER).session_token)
    assert (person.participant, person.linked_to) == (None, ADA.address)


@pytest.mark.parametrize(
    ("stands", "point"),
    [
        pytest.param(lambda house: None, None, id="chain unknown"),
        pytest.param(
            lambda house: stand(house, 10, NOON - SECOND),
            ChainPoint("local-v2", 10, NOON - SECOND),
            id="block applied",
        ),
        pytest.param(
            lambda house: stand(house, 10, NOON - 9 * SECOND, tip=(12, NOON - SECOND)),
            ChainPoint("local-v2", 12, NOON - SECOND),
            id="tip is further",
        ),
        pytest.param(
            lambda house: stand(house, 10, NOON + 3 * SECOND),
            ChainPoint("local-v2", 10, NOON + 3 * SECOND),
            id="our clock is behind",
        ),
        pytest.param(lambda house: stand(house, 10, NOON + 3600 * SECOND), None, id="our clock was set back"),
    ],
)
def test_register__chain__keeps_the_newest_block_known(house, stands, point):
    stands(house)
    assert register(house).point == point


def test_register__clock_in_the_past__takes_the_newest_block_of_then(house):
    stand(house, 500, NOON + 3600 * SECOND)
    with house.ledger.write() as session:
        for height, time in ((7, NOON - 6 * SECOND), (8, NOON), (9, NOON + 6 * SECOND)):
            session.add(BlockRow(chain_id="local-v2", height=height, hash=None, time_ns=time))
    assert register(house).point == ChainPoint("local-v2", 8, NOON)


def test_register__caller_knows_the_block__keeps_that(house):
    known = ChainPoint("local-v2", 3, NOON)
    assert register(house, known=known).point == known
