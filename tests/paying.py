"""Payouts for tests: a house that owes people money, and a payout of it taken as far as its export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from ledger.awards import AwardLineRow
from ledger.people import AddressRow, ParticipantRow
from ledger.rows import insert_rows
from services import payout_export, payout_planning
from services.house import House
from services.payout_facts import payer_facts, payout_limits
from services.payout_moves import move
from services.payout_planning import Wanted
from services.payout_records import batch
from services.payout_views import BatchView, PayoutView
from tasks.payout.lifecycle import Act
from tests.houses import CAMPAIGN, NOON, make_house
from tests.payout_lines import person
from verifiers.chain.client import Chain
from verifiers.payout.facts import PayerFacts
from verifiers.payout.files import read_export
from verifiers.payout.reconcile import ApprovedBatch

SLUG = "small-test"
LIFE = 10_000


def paying_house(folder: Path, payout_chain: Chain, chain_id: str, **rest: object) -> House:
    """A house whose payouts are made on `payout_chain`; its campaign runs on `local-v2`."""
    text = CAMPAIGN.replace("chain_id: local-v2\n", f"chain_id: local-v2\npayout_chain_id: {chain_id}\n")
    return make_house(folder, campaign=text, payout_chain=payout_chain, payout_chain_id=chain_id, **rest)


def owe(house: House, amounts: Mapping[str, int]) -> None:
    """Each of these people (address) is owed so many micro, payable at once, with their own address proved."""
    now = NOON

    def store(session: object) -> None:
        insert_rows(session, ParticipantRow, [{"address": who, "created_ns": now} for who in amounts])  # type: ignore[arg-type]
        proved = [
            {"address": who, "participant": who, "proved_ns": now, "proof": "wallet", "linked_ns": now}
            for who in amounts
        ]
        insert_rows(session, AddressRow, proved)  # type: ignore[arg-type]
        insert_rows(session, AwardLineRow, [_line(who, amount) for who, amount in amounts.items()])  # type: ignore[arg-type]

    house.ledger.transact(store)


def _line(who: str, amount: int) -> dict[str, object]:
    return {
        "campaign": SLUG, "revision": 1, "key": f"grant/{who}", "step": 0, "claim": None, "kind": "grant",
        "slug": None, "participant": who, "task": None, "amount_micro": amount, "reason": "made up for a test",
        "working": {}, "cause": "test", "corrects": None, "position": 0, "computed_ns": NOON,
    }  # fmt: skip


def people(count: int, amount: int = 1_000, start: int = 0) -> dict[str, int]:
    """So many made-up people; each is owed one micro more than the one before."""
    return {person(start + number): amount + number for number in range(count)}


def exported(
    house: House, payer: str, *, life: int = LIFE, as_sends: bool = False, facts: PayerFacts | None = None
) -> PayoutView:
    """Everything that is owed, planned at one unit for one AKT, approved and exported, good for `life` blocks."""
    facts = facts or payer_facts(house, payer)
    wanted = Wanted(payer, "1", "a made-up rate", NOON, as_sends=as_sends)
    view = payout_planning.draft(house, "treasurer", wanted, facts, payout_limits(house).block)

    def approve(session: object) -> None:
        for each in view.current:
            move(session, NOON, each.id, Act.APPROVE, "approver")  # type: ignore[arg-type]

    house.ledger.transact(approve)
    return payout_export.export(house, "treasurer", view.number, facts, timeout_blocks=life)


def again(house: House, name: str) -> BatchView:
    """The batch as it stands now."""
    return batch(house, name)


@cache
def approved(unsigned: bytes, payer: str, chain_id: str, height: int) -> ApprovedBatch:
    """An exported file as reconciling wants it, without a house."""
    read = read_export(unsigned)
    rows = tuple((address, amount) for each in read.messages for address, amount in _rows(each))
    return ApprovedBatch(rows, read.memo, payer, chain_id, height, read.timeout_height)


def _rows(message: object) -> Sequence[tuple[str, int]]:
    sides = getattr(message, "outputs", None)
    if sides is None:
        return [(message.to_address, int(message.amount[0].amount))]  # type: ignore[attr-defined]
    return [(side.address, int(side.coins[0].amount)) for side in sides]
