"""A signed file is held against what was approved, and its hash is stored, before anybody broadcasts it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.payouts import PayoutBatchRow, PayoutRow, PayoutSignedRow
from ledger.rows import insert_once
from services import campaigns
from services.errors import Conflict
from services.house import House
from services.payout_moves import move
from services.payout_reconcile import refusal_to_store
from services.payout_records import approved_batch, batch_in, exported_file, payout_in
from services.payout_storing import written
from services.payout_views import BatchView, PayoutView
from tasks.payout.lifecycle import ON_THE_WAY, Act
from verifiers.payout.check import Checked
from verifiers.payout.check import check_signed as judged
from verifiers.payout.facts import PayerFacts
from verifiers.payout.files import read_export
from verifiers.payout.reconcile import second_file_refusal


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a signed file. A good one is stored; `is_new` False: it was stored before."""

    checked: Checked
    batch: BatchView
    is_stored: bool
    is_new: bool

    def document(self) -> dict[str, object]:
        """The answer of `payout check-signed`."""
        node = self.checked.by_node
        return {
            "batch": self.batch.name,
            "ok": self.is_stored,
            "hash": self.checked.hash,
            "stored": self.is_stored,
            "state": str(self.batch.state),
            "findings": [
                {
                    "name": each.name,
                    "phase": str(each.phase),
                    "text": each.text,
                    "codespace": each.codespace,
                    "code": each.code,
                }
                for each in self.checked.findings
            ],
            "node": {
                "accepts": node.is_accepted,
                "phase": None if node.phase is None else str(node.phase),
                "codespace": node.codespace,
                "code": node.code,
            },
        }


def check_signed(house: House, actor: str, name: str, file: str | bytes, facts: PayerFacts) -> Judged:
    """Judge a signed file of a batch; a good one is stored with its hash, and the batch is `signed`.

    `facts` are the payer's, read just now. Raises NotFound, Conflict before the export, after the batch's end, for
    facts of another account or chain, and for a second file that could be paid beside an earlier one; Unavailable
    where the chain must be asked about that and can't.
    """
    slug = campaigns.required(house).slug
    with house.ledger.read() as session:
        batch = batch_in(session, slug, name)
        view = payout_in(session, slug, batch.payout)
        unsigned = exported_file(session, batch.id)
        taken = _taken(session, view, batch)
    if unsigned is None:
        raise Conflict(f"{name} is not exported yet: payout export {batch.payout} --out DIR.")
    if (facts.address, facts.chain_id) != (view.paying.payer, view.paying.chain_id):
        raise Conflict(f"{name} is paid by {view.paying.payer} on {view.paying.chain_id}: these are other facts.")
    approved = read_export(unsigned)
    checked = judged(approved, file, facts)
    sequence = checked.signed.signers[0].sequence if checked.signed and checked.signed.signers else None
    expected = _expected(batch, sequence, facts.sequence, taken)
    if expected != facts.sequence:
        checked = judged(approved, file, replace(facts, sequence=expected))
    if not checked.is_good or checked.signed is None or checked.hash is None or sequence is None:
        return Judged(checked, batch, is_stored=False, is_new=False)
    # Another file of it, perhaps one that we never saw, may have been paid meanwhile: the chain is asked first.
    refusal = refusal_to_store(house, batch, sequence, actor=actor)
    if refusal is not None:
        raise Conflict(f"{name}: {refusal}")
    content = file.encode() if isinstance(file, str) else file
    is_new = _store(house, actor, batch, _Signed(checked.hash, sequence, content), facts.sequence)
    with house.ledger.read() as session:
        return Judged(checked, batch_in(session, slug, name), is_stored=True, is_new=is_new)


@dataclass(frozen=True, slots=True)
class _Signed:
    hash: str
    sequence: int
    content: bytes


def _store(house: House, actor: str, batch: BatchView, signed: _Signed, account_sequence: int) -> bool:
    """Keep the file and say so in the log; False where it is kept already."""

    def store(session: Session) -> bool:
        at = house.clock.now()
        if session.get(PayoutSignedRow, signed.hash) is not None:
            return False
        approved, seen = approved_batch(session, batch.id), {file.hash for file in batch.signed}
        if any(its != signed.sequence for name, its in approved.signed.items() if name not in seen):
            # Nobody asked the chain about that one: the account's sequence alone does not say that it was not paid.
            raise Conflict(f"{batch.name}: a file with another sequence was stored just now: look at it first.")
        refusal = second_file_refusal(approved, signed.sequence, account_sequence)
        if refusal is not None:
            raise Conflict(f"{batch.name}: {refusal}.")
        detail = {"hash": signed.hash, "sequence": signed.sequence}
        move(session, at, batch.id, Act.STORE_SIGNED, actor, detail)
        return insert_once(
            session,
            PayoutSignedRow,
            {
                "hash": signed.hash, "batch": batch.id, "sequence": signed.sequence, "actor": actor,
                "sha256": hashlib.sha256(signed.content).hexdigest(), "file": signed.content, "checked_ns": at,
                "broadcast_ns": None, "answer": None,
            },
        )  # fmt: skip

    return written(house, store)


def _taken(session: Session, view: PayoutView, batch: BatchView) -> frozenset[int]:
    """Sequences that stored files of the payer's other batches on the way use."""
    statement = (
        select(PayoutSignedRow.sequence)
        .join(PayoutBatchRow, PayoutBatchRow.id == PayoutSignedRow.batch)
        .join(PayoutRow, PayoutRow.id == PayoutBatchRow.payout)
        .where(
            PayoutRow.payer == view.paying.payer,
            PayoutRow.chain_id == view.paying.chain_id,
            PayoutBatchRow.id != batch.id,
            PayoutBatchRow.state.in_([str(state) for state in ON_THE_WAY]),
        )
    )
    return frozenset(session.scalars(statement))


def _expected(batch: BatchView, given: int | None, account_sequence: int, taken: frozenset[int]) -> int:
    """The sequence that this batch's file must have.

    That of an earlier file of the same batch which can still be paid, else the first one that no file signed ahead
    for another batch uses: a chain takes one transaction with each.
    """
    if any(file.sequence == given for file in batch.signed if file.sequence >= account_sequence):
        return given if given is not None else account_sequence
    expected = account_sequence
    while expected in taken:
        expected += 1
    return expected
