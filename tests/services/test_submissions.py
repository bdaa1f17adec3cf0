"""SDLs written for others: entered, located in their pull request, kept with every version, compared, verified."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from ledger.claims import CheckRow, ClaimRow, VerdictRow
from ledger.observations import BodyRow, load_observations
from ledger.people import AddressRow, ParticipantRow, RegistrationRow, RoleRow
from ledger.submissions import SubmittedSdlRow, versions_of
from services import reviews
from services.author_codes import author_codes
from services.claims import Submitted, submit
from services.errors import Conflict, Refused
from services.house import House
from services.reviews import Ballot
from services.settings import Settings
from tests import houses
from tests.codehost_double import CodeHostDouble, Fault, PullDouble
from tests.houses import NOON, later
from tests.reviewing import ADA, BEN, REVIEWER, claim_of, look
from tests.submissions import SDL
from verifiers.chain.client import Chain
from verifiers.codehost.client import CodeHost
from verifiers.sdl import check

CAMPAIGN = """\
campaign: sdl-test
revision: 1
title: A test of SDLs
summary: A campaign for tests.
terms: Be kind.
chain_id: local-v2
opens: 2026-11-01T00:00:00Z
closes: 2026-12-01T00:00:00Z
reward: {unit: USD, denom: uakt, rate: "0.85", budget: 5000}
tasks:
  - slug: pull
    kind: sdl_submission
    title: Write an SDL
    summary: A pull request.
    params: {repositories: [Net/Apps], own_run: false}
    reward: {amount: 60, slots: [{max: 10}]}
  - slug: paste
    kind: sdl_submission
    title: Write an SDL, no pull request
    summary: The text alone.
    params: {own_run: false}
    reward: {amount: 6, slots: [{max: 10}]}
  - slug: deploy
    kind: ai_deployment
    title: Deploy an app
    summary: One of the catalogue.
    params: {providers: 1, apps: [{slug: listed, title: A listed app, images: [example/listed]}]}
    reward: {amount: 10, slots: [{max: 10}]}
"""
LINK = "https://github.com/net/apps/pull/12"
SUBJECT = "github.com/Net/Apps#12:llm/deploy.yaml"


@pytest.fixture
def double() -> Iterator[CodeHostDouble]:
    with CodeHostDouble() as running:
        yield running


@pytest.fixture
def house(tmp_path: Path, double: CodeHostDouble) -> Iterator[House]:
    made = houses.make_house(tmp_path, campaign=CAMPAIGN)
    chain = Chain(("http://127.0.0.1:9",), ("http://127.0.0.1:9",), made.clock)
    codehost = CodeHost(double.url, made.clock)
    with made.ledger.write() as session:
        for who in (ADA, BEN):
            session.add(ParticipantRow(address=who.address, created_ns=NOON))
            session.flush()
            proved = {"proved_ns": NOON, "proof": "text", "linked_ns": NOON}
            session.add(AddressRow(address=who.address, participant=who.address, **proved))
            registered = {"rules_digest": "0" * 64, "received_ns": NOON}
            session.add(RegistrationRow(campaign="sdl-test", participant=who.address, **registered))
    yield replace(made, chain=chain, codehost=codehost)
    codehost.close()
    made.ledger.close()


@pytest.fixture
def pull(house: House, double: CodeHostDouble) -> PullDouble:
    """Ada's pull request, with her code and the sample SDL."""
    (code,) = author_codes(house.settings, "sdl-test", ADA.address)
    return double.add(PullDouble("Net/Apps", 12, f"A model.\n{code}", files={"llm/deploy.yaml": SDL.encode()}))


def send(house: House, text: str = SDL, who: str = ADA.address, link: str = LINK) -> Submitted:
    return submit(house, who, "pull", {"sdl": text, "pull_request": link})


def paste(house: House, text: str = SDL, who: str = ADA.address) -> Submitted:
    return submit(house, who, "paste", {"sdl": text})


def checks(house: House, claim: str) -> dict[str, str]:
    """Check: outcome, of the newest verdict."""
    with house.ledger.read() as session:
        verdict = select(func.max(VerdictRow.id)).where(VerdictRow.claim == claim).scalar_subquery()
        rows = session.scalars(select(CheckRow).where(CheckRow.verdict == verdict)).all()
        return {row.name: row.outcome for row in rows}


def versions(house: House, claim: str) -> list[SubmittedSdlRow]:
    with house.ledger.read() as session:
        return list(versions_of(session, claim))


@pytest.mark.usefixtures("pull")
def test_submit__pull_request__is_named_by_its_file_and_passes_at_its_receipt(house: House) -> None:
    made = send(house)
    look(later(house, 60))
    claim = claim_of(house, made.claim)
    assert (claim.subject, claim.outcome, claim.at_ns, claim.height) == (SUBJECT, "passed", NOON, None)
    assert claim.attributes == {"gpu_model": "a100"}
    assert claim.fields == {"pull_request": "https://github.com/Net/Apps/pull/12"}
    assert claim.settled
    (version,) = versions(house, made.claim)
    assert (version.text, version.number, version.received_ns) == (SDL, 1, NOON)


def test_submit__no_pull_request_asked__is_named_by_the_manifest_hash(house: House) -> None:
    made = paste(house)
    look(house)
    claim = claim_of(house, made.claim)
    assert (claim.subject, claim.outcome) == (check(SDL).manifest_hashes[0], "passed")


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({}, "sdl", "paste it"),
        ({"sdl": "version: '2.0'\nservices: 7\n"}, "sdl", "line 2"),
        ({"sdl": SDL + "#" * 70_000}, "sdl", "64 KiB"),
        ({"sdl": SDL, "pull_request": ""}, "pull_request", "github.com/Net/Apps"),
        ({"sdl": SDL, "pull_request": "https://github.com/net/others/pull/1"}, "pull_request", "github.com/Net/Apps"),
        ({"sdl": SDL, "pull_request": "http://169.254.169.254/pull/1"}, "pull_request", "link of the pull request"),
        ({"sdl": SDL, "pull_request": LINK, "path": "x"}, "path", "no field"),
    ],
    ids=["nothing", "not valid", "too large", "no link", "other repository", "hostile", "unknown field"],
)
def test_submit__not_whole__names_the_field_and_asks_nobody(
    house: House, double: CodeHostDouble, fields: dict[str, str], field: str, words: str
) -> None:
    with pytest.raises(Refused) as refused:
        submit(house, ADA.address, "pull", fields)
    assert refused.value.field == field
    assert words in str(refused.value)
    assert not double.asked


SECRETS = [
    ("- MODEL_REVISION=main", "- HF_TOKEN=x1y2z3", 7),
    ("- MODEL_REVISION=main", "- URL=https://me:hunter2@host.example/", 7),
    ('"--listen"', '"ghp_0123456789abcdefghij0123"', 5),
    ("services:\n", "services:\n# password in a note: AKIAABCDEFGHIJKLMNOP\n", 3),
    ("services:\n", "services:\n# -----BEGIN RSA PRIVATE KEY-----\n", 3),
    ("services:\n", f"services:\n# {' '.join(['abandon'] * 12)}\n", 3),
    ("    args:", "    credentials: {host: r.example, username: me, password: hunter2}\n    args:", 4),
]


@pytest.mark.parametrize(("old", "new", "line"), SECRETS, ids=[new[:30] for _, new, _ in SECRETS])
def test_submit__secret_in_the_sdl__is_refused_and_nothing_of_it_kept(
    house: House, old: str, new: str, line: int
) -> None:
    with pytest.raises(Refused, match="Nothing of it was kept") as refused:
        paste(house, SDL.replace(old, new))
    assert refused.value.field == "sdl"
    if line == 3:
        assert "line 3" in str(refused.value)
    for secret in ("hunter2", "x1y2z3", "ghp_", "AKIA", "abandon"):
        assert secret not in str(refused.value)
    with house.ledger.read() as session:
        for row in (ClaimRow, SubmittedSdlRow, BodyRow):
            assert session.scalar(select(func.count()).select_from(row)) == 0


@pytest.mark.usefixtures("pull")
def test_submit__the_same_again__is_the_same_claim_and_no_new_version(house: House) -> None:
    first, second = send(house), send(later(house, 60))
    look(later(house, 120))
    third = send(later(house, 180))
    assert (first.claim, first.is_new) == (second.claim, True)
    assert (second.is_new, third.is_new) == (False, False)
    assert len(versions(house, first.claim)) == 1
    assert claim_of(house, first.claim).outcome == "passed"


def test_submit__mended_after_a_failure__counts_from_the_mended_version(house: House, pull: PullDouble) -> None:
    pull.files = {"llm/deploy.yaml": SDL.replace(":1.4", ":latest").encode()}
    made = send(house, SDL.replace(":1.4", ":latest"))
    look(house)
    assert checks(house, made.claim)["images"] == "failed"
    assert claim_of(house, made.claim).settled
    pull.files, pull.head = {"llm/deploy.yaml": SDL.encode()}, "b" * 40
    again = send(later(house, 3600))
    assert (again.claim, again.is_new) == (made.claim, False)
    assert [version.number for version in versions(house, made.claim)] == [1, 2]
    look(later(house, 3660))
    claim = claim_of(house, made.claim)
    assert (claim.outcome, claim.at_ns) == ("passed", NOON + 3600 * 10**9)


def test_submit__same_text_after_a_failure__is_a_new_version_with_a_new_receipt(
    house: House, pull: PullDouble
) -> None:
    pull.state = "closed"
    made = send(house)
    look(house)
    assert claim_of(house, made.claim).outcome == "failed"
    pull.state = "open"
    send(later(house, 60))
    look(later(house, 120))
    claim = claim_of(house, made.claim)
    assert (claim.outcome, claim.at_ns) == ("passed", NOON + 60 * 10**9)


def test_submit__file_not_pushed_yet__is_failed_and_sent_again_is_named_by_its_file(
    house: House, pull: PullDouble
) -> None:
    pull.files = {}
    early = send(house)
    look(house)
    assert claim_of(house, early.claim).subject == "github.com/Net/Apps#12:"
    assert checks(house, early.claim)["file"] == "failed"
    pull.files, pull.head = {"llm/deploy.yaml": SDL.encode()}, "b" * 40
    made = send(later(house, 60))
    look(later(house, 120))
    claim = claim_of(house, made.claim)
    assert (claim.subject, claim.outcome) == (SUBJECT, "passed"), checks(house, made.claim)


@pytest.mark.usefixtures("pull")
def test_submit__code_host_down__keeps_the_receipt_and_is_unknown_until_it_answers(
    house: House, double: CodeHostDouble
) -> None:
    double.faults = [Fault("", 503)]
    made = send(house)
    look(house)
    claim = claim_of(house, made.claim)
    assert (claim.subject, claim.outcome, claim.holds_place) == ("github.com/Net/Apps#12:", "unknown", True)
    double.faults.clear()
    again = send(later(house, 60))
    assert again.claim == made.claim, "one file, one claim"
    look(later(house, 600))
    claim = claim_of(house, made.claim)
    assert (claim.outcome, claim.at_ns) == ("passed", NOON)


def test_submit__no_code_host_connected__is_unknown(house: House) -> None:
    alone = replace(house, codehost=None)
    made = send(alone)
    look(alone)
    assert claim_of(house, made.claim).outcome == "unknown"


@pytest.mark.usefixtures("pull")
def test_submit__pull_request_of_somebody_else__fails_by_the_code(house: House) -> None:
    made = send(house, who=BEN.address)
    look(house)
    assert checks(house, made.claim)["author"] == "failed"


def test_submit__copy_of_an_earlier_one__waits_for_a_reviewer_and_shows_which(house: House) -> None:
    original = paste(house)
    copy = paste(later(house, 60), SDL.replace("llm:", "chat:").replace("llm,", "chat,"), BEN.address)
    look(later(house, 120))
    assert claim_of(house, original.claim).outcome == "passed"
    claim = claim_of(house, copy.claim)
    assert (claim.outcome, claim.holds_place) == ("pending", True)
    assert checks(house, copy.claim) | {"review": "pending", "novelty": "passed"} == checks(house, copy.claim)
    with house.ledger.read() as session:
        row = session.scalars(select(CheckRow).where(CheckRow.name == "review")).one()
        seen = load_observations(session, row.observations)[row.observations[0]]
    assert original.claim in seen.body.decode()
    assert b'"structure_permille":1000' in seen.body


def test_review__of_a_copy__decides_and_its_receipt_counts(house: House) -> None:
    with house.ledger.write() as session:
        session.add(RoleRow(address=REVIEWER.address, role="reviewer"))
    paste(house)
    accepted = paste(later(house, 60), SDL.replace("2048", "1"), BEN.address).claim
    rejected = paste(later(house, 90), SDL.replace("2048", "2"), BEN.address).claim
    look(later(house, 120))
    for claim, act in ((accepted, "accept"), (rejected, "reject")):
        reviews.decide(later(house, 180), REVIEWER.address, claim, Ballot(act, "I have looked at both of them.", {}))
    look(later(house, 240))
    claim = claim_of(house, accepted)
    assert (claim.outcome, claim.at_ns) == ("passed", NOON + 60 * 10**9)
    assert claim_of(house, rejected).outcome == "failed"


def test_submit__app_of_the_catalogue__waits_for_a_reviewer(house: House) -> None:
    made = paste(house, SDL.replace("example/llm-server", "example/listed"))
    look(house)
    claim = claim_of(house, made.claim)
    assert (claim.outcome, claim.attributes["app"]) == ("pending", "listed")


def test_submit__another_version_while_one_is_looked_at__is_not_lost(house: House) -> None:
    made = paste(house)
    with house.ledger.write() as session:
        session.get_one(ClaimRow, made.claim).taken_by = "somebody"
    mended = SDL.replace("MAX_TOKENS=2048", "MAX_TOKENS=4096")
    assert paste(later(house, 60), mended).claim != made.claim, "without a pull request the hash is the subject"
    assert claim_of(house, made.claim).taken_by == "somebody"
    link = {"sdl": SDL, "pull_request": LINK}
    first = submit(house, ADA.address, "pull", link).claim
    with house.ledger.write() as session:
        session.get_one(ClaimRow, first).taken_by = "somebody"
    submit(later(house, 60), ADA.address, "pull", {**link, "sdl": mended})
    assert claim_of(house, first).taken_by is None


def test_submit__too_many_versions__is_refused(house: House) -> None:
    for number in range(50):
        send(house, SDL.replace("2048", str(number)))
    with pytest.raises(Conflict, match="50 versions"):
        send(house, SDL.replace("2048", "4096"))


def test_submit__many_open_claims__asks_the_code_host_no_more(house: House, double: CodeHostDouble) -> None:
    double.repositories.add("Net/Apps")
    for number in range(20):
        send(house, link=LINK.replace("12", str(100 + number)))
    asked = len(double.asked)
    with pytest.raises(Conflict, match="not decided yet"):
        send(house, link=LINK.replace("12", "200"))
    assert len(double.asked) == asked
    send(house, SDL.replace("2048", "1"), link=LINK.replace("12", "100"))


def test_submit__after_the_close__is_refused(house: House) -> None:
    with pytest.raises(Conflict, match="closed"):
        paste(later(house, 30 * 86_400))


def test_author_codes__bound_to_campaign_participant_and_each_key() -> None:
    settings = Settings(_env_file=None, secret_keys=(SecretStr("new"), SecretStr("old")))
    older = Settings(_env_file=None, secret_keys=(SecretStr("old"),))
    codes = author_codes(settings, "one", "akash1a")
    assert codes[1:] == author_codes(older, "one", "akash1a")
    every = {*codes, *author_codes(settings, "two", "akash1a"), *author_codes(settings, "one", "akash1b")}
    assert len(every) == 6
    assert all(len(code) == 24 for code in every)
