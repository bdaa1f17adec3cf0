"""The payout chain: accounts, blocks, look-ups, restarts, and what can happen to a transaction on its way."""

from __future__ import annotations

import base64
import resource
import signal
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devnet.addresses import made_up_address
from devnet.command import run_devnet
from devnet.network import Devnet, serve
from devnet.scenarios import payday
from devnet.sent.journal import Journal
from devnet.state.bank import FEE_COLLECTOR
from jobs.demo import free_port, is_answering

from .conftest import START, StillClock
from .payday_chain import (
    KEYS,
    TREASURER_NUMBER,
    TREASURY,
    ask,
    ask_rpc,
    balance,
    broadcast,
    by_hash,
    by_sender,
    by_treasurer,
    by_treasury,
    latest,
    next_block,
    payout_chain,
    unsigned,
)

ADA, BEN = made_up_address("ada"), made_up_address("ben")
TREASURER = KEYS["treasurer"].address
ROWS = {ADA: 700, BEN: 300}


def _account(devnet: Devnet, address: str) -> dict[str, object]:
    found: dict[str, object] = ask(devnet, "GET", f"/cosmos/auth/v1beta1/accounts/{address}")[1]["account"]
    return found


def test_multisig_account__first_payout__key_sequence_and_balances_follow() -> None:
    with payout_chain() as devnet:
        before = balance(devnet, TREASURY.address)
        assert _account(devnet, TREASURY.address)["pub_key"] is None
        told = broadcast(devnet, by_treasury(unsigned(TREASURY.address, ROWS), 0))
        assert told["code"] == 0
        assert by_hash(devnet, told) is None
        next_block(devnet)
        became = by_hash(devnet, told)
        assert became is not None
        assert (became["code"], became["height"]) == (0, "101")
        account = _account(devnet, TREASURY.address)
        assert (account["pub_key"], account["sequence"]) == (TREASURY.shown(), "1")
        assert [balance(devnet, who) for who in (ADA, BEN)] == [700, 300]
        assert balance(devnet, TREASURY.address) == before - 1_000 - 12_500
        assert _account(devnet, ADA)["sequence"] == "0"


def test_payout__in_its_block__stands_in_block_results_and_queries() -> None:
    with payout_chain() as devnet:
        told = broadcast(devnet, by_treasury(unsigned(TREASURY.address, ROWS, memo="waymark/1/x/p1-0001/ab"), 0))
        next_block(devnet)
        results = ask_rpc(devnet, "/block_results?height=101")[1]["result"]
        (result,) = results["txs_results"]
        transfers = [each for each in result["events"] if each["type"] == "transfer"]
        paid = [each for each in transfers if any(pair["key"] == "msg_index" for pair in each["attributes"])]
        assert (len(transfers), len(paid)) == (3, 2)
        (sent,) = ask_rpc(devnet, "/block?height=101")[1]["result"]["block"]["data"]["txs"]
        assert ask_rpc(devnet, f"/tx?hash=0x{told['txhash']}")[1]["result"]["tx"] == sent
        (found,) = by_sender(devnet, TREASURY.address)
        assert found["txhash"] == told["txhash"]
        assert found["tx"]["body"]["memo"] == "waymark/1/x/p1-0001/ab"
        (shown,) = ask(devnet, "GET", "/cosmos/tx/v1beta1/txs/block/101")[1]["txs"]
        assert shown["body"] == found["tx"]["body"]
        page = "/cosmos/tx/v1beta1/txs?query=tx.height%3D101&page=9"
        status, body = ask(devnet, "GET", page)
        assert (status, body["code"]) == (500, 13)
        assert body["message"].endswith("page should be within [1, 1] range, given 9")


def test_failed_payout__in_its_block__pays_the_fee_and_uses_the_sequence() -> None:
    with payout_chain() as devnet:
        before = balance(devnet, TREASURER)
        document = unsigned(TREASURER, {ADA: 5, FEE_COLLECTOR: 5}, as_sends=True)
        told = broadcast(devnet, by_treasurer(document, 0))
        next_block(devnet)
        became = by_hash(devnet, told)
        assert became is not None
        assert (became["codespace"], became["code"]) == ("sdk", 4)
        assert became["raw_log"].startswith("failed to execute message; message index: 1: ")
        assert balance(devnet, TREASURER) == before - 12_500
        assert _account(devnet, TREASURER)["sequence"] == "1"
        assert ask(devnet, "GET", f"/cosmos/auth/v1beta1/accounts/{ADA}")[0] == 404
        assert balance(devnet, ADA) == 0
        assert broadcast(devnet, by_treasurer(document, 0))["code"] == 32


def test_two_files__signed_ahead_and_sent_at_once__both_included() -> None:
    with payout_chain() as devnet:
        told = [broadcast(devnet, by_treasurer(unsigned(TREASURER, {ADA: 1 + n}), n)) for n in (0, 1)]
        assert [each["code"] for each in told] == [0, 0]
        next_block(devnet)
        assert [(each or {}).get("height") for each in (by_hash(devnet, one) for one in told)] == ["101", "101"]
        assert balance(devnet, ADA) == 3


@pytest.mark.parametrize(("timeout", "code"), [(99, 30), (100, 0), (101, 0)], ids=["passed", "at-the-tip", "next"])
def test_timeout__against_the_tip__refused_only_when_passed(timeout: int, code: int) -> None:
    with payout_chain() as devnet:
        assert broadcast(devnet, by_treasurer(unsigned(TREASURER, ROWS, timeout=timeout), 0))["code"] == code


def test_timeout_at_the_tip__taken__fails_in_the_next_block_free_of_charge() -> None:
    with payout_chain() as devnet:
        before = balance(devnet, TREASURER)
        told = broadcast(devnet, by_treasurer(unsigned(TREASURER, ROWS, timeout=100), 0))
        next_block(devnet)
        became = by_hash(devnet, told)
        assert became is not None
        assert (became["code"], became["events"]) == (30, [])
        assert balance(devnet, TREASURER) == before


def test_lost_transaction__looked_for__is_nowhere_and_may_be_sent_again() -> None:
    with payout_chain() as devnet:
        devnet.settings.loses_txs = True
        raw = by_treasurer(unsigned(TREASURER, ROWS), 0)
        told = broadcast(devnet, raw)
        assert told["code"] == 0
        next_block(devnet, 5)
        assert by_hash(devnet, told) is None
        devnet.settings.loses_txs = False
        assert broadcast(devnet, raw)["code"] == 0
        next_block(devnet)
        assert by_hash(devnet, told) is not None


def test_lost_transaction__another_with_its_sequence__replaces_it() -> None:
    with payout_chain() as devnet:
        devnet.settings.loses_txs = True
        first = by_treasurer(unsigned(TREASURER, ROWS), 0)
        told = broadcast(devnet, first)
        devnet.settings.loses_txs = False
        assert broadcast(devnet, by_treasurer(unsigned(TREASURER, {BEN: 1}), 0))["code"] == 0
        next_block(devnet)
        assert broadcast(devnet, first)["code"] == 32
        assert by_hash(devnet, told) is None


def test_held_transaction__past_its_timeout__is_in_no_block() -> None:
    with payout_chain() as devnet:
        devnet.settings.holds_txs_blocks = 3
        late = broadcast(devnet, by_treasurer(unsigned(TREASURER, ROWS, timeout=101), 0))
        next_block(devnet, 10)
        assert by_hash(devnet, late) is None
        kept = broadcast(devnet, by_treasurer(unsigned(TREASURER, ROWS), 0))
        next_block(devnet, 3)
        assert by_hash(devnet, kept) is None
        next_block(devnet)
        assert (by_hash(devnet, kept) or {})["height"] == "114"


def test_hosts__lagging_without_index_and_pruned__each_fails_in_its_way() -> None:
    with payout_chain() as devnet:
        lagging, blind, pruned, slow_index = (devnet.add_host() for _ in range(4))
        for host in (lagging, blind, pruned, slow_index):
            host.settings.tip = 105
        lagging.settings.lag_blocks = 6
        blind.settings.indexes_txs = False
        pruned.settings.keep_blocks = 2
        slow_index.settings.index_lag_blocks = 6
        told = broadcast(devnet, by_treasurer(unsigned(TREASURER, ROWS), 0))
        devnet.settings.tip = 105
        path = f"/cosmos/tx/v1beta1/txs/{told['txhash']}"
        assert ask(devnet, "GET", path)[0] == 200
        assert ask(lagging, "GET", path)[0] == 404
        assert ask(slow_index, "GET", path)[0] == 404
        assert by_sender(slow_index, TREASURER) == []
        assert ask(blind, "GET", path) == (
            500,
            {"code": 2, "message": "transaction indexing is disabled", "details": []},
        )
        status, body = ask(pruned, "GET", path)
        assert (status, body["message"]) == (500, "height 101 is not available, lowest height is 104")


def test_journal__second_start__same_blocks_and_the_chain_goes_on(tmp_path: Path) -> None:
    journal = tmp_path / "payouts.jsonl"
    with payout_chain(journal) as devnet:
        told = [broadcast(devnet, by_treasury(unsigned(TREASURY.address, ROWS), 0))]
        next_block(devnet)
        told.append(broadcast(devnet, by_treasury(unsigned(TREASURY.address, {ADA: 10**15}), 1)))
        next_block(devnet)
        waiting = broadcast(devnet, by_treasury(unsigned(TREASURY.address, {ADA: 9}), 2))
        seen = [by_hash(devnet, one) for one in told]
        state = (_account(devnet, TREASURY.address), balance(devnet, TREASURY.address))
    with payout_chain(journal, tip=102) as devnet:
        assert [by_hash(devnet, one) for one in told] == seen
        assert (_account(devnet, TREASURY.address), balance(devnet, TREASURY.address)) == state
        next_block(devnet)
        assert (by_hash(devnet, waiting) or {})["code"] == 0
        assert broadcast(devnet, by_treasury(unsigned(TREASURY.address, {ADA: 1}), 3))["code"] == 0


def test_journal__last_line_cut_by_a_crash__dropped(tmp_path: Path) -> None:
    journal = tmp_path / "payouts.jsonl"
    with payout_chain(journal) as devnet:
        told = broadcast(devnet, by_treasurer(unsigned(TREASURER, ROWS), 0))
    journal.write_bytes(journal.read_bytes() + b'{"height": 102, "tx": "Cq')
    with payout_chain(journal, tip=102) as devnet:
        assert by_hash(devnet, told) is not None
        broadcast(devnet, by_treasurer(unsigned(TREASURER, ROWS), 1))
    assert len(list(Journal(journal).read())) == 2


def test_journal__chain_started_with_another_begin__keeps_the_first(tmp_path: Path) -> None:
    journal = tmp_path / "payouts.jsonl"
    with payout_chain(journal) as devnet:
        begun, told = devnet.start, broadcast(devnet, by_treasurer(unsigned(TREASURER, ROWS), 0))
    later = StillClock(START + 7_200 * 10**9)
    with serve(payday.scenario(), start=START + 3_600 * 10**9, clock=later, journal=journal) as devnet:
        assert (devnet.start, devnet.tip()) == (begun, 7_201)
        assert (by_hash(devnet, told) or {})["height"] == "101"


def test_journal__no_room_on_the_disk__keeps_nothing_of_the_line(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "payouts.jsonl")
    journal.add(5, b"one")
    most = (tmp_path / "payouts.jsonl").stat().st_size + 10
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        with pytest.raises(OSError, match=r"disk is full|File too large"):
            journal.add(6, b"two")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    journal.add(7, b"three")
    assert list(journal.read()) == [(5, b"one"), (7, b"three")]


def test_journal__of_something_else__refused(tmp_path: Path) -> None:
    journal = tmp_path / "payouts.jsonl"
    journal.write_text("dear\n")
    with pytest.raises(ValueError, match="line 1 is no transaction"), payout_chain(journal):
        pass


def test_rpc_broadcast__good_known_and_unreadable__answered_as_by_cometbft() -> None:
    with payout_chain() as devnet:
        raw = by_treasurer(unsigned(TREASURER, ROWS), 0)
        path = f"/broadcast_tx_sync?tx=0x{raw.hex()}"
        status, body = ask_rpc(devnet, path)
        assert (status, body["result"]["code"], len(body["result"]["hash"])) == (200, 0, 64)
        status, body = ask_rpc(devnet, path)
        assert (status, body["error"]["data"]) == (500, "tx already exists in cache")
        broken = ask_rpc(devnet, "/broadcast_tx_async?tx=0x00")[1]["result"]
        assert (broken["code"], broken["log"]) == (0, "")
        checked = ask_rpc(devnet, f"/check_tx?tx=0x{by_treasurer(unsigned(TREASURER, ROWS), 1).hex()}")[1]["result"]
        assert (checked["code"], checked["gas_wanted"]) == (0, "500000")


def test_async_broadcast__of_a_bad_transaction__code_0_and_in_no_block() -> None:
    with payout_chain() as devnet:
        told = broadcast(devnet, by_treasurer(unsigned(TREASURER, ROWS), 7), "BROADCAST_MODE_ASYNC")
        assert told["code"] == 0
        next_block(devnet)
        assert by_hash(devnet, told) is None


def test_simulate__a_payout__says_what_it_uses_and_changes_nothing() -> None:
    with payout_chain() as devnet:
        raw = by_treasury(unsigned(TREASURY.address, ROWS), 0)
        asked = {"tx_bytes": base64.b64encode(raw).decode()}
        status, body = ask(devnet, "POST", "/cosmos/tx/v1beta1/simulate", asked)
        assert status == 200
        assert balance(devnet, ADA) == 0
        told = broadcast(devnet, raw)
        next_block(devnet)
        became = by_hash(devnet, told) or {}
        assert became["gas_used"] == body["gas_info"]["gas_used"]
        assert became["events"] == body["result"]["events"]
        _, decoded = ask(devnet, "POST", "/cosmos/tx/v1beta1/decode", asked)
        assert {"@type": "/cosmos.tx.v1beta1.Tx", **decoded["tx"]} == became["tx"]


def test_module_accounts__as_recipients__blocked_in_the_order_of_the_bank() -> None:
    with payout_chain() as devnet:
        _, body = ask(devnet, "GET", "/cosmos/auth/v1beta1/module_accounts")
        for sequence, module in enumerate(body["accounts"]):
            address = module["base_account"]["address"]
            told = broadcast(devnet, by_treasurer(unsigned(TREASURER, {ADA: 1, address: 1}), sequence))
            next_block(devnet)
            assert (by_hash(devnet, told) or {})["code"] == 4, module["name"]
        assert balance(devnet, ADA) == 0


def test_signatures__for_another_number_or_by_too_few__refused() -> None:
    with payout_chain() as devnet:
        document = unsigned(TREASURER, ROWS)
        other = broadcast(devnet, by_treasurer(document, 0, number=TREASURER_NUMBER + 1))
        assert (other["code"], "please verify account number (1) and chain-id" in other["raw_log"]) == (4, True)
        foreign = broadcast(devnet, by_treasurer(document, 0, key=KEYS["approver"]))
        assert foreign["code"] == 8
        assert broadcast(devnet, by_treasury(unsigned(TREASURY.address, ROWS), 0, ("keeper",)))["code"] == 4
        assert broadcast(devnet, by_treasury(unsigned(TREASURY.address, ROWS), 0, payday.MEMBERS))["code"] == 0


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 10**11), st.integers(0, 2), st.booleans(), st.integers(1, 4), st.integers(0, 1)),
        max_size=8,
    )
)
def test_any_transactions__sent__no_coin_is_made_or_lost(sent: list[tuple[int, int, bool, int, int]]) -> None:
    """Whatever is taken, fails or is refused: what all accounts hold and all fees are what the chain began with."""
    with payout_chain() as devnet:
        bank = devnet.chain.world.bank
        begun = sum(bank.genesis.values())
        for amount, ahead, as_sends, recipients, blocks in sent:
            rows = {made_up_address(f"r{n}"): amount for n in range(recipients)}
            sequence = bank.holders[TREASURER].sequences[-1] + ahead
            broadcast(devnet, by_treasurer(unsigned(TREASURER, rows, as_sends=as_sends), sequence))
            next_block(devnet, blocks)
        next_block(devnet, 2)
        devnet.tip()
        held = sum(sum(holder.balances[-1].values()) for holder in bank.holders.values())
        assert held + bank.fees_until(devnet.tip()) == begun
        assert all(amount >= 0 for holder in bank.holders.values() for amount in holder.balances[-1].values())


def test_devnet_command__stopped_story__payout_chain_goes_on_and_its_staff_has_keys(tmp_path: Path) -> None:
    start, stop, port = 1_795_520_000 * 10**9, threading.Event(), free_port(21_317, network=True)
    clock = StillClock(start)
    told = {"opens": start - 28 * 24 * 3600 * 10**9, "until": 50, "scale": "tiny", "payouts": tmp_path}
    running = threading.Thread(target=run_devnet, args=("gpu-testnet-2023", port, clock, stop), kwargs=told)
    running.start()
    try:
        while not is_answering(port):
            assert running.is_alive()
            stop.wait(0.05)
        before = [latest(port), latest(port + 3)]
        clock.moment += 30 * 10**9
        assert [latest(port), latest(port + 3)] == [before[0], ("waymark-demo-pay-1", before[1][1] + 30)]
        assert before == [("waymark-demo-1", 50), ("waymark-demo-pay-1", 601)]
    finally:
        stop.set()
        running.join()
    assert {path.name for path in (tmp_path / "keys").iterdir()} > {"treasury.json", "treasurer.json"}
