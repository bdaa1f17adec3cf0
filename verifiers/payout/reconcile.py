"""What became of a batch: one transaction against the approved rows, then all that is known of it in one state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from tasks.payout.batches import DENOM, MEMO_START
from verifiers.payout.seen import Seen
from verifiers.payout.transfers import Transfer

READS = 2
"""How many reads of the height must lie beyond the timeout before a batch is called dead."""


class State(StrEnum):
    """Where a batch stands on its chain."""

    WAITING = "waiting"
    INCLUDED = "included"
    PAID_BY_ANOTHER = "paid by a different transaction"
    LOOKS_PAID = "looks paid without its memo"
    PAID_TWICE = "paid twice"
    PARTLY_FOREIGN = "partly foreign"
    FOREIGN = "foreign"
    FAILED = "failed in its block"
    EXPIRED = "expired"
    REPLACED = "replaced"
    INDEX_OFF = "index off"
    PRUNED = "pruned"
    UNREACHABLE = "unreachable"
    WRONG_CHAIN = "wrong chain"


PAID = frozenset({State.INCLUDED, State.PAID_BY_ANOTHER})
"""The states in which every row of the batch is paid."""

NEXT: dict[State, str] = {
    State.WAITING: "Broadcast the signed file, or wait for its block.",
    State.INCLUDED: "Nothing: every row is paid.",
    State.PAID_BY_ANOTHER: "Nothing: every row is paid. Keep the other signed files from being broadcast.",
    State.LOOKS_PAID: "Compare the transaction with the batch and say by hand whether it paid it.",
    State.PAID_TWICE: "Ask for the second payment back or set it off; broadcast nothing more of this batch.",
    State.PARTLY_FOREIGN: "Note by hand who was paid; the other rows stay owed and go into a new batch afterwards.",
    State.FOREIGN: "Nothing of the batch was paid by it. Find out who used the memo, then go on.",
    State.FAILED: "Read its log, mend the cause, sign the same export with the next sequence; or await the timeout.",
    State.EXPIRED: "Nobody was paid and nobody can be: plan its rows again.",
    State.REPLACED: "Another transaction used its sequence: sign the same export again with the next one.",
    State.INDEX_OFF: "Name a node with an index of transactions, or have the blocks scanned up to the timeout.",
    State.PRUNED: "Name a node that keeps the blocks since the export, or one with an index of transactions.",
    State.UNREACHABLE: "Wait until the nodes of the payout chain answer again, or name others.",
    State.WRONG_CHAIN: "Set WAYMARK_PAYOUT_REST and WAYMARK_PAYOUT_RPC to nodes of the payout chain.",
}


@dataclass(frozen=True, slots=True)
class ApprovedBatch:
    """What was approved and exported: rows (address, uakt), memo, payer, timeout, the chain and its height then.

    `signed` maps the hashes of checked signed files to their sequences.
    """

    rows: tuple[tuple[str, int], ...]
    memo: str
    payer: str
    chain_id: str
    exported_height: int
    timeout_height: int
    signed: dict[str, int] = field(default_factory=dict)

    @property
    def transfers(self) -> Counter[Transfer]:
        """The rows as a multiset of (address, denom, amount)."""
        return Counter((address, DENOM, amount) for address, amount in self.rows)


@dataclass(frozen=True, slots=True)
class Match:
    """One transaction that has to do with a batch: what of its rows it paid, what it left, what it paid besides."""

    state: State
    seen: Seen
    paid: Counter[Transfer]
    missing: Counter[Transfer]
    foreign: Counter[Transfer]


@dataclass(frozen=True, slots=True)
class Search:
    """How the chain was searched: by whom it was answered and how far.

    `heights`: the newest height of each read (several nodes, or one at several times). Every transaction of the
    payer in the blocks `searched_from..searched_to` was seen (both 0: none). `troubles`: names of what went wrong.
    `account_sequence`: the next sequence of the payer, None where unknown.
    """

    chain_id: str
    heights: tuple[int, ...] = ()
    searched_from: int = 0
    searched_to: int = 0
    troubles: frozenset[str] = frozenset()
    account_sequence: int | None = None


@dataclass(frozen=True, slots=True)
class Conclusion:
    """A batch's state, the transaction behind it, and what may follow.

    `is_over`: no file of it can come into a block any more. `is_dead`: besides, nobody was paid by it for all that is
    known, so its rows may be planned again.
    """

    state: State
    match: Match | None
    is_over: bool
    is_dead: bool

    @property
    def next_step(self) -> str:
        """What to do."""
        if self.state is State.FAILED and self.is_dead:
            return NEXT[State.EXPIRED]
        return NEXT[self.state]


def reconcile_one(batch: ApprovedBatch, seen: Seen) -> Match | None:
    """What a transaction in a block means for a batch; None where it has nothing to do with it.

    Its body's (address, denom, amount) multiset is compared with the rows; events are not looked at.
    """
    if seen.memo != batch.memo and (seen.code or seen.memo.startswith(MEMO_START)):
        return None
    approved, moved = batch.transfers, seen.transfers
    paid = approved & moved
    is_exact = seen.payers == (batch.payer,) and moved == approved and not seen.other_messages

    def match(state: State) -> Match:
        nothing: Counter[Transfer] = Counter()
        if seen.code:
            return Match(state, seen, nothing, approved, nothing)
        return Match(state, seen, paid, approved - moved, moved - approved)

    if seen.memo != batch.memo:
        # Without the memo a transfer of the same sums may belong to another batch: a person decides.
        return match(State.LOOKS_PAID) if is_exact else None
    if batch.payer not in seen.payers:
        # Anybody can write any memo: only where recipients got something is it worth a look.
        return match(State.FOREIGN) if paid and not seen.code else None
    if seen.code:
        return match(State.FAILED)
    if is_exact:
        return match(State.INCLUDED if seen.hash in batch.signed else State.PAID_BY_ANOTHER)
    return match(State.PARTLY_FOREIGN if paid else State.FOREIGN)


def conclude(batch: ApprovedBatch, transactions: Iterable[Seen], search: Search) -> Conclusion:
    """The state of a batch after a search. A broadcast's answer is no part of it: it proves nothing.

    A batch is dead, and only then may be planned again, when at least two reads of the height lie beyond its
    timeout, every block from the export to the timeout was searched, and no transaction with its memo moved money.
    """
    if search.chain_id != batch.chain_id:
        return Conclusion(State.WRONG_CHAIN, None, is_over=False, is_dead=False)
    by_hash = {seen.hash: seen for seen in transactions}
    matches = [match for match in (reconcile_one(batch, seen) for seen in by_hash.values()) if match is not None]
    is_over = _is_over(batch, search)
    moving = [match for match in matches if match.state in PAID or match.state is State.PARTLY_FOREIGN]
    if moving:
        best = min(moving, key=lambda match: (match.state not in PAID, match.seen.height))
        return Conclusion(State.PAID_TWICE if _overlap(moving) else best.state, best, is_over, is_dead=False)
    open_question = _first(matches, State.LOOKS_PAID)
    if open_question:
        return Conclusion(State.LOOKS_PAID, open_question, is_over, is_dead=False)
    for state in (State.FAILED, State.FOREIGN):
        found = _first(matches, state)
        if found:
            return Conclusion(state, found, is_over, is_over)
    return Conclusion(State.EXPIRED if is_over else _open_state(batch, search), None, is_over, is_over)


def rows_paid(batch: ApprovedBatch, match: Match) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The places of the batch's rows that a transaction paid, and of those it did not; equal rows in their order."""
    left = Counter(match.paid)
    paid: list[int] = []
    unpaid: list[int] = []
    for place, (address, amount) in enumerate(batch.rows):
        row = (address, DENOM, amount)
        (paid if left[row] else unpaid).append(place)
        left[row] -= 1 if left[row] else 0
    return tuple(paid), tuple(unpaid)


def second_file_refusal(batch: ApprovedBatch, sequence: int, account_sequence: int) -> str | None:
    """Why a file signed with `sequence` may not be stored beside the batch's earlier ones, None where it may.

    Of files with one sequence a chain takes one; two with different sequences could both be paid.
    """
    for earlier, its_sequence in batch.signed.items():
        if account_sequence <= its_sequence != sequence:
            return (
                f"the file {earlier[:8]} with the sequence {its_sequence} can still be paid: sign with that sequence"
            )
    return None


def _overlap(moving: list[Match]) -> bool:
    """Whether a row was paid more often than it stands in the batch."""
    total: Counter[Transfer] = Counter()
    for match in moving:
        total += match.paid
    approved = moving[0].paid + moving[0].missing
    return bool(total - approved)


def _is_over(batch: ApprovedBatch, search: Search) -> bool:
    beyond = [height for height in search.heights if height > batch.timeout_height]
    is_searched = 0 < search.searched_from <= batch.exported_height and search.searched_to >= batch.timeout_height
    return len(beyond) >= READS and len(beyond) == len(search.heights) and is_searched


def _open_state(batch: ApprovedBatch, search: Search) -> State:
    """Why nothing is known yet."""
    # Without an index blocks are read; where these are gone too, that is what must be mended.
    for name, state in (("pruned", State.PRUNED), ("index_off", State.INDEX_OFF)):
        if name in search.troubles:
            return state
    if search.troubles:
        return State.UNREACHABLE
    sequences = batch.signed.values()
    if search.account_sequence is not None and sequences and search.account_sequence > max(sequences):
        return State.REPLACED
    return State.WAITING


def _first(matches: list[Match], state: State) -> Match | None:
    found = [match for match in matches if match.state is state]
    return max(found, key=lambda match: match.seen.height) if found else None
