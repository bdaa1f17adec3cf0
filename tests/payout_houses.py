"""A platform whose results are final, people with roles and keys, facts of the paying account, signed files."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from ledger.awards import AwardLineRow
from ledger.base import Ledger
from ledger.people import AddressRow, ParticipantRow, RegistrationRow
from ledger.results import ResultStateRow
from ledger.rows import insert_rows
from ledger.upgrading import upgrade
from services import payout_planning, payout_signing
from services.clock import StoppedClock
from services.house import House
from services.loading import load_campaign
from services.payout_planning import Wanted
from services.payout_records import batch, exported_file, payout
from services.payout_views import PayoutView
from services.roles import add_role
from services.settings import Settings
from tasks.moment import parse_moment
from tasks.payout.sealing import Part
from tests import endings, houses
from tests.databases import postgresql_database
from tests.payout_lines import MODULE, person
from tests.wallets import Keyholder, amino_signer, multisig_address, multisig_signer, signed_like_cli
from tests.wallets import joined as joined_signatures
from verifiers.chain.answers import BlockLimits
from verifiers.payout.facts import PayerFacts
from verifiers.payout.files import read_signed
from verifiers.payout.keys import amino_bytes
from verifiers.wallet.amino import sign_bytes
from verifiers.wallet.multisig import MultisigKey
from verifiers.wallet.transactions import SIGN_CHAIN_ID

CAMPAIGN = "ending-test"
CHAIN = "pay-local-1"
NOW = parse_moment("2026-12-10T12:00:00Z")
BLOCK = BlockLimits(22_020_096, -1)
TREASURER, APPROVER, THIRD, STRANGER = map(Keyholder, ("treasurer", "approver", "third", "stranger"))
MEMBERS = [Keyholder(f"member {number}") for number in range(3)]
PAYER = multisig_address(2, MEMBERS)
KEY = MultisigKey(2, tuple(member.public_key for member in MEMBERS))
FACTS = PayerFacts(
    address=PAYER,
    chain_id=CHAIN,
    account_number=17,
    sequence=4,
    key=KEY,
    height=1_000,
    balance_uakt=10**15,
    module_accounts=frozenset({MODULE}),
    gas_price=Fraction(25, 10_000),
    other_chain_ids=("akashnet-2",),
)
WANTED = Wanted(PAYER, "0.5", "noon price of the exchange", parse_moment("2026-12-10T11:00:00Z"))


def make_house(folder: Path, amounts: Sequence[int] = (10, 20, 30), **settings: object) -> House:
    """Person n has earned amounts[n] units for the deploy task, whose results are final; staff have their roles."""
    made = houses.make_house(folder, campaign=endings.CAMPAIGN, payout_chain_id=CHAIN, **settings)
    house = made.at(StoppedClock(NOW))
    settle(house, amounts)
    return house


def settle(house: House, amounts: Sequence[int] = (10, 20, 30)) -> None:
    """The same in a house that has the campaign."""
    register(house, range(len(amounts)))
    earn(house, enumerate(amounts))
    make_final(house, "deploy")
    for holder, role in ((TREASURER, "treasurer"), (APPROVER, "approver"), (THIRD, "approver")):
        add_role(house, holder.address, role)


def register(house: House, numbers: Iterable[int]) -> None:
    people = [person(number) for number in numbers]
    with house.ledger.write() as session:
        insert_rows(session, ParticipantRow, [{"address": each, "created_ns": 1} for each in people])
        insert_rows(session, AddressRow, [
            {"address": each, "participant": each, "proved_ns": 1, "proof": "wallet", "linked_ns": 1}
            for each in people
        ])  # fmt: skip
        insert_rows(session, RegistrationRow, [
            {"campaign": CAMPAIGN, "participant": each, "rules_digest": "d", "received_ns": 1, "chain_id": None,
             "height": None, "time_ns": None}
            for each in people
        ])  # fmt: skip


def earn(house: House, amounts: Iterable[tuple[int, int]], task: str | None = "deploy", kind: str = "claim") -> None:
    """New award lines: (person's number, units); below zero it is a correction.

    Where awards are worked again, those of another kind than `grant` are taken back: no claim stands behind them.
    """
    with house.ledger.write() as session:
        newest = session.query(AwardLineRow).count()
        insert_rows(session, AwardLineRow, [
            {
                "campaign": CAMPAIGN, "revision": 1, "key": f"key {newest + place}", "step": 0, "claim": None,
                "kind": kind, "slug": None, "participant": person(number), "task": task,
                "amount_micro": amount * 1_000_000, "reason": "paid", "working": {}, "cause": "passed",
                "corrects": None, "position": newest + place, "computed_ns": 1,
            }
            for place, (number, amount) in enumerate(amounts)
        ])  # fmt: skip


def make_final(house: House, task: str) -> None:
    with house.ledger.write() as session:
        session.add(
            ResultStateRow(
                campaign=CAMPAIGN, task=task, state="final", actor="tests", at_ns=1, until_ns=None, excepted={},
                lines_to=0, verdicts_to=0, eligibility_to=0,
            )
        )  # fmt: skip


def drafted(house: House, **wanted: Any) -> PayoutView:
    return payout_planning.draft(house, "operator", replace(WANTED, **wanted), FACTS, BLOCK)


def proof(view: PayoutView, part: Part, holder: Keyholder) -> dict[str, object]:
    """What the command line of `holder` signs and prints."""
    unsigned = payout_signing.to_sign(view, part, holder.address).unsigned_tx
    assert unsigned is not None
    memo = str(unsigned["body"]["memo"])  # type: ignore[index]
    value = {
        "from_address": holder.address,
        "to_address": holder.address,
        "amount": [{"denom": "uakt", "amount": "1"}],
    }
    signed = sign_bytes(
        chain_id=SIGN_CHAIN_ID,
        account_number=0,
        sequence=0,
        fee={"amount": [], "gas": "0"},
        messages=[{"type": "cosmos-sdk/MsgSend", "value": value}],
        memo=memo,
    )
    return signed_like_cli(unsigned, amino_signer(holder), holder.sign(signed))


def approved(house: House, view: PayoutView, *approvers: Keyholder) -> PayoutView:
    """Signed by the treasurer, then approved."""
    view = payout_signing.sign_by_file(house, view.number, proof(view, Part.PLANNER, TREASURER))
    for holder in approvers or (APPROVER,):
        view = payout_signing.sign_by_file(house, view.number, proof(view, Part.APPROVER, holder))
    return view


def signed_file(
    house: House, name: str, sequence: int, marked: Sequence[int] = (0, 2), facts: PayerFacts = FACTS
) -> str:
    """A batch's export, signed by members of the paying multisig with a sequence."""
    with house.ledger.read() as session:
        unsigned = json.loads(exported_file(session, batch(house, name).id) or b"")
    signer = multisig_signer(2, MEMBERS, list(marked)) | {"sequence": str(sequence)}
    blank = signed_like_cli(unsigned, signer, joined_signatures([bytes(64) for _ in marked]))
    read = read_signed(json.dumps(blank))
    document = amino_bytes(read, read.signers[0], facts)
    signatures = [MEMBERS[place].sign(document) for place in marked]
    blank["signatures"] = [base64.b64encode(joined_signatures(signatures)).decode()]
    return json.dumps(blank)


def state(house: House, number: int = 1) -> str:
    return str(payout(house, number).state)


@contextmanager
def house_on(kind: str, folder: Path, amounts: Sequence[int] = (10, 20, 30), **settings: object) -> Iterator[House]:
    """The house of `make_house` on SQLite, or on a PostgreSQL database of its own (skips where there is none)."""
    if kind == "sqlite":
        yield make_house(folder, amounts, **settings)
        return
    with postgresql_database() as url:
        upgrade(url)
        given = Settings(_env_file=None, database_url=url, payout_chain_id=CHAIN, **settings)
        house = House(given, Ledger(url), StoppedClock(NOW))
        load_campaign(house, endings.CAMPAIGN, "tests")
        settle(house, amounts)
        yield house
        house.ledger.close()
