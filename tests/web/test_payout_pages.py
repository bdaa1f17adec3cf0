"""The pages of payouts: who sees and does what, the way of a payout by its forms, what everybody reads."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from devnet.faults import Fault
from services.house import House
from services.payout_records import batch, exported_file, payout
from tasks.payout.sealing import Part
from tests.payout_forms import HOSTILE, PLAN, exported, good_file, handed_in, planned, read, sent, shown, signed
from tests.payout_houses import APPROVER, THIRD, TREASURER, make_final, proof
from tests.payout_lines import person
from tests.payout_sites import SECRET, TREASURY, Site, payout_site
from tests.wallets import Keyholder
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


def test_whole_way__by_the_pages__the_participant_sees_the_hash(site: Site, app: Flask) -> None:
    treasurer = exported(site, app)
    public = site.client(app, None)
    words = read(public, f"/participants/{person(0)}")
    assert "Not yet Payout 1: on the way: waits for its signatures." in words
    status, html = handed_in(site, treasurer, good_file(site))
    assert status == 302, shown(html)
    (stored,) = batch(site.house, "p1-0001").signed
    page = "/organize/batches/p1-0001"
    assert sent(treasurer, page, f"{page}/broadcast", hash=stored.hash)[0] == 422
    assert sent(treasurer, page, f"{page}/broadcast", hash="0" * 64, sure="y")[0] == 422
    assert batch(site.house, "p1-0001").state == "signed"
    assert sent(treasurer, page, f"{page}/broadcast", hash=stored.hash, sure="y")[0] == 302
    assert "The node took it. That proves no payment" in read(treasurer, page)
    assert "on the way: sent to the chain" in read(public, f"/participants/{person(0)}")
    site.pass_blocks(5)
    assert sent(treasurer, page, f"{page}/reconcile")[0] == 302
    assert "Included. Nothing: every row is paid." in read(treasurer, page)
    html = public.get(f"/participants/{person(0)}").get_data(as_text=True)
    assert html.count(f'href="https://explorer.example/tx/{stored.hash}"') == 3, "two claims and the table"
    assert "Paid with payout 1 on waymark-demo-pay-1" in shown(html)
    assert f"block {batch(site.house, 'p1-0001').found.tx_height:,}" in shown(html)  # type: ignore[union-attr]
    report = read(public, "/payouts/1")
    assert "Everything of it is paid: 100.000000 AKT to 2 addresses." in report
    assert "1 AKT = 0.5 USD, as of 2026-12-10 11:00 UTC" in report
    assert "not payable" in report
    assert "USD earned = 50.00 paid + 71.66 open + 53.33 withheld" in read(treasurer, "/organize/payouts")
    assert "Payout 1 100.000000 AKT 100.000000 AKT 0.000000 AKT" in read(treasurer, "/organize/balance")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("rate", "one half", "is not a rate such as 0.85"),
        ("rate", "0", "above zero"),
        ("rate", "=1+1", "is not a rate"),
        ("rate_source", "", "Say where the rate is from"),
        ("rate_source", "x" * 201, "Say where the rate is from"),
        ("rate_at", "yesterday", "yesterday"),
        ("rate_at", "2027-01-01T00:00:00Z", "lies in the future"),
        ("minimum", "-1", "is not an amount"),
        ("minimum", "0.0000001", "more than six decimals"),
        ("payer", "akash1nobody", "We can't pay from this account"),
        ("payer", "", "We can't pay from this account"),
        ("payer", person(7), "knows no account"),
        ("task", "nothing", "nothing"),
    ],
)
def test_plan__a_wrong_field__is_marked_and_nothing_is_stored(
    site: Site, app: Flask, field: str, value: str, words: str
) -> None:
    status, html = sent(site.client(app, "treasurer"), "/organize/payouts/plan", **PLAN | {field: value, "look": "1"})
    assert status in {404, 422}
    assert words in shown(html)
    if field != "task":
        assert f'id="error-{field}"' in html
        assert f'value="{TREASURY.address}"' in html or field == "payer", "what was entered stays"
    assert "No payout is planned yet" in read(site.client(app, "treasurer"), "/organize/payouts")


def test_plan__empty_form__marks_everything_at_once(site: Site, app: Flask) -> None:
    site.net.faults.add(Fault("status", status=503))
    empty = {"rate": "", "rate_at": "", "payer": "", "look": "1"}
    status, html = sent(site.client(app, "treasurer"), "/organize/payouts/plan", **empty)
    assert status == 422
    for field in ("rate", "rate_source", "rate_at", "payer"):
        assert f'id="error-{field}"' in html
    assert shown(html).count("Please mend what is marked") == 1


def test_plan__changed_since_the_preview__is_shown_again_instead_of_stored(site: Site, app: Flask) -> None:
    treasurer = site.client(app, "treasurer")
    status, html = sent(treasurer, "/organize/payouts/plan", **PLAN | {"store": "1", "expected": "0" * 64})
    assert status == 409
    assert "changed since you looked" in shown(html)
    assert "Payout 1 would be" in shown(html)
    make_final(site.house, "both")
    status, html = sent(treasurer, "/organize/payouts/plan", **PLAN | {"look": "1", "minimum": "25"})
    words = shown(html)
    assert "35.00 USD = 70.000000 AKT to 1 person" in words
    assert "Below the plan's minimum" in words
    assert f"Withheld: not payable: {SECRET}" in words


def test_plan__nobody_to_pay__says_so_and_offers_nothing_to_store(site: Site, app: Flask) -> None:
    treasurer = site.client(app, "treasurer")
    for task, words in (("both", "Each reason stands below"), ("", "")):
        status, html = sent(treasurer, "/organize/payouts/plan", **PLAN | {"look": "1", "task": task})
        assert status == 200
        assert ("Nobody can be paid now" in shown(html)) is bool(words)
        assert words in shown(html)
        assert ("Store this plan" in html) is not bool(words)


def test_plan__no_chain_or_one_that_does_not_answer__is_ours(site: Site, app: Flask) -> None:
    site.net.settings.halted_at = 1
    lost = create_web(House(site.house.settings, site.house.ledger, site.house.clock))
    treasurer = site.client(lost, "treasurer")
    status, html = sent(treasurer, "/organize/payouts/plan", **PLAN | {"look": "1"})
    assert status == 503
    assert "This is on our side." in shown(html)
    assert "WAYMARK_PAYOUT_REST" in shown(html)
    assert "WAYMARK_PAYOUT_REST" in read(treasurer, "/organize/payouts")


def test_signatures__planner_then_another_person__nobody_twice(site: Site, app: Flask) -> None:
    treasurer, approver = site.client(app, "treasurer"), site.client(app, "approver")
    planned(treasurer)
    assert read(approver, "/organize/payouts/1").count("With the command line") == 0
    assert signed(site, approver, Part.APPROVER, APPROVER)[0] == 409
    status, html = sent(treasurer, "/organize/payouts/1", "/organize/payouts/1/sign", proof="{}")
    assert (status, "no signed transaction" in shown(html)) == (422, True)
    assert 'id="proof-error"' in html
    forged = json.dumps(proof(payout(site.house, 1), Part.PLANNER, TREASURER)).replace("plan ", "approve ")
    assert sent(treasurer, "/organize/payouts/1", "/organize/payouts/1/sign", proof=forged)[0] == 422
    assert signed(site, treasurer, Part.PLANNER, TREASURER)[0] == 302
    assert signed(site, treasurer, Part.APPROVER, TREASURER)[0] == 403
    assert "With the command line" not in read(treasurer, "/organize/payouts/1")
    file = approver.get("/organize/payouts/1/proof.json")
    assert payout(site.house, 1).digest in file.get_json()["body"]["memo"]
    assert treasurer.get("/organize/payouts/1/proof.json").status_code == 404
    assert "Waits for approval" in read(treasurer, "/organize/payouts")
    assert signed(site, approver, Part.APPROVER, APPROVER)[0] == 302
    assert payout(site.house, 1).state == "approved"
    assert signed(site, site.client(app, "third"), Part.APPROVER, THIRD)[0] == 409


@pytest.mark.parametrize("who", ["treasurer", "approver", "organizer", None])
def test_acts__on_a_draft__only_the_treasurer_has_buttons(site: Site, app: Flask, who: str | None) -> None:
    planned(site.client(app, "treasurer"))
    html = site.client(app, who).get("/organize/payouts/1").get_data(as_text=True)
    assert ("Discard" in html) is (who == "treasurer")
    assert ("data-wallet-buttons" in html) is (who == "treasurer")


def test_discard__a_draft__frees_what_it_held(site: Site, app: Flask) -> None:
    treasurer = site.client(app, "treasurer")
    planned(treasurer)
    assert "In payout 2 50.00" in read(treasurer, "/organize/payouts")
    assert sent(treasurer, "/organize/payouts/1", "/organize/payouts/1/discard")[0] == 302
    assert "Payable 2 50.00" in read(treasurer, "/organize/payouts")
    status, html = sent(treasurer, "/organize/payouts", "/organize/payouts/1/discard")
    assert (status, "can be given up" in shown(html)) == (409, True)
    assert read(site.client(app, None), "/payouts").count("Nothing was paid yet") == 1
    read(site.client(app, None), "/payouts/1", 404)
    assert "Payout 1" not in read(site.client(app, None), f"/participants/{person(0)}")


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"", 422, "Choose the signed file"),
        (b"not json", 422, "Hand in the file that the command line wrote"),
        (b"[" * 10_000, 422, "Hand in the file that the command line wrote"),
        (b"\xff\xfe\x00" * 100, 422, "Hand in the file that the command line wrote"),
        (b"{}", 422, "Hand in the file that the command line wrote"),
        (f'{{"body": "{HOSTILE}"}}'.encode(), 422, "Hand in the file that the command line wrote"),
        (b"x" * (900 * 1024), 422, "Hand in the file that the command line wrote"),
    ],
    ids=["nothing", "text", "nested", "bytes", "empty", "html", "900-kib"],
)
def test_signed_file__hostile__is_refused_with_what_to_do(
    site: Site, app: Flask, content: bytes, status: int, words: str
) -> None:
    treasurer = exported(site, app)
    found, html = handed_in(site, treasurer, content)
    assert (found, words in shown(html)) == (status, True), shown(html)
    assert HOSTILE not in html
    assert batch(site.house, "p1-0001").signed == ()


def test_signed_file__of_10_mib__is_refused_before_it_is_read(site: Site, app: Flask) -> None:
    treasurer = exported(site, app)
    status, html = handed_in(site, treasurer, b"{" * (10 * 1024 * 1024))
    assert (status, "at most 1 MiB" in shown(html)) == (413, True)


def test_signed_file__each_mistake__has_its_row(site: Site, app: Flask) -> None:
    treasurer = exported(site, app)
    good = good_file(site)
    unsigned = treasurer.get("/organize/payouts/1/files/p1-0001.unsigned.json").get_data(as_text=True)
    assert "Sign it, then hand in what that wrote." in shown(handed_in(site, treasurer, unsigned)[1])
    words = shown(handed_in(site, treasurer, good.replace('"60000000"', '"70000000"'))[1])
    assert "Not approved A node would take it" in words
    assert "sdk 4" in words
    assert "Not taken Nothing was stored" in words
    assert "with the sequence that the account has now" in shown(handed_in(site, treasurer, good_file(site, 7))[1])
    status, html = sent(
        treasurer, "/organize/batches/p1-0001", "/organize/batches/p1-0001/signed", text=f"\n {good} "
    )
    assert status == 302, shown(html)
    assert batch(site.house, "p1-0001").state == "signed"


def test_files__downloaded__are_the_same_bytes_and_no_formula(site: Site, app: Flask) -> None:
    treasurer = exported(site, app)
    path = "/organize/payouts/1/files/"
    for name in ("p1-0001.unsigned.json", "payout-1.csv", "payout-1-people.csv", "payout-1-commands.txt"):
        first, second = treasurer.get(path + name), treasurer.get(path + name)
        assert (first.status_code, first.data) == (200, second.data)
        assert first.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert treasurer.get(f"{path}other.json").status_code == 404
    with site.house.ledger.read() as session:
        assert treasurer.get(f"{path}p1-0001.unsigned.json").data == exported_file(session, 1)


def test_commands__with_names__quote_them_and_take_no_options(site: Site, app: Flask) -> None:
    treasurer = exported(site, app)
    text = read(treasurer, "/organize/payouts/1/commands?key=trea%27sury&members=a+b,--yes,c%0Ad&ledger=a+b")
    assert "--from 'a b' --multisig" in text
    assert "--ledger" in text
    assert "--from --yes" not in text
    assert "c\nd" not in text
    assert "multi-sign" in text


def test_report__files_and_api__say_the_same(site: Site, app: Flask) -> None:
    exported(site, app)
    public = site.client(app, None)
    whole = public.get("/payouts/1.json").get_json()
    answer = public.get("/api/v1/payouts/1").get_json()
    rows = public.get("/api/v1/payouts/1/rows").get_json()
    assert {key: value for key, value in whole.items() if key != "rows"} == answer
    assert whole["rows"] == rows["items"]
    assert [(row["participant"], row["amount_micro"], row["amount_uakt"], row["state"]) for row in whole["rows"]] == [
        (person(0), 30_000_000, "60000000", "exported"), (person(1), 20_000_000, "40000000", "exported"),
    ]  # fmt: skip
    assert answer["summary"] == public.get("/api/v1/payouts").get_json()["items"][0]
    assert (answer["summary"]["waiting_uakt"], answer["summary"]["paid_uakt"]) == ("100000000", "0")
    reasons = {row["participant"]: row["reason"] for row in answer["not_paid"] if row["participant"] == person(2)}
    assert reasons == {person(2): "not payable"}
    table = list(csv.DictReader(io.StringIO(public.get("/payouts/1.csv").get_data(as_text=True))))
    assert sum(int(row["amount_uakt"]) for row in table) == 100_000_000
    assert not any(value[:1] in set("=+-@\t\r") for row in table for value in row.values())
    for path in ("/payouts/1", "/payouts/1.json", "/payouts/1.csv", "/api/v1/payouts/1", "/payouts"):
        assert SECRET not in public.get(path).get_data(as_text=True)


READ = (
    "/organize/payouts", "/organize/payouts/1", "/organize/payouts/1/commands", "/organize/batches/p1-0001",
    "/organize/payouts/1/files/payout-1.csv", "/organize/balance",
)  # fmt: skip
ACTS = (
    "/organize/payouts/plan", "/organize/payouts/1/discard", "/organize/payouts/1/again",
    "/organize/payouts/1/export", "/organize/payouts/1/reconcile", "/organize/payouts/1/signed",
    "/organize/batches/p1-0001/signed",
    "/organize/batches/p1-0001/broadcast", "/organize/batches/p1-0001/reconcile", "/organize/batches/p1-0001/word",
)  # fmt: skip
SIGNATURES = ("/organize/payouts/1/sign",)


def test_access__every_route_by_every_role__is_denied_by_default(site: Site, app: Flask) -> None:
    exported(site, app)
    participant = Keyholder("somebody with an account")
    for who, reads, signs, acts in (
        (None, 302, 401, 401), (participant, 403, 403, 403), ("organizer", 200, 403, 403), ("approver", 200, 0, 403),
        ("treasurer", 200, 0, 0),
    ):  # fmt: skip
        client = site.client(app, who)
        for path in READ:
            assert client.get(path).status_code == reads, (who, path)
        for paths, status in ((SIGNATURES, signs), (ACTS, acts)):
            for path in paths:
                found = client.post(path).status_code
                # Who may do it is asked for the page's token.
                assert found == (status or 400), (who, path)
    assert batch(site.house, "p1-0001").state == "exported"
