"""Payouts on the demo's payout chain: checked, broadcast and reconciled as on a real one, with nodes that fail."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from devnet.faults import Fault
from devnet.network import Devnet
from devnet.scenarios import payday
from services.house import House
from services.payout_broadcast import broadcast
from services.payout_checking import Judged, check_signed
from services.payout_facts import payer_facts, payout_limits
from services.payout_reconcile import Reconciled, look_at
from services.payout_records import exported_file
from services.payout_views import PayoutView
from tasks.payout.lifecycle import BatchState
from tests.devnet.payday_chain import TREASURY, by_treasury, next_block, payout_chain
from tests.nodes import BIRTH, StandingClock, Stopwatch
from tests.paying import exported, owe, paying_house, people
from verifiers.chain.client import Chain
from verifiers.payout.reconcile import State


@dataclass
class Desk:
    """A house with one exported batch of the treasury's, on devnet."""

    house: House
    net: Devnet
    view: PayoutView
    stack: ExitStack

    @property
    def name(self) -> str:
        return self.view.batches[0].name

    @property
    def timeout(self) -> int:
        frozen = self.view.batches[0].exported
        assert frozen is not None
        return frozen.timeout_height

    def signed(self, sequence: int = 0, members: tuple[str, ...] = ("treasurer", "approver")) -> bytes:
        with self.house.ledger.read() as session:
            document = json.loads(exported_file(session, self.view.batches[0].id) or b"")
        return base64.b64encode(by_treasury(document, sequence, members))

    def check(self, file: bytes) -> Judged:
        return check_signed(self.house, "treasurer", self.name, file, payer_facts(self.house, TREASURY.address))

    def look(self, **rest: int) -> Reconciled:
        (found,) = look_at(self.house, [self.view.batches[0].id], **rest)
        return found


def client(stack: ExitStack, *hosts: object) -> Chain:
    watch = Stopwatch()
    chain = Chain(
        [host.rest_url for host in hosts],  # type: ignore[attr-defined]
        [host.rpc_url for host in hosts],  # type: ignore[attr-defined]
        StandingClock(BIRTH),
        monotonic=watch.monotonic,
        sleep=watch.sleep,
    )
    stack.callback(chain.close)
    return chain


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    with ExitStack() as stack:

        def make(life: int = 20) -> Desk:
            net = stack.enter_context(payout_chain())
            house = paying_house(tmp_path, client(stack, net), payday.CHAIN_ID)
            owe(house, people(3))
            return Desk(house, net, exported(house, TREASURY.address, life=life), stack)

        yield make


def test_devnet__two_of_three_signed__checked_sent_and_paid(desk: Callable[..., Desk]) -> None:
    paid = desk()
    limits = payout_limits(paid.house)
    assert (limits.chain_id, limits.gas_price is not None, len(limits.module_accounts) > 3) == (
        payday.CHAIN_ID, True, True,
    )  # fmt: skip
    judged = paid.check(paid.signed())
    assert judged.is_stored, judged.checked.findings
    assert judged.checked.hash
    sent = broadcast(paid.house, "treasurer", judged.checked.hash)
    assert sent.is_taken
    assert paid.look().found is State.WAITING
    next_block(paid.net)
    found = paid.look()
    assert (found.found, found.after, found.tx_hash) == (State.INCLUDED, BatchState.PAID, judged.checked.hash)
    assert found.tx_height == paid.net.tip()


def test_devnet__one_signature_only__refused_before_anybody_sends_it(desk: Callable[..., Desk]) -> None:
    half = desk()
    judged = half.check(half.signed(members=("treasurer",)))
    assert not judged.is_stored
    assert (judged.checked.by_node.codespace, judged.checked.by_node.code) == ("sdk", 4)


def test_devnet__never_sent__dead_past_its_timeout_by_two_hosts(desk: Callable[..., Desk]) -> None:
    dead = desk()
    second = dead.net.add_host()
    dead.house = replace(dead.house, payout_chain=client(dead.stack, dead.net, second))
    dead.net.settings.tip = second.settings.tip = dead.timeout
    assert dead.look().after is BatchState.EXPORTED
    dead.net.settings.tip = dead.timeout + 1
    assert dead.look().after is BatchState.EXPORTED
    second.settings.tip = dead.timeout + 1
    found = dead.look()
    assert (found.found, found.after) == (State.EXPIRED, BatchState.DEAD)


def test_devnet__index_off__named_so_until_the_blocks_are_read(desk: Callable[..., Desk]) -> None:
    bare = desk()
    judged = bare.check(bare.signed())
    assert judged.checked.hash
    broadcast(bare.house, "treasurer", judged.checked.hash)
    next_block(bare.net, 3)
    bare.net.settings.indexes_txs = False
    assert bare.look(blocks=0).found is State.INDEX_OFF
    assert bare.look().found is State.INCLUDED


def test_devnet__no_index_and_blocks_forgotten__pruned_and_never_dead(desk: Callable[..., Desk]) -> None:
    lost = desk()
    lost.net.settings.indexes_txs = False
    lost.net.settings.keep_blocks = 5
    lost.net.settings.tip = lost.timeout + 10
    found = lost.look()
    assert (found.found, found.after, found.is_over) == (State.PRUNED, BatchState.EXPORTED, False)


def test_devnet__every_answer_cut__unreachable_then_found(desk: Callable[..., Desk]) -> None:
    cut = desk()
    judged = cut.check(cut.signed())
    assert judged.checked.hash
    broadcast(cut.house, "treasurer", judged.checked.hash)
    next_block(cut.net)
    cut.net.faults.add(Fault("drop"))
    assert cut.look().found is State.UNREACHABLE
    cut.net.faults.clear()
    assert cut.look().found is State.INCLUDED


def test_devnet__chain_begun_anew_under_another_id__wrong_chain(desk: Callable[..., Desk]) -> None:
    wrong = desk()
    wrong.net.reset(chain_id="waymark-demo-pay-2")
    wrong.net.settings.tip = 200
    wrong.house = replace(wrong.house, payout_chain=client(wrong.stack, wrong.net))
    found = wrong.look()
    assert (found.found, found.after) == (State.WRONG_CHAIN, BatchState.EXPORTED)
    assert "waymark-demo-pay-2" in found.detail


def test_devnet__index_behind_its_tip__found_by_blocks_and_never_called_dead(desk: Callable[..., Desk]) -> None:
    behind = desk()
    judged = behind.check(behind.signed())
    assert judged.checked.hash
    broadcast(behind.house, "treasurer", judged.checked.hash)
    behind.net.settings.index_lag_blocks = 50
    behind.net.settings.tip = behind.timeout + 5
    assert behind.look(blocks=0).after is BatchState.BROADCAST
    assert behind.look().found is State.INCLUDED


def test_devnet__broadcast_taken_and_forgotten__the_answer_proves_nothing(desk: Callable[..., Desk]) -> None:
    forgotten = desk()
    forgotten.net.settings.loses_txs = True
    judged = forgotten.check(forgotten.signed())
    assert judged.checked.hash
    assert broadcast(forgotten.house, "treasurer", judged.checked.hash).code == 0
    next_block(forgotten.net, 3)
    assert forgotten.look().found is State.WAITING
    forgotten.net.settings.tip = forgotten.timeout + 1
    found = forgotten.look()
    assert (found.found, found.after) == (State.EXPIRED, BatchState.DEAD)
