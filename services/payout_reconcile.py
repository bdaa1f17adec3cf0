"""What became of each batch: looks at the payout chain outside of any transaction, then writes what follows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import structlog
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from ledger.payout_sightings import PayoutSightingRow
from ledger.payouts import PayoutBatchRow
from ledger.rows import in_parts
from services.errors import NotFound, Refused, Unavailable
from services.house import House
from services.payout_facts import asking, chain_id_of, connected, is_connected
from services.payout_findings import Kept, Reconciled, write_down
from services.payout_records import OPEN, approved_batch
from services.payout_search import Sought, found_elsewhere, look
from services.payout_seen import seen_of
from services.payout_views import BatchView
from tasks.payout.lifecycle import ON_THE_WAY, BatchState
from verifiers.chain import transactions
from verifiers.chain.client import Chain
from verifiers.payout.reconcile import State, conclude, reconcile_one
from verifiers.payout.seen import Seen
from verifiers.trouble import Trouble
from verifiers.wallet.memo import is_transaction_hash

log = structlog.get_logger()

BLOCKS_AT_ONCE = 300
"""Blocks that one look reads where a node has no index: about half an hour of them."""

SIGNED_AGAIN = frozenset({State.REPLACED, State.FAILED})
"""Only a batch that was found so may be signed with another sequence."""

CANT_TELL = frozenset({State.INDEX_OFF, State.PRUNED, State.UNREACHABLE})
"""What happened to the batch so far is not known."""


def reconcile(house: House) -> str:
    """A job: look at every batch whose fate the chain may still decide; says in a line what was found."""
    try:
        found = Counter(str(each.found) for each in look_at(house))
    except Unavailable as error:
        return str(error)
    return ", ".join(f"{count} {name}" for name, count in sorted(found.items())) or "no batch is on its way"


def look_at(
    house: House,
    batches: Iterable[int] | None = None,
    *,
    actor: str = "waymark",
    hashes: Sequence[str] = (),
    blocks: int = BLOCKS_AT_ONCE,
) -> list[Reconciled]:
    """Look at batches (None: all that are open), and write what follows from what the chain shows.

    `hashes`: transactions that somebody named; `blocks`: how many may be read where no index answers. Each batch
    changes by one conditional update; where somebody else moved it meanwhile, theirs stands. Raises Unavailable where
    no payout chain is set; trouble of its nodes, another chain among them, becomes a state.
    """
    kept = _to_look_at(house, batches)
    if not kept:
        return []
    chain = _chain(house, kept)
    outcomes = look(chain, [each.sought for each in kept], blocks=blocks, hashes=hashes)
    concluded = []
    for each in kept:
        outcome = outcomes[each.sought.id]
        seens = [*each.sought.known.values(), *(sighting.seen for sighting in outcome.found)]
        concluded.append((each, outcome, conclude(each.sought.approved, seens, outcome.search)))
    lost = [each.sought for each, _, conclusion in concluded if conclusion.match is None]
    elsewhere = found_elsewhere(house.chain, lost)
    return [
        write_down(house, actor, each, outcome, conclusion, elsewhere.get(each.sought.id))
        for each, outcome, conclusion in concluded
    ]


def _chain(house: House, kept: Sequence[Kept]) -> Chain:
    """The payout chain, be it another one than the batches are paid on: that becomes their state."""
    try:
        return connected(house)
    except Unavailable:
        if house.payout_chain is None:
            raise
        log.warning("payout_chain_differs", batches=len(kept), chain_id=house.payout_chain.chain_id)
        return house.payout_chain


def look_for(house: House, batches: Sequence[int], tx_hash: str, *, actor: str = "waymark") -> list[Reconciled]:
    """Look at batches by a transaction that somebody names.

    Raises Unavailable where the payout chain can't be asked; NotFound where it knows no such transaction, naming the
    campaign's chain where that one does: what is paid there is no payment; Refused where the transaction has to do
    with none of the batches.
    """
    tx_hash = tx_hash.strip().upper()
    if not is_transaction_hash(tx_hash):
        raise Refused("A transaction's hash has 64 hex digits, as the explorer and the command line show it.", "hash")
    with asking(house) as chain:
        found = transactions.by_hash(chain, tx_hash)
    if found is None:
        raise NotFound(_not_there(house, tx_hash))
    kept = _to_look_at(house, batches)
    if all(reconcile_one(each.sought.approved, found.seen) is None for each in kept):
        names = ", ".join(each.name for each in kept) or "no exported batch"
        raise Refused(
            f"The transaction {tx_hash} in block {found.seen.height} has nothing to do with {names}: "
            f"its memo is {found.seen.memo[:120]!r}.",
            "hash",
        )
    return look_at(house, batches, actor=actor, hashes=[tx_hash])


def refusal_to_store(house: House, batch: BatchView, sequence: int, *, actor: str = "waymark") -> str | None:
    """Why a good file signed with `sequence` may not be stored for a batch on its way; None where it may.

    The account's next sequence alone allows nothing: an earlier file, perhaps one that we never saw, may be what used
    it up, and then both would be paid. So the chain is looked at now. Beside a stored file with another sequence a
    file is taken only where the chain shows that the earlier one failed or was replaced. Raises Unavailable where
    that must be asked and no payout chain is set.
    """
    is_another = any(stored.sequence != sequence for stored in batch.signed)
    if not is_another and not is_connected(house):
        return None
    found = next(iter(look_at(house, [batch.id], actor=actor)), None)
    if found is None:
        return None
    if found.after not in ON_THE_WAY:
        return f"it is {found.after}. {found.detail} {found.next_step}"
    if found.found in CANT_TELL:
        return f"the chain can't say now whether it was paid already. {found.detail} {found.next_step}"
    if is_another and found.found not in SIGNED_AGAIN:
        return f"an earlier file of it may still be paid, or was: {found.found}. {found.detail} {found.next_step}"
    return None


def _not_there(house: House, tx_hash: str) -> str:
    expected = chain_id_of(house)
    other = house.chain
    if other is not None and other.chain_id != expected and _has(other, tx_hash):
        return (
            f"The transaction {tx_hash} is on {other.chain_id}, the campaign's chain, and not on {expected}, where "
            "payouts are made: it pays nothing. Sign and send the exported file on the payout chain."
        )
    return f"The payout chain {expected} knows no transaction {tx_hash}. It appears once its block is there."


def _has(chain: Chain, tx_hash: str) -> bool:
    try:
        return transactions.by_hash(chain, tx_hash) is not None
    except Trouble:
        return False


def _to_look_at(house: House, batches: Iterable[int] | None) -> list[Kept]:
    """Those named that were exported; else all that are open, and paid ones until their timeout has passed."""
    statement = select(PayoutBatchRow).where(PayoutBatchRow.timeout_height.is_not(None))
    if batches is None:
        is_open = PayoutBatchRow.state.in_([str(state) for state in OPEN])
        is_late = (PayoutBatchRow.state == str(BatchState.PAID)) & PayoutBatchRow.is_over.is_(False)
        statement = statement.where(or_(is_open, is_late))
    else:
        statement = statement.where(PayoutBatchRow.id.in_(list(batches)))
    with house.ledger.read() as session:
        rows = session.scalars(statement.order_by(PayoutBatchRow.id)).all()
        known = _known(session, [row.id for row in rows])
        return [_kept(session, row, known.get(row.id, {})) for row in rows]


def _kept(session: Session, row: PayoutBatchRow, known: Mapping[str, Seen]) -> Kept:
    approved = approved_batch(session, row.id)
    searched_to = max(row.searched_to or 0, approved.exported_height - 1)
    return Kept(row.name, BatchState(row.state), row.found, Sought(row.id, approved, searched_to, known))


def _known(session: Session, batches: Sequence[int]) -> dict[int, dict[str, Seen]]:
    found: dict[int, dict[str, Seen]] = {}
    for part in in_parts(batches):
        for row in session.scalars(select(PayoutSightingRow).where(PayoutSightingRow.batch.in_(part))):
            found.setdefault(row.batch, {})[row.hash] = seen_of(row.seen)
    return found


__all__ = ["BLOCKS_AT_ONCE", "Reconciled", "look_at", "look_for", "reconcile", "refusal_to_store"]
