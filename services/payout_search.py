"""Looks on the payout chain for what became of batches: by hash, by who pays, by reading blocks. No ledger here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from verifiers.chain import accounts, transactions
from verifiers.chain.client import Chain
from verifiers.chain.transactions import Sighting
from verifiers.chain.trouble import Lagging, Pruned, WrongChain, WrongHeight
from verifiers.payout.reconcile import ApprovedBatch, Search, reconcile_one
from verifiers.payout.seen import Seen
from verifiers.trouble import Trouble

log = structlog.get_logger()

BEHIND_TIP = 2
"""A node's index may lag behind its tip; so far below it nothing is missing any more."""


@dataclass(frozen=True, slots=True)
class Sought:
    """A batch that is looked for. `known`: transactions seen earlier that have to do with it.

    Every transaction of the payer from the export up to `searched_to` was seen already (the height before the
    export: nothing yet).
    """

    id: int
    approved: ApprovedBatch
    searched_to: int
    known: Mapping[str, Seen]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a look brought for one batch: transactions new to it, and how far the chain was searched."""

    found: tuple[Sighting, ...]
    search: Search


@dataclass(slots=True)
class _Look:
    """What one look has collected so far.

    `accounts`: a payer's height and next sequence; `sequences`: the same where every transaction before was seen.
    """

    sightings: dict[str, Sighting] = field(default_factory=dict)
    searched_to: dict[int, int] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)
    accounts: dict[str, tuple[int, int]] = field(default_factory=dict)
    troubles: dict[int, set[str]] = field(default_factory=dict)

    def keep(self, found: Iterable[Sighting]) -> None:
        """The first sighting of a hash stays."""
        for each in found:
            self.sightings.setdefault(each.seen.hash, each)

    def note(self, batches: Iterable[Sought], trouble: Trouble) -> None:
        for batch in batches:
            self.troubles.setdefault(batch.id, set()).add(trouble.name)


def look(chain: Chain, batches: Sequence[Sought], *, blocks: int, hashes: Sequence[str] = ()) -> dict[int, Outcome]:
    """Search the payout chain for the batches. Trouble of the nodes never raises: it stands in each `Search`.

    1. The stored hashes, and `hashes` that somebody named, one by one.
    2. Each payer's transactions, the newest first, back to where the last look ended. They are complete where their
       sequences leave no gap up to the account's next one, read before.
    3. Where no index gave a complete answer: the blocks themselves, at most `blocks` of them.
    """
    here = _standing_on(chain)
    if isinstance(here, Trouble):
        return {batch.id: _nothing(batch, here, chain) for batch in batches}
    mine = [batch for batch in batches if batch.approved.chain_id == here]
    seen = _Look(searched_to={batch.id: batch.searched_to for batch in batches})
    heights = committed_heights(chain)
    _by_hashes(chain, mine, hashes, seen)
    for payer in sorted({batch.approved.payer for batch in mine}):
        _by_payer(chain, payer, [batch for batch in mine if batch.approved.payer == payer], seen)
    _by_blocks(chain, mine, min(heights, default=0), blocks, seen)
    return {batch.id: _outcome(chain, batch, seen, here, heights) for batch in batches}


def committed_heights(chain: Chain) -> tuple[int, ...]:
    """The newest height of each node asked. Where two hosts of a kind are set, two of them must have answered.

    With one read only no batch is called dead (wallet-and-payouts.md 2.5).
    """
    reads = chain.reached()
    told = {kind: {read.host for read in reads if read.kind == kind} for kind in chain.host_counts}
    pairs = [kind for kind, count in chain.host_counts.items() if count > 1]
    heights = tuple(read.height for read in reads)
    return heights if not pairs or any(len(told[kind]) > 1 for kind in pairs) else heights[:1]


def _standing_on(chain: Chain) -> str | Trouble:
    """The chain id that the nodes are on, or why they can't say."""
    try:
        return chain.tip().chain_id
    except Trouble as trouble:
        return trouble


def _nothing(batch: Sought, trouble: Trouble, chain: Chain) -> Outcome:
    """Nobody answered, or for another chain."""
    names = frozenset({trouble.name})
    where = trouble.found if isinstance(trouble, WrongChain) else batch.approved.chain_id
    if chain.chain_id not in {None, batch.approved.chain_id}:
        where = str(chain.chain_id)
    start = batch.approved.exported_height
    return Outcome((), Search(where, (), start, batch.searched_to, names))


def _by_hashes(chain: Chain, batches: Sequence[Sought], hashes: Sequence[str], seen: _Look) -> None:
    """Look up every hash that is not known yet; a node without an index is asked once."""
    stored = [name for batch in batches for name in batch.approved.signed if name not in batch.known]
    for name in dict.fromkeys((*stored, *hashes)):
        try:
            found = transactions.by_hash(chain, name)
        except Pruned as trouble:
            seen.note(batches, trouble)
            continue
        except Trouble as trouble:
            log.info("payout_not_looked_up", tx=name, trouble=trouble.name)
            seen.note(batches, trouble)
            return
        if found is not None:
            seen.keep([found])


def _by_payer(chain: Chain, payer: str, batches: Sequence[Sought], seen: _Look) -> None:
    """What the payer sent since the last look; the search moves on only where nothing can be missing."""
    since = min(batch.searched_to for batch in batches) + 1
    try:
        account = accounts.account(chain, payer)
        if account.height is None:
            raise WrongHeight("the node does not say at which height the payer's account is so")
        upto, sequence = account.height, account.value.sequence if account.value else 0
        seen.accounts[payer] = upto, sequence
        sent, older = _sent_since(chain, payer, since)
        first = older + 1 if older is not None else _sequence_at(chain, payer, since - 1)
    except Trouble as trouble:
        seen.note(batches, trouble)
        return
    seen.keep(sent)
    used = {each.seen.sequence for each in sent}
    if first is None or any(number not in used for number in range(first, sequence)):
        # The index lags behind the account, or began later than it: what is missing may be ours.
        seen.note(batches, Lagging("the node's index does not show every transaction of the payer yet"))
        return
    seen.sequences[payer] = sequence
    for batch in batches:
        seen.searched_to[batch.id] = max(batch.searched_to, upto)
        seen.troubles.pop(batch.id, None)


def _sent_since(chain: Chain, payer: str, since: int) -> tuple[list[Sighting], int | None]:
    """The payer's transactions from a height on, and the highest sequence before it (None: none is known)."""
    found: list[Sighting] = []
    for page in transactions.sent_by(chain, payer):
        found += [each for each in page if each.seen.height >= since]
        older = [each.seen.sequence for each in page if each.seen.height < since]
        if older:
            return found, max((number for number in older if number is not None), default=None)
    return found, None


def _sequence_at(chain: Chain, payer: str, height: int) -> int | None:
    """The account's next sequence at the height before the search; 0 where its whole life is searched."""
    if height < 1:
        return 0
    try:
        account = accounts.account(chain, payer, height)
    except Trouble:
        # The node forgot that state: complete is then only what goes back to the account's first transaction.
        return 0
    return account.value.sequence if account.value else 0


def _by_blocks(chain: Chain, batches: Sequence[Sought], tip: int, most: int, seen: _Look) -> None:
    """Read blocks for the batches that no index answered for, from where their search stands."""
    lacking = [batch for batch in batches if seen.troubles.get(batch.id)]
    if not lacking or tip <= 0:
        return
    start = min(seen.searched_to[batch.id] for batch in lacking) + 1
    end = min(tip, max(batch.approved.timeout_height for batch in lacking), start + most - 1)
    reached = start - 1
    try:
        for height in range(start, end + 1):
            seen.keep(transactions.in_block(chain, height))
            reached = height
    except Trouble as trouble:
        log.info("payout_blocks_not_read", height=reached + 1, trouble=trouble.name)
        seen.note(lacking, trouble)
    for batch in lacking:
        seen.searched_to[batch.id] = max(seen.searched_to[batch.id], reached)
        if seen.searched_to[batch.id] >= min(tip - BEHIND_TIP, batch.approved.timeout_height):
            # the blocks said all that an index could have said
            seen.troubles.pop(batch.id, None)
        height, sequence = seen.accounts.get(batch.approved.payer, (0, 0))
        if 0 < height <= seen.searched_to[batch.id]:
            seen.sequences[batch.approved.payer] = sequence


def _outcome(chain: Chain, batch: Sought, seen: _Look, here: str, heights: tuple[int, ...]) -> Outcome:
    fresh = [each for each in seen.sightings.values() if each.seen.hash not in batch.known]
    mine = [each for each in fresh if reconcile_one(batch.approved, each.seen) is not None]
    search = Search(
        chain_id=here,
        heights=heights,
        searched_from=batch.approved.exported_height,
        searched_to=seen.searched_to[batch.id],
        troubles=frozenset(seen.troubles.get(batch.id, ())),
        account_sequence=seen.sequences.get(batch.approved.payer),
    )
    on_chain = batch.approved.chain_id == here
    return Outcome(tuple(_evident(chain, each) for each in mine) if on_chain else (), search)


def _evident(chain: Chain, sighting: Sighting) -> Sighting:
    """The sighting by its own answer and with its time, where a node can give both; else as it is."""
    try:
        single = transactions.by_hash(chain, sighting.seen.hash) if _is_of_a_list(sighting) else sighting
        return transactions.with_time(chain, single or sighting)
    except Trouble:
        return sighting


def _is_of_a_list(sighting: Sighting) -> bool:
    return len(sighting.observations) == 1 and sighting.seen.hash not in sighting.observations[0].request.upper()


def found_elsewhere(other: Chain | None, batches: Sequence[Sought]) -> dict[int, tuple[str, Seen]]:
    """Batches whose memo stands in a transaction of another chain (the campaign's): its id and that transaction.

    Nothing there counts. Trouble with that chain is no news about a payout.
    """
    found: dict[int, tuple[str, Seen]] = {}
    if other is None:
        return found
    for payer in sorted({batch.approved.payer for batch in batches}):
        mine = {batch.approved.memo: batch for batch in batches if batch.approved.payer == payer}
        try:
            where = other.chain_id or other.tip().chain_id
            if all(batch.approved.chain_id == where for batch in mine.values()):
                continue
            page = next(iter(transactions.sent_by(other, payer)), ())
        except Trouble:
            continue
        for each in page:
            batch = mine.get(each.seen.memo)
            if batch is not None and batch.approved.chain_id != where:
                found[batch.id] = (where, each.seen)
    return found
