"""Payouts on a real chain from export to their end: every way in which one can come out, and what follows from it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ledger.observations import load_observations
from ledger.payout_sightings import PayoutSightingRow
from ledger.payouts import PayoutBatchLineRow
from services import payout_broadcast, payout_checking, payout_questions, payout_reconcile
from services.errors import Conflict, NotFound
from services.house import House
from services.payments import payments_of
from services.payout_facts import payer_facts
from services.payout_records import exported_file
from services.payout_views import BatchView, PayoutView
from tasks.payout.lifecycle import Act, BatchState
from tests.nodes import BIRTH, StandingClock
from tests.paying import SLUG, again, exported, owe, paying_house, people
from tests.paynets import CHAIN_ID, Paynet, running
from verifiers.chain.client import Chain
from verifiers.payout.commands import Join, Network, multisig
from verifiers.payout.reconcile import State
from verifiers.payout.seen import seen_in_rest

pytestmark = pytest.mark.timeout(900)

RICH = 500_000_000


def client(net: Paynet) -> Chain:
    return Chain([net.rest], [net.rpc], StandingClock(BIRTH), chain_id=CHAIN_ID)


@pytest.fixture(scope="module")
def chain(paynet: Paynet) -> Iterator[Chain]:
    made = client(paynet)
    yield made
    made.close()


@dataclass
class Desk:
    """A house with one exported batch of a payer's own, and what its staff do."""

    house: House
    net: Paynet
    folder: Path
    key: str
    payer: str
    view: PayoutView

    @property
    def name(self) -> str:
        return self.view.batches[0].name

    @property
    def batch(self) -> BatchView:
        return again(self.house, self.name)

    def unsigned(self, change: Callable[[dict[str, Any]], None] | None = None) -> Path:
        with self.house.ledger.read() as session:
            file = exported_file(session, self.view.batches[0].id) or b""
        if change is not None:
            read = json.loads(file)
            change(read)
            file = json.dumps(read).encode()
        path = self.folder / "p.unsigned.json"
        path.write_bytes(file)
        return path

    def sign(self, change: Callable[[dict[str, Any]], None] | None = None, sequence: int | None = None) -> Path:
        unsigned, flags = self.unsigned(change), []
        if sequence is not None:
            number = payer_facts(self.house, self.payer).account_number
            flags = ["--offline", "--account-number", str(number), "--sequence", str(sequence)]
        self.net.sign(unsigned, self.key, *flags)
        return unsigned.with_suffix(".signed")

    def store(self, signed: Path) -> str:
        facts = payer_facts(self.house, self.payer)
        judged = payout_checking.check_signed(self.house, "treasurer", self.name, signed.read_bytes(), facts)
        assert judged.is_stored, judged.checked.findings
        assert judged.checked.hash
        return judged.checked.hash

    def look(self, **rest: Any) -> payout_reconcile.Reconciled:
        (found,) = payout_reconcile.look_at(self.house, [self.view.batches[0].id], **rest)
        return found

    @property
    def held(self) -> int:
        with self.house.ledger.read() as session:
            held = select(PayoutBatchLineRow).where(PayoutBatchLineRow.freed_ns.is_(None))
            return len(session.scalars(held).all())


@pytest.fixture
def desk(paynet: Paynet, chain: Chain, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., Desk]:
    def make(life: int = 10_000, count: int = 3, uakt: int = RICH, as_sends: bool = False) -> Desk:
        key = f"{request.node.name}-{tmp_path.name}"
        house = paying_house(tmp_path, chain, CHAIN_ID)
        payer = paynet.key(key, uakt)
        owe(house, people(count))
        view = exported(house, payer, life=life, as_sends=as_sends)
        return Desk(house, paynet, tmp_path, key, payer, view)

    return make


def test_payout__two_hundred_new_people_by_a_multisig__paid_as_the_commands_say(
    paynet: Paynet, chain: Chain, tmp_path: Path
) -> None:
    house, treasury = paying_house(tmp_path, chain, CHAIN_ID), paynet.address("treasury")
    owe(house, people(200, start=1_000))
    view = exported(house, treasury)
    (batch,) = view.batches
    assert batch.exported is not None
    with house.ledger.read() as session:
        (tmp_path / "p1-0001.unsigned.json").write_bytes(exported_file(session, batch.id) or b"")
    network = Network(
        CHAIN_ID, paynet.node, account_number=batch.exported.account_number, sequence=batch.exported.sequence
    )
    commands = multisig(
        "p1-0001.unsigned.json", "treasury", treasury, ["alice", "carol"], network, join=Join.MULTISIGN
    )
    signing, _, sending = commands.rstrip().rpartition("\n")
    paynet.script(signing, tmp_path)
    signed = (tmp_path / "p1-0001.signed.json").read_bytes()
    judged = payout_checking.check_signed(house, "treasurer", batch.name, signed, payer_facts(house, treasury))
    assert judged.is_stored, judged.checked.findings
    # sent by the command line first, then by us: once is enough, twice is harmless
    told = json.loads(paynet.script(sending, tmp_path))
    assert (told["code"], told["txhash"]) == (0, judged.checked.hash)
    sent = payout_broadcast.broadcast(house, "treasurer", told["txhash"])
    assert sent.is_taken or sent.code == 32
    paynet.tx(told["txhash"])
    (found,) = payout_reconcile.look_at(house)
    assert (found.found, found.after, found.tx_hash) == (State.INCLUDED, BatchState.PAID, told["txhash"])
    with house.ledger.read() as session:
        payments = payments_of(session, SLUG, list(people(200, start=1_000)))
        assert len(payments) == 200
        assert {(each.is_paid, each.tx_hash, each.tx_height) for each in payments.values()} == {
            (True, told["txhash"], found.tx_height)
        }
        assert all(each.tx_time_ns for each in payments.values())
        row = session.scalars(select(PayoutSightingRow)).one()
        evidence = load_observations(session, row.observations)
    (answer,) = evidence.values()
    assert answer.request.endswith(told["txhash"])
    assert seen_in_rest(answer.body).transfers == {
        (who_, "uakt", amount): 1 for who_, amount in people(200, start=1_000).items()
    }
    assert payout_reconcile.reconcile(house) == "1 included"


def test_payout__stored_and_broadcast_here__waiting_then_included(desk: Callable[..., Desk]) -> None:
    paid = desk()
    assert paid.look().found is State.WAITING
    name = paid.store(paid.sign())
    assert paid.batch.state is BatchState.SIGNED
    sent = payout_broadcast.broadcast(paid.house, "treasurer", name)
    assert (sent.code, sent.is_taken) == (0, True)
    assert paid.batch.state is BatchState.BROADCAST
    assert paid.batch.signed[0].answer is not None
    paid.net.tx(name)
    found = paid.look()
    assert (found.found, found.after, found.tx_hash) == (State.INCLUDED, BatchState.PAID, name)
    assert not found.is_over
    with pytest.raises(Conflict):
        payout_broadcast.broadcast(paid.house, "treasurer", name)
    with pytest.raises(NotFound):
        payout_broadcast.broadcast(paid.house, "treasurer", "AB" * 32)


def test_payout__one_send_for_each_row__included(desk: Callable[..., Desk]) -> None:
    sends = desk(as_sends=True)
    assert len(json.loads(sends.unsigned().read_bytes())["body"]["messages"]) == 3
    name = sends.store(sends.sign())
    sends.net.send(sends.unsigned().with_suffix(".signed"))
    assert (sends.look().found, sends.look().tx_hash) == (State.INCLUDED, name)


def test_payout__two_batches_signed_ahead_as_told__both_sent_at_once_and_paid(desk: Callable[..., Desk]) -> None:
    both = desk(count=201)
    assert [each.size for each in both.view.batches] == [200, 1]
    facts, hashes = payer_facts(both.house, both.payer), []
    for each in both.view.batches:
        assert each.exported is not None
        with both.house.ledger.read() as session:
            unsigned = both.folder / f"{each.name}.unsigned.json"
            unsigned.write_bytes(exported_file(session, each.id) or b"")
        numbers = ["--account-number", str(each.exported.account_number), "--sequence", str(each.exported.sequence)]
        signed = both.net.sign(unsigned, both.key, "--offline", *numbers)
        judged = payout_checking.check_signed(both.house, "treasurer", each.name, signed, facts)
        assert judged.is_stored, judged.checked.findings
        hashes.append(str(judged.checked.hash))
    assert all(payout_broadcast.broadcast(both.house, "treasurer", name).code == 0 for name in hashes)
    for name in hashes:
        both.net.tx(name)
    assert payout_reconcile.reconcile(both.house) == "2 included"


def test_payout__never_sent_and_past_its_timeout__expired_and_its_lines_are_owed_again(
    desk: Callable[..., Desk],
) -> None:
    dead = desk(life=6)
    assert dead.batch.exported is not None
    assert dead.held == 3
    dead.net.wait_for(dead.batch.exported.timeout_height + 1)
    found = dead.look()
    assert (found.found, found.after, found.is_over) == (State.EXPIRED, BatchState.DEAD, True)
    assert dead.held == 0
    assert payout_reconcile.reconcile(dead.house) == "no batch is on its way"


def test_payout__failed_in_its_block__named_so_and_paid_by_the_next_file(desk: Callable[..., Desk]) -> None:
    poor = desk(uakt=20_000)
    poor.net.pay(poor.key, poor.net.address("funder"), 15_500)
    name = poor.net.send(poor.sign())
    found = poor.look()
    assert (found.found, found.after, found.tx_hash) == (State.FAILED, BatchState.EXPORTED, name)
    assert "spendable balance" in found.detail
    poor.net.pay("funder", poor.payer, RICH)
    poor.store(poor.sign())
    payout_broadcast.broadcast(poor.house, "treasurer", poor.batch.signed[0].hash)
    poor.net.tx(poor.batch.signed[0].hash)
    assert poor.look().found is State.INCLUDED


def test_payout__sequence_used_by_another_transfer__replaced_and_signed_again(desk: Callable[..., Desk]) -> None:
    late = desk()
    late.store(late.sign())
    late.net.pay(late.key, late.net.address("funder"), 5)
    sent = payout_broadcast.broadcast(late.house, "treasurer", late.batch.signed[0].hash)
    assert (sent.code, sent.is_taken) == (32, False)
    assert late.look().found is State.REPLACED
    name = late.store(late.sign())
    assert len(late.batch.signed) == 2
    payout_broadcast.broadcast(late.house, "treasurer", name)
    late.net.tx(name)
    assert (late.look().found, late.batch.state) == (State.INCLUDED, BatchState.PAID)


def test_sign_again__earlier_file_was_paid_and_nobody_looked__refused(desk: Callable[..., Desk]) -> None:
    paid = desk()
    first = paid.sign()
    paid.store(first)
    paid.net.send(first)
    second, facts = paid.sign(), payer_facts(paid.house, paid.payer)
    with pytest.raises(Conflict, match="it is paid"):
        payout_checking.check_signed(paid.house, "treasurer", paid.name, second.read_bytes(), facts)
    assert paid.batch.state is BatchState.PAID


def test_payout__sent_past_us_by_an_unknown_file__paid_by_a_different_transaction(desk: Callable[..., Desk]) -> None:
    other = desk()
    name = other.net.send(other.sign())
    found = other.look()
    assert (found.found, found.after, found.tx_hash) == (State.PAID_BY_ANOTHER, BatchState.PAID, name)


def test_payout__same_transfers_without_the_memo__a_person_says(desk: Callable[..., Desk]) -> None:
    unclear = desk()
    unclear.net.send(unclear.sign(lambda read: read["body"].update(memo="thanks!")))
    found = unclear.look()
    assert (found.found, found.after) == (State.LOOKS_PAID, BatchState.QUESTION)
    assert unclear.held == 3
    with pytest.raises(Conflict, match="timeout"):
        payout_questions.say(unclear.house, "treasurer", unclear.name, Act.SAY_UNPAID, "it was for something else")
    after = payout_questions.say(
        unclear.house, "treasurer", unclear.name, Act.SAY_PAID, "the treasurer forgot the memo"
    )
    assert after is BatchState.PAID


def test_payout__signed_and_sent_twice__paid_twice(desk: Callable[..., Desk]) -> None:
    twice = desk()
    names = {twice.net.send(twice.sign()), twice.net.send(twice.sign())}
    found = twice.look()
    assert (found.found, found.after) == (State.PAID_TWICE, BatchState.QUESTION)
    assert all(name in found.detail for name in names)


def test_payout__second_payment_after_the_first_was_found__told_and_stays_paid(desk: Callable[..., Desk]) -> None:
    twice = desk()
    twice.net.send(twice.sign())
    assert twice.look().found is State.PAID_BY_ANOTHER
    twice.net.send(twice.sign())
    found = twice.look()
    assert (found.found, found.after) == (State.PAID_TWICE, BatchState.PAID)
    assert payout_reconcile.reconcile(twice.house) == "1 paid twice"


def _one_row_changed(read: dict[str, Any]) -> None:
    message = read["body"]["messages"][0]
    message["outputs"][0]["coins"][0]["amount"] = str(int(message["outputs"][0]["coins"][0]["amount"]) + 1)
    message["inputs"][0]["coins"][0]["amount"] = str(int(message["inputs"][0]["coins"][0]["amount"]) + 1)


def _others_paid(read: dict[str, Any]) -> None:
    outputs = read["body"]["messages"][0]["outputs"]
    for output, who in zip(outputs, people(3, start=7_000), strict=True):
        output["address"] = who


def test_payout__one_row_changed__partly_foreign_and_the_rest_owed_again(desk: Callable[..., Desk]) -> None:
    partly = desk(life=12)
    partly.net.send(partly.sign(_one_row_changed))
    found = partly.look()
    assert (found.found, found.after) == (State.PARTLY_FOREIGN, BatchState.QUESTION)
    assert "pays 2 of 3 rows, leaves 1" in found.detail
    with pytest.raises(Conflict, match="still be paid"):
        payout_questions.say(partly.house, "treasurer", partly.name, Act.SAY_PARTLY, "two of three")
    assert partly.batch.exported is not None
    partly.net.wait_for(partly.batch.exported.timeout_height + 1)
    assert partly.look().is_over
    with pytest.raises(Conflict, match="say partly"):
        payout_questions.say(partly.house, "treasurer", partly.name, Act.SAY_PAID, "all of it")
    after = payout_questions.say(partly.house, "treasurer", partly.name, Act.SAY_PARTLY, "two of three")
    assert (after, partly.held) == (BatchState.PARTLY_PAID, 2)


def test_payout__memo_on_a_payment_to_others__foreign_and_dead_once_it_is_over(desk: Callable[..., Desk]) -> None:
    foreign = desk(life=12)
    foreign.net.send(foreign.sign(_others_paid))
    found = foreign.look()
    assert (found.found, found.after) == (State.FOREIGN, BatchState.EXPORTED)
    assert foreign.batch.exported is not None
    foreign.net.wait_for(foreign.batch.exported.timeout_height + 1)
    found = foreign.look()
    assert (found.found, found.after, foreign.held) == (State.FOREIGN, BatchState.DEAD, 0)


def test_look_for__hash_that_a_person_names__found_or_refused_by_name(
    desk: Callable[..., Desk], paynet: Paynet
) -> None:
    named = desk()
    ours = [named.batch.id]
    stranger = named.net.pay("funder", named.payer, 1)
    with pytest.raises(Exception, match="nothing to do with"):
        payout_reconcile.look_for(named.house, ours, stranger)
    with pytest.raises(NotFound, match="knows no transaction"):
        payout_reconcile.look_for(named.house, ours, "AB" * 32)
    name = named.net.send(named.sign())
    (found,) = payout_reconcile.look_for(named.house, ours, name)
    assert found.found is State.PAID_BY_ANOTHER


def test_payout__node_without_an_index__found_by_reading_blocks(paynet: Paynet, tmp_path: Path) -> None:
    with running(tmp_path / "chain", indexer="null") as net:
        bare = client(net)
        house = paying_house(tmp_path, bare, CHAIN_ID)
        owe(house, people(3))
        payer = net.address("carol")
        view = exported(house, payer)
        desk = Desk(house, net, tmp_path, "carol", payer, view)
        signed = desk.sign()
        net.cli("tx", "broadcast", str(signed), "--node", net.node)
        height = net.height()
        net.wait_for(height + 3)
        early = desk.look(blocks=0)
        assert (early.found, early.after) == (State.INDEX_OFF, BatchState.EXPORTED)
        found = desk.look()
        assert (found.found, found.after) == (State.PAID_BY_ANOTHER, BatchState.PAID)
        assert found.tx_time is not None
        bare.close()
