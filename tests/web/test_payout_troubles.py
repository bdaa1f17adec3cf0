"""Payouts that expire, pay some rows or are meddled with, on their pages; what programs are told."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from devnet.faults import Fault
from devnet.signing import raw_of
from services.payout_records import batch, exported_file, payout
from tests.payout_forms import HOSTILE, exported, good_file, handed_in, planned, read, sent, shown
from tests.payout_houses import earn, register
from tests.payout_lines import person
from tests.payout_sites import Site, payout_site, signed_by_two
from verifiers.chain import transactions
from web.factory import create_web
from web.security import limiter


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with payout_site(tmp_path, payout_explorer_url="https://explorer.example/tx/{tx}") as made:
        yield made


@pytest.fixture
def app(site: Site) -> Flask:
    app = create_web(site.house)
    limiter.reset()
    return app


def test_balance__a_row_changed_behind_our_back__is_an_alarm(site: Site, app: Flask) -> None:
    exported(site, app)
    organizer = site.client(app, "organizer")
    assert "The books agree" in read(organizer, "/organize/balance")
    with site.house.ledger.write() as session:
        session.connection().exec_driver_sql("UPDATE payout_rows SET amount_micro = amount_micro + 1 WHERE place = 0")
    for path in ("/organize/balance", "/organize/payouts"):
        words = read(organizer, path)
        assert "The books do not agree" in words
        assert "before this is understood" in words


def changed(site: Site, **outputs: int) -> str:
    """The first batch's file with other amounts (by address), signed by two: what somebody might send by mistake."""
    with site.house.ledger.read() as session:
        unsigned = json.loads(exported_file(session, batch(site.house, "p1-0001").id) or b"")
    message = unsigned["body"]["messages"][0]
    message["outputs"] = [
        {"address": address, "coins": [{"denom": "uakt", "amount": str(amount)}]}
        for address, amount in outputs.items()
    ]
    message["inputs"][0]["coins"][0]["amount"] = str(sum(outputs.values()))
    return signed_by_two(json.dumps(unsigned), 0)


def sent_elsewhere(site: Site, signed: str) -> str:
    """Send a signed file past the platform and let its block come; its hash in capitals."""
    raw = raw_of(json.loads(signed))
    chain = site.house.payout_chain
    assert chain is not None
    transactions.broadcast(chain, raw)
    site.pass_blocks(2)
    return hashlib.sha256(raw).hexdigest().upper()


def test_expired__provably_dead__is_planned_again_and_signed_anew(tmp_path: Path) -> None:
    with payout_site(tmp_path, payout_timeout_blocks=20) as site:
        app = create_web(site.house)
        limiter.reset()
        treasurer = exported(site, app)
        assert sent(treasurer, "/organize/payouts/1", "/organize/payouts/1/again")[0] == 409
        site.pass_blocks(40)
        for _ in range(2):
            assert sent(treasurer, "/organize/payouts/1", "/organize/payouts/1/reconcile")[0] == 302
        words = read(treasurer, "/organize/payouts/1")
        assert "Never paid It can't be paid any more." in words
        assert "Expired. Nobody was paid and nobody can be" in read(treasurer, "/organize/batches/p1-0001")
        public = site.client(app, None)
        assert "owed again" in read(public, "/payouts/1")
        assert "Payout 1" not in read(public, f"/participants/{person(0)}")
        assert sent(treasurer, "/organize/payouts/1", "/organize/payouts/1/again")[0] == 302
        words = read(treasurer, "/organize/payouts/1")
        assert "p1-0001.2" in words
        assert "Its rows are in a later batch." in words
        assert "Draft Treasurer: sign the plan" in words
        assert "Not yet planned, waits for approval" in read(public, "/payouts/1")


def test_question__a_transaction_paid_some_rows__a_person_says_which(tmp_path: Path) -> None:
    with payout_site(tmp_path, payout_timeout_blocks=20) as site:
        app = create_web(site.house)
        limiter.reset()
        treasurer, public = exported(site, app), site.client(app, None)
        tx_hash = sent_elsewhere(site, changed(site, **{person(0): 60_000_000, person(5): 1}))
        page = "/organize/batches/p1-0001"
        assert sent(treasurer, page, f"{page}/reconcile", hash="no hash")[0] == 422
        assert sent(treasurer, page, f"{page}/reconcile", hash="0" * 64)[0] == 404
        assert sent(treasurer, page, f"{page}/reconcile", hash=tx_hash.lower())[0] == 302
        words = read(treasurer, page)
        assert "A person must decide" in words
        assert "Partly foreign." in words
        assert "1 transaction that paid 1 of its 2 rows" in words
        assert "the organizers look at its transaction" in read(public, f"/participants/{person(0)}")
        assert tx_hash not in public.get("/payouts/1").get_data(as_text=True), "it proves nothing yet"
        partly = {"word": "say partly paid", "reason": "the second row was mistyped"}
        assert sent(treasurer, page, f"{page}/word", **partly | {"word": "perhaps"})[0] == 422
        assert sent(treasurer, page, f"{page}/word", **partly | {"reason": " "})[0] == 422
        status, html = sent(treasurer, page, f"{page}/word", **partly)
        assert (status, "past its timeout" in shown(html)) == (409, True)
        site.pass_blocks(40)
        for _ in range(2):
            assert sent(treasurer, page, f"{page}/reconcile")[0] == 302
        assert sent(treasurer, page, f"{page}/word", **partly)[0] == 302
        assert "Partly paid" in read(treasurer, page)
        report = read(public, "/payouts/1")
        assert "60.000000 AKT of 100.000000 AKT are paid so far." in report
        assert report.count("not paid by this one, owed again") == 1
        assert "Paid" in read(public, f"/participants/{person(0)}")
        assert "Payout 1" not in read(public, f"/participants/{person(1)}")
        assert "The books agree" in read(treasurer, "/organize/balance")


def test_paid_twice__found_later__is_an_alarm_though_the_rows_are_paid(site: Site, app: Flask) -> None:
    treasurer = exported(site, app)
    page = "/organize/batches/p1-0001"
    for sequence, words in (
        (0, "Paid Nobody needs to do anything."),
        (1, "Paid twice Treasurer: ask for the second"),
    ):
        sent_elsewhere(site, good_file(site, sequence))
        site.pass_blocks(5)
        assert sent(treasurer, page, f"{page}/reconcile")[0] == 302
        assert words in read(treasurer, page)
    assert "Paid twice" in read(treasurer, "/organize/payouts")
    assert "Paid twice" in read(treasurer, "/organize/payouts/1")
    assert "Everything of it is paid" in read(site.client(app, None), "/payouts/1")


def test_look__nodes_that_do_not_answer__are_ours(site: Site, app: Flask) -> None:
    treasurer = exported(site, app)
    page = "/organize/batches/p1-0001"
    site.net.faults.add(Fault("status", status=503))
    assert sent(treasurer, page, f"{page}/reconcile")[0] == 302
    words = read(treasurer, page)
    assert "We could not look This is on our side. Unreachable." in words
    status, html = handed_in(site, treasurer, good_file(site))
    assert (status, "This is on our side. Nothing was changed." in shown(html)) == (503, True)
    assert batch(site.house, "p1-0001").state == "exported"


def test_several_files__handed_in_together__each_finds_its_batch(site: Site, app: Flask) -> None:
    register(site.house, range(10, 55))
    earn(site.house, [(number, 1) for number in range(10, 55)])
    treasurer = exported(site, app, has_ledger="y")
    page = "/organize/payouts/1"
    assert sent(treasurer, page, f"{page}/signed")[0] == 422
    files = [
        (io.BytesIO(good_file(site, 1, "p1-0002").encode()), "second.json"),
        (io.BytesIO(good_file(site, 0).replace("p1-0001", "p9-0001").encode()), f"{HOSTILE}.json"),
        (io.BytesIO(b"nothing"), "../../notes.txt"),
        (io.BytesIO(good_file(site, 0).encode()), "first.json"),
    ]
    status, html = sent(treasurer, page, f"{page}/signed", files=files)
    words = shown(html)
    assert status == 422
    assert HOSTILE not in html
    assert "first.json p1-0001 Good and stored" in words
    assert "second.json p1-0002 Good and stored" in words
    assert "notes.txt none Not taken The file is neither" in words
    assert "is none of this payout's" in words
    assert [len(batch(site.house, name).signed) for name in ("p1-0001", "p1-0002")] == [1, 1]
    again = [(io.BytesIO(good_file(site, 1, "p1-0002").encode()), "second.json")]
    status, html = sent(treasurer, page, f"{page}/signed", files=again)
    assert (status, "Good, stored before" in shown(html)) == (200, True)


def test_wallet_api__another_role_or_part__is_refused(site: Site, app: Flask) -> None:
    planned(site.client(app, "treasurer"))
    for who, part, status in (
        (None, "planner", 401), ("organizer", "planner", 403), ("approver", "planner", 403),
        ("approver", "approver", 409), ("treasurer", "approver", 403), ("treasurer", "other", 404),
        ("treasurer", "planner", 200),
    ):  # fmt: skip
        client, headers = site.client(app, who), {"X-CSRF-Token": "a-token"}
        url = f"/api/v1/payouts/1/signatures/{part}"
        assert client.post(f"{url}/challenge", json={}, headers=headers).status_code == status, (who, part)
    assert client.post(f"{url}/challenge", json={}).status_code == 400, "without the token"
    wrong = {"challenge_id": "1", "pub_key": "", "signature": ""}
    assert client.post(url, json=wrong, headers=headers).status_code == 401
    assert payout(site.house, 1).approvals == ()


def test_participant_api__an_award__names_its_payment(site: Site, app: Flask) -> None:
    exported(site, app)
    answer = site.client(app, None).get(f"/api/v1/participants/{person(0)}").get_json()
    payments = [award["payment"] for claim in answer["claims"] for award in claim["awards"]]
    assert {(each["payout"], each["batch"], each["state"], each["tx_hash"]) for each in payments} == {
        (1, "p1-0001", "exported", None)
    }
    assert all(award["payment"] is None for award in answer["awards"])
