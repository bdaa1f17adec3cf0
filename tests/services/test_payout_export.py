"""Exports: the same bytes for ever, what stops one, its tables and commands; signed files judged and stored."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from ledger.payouts import PayoutRecipientRow
from ledger.people import PersonalRow
from services.eligibility import Entered, set_eligibility
from services.errors import Conflict, NotFound, Refused, Unavailable
from services.house import House
from services.payout_checking import check_signed
from services.payout_export import Signers, export, files
from services.payout_planning import discard
from services.payout_records import batch, payout
from tests.houses import later
from tests.payout_houses import FACTS, PAYER, approved, drafted, earn, make_house, signed_file, state
from tests.payout_lines import person
from verifiers.payout.files import read_signed


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = make_house(tmp_path)
    approved(made, drafted(made))
    return made


def good(house: House) -> str:
    return signed_file(house, "p1-0001", 4)


def exported(house: House) -> House:
    export(house, "operator", 1, FACTS)
    return house


def test_export__approved__freezes_what_is_signed(house: House) -> None:
    view = export(house, "operator", 1, FACTS, 500)
    frozen = view.batches[0].exported
    assert frozen is not None
    assert (frozen.height, frozen.timeout_height, frozen.account_number, frozen.sequence) == (1_000, 1_500, 17, 4)
    file = json.loads(files(house, 1)["p1-0001.unsigned.json"])
    assert file["body"]["timeout_height"] == "1500"
    assert file["body"]["memo"] == view.batches[0].memo
    sent = file["body"]["messages"][0]
    assert sent["inputs"] == [{"address": PAYER, "coins": [{"denom": "uakt", "amount": "120000000"}]}]
    assert {each["address"]: each["coins"][0]["amount"] for each in sent["outputs"]} == {
        person(0): "20000000",
        person(1): "40000000",
        person(2): "60000000",
    }


def test_export__again__the_same_bytes_whatever_changed_meanwhile(house: House) -> None:
    exported(house)
    first = files(house, 1)
    set_eligibility(house, "organizer", Entered(person(0), "withheld", "asks for papers"))
    earn(house, [(0, -3)])
    view = export(later(house, 9_000), "another", 1, replace(FACTS, height=9_999, sequence=9), 77)
    assert str(view.state) == "exported"
    assert files(house, 1) == first
    unsigned = first["p1-0001.unsigned.json"]
    assert view.batches[0].exported is not None
    assert hashlib.sha256(unsigned).hexdigest() == view.batches[0].exported.sha256


def test_export__as_sends__one_message_for_each_row(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    approved(house, drafted(house, as_sends=True))
    exported(house)
    messages = json.loads(files(house, 1)["p1-0001.unsigned.json"])["body"]["messages"]
    assert [each["@type"] for each in messages] == ["/cosmos.bank.v1beta1.MsgSend"] * 3


def test_export__several_batches__sequences_follow_each_other(tmp_path: Path) -> None:
    house = make_house(tmp_path, [1] * 90)
    approved(house, drafted(house, has_ledger=True))
    exported(house)
    assert [each.exported.sequence for each in payout(house, 1).batches if each.exported] == [4, 5, 6]
    earn(house, [(0, 1)])
    approved(house, drafted(house))
    assert export(house, "operator", 2, FACTS).batches[0].exported.sequence == 7  # type: ignore[union-attr]


def withheld(house: House) -> None:
    set_eligibility(house, "organizer", Entered(person(0), "withheld", "asks for papers"))


def corrected(house: House) -> None:
    earn(house, [(0, -3)])


def altered(house: House) -> None:
    with house.ledger.write() as session:
        session.execute(update(PayoutRecipientRow).values(recipient=person(9)).where(PayoutRecipientRow.place == 0))


def discarded(house: House) -> None:
    discard(house, "operator", 1)


@pytest.mark.parametrize(
    ("before", "facts", "text"),
    [
        pytest.param(None, {"balance_uakt": 120_000_000}, "Fund it first", id="too little for the fee"),
        pytest.param(None, {"address": person(5)}, "is paid by", id="another account"),
        pytest.param(None, {"chain_id": "akashnet-2"}, "is paid by", id="another chain"),
        pytest.param(withheld, {}, "plan anew", id="withheld since"),
        pytest.param(corrected, {}, "plan anew", id="corrected since"),
        pytest.param(altered, {}, "not those that were approved", id="rows altered"),
        pytest.param(discarded, {}, "was discarded", id="discarded"),
    ],
)
def test_export__what_stands_against_it__refused_and_nothing_frozen(
    house: House, before: Callable[[House], None] | None, facts: dict[str, Any], text: str
) -> None:
    if before is not None:
        before(house)
    with pytest.raises(Conflict, match=text):
        export(house, "operator", 1, replace(FACTS, **facts))
    assert payout(house, 1).batches[0].exported is None


def test_export__not_signed_yet__says_what_is_missing(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    drafted(house)
    for act in (lambda: export(house, "operator", 1, FACTS), lambda: files(house, 1)):
        with pytest.raises(Conflict, match="planner's signature"):
            act()
    with pytest.raises(NotFound, match="There are 1 to 1"):
        export(house, "operator", 7, FACTS)


def test_export__no_height_or_no_time__refused(house: House) -> None:
    with pytest.raises(Unavailable):
        export(house, "operator", 1, replace(FACTS, height=None))
    for life in (0, -5, 1_000_001):
        with pytest.raises(Refused):
            export(house, "operator", 1, FACTS, life)


def test_files__tables__sum_to_the_payout_and_hold_no_formula(house: House) -> None:
    with house.ledger.write() as session:
        session.add(PersonalRow(participant=person(1), display_name="=cmd|' /C calc'!A0", contact=None))
    exported(house)
    made = files(house, 1)
    machine = list(csv.DictReader(io.StringIO(made["payout-1.csv"].decode())))
    assert list(machine[0]) == ["recipient", "amount_uakt", "denom", "batch", "award_ids"]
    assert sum(int(row["amount_uakt"]) for row in machine) == payout(house, 1).total_uakt
    assert hashlib.sha256(made["payout-1.csv"]).hexdigest() == payout(house, 1).batches[0].rows_hash
    people = list(csv.reader(io.StringIO(made["payout-1-people.csv"].decode())))
    assert "'=cmd|' /C calc'!A0" in {row[1] for row in people}


def test_files__commands__every_way_with_the_names_given(tmp_path: Path) -> None:
    house = make_house(tmp_path, payout_node="https://rpc.pay.example", payout_program="akash-next")
    approved(house, drafted(house))
    exported(house)
    text = files(house, 1, Signers("safe", ("ann", "bob"), ("bob",)))["payout-1-commands.txt"].decode()
    for part in ("multi-sign", "multisign", "validate-signatures", "broadcast", "--ledger", "--from safe",
                 "--from ann",
                 "--node https://rpc.pay.example:443", "akash-next tx sign", "--sequence 4", "--account-number 17",
                 "--chain-id pay-local-1", f"--multisig {PAYER}"):  # fmt: skip
        assert part in text


def test_check_signed__good__stored_with_its_hash_before_any_broadcast(house: House) -> None:
    exported(house)
    file = signed_file(house, "p1-0001", 4)
    judged = check_signed(house, "operator", "p1-0001", file, FACTS)
    assert (judged.is_stored, judged.is_new, str(judged.batch.state)) == (True, True, "signed")
    assert [each.hash for each in batch(house, "p1-0001").signed] == [read_signed(file).hash]
    again = check_signed(house, "operator", "p1-0001", file.encode(), FACTS)
    assert (again.is_stored, again.is_new) == (True, False)
    assert len(batch(house, "p1-0001").signed) == 1


def test_check_signed__other_members_same_sequence__stored_beside_it(house: House) -> None:
    exported(house)
    for marked in ((0, 2), (1, 2)):
        judged = check_signed(house, "operator", "p1-0001", signed_file(house, "p1-0001", 4, marked), FACTS)
        assert judged.is_new
    assert len({each.hash for each in batch(house, "p1-0001").signed}) == 2


@pytest.mark.parametrize(
    ("make", "facts", "finding"),
    [
        pytest.param(lambda house: signed_file(house, "p1-0001", 5), {}, "wrong_sequence", id="sequence"),
        pytest.param(lambda house: signed_file(house, "p1-0001", 4, (1,)), {}, None, id="too few members"),
        pytest.param(good, {"height": 99_999}, "expired", id="late"),
        pytest.param(good, {"balance_uakt": 9}, "fee_not_covered", id="poor"),
        pytest.param(lambda house: files(house, 1)["p1-0001.unsigned.json"], {}, "not_signed", id="not signed"),
        pytest.param(lambda _: b"\xff\x00", {}, "unreadable", id="no text"),
        pytest.param(
            lambda house: good(house).replace("20000000", "20000001", 1), {}, None, id="altered"
        ),
        pytest.param(
            lambda house: signed_file(house, "p1-0001", 4, facts=replace(FACTS, chain_id="akashnet-2")), {}, None,
            id="for another chain",
        ),
    ],
)  # fmt: skip
def test_check_signed__anything_wrong__said_and_nothing_stored(
    house: House, make: Callable[[House], str | bytes], facts: dict[str, Any], finding: str | None
) -> None:
    exported(house)
    judged = check_signed(house, "operator", "p1-0001", make(house), replace(FACTS, **facts))
    assert not judged.is_stored
    assert judged.checked.findings
    assert finding is None or finding in {each.name for each in judged.checked.findings}
    assert (state(house), batch(house, "p1-0001").signed) == ("exported", ())


def test_check_signed__batches_signed_ahead__each_takes_the_next_sequence(tmp_path: Path) -> None:
    house = make_house(tmp_path, [1] * 90)
    approved(house, drafted(house, has_ledger=True))
    exported(house)
    names = ["p1-0001", "p1-0002", "p1-0003"]
    for sequence, name in enumerate(names, start=4):
        assert check_signed(house, "operator", name, signed_file(house, name, sequence), FACTS).is_stored
    assert not check_signed(house, "operator", "p1-0003", signed_file(house, "p1-0003", 5, (0, 1)), FACTS).is_stored


def test_check_signed__before_export_or_other_account__refused(house: House) -> None:
    with pytest.raises(Conflict, match="not exported yet"):
        check_signed(house, "operator", "p1-0001", "{}", FACTS)
    exported(house)
    with pytest.raises(Conflict, match="other facts"):
        check_signed(house, "operator", "p1-0001", "{}", replace(FACTS, chain_id="akashnet-2"))
    with pytest.raises(NotFound, match="no batch"):
        check_signed(house, "operator", "p9-0001", "{}", FACTS)
