"""Hands a stored signed file to the payout chain. Again is harmless, and no answer proves a payment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from ledger.observations import store_observations
from ledger.payouts import PayoutSignedRow
from services.errors import NotFound
from services.house import House
from services.payout_facts import asking
from services.payout_findings import VERIFIER
from services.payout_moves import move
from services.payout_records import approved_batch
from tasks.moment import Moment
from tasks.payout.lifecycle import Act
from verifiers.chain import transactions
from verifiers.chain.answers import TxResponse
from verifiers.chain.trouble import WrongChain
from verifiers.evidence import Observation
from verifiers.payout.files import read_signed
from verifiers.trouble import Trouble

TAKEN = "The node took it. That proves no payment: it is paid once a block holds it with code 0."
UNCLEAR = (
    "No node gave a clear answer ({name}: {text}). It may have been taken all the same: look for it with "
    "`payout reconcile`, and broadcast the same file again if it does not appear."
)
_REFUSED = {
    ("sdk", 4): "The node finds the signatures not valid for the account: check chain id, account number, sequence "
    "and that enough members signed, then sign again.",
    ("sdk", 5): "The account can't pay the fee: fund it first.",
    ("sdk", 11): "The gas limit does not even pay for checking the file: raise it in the exported file, sign again.",
    ("sdk", 12): "The memo is too long for this chain, which the export should not have allowed: tell the operator.",
    ("sdk", 13): "The node asks a higher fee: raise it in the exported file, whose body must stay, and sign again.",
    ("sdk", 19): "The node has this transaction already; broadcasting it again changes nothing. Look for its block.",
    ("sdk", 20): "The node's mempool is full: broadcast the same file again later.",
    ("sdk", 30): "The chain is past the file's timeout height: it can't be paid any more. Reconcile; once the batch "
    "is found expired, plan its rows again.",
    ("sdk", 32): "The node expects another sequence: this file or another one with its sequence was used. Reconcile "
    "first; only a batch found replaced or failed is signed again with the next sequence.",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sent:
    """A broadcast's answer. `is_taken`: the node has it in its mempool now, or had it before.

    `code` None: no node gave a clear answer. `text` says what it means and what to do next.
    """

    hash: str
    batch: int
    code: int | None
    codespace: str
    log: str
    is_taken: bool
    text: str

    def document(self) -> dict[str, object]:
        """It as JSON."""
        return {
            "hash": self.hash,
            "code": self.code,
            "codespace": self.codespace,
            "log": self.log,
            "is_taken": self.is_taken,
            "text": self.text,
        }


def broadcast(house: House, actor: str, tx_hash: str) -> Sent:
    """Broadcast a signed file that was checked and stored, through the configured nodes of the payout chain.

    The act stands in the audit log before the node is asked: whatever happens in between, the batch is looked for.
    Raises NotFound for a hash that is not stored, Conflict where its batch is in no state for it, Unavailable where
    the payout chain is not set, another one or silent; trouble after that comes back as an unclear answer.
    """
    with house.ledger.read() as session:
        row = session.get(PayoutSignedRow, tx_hash.upper())
        if row is None:
            raise NotFound("No signed file with this hash is stored: check and store it first (payout check-signed).")
        chain_id = approved_batch(session, row.batch).chain_id
    raw = read_signed(row.file).raw
    with asking(house) as chain:
        found = chain.tip().chain_id
        if found != chain_id:
            raise WrongChain("the batch is paid elsewhere", chain_id, found)
    now = house.clock.now()
    house.ledger.transact(lambda session: _note(session, now, actor, row), durable=True)
    try:
        answer, observation = transactions.broadcast(chain, raw)
    except Trouble as trouble:
        return Sent(row.hash, row.batch, None, "", "", is_taken=False, text=_unclear(trouble))
    sent = _sent(row, answer)
    house.ledger.transact(lambda session: _keep(session, sent, observation), durable=True)
    return sent


def _note(session: Session, now: Moment, actor: str, row: PayoutSignedRow) -> None:
    move(session, now, row.batch, Act.NOTE_BROADCAST, actor, {"transaction": row.hash})
    session.execute(update(PayoutSignedRow).where(PayoutSignedRow.hash == row.hash).values(broadcast_ns=now))


def _keep(session: Session, sent: Sent, observation: Observation) -> None:
    store_observations(session, [observation], VERIFIER)
    answer: dict[str, Any] = {"code": sent.code, "codespace": sent.codespace, "log": sent.log, "text": sent.text}
    statement = update(PayoutSignedRow).where(PayoutSignedRow.hash == sent.hash)
    session.execute(statement.values(answer={**answer, "observation": observation.id}))


def _sent(row: PayoutSignedRow, answer: TxResponse) -> Sent:
    key = (answer.codespace, answer.code)
    text = TAKEN if answer.code == 0 else _REFUSED.get(key) or (
        f"The node refuses it ({answer.codespace} {answer.code}). Nobody was paid; mend the cause and sign again."
    )  # fmt: skip
    is_taken = answer.code == 0 or key == ("sdk", 19)
    return Sent(row.hash, row.batch, answer.code, answer.codespace, answer.raw_log, is_taken=is_taken, text=text)


def _unclear(trouble: Trouble) -> str:
    return UNCLEAR.format(name=trouble.name, text=trouble)


__all__ = ["Sent", "broadcast"]
