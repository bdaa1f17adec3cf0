"""What became of a batch, from what real chains show and from searches of every kind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from tests.payouts import CHAINS, FILES, PAYERS, SETS
from tests.recordings import recordings
from verifiers.chain.answers import BlockResults, decode_block, decode_block_results
from verifiers.payout.files import read_export, read_signed
from verifiers.payout.reconcile import (
    NEXT,
    PAID,
    ApprovedBatch,
    Conclusion,
    Search,
    State,
    conclude,
    reconcile_one,
    rows_paid,
    second_file_refusal,
)
from verifiers.payout.seen import Seen, seen_in_block, seen_in_page, seen_in_rest, seen_in_rpc, seen_in_rpc_page
from verifiers.payout.transfers import Coin, MultiSend, Send, Side, outputs_of
from verifiers.trouble import Undecodable

PAYER, ADA, BOB, STRANGER = "akash1payer", "akash1ada", "akash1bob", "akash1stranger"
MEMO = "waymark/1/falcon-7/p1-0001/0123456789abcdef"
HASH = "AB" * 32
BATCH = ApprovedBatch(((ADA, 5), (BOB, 7)), MEMO, PAYER, "payout-1", 100, 200, {HASH: 4})
DONE = Search("payout-1", heights=(201, 202), searched_from=100, searched_to=201, account_sequence=4)


def multi(*rows: tuple[str, int], payer: str = PAYER) -> MultiSend:
    total = sum(amount for _, amount in rows)
    outputs = tuple(Side(address, (Coin("uakt", str(amount)),)) for address, amount in rows)
    return MultiSend((Side(payer, (Coin("uakt", str(total)),)),), outputs)


def seen(*rows: tuple[str, int], payer: str = PAYER, code: int = 0, memo: str = MEMO, name: str = HASH) -> Seen:
    return Seen(name, 150, code, "sdk" if code else "", "", None, memo, 200, 4, (multi(*rows, payer=payer),))


GOOD = seen((ADA, 5), (BOB, 7))


def recorded(files: str, name: str) -> ApprovedBatch:
    export = read_export((FILES / files / f"{name}.unsigned.json").read_bytes())
    signed = read_signed((FILES / files / f"{name}.signed.json").read_bytes())
    rows = tuple((side.address, side.coins[0].units or 0) for side in outputs_of(export.messages))
    sequences = {signed.hash: signed.signers[0].sequence}
    height = export.timeout_height - 400
    return ApprovedBatch(rows, export.memo, PAYERS[files], CHAINS[files], height, export.timeout_height, sequences)


def answers(file: str, start: str) -> Iterable[bytes]:
    return [line.body for line in recordings(file) if line.status == 200 and line.name.startswith(start)]


@pytest.mark.parametrize("files", ["v1", "v2"])
@pytest.mark.parametrize(
    ("name", "state"),
    [("r7-0001", State.INCLUDED), ("r7-0002-insufficient", State.FAILED), ("r7-0006", State.INCLUDED)],
)
def test_reconcile__recorded_payout__same_from_every_kind_of_answer(files: str, name: str, state: State) -> None:
    batch = recorded(files, name)
    found = [seen_in_rest(body) for body in answers(f"{SETS[files]}/rest-txs", f"tx by hash {name}.signed")]
    found += [seen_in_rest(body) for body in answers(f"{SETS[files]}/rest-txs", "tx: payout")]
    found += [seen_in_rpc(body) for body in answers(f"{SETS[files]}/rpc", "tx: payout")]
    for body in answers(f"{SETS[files]}/rpc", "tx_search: by sender"):
        found += seen_in_rpc_page(body)
    ours = [match for match in (reconcile_one(batch, each) for each in found) if match]
    assert len(ours) >= 3
    assert {match.state for match in ours} == {state}
    assert {match.seen.hash for match in ours} == set(batch.signed)
    assert len({(match.seen.messages, match.seen.memo, match.seen.sequence) for match in ours}) == 1


@pytest.mark.parametrize("files", ["v1", "v2"])
def test_seen__recorded_pages_of_the_sender__hold_the_payouts(files: str) -> None:
    pages = [line for line in recordings(f"{SETS[files]}/rest-txs") if "txs?query=message.sender" in line.path]
    found = {each.hash: each for line in pages if line.status == 200 for each in seen_in_page(line.body)}
    batch = recorded(files, "r7-0006")
    search = Search(batch.chain_id, (batch.timeout_height + 1,) * 2, 1, batch.timeout_height)
    assert conclude(batch, found.values(), search).state is State.INCLUDED


@pytest.mark.parametrize("files", ["v1", "v2"])
def test_seen__every_recorded_block_with_its_results__read(files: str) -> None:
    rest = [line for line in recordings(f"{SETS[files]}/rpc") if line.status == 200]
    blocks = {each.height: each for each in (decode_block(line.body) for line in rest if line.route == "/block")
              if each.txs}  # fmt: skip
    results = {
        each.height: each
        for each in (decode_block_results(line.body) for line in rest if line.route == "/block_results")
    }
    both = sorted(set(blocks) & set(results))
    assert both
    for height in both:
        read = seen_in_block(blocks[height], results[height])
        assert len(read) == len(blocks[height].txs)
        assert {each.time for each in read} == {blocks[height].time}
    with pytest.raises(Undecodable, match="belong together"):
        seen_in_block(blocks[both[0]], BlockResults(both[0] + 1, (), ()))


@pytest.mark.parametrize("case", ["sums-differ", "module-account-as-recipient", "zero-amount", "not-bech32"])
def test_reconcile__accepted_broadcast_that_failed_in_its_block__failed(case: str) -> None:
    (body,) = answers("akash-recorded/payout-broadcast", f"{case}: by hash after")
    match = reconcile_one(recorded("v1", f"x-{case}"), seen_in_rest(body))
    assert match is not None
    assert match.state is State.FAILED
    assert not match.paid


def test_reconcile__same_recipient_twice__counted_as_often() -> None:
    (body,) = answers("akash-recorded/payout-broadcast", "same-recipient-twice: by hash after")
    batch = recorded("v1", "x-same-recipient-twice")
    found = seen_in_rest(body)
    assert reconcile_one(batch, found).state is State.INCLUDED  # type: ignore[union-attr]
    once = replace(batch, rows=batch.rows[:-1])
    assert reconcile_one(once, found).state is State.PARTLY_FOREIGN  # type: ignore[union-attr]


ONE: list[tuple[str, Seen, State | None]] = [
    ("exact", GOOD, State.INCLUDED),
    ("exact-other-order", seen((BOB, 7), (ADA, 5)), State.INCLUDED),
    ("exact-other-hash", replace(GOOD, hash="CD" * 32), State.PAID_BY_ANOTHER),
    ("failed", replace(GOOD, code=5), State.FAILED),
    ("one-missing", seen((ADA, 5)), State.PARTLY_FOREIGN),
    ("one-more", seen((ADA, 5), (BOB, 7), (STRANGER, 1)), State.PARTLY_FOREIGN),
    ("one-twice", seen((ADA, 5), (ADA, 5), (BOB, 7)), State.PARTLY_FOREIGN),
    ("other-amount", seen((ADA, 6), (BOB, 7)), State.PARTLY_FOREIGN),
    ("other-message-besides", replace(GOOD, other_messages=1), State.PARTLY_FOREIGN),
    ("pays-nobody-of-ours", seen((STRANGER, 12)), State.FOREIGN),
    ("strangers-memo", seen((STRANGER, 1), payer=STRANGER), None),
    ("strangers-payment", seen((ADA, 5), (BOB, 7), payer=STRANGER), State.FOREIGN),
    ("no-memo-same-sums", replace(GOOD, memo=""), State.LOOKS_PAID),
    ("no-memo-failed", replace(GOOD, memo="", code=5), None),
    ("other-batch-same-sums", replace(GOOD, memo="waymark/1/falcon-7/p1-0002/0123456789abcdef"), None),
    ("other-payment", replace(seen((STRANGER, 4)), memo=""), None),
]  # fmt: skip


@pytest.mark.parametrize(("given", "state"), [case[1:] for case in ONE], ids=[case[0] for case in ONE])
def test_reconcile_one__transaction__state(given: Seen, state: State | None) -> None:
    match = reconcile_one(BATCH, given)
    assert (match.state if match else None) == state


def test_reconcile_one__many_sends__same_as_one_multi_send() -> None:
    sends = tuple(Send(PAYER, address, (Coin("uakt", str(amount)),)) for address, amount in BATCH.rows)
    match = reconcile_one(BATCH, replace(GOOD, messages=sends))
    assert match is not None
    assert match.state is State.INCLUDED


def test_reconcile_one__other_denom__not_paid() -> None:
    outputs = (Side(ADA, (Coin("uact", "5"),)), Side(BOB, (Coin("uakt", "7"),)))
    match = reconcile_one(BATCH, replace(GOOD, messages=(MultiSend((Side(PAYER, ()),), outputs),)))
    assert match is not None
    assert match.state is State.PARTLY_FOREIGN
    assert match.missing == {(ADA, "uakt", 5): 1}
    assert match.foreign == {(ADA, "uact", 5): 1}


FAILED = replace(GOOD, code=5, hash="EF" * 32)
ALL: list[tuple[str, list[Seen], Search, State, bool]] = [
    ("dead", [], DONE, State.EXPIRED, True),
    ("one-read-of-the-height", [], replace(DONE, heights=(300,)), State.WAITING, False),
    ("at-the-timeout", [], replace(DONE, heights=(201, 200)), State.WAITING, False),
    ("searched-too-late", [], replace(DONE, searched_from=101), State.WAITING, False),
    ("searched-too-short", [], replace(DONE, searched_to=199), State.WAITING, False),
    ("not-searched", [], replace(DONE, searched_from=0, searched_to=0), State.WAITING, False),
    ("index-off", [], replace(DONE, searched_to=0, troubles=frozenset({"index_off"})), State.INDEX_OFF, False),
    ("pruned", [], replace(DONE, searched_to=0, troubles=frozenset({"pruned"})), State.PRUNED, False),
    ("no-answer", [], replace(DONE, heights=(), troubles=frozenset({"timeout"})), State.UNREACHABLE, False),
    ("wrong-chain", [GOOD], replace(DONE, chain_id="campaign-1"), State.WRONG_CHAIN, False),
    ("replaced", [], replace(DONE, heights=(150, 150), account_sequence=5), State.REPLACED, False),
    ("waiting", [], replace(DONE, heights=(150, 150)), State.WAITING, False),
    ("included", [GOOD], DONE, State.INCLUDED, False),
    ("included-though-index-off", [GOOD], replace(DONE, troubles=frozenset({"index_off"})), State.INCLUDED, False),
    ("seen-twice", [GOOD, GOOD], DONE, State.INCLUDED, False),
    ("failed-then-included", [FAILED, GOOD], DONE, State.INCLUDED, False),
    ("failed-and-over", [FAILED], DONE, State.FAILED, True),
    ("failed-not-over", [FAILED], replace(DONE, heights=(150, 151)), State.FAILED, False),
    ("paid-twice", [GOOD, replace(GOOD, hash="CD" * 32)], DONE, State.PAID_TWICE, False),
    ("paid-and-partly-again", [GOOD, replace(seen((ADA, 5)), hash="CD" * 32)], DONE, State.PAID_TWICE, False),
    ("partly", [seen((ADA, 5))], DONE, State.PARTLY_FOREIGN, False),
    ("looks-paid", [replace(GOOD, memo="")], DONE, State.LOOKS_PAID, False),
    ("foreign-and-over", [seen((STRANGER, 12))], DONE, State.FOREIGN, True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "search", "state", "is_dead"), [case[1:] for case in ALL], ids=[case[0] for case in ALL]
)
def test_conclude__search__state_and_whether_it_may_be_planned_again(
    given: list[Seen], search: Search, state: State, is_dead: bool
) -> None:
    found = conclude(BATCH, given, search)
    assert (found.state, found.is_dead) == (state, is_dead)
    assert found.next_step


def test_states__each__is_reached_and_says_what_to_do() -> None:
    assert set(NEXT) == set(State)
    reached = {case[3] for case in ALL} | {case[2] for case in ONE if case[2]}
    assert reached == set(State)
    assert not any(Conclusion(state, None, is_over=False, is_dead=False).next_step.startswith(" ") for state in PAID)


@pytest.mark.parametrize(
    ("rows", "moved", "paid", "unpaid"),
    [
        (((ADA, 5), (BOB, 7)), [(ADA, 5)], (0,), (1,)),
        (((ADA, 5), (ADA, 5), (BOB, 7)), [(ADA, 5), (STRANGER, 1)], (0,), (1, 2)),
        (((ADA, 5), (BOB, 7)), [(BOB, 7), (ADA, 6)], (1,), (0,)),
    ],
    ids=["one", "equal-rows", "other-amount"],
)
def test_rows_paid__partly_foreign__each_row_on_one_side(
    rows: tuple[tuple[str, int], ...], moved: list[tuple[str, int]], paid: tuple[int, ...], unpaid: tuple[int, ...]
) -> None:
    batch = replace(BATCH, rows=rows)
    match = reconcile_one(batch, seen(*moved))
    assert match is not None
    assert match.state is State.PARTLY_FOREIGN
    assert rows_paid(batch, match) == (paid, unpaid)


@pytest.mark.parametrize(
    ("sequence", "account", "is_refused"),
    [(4, 4, False), (5, 4, True), (5, 5, False), (4, 3, False), (3, 3, True)],
    ids=["same", "next-while-first-can-come", "first-used-up", "both-ahead", "earlier"],
)
def test_second_file__beside_one_with_sequence_four__refused_if_both_could_be_paid(
    sequence: int, account: int, is_refused: bool
) -> None:
    assert (second_file_refusal(BATCH, sequence, account) is not None) == is_refused
