"""The three proofs that somebody holds an address, checked against the challenge that they answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.errors import Unavailable
from services.house import House
from tasks.moment import SECOND, Moment
from verifiers.chain.client import Chain
from verifiers.trouble import Trouble
from verifiers.wallet.addresses import Address
from verifiers.wallet.adr036 import is_text_signed_by
from verifiers.wallet.memo import is_memo_sent_by, is_transaction_hash
from verifiers.wallet.signatures import decode_base64
from verifiers.wallet.transactions import is_signed_transaction_of

BLOCK_TIME_SLACK = 120 * SECOND
"""How far a block's time may lie outside the life of the challenge: the clocks of chain and server differ."""


@dataclass(frozen=True, slots=True)
class WalletProof:
    """What a browser wallet answers to `signArbitrary`: key and signature, both base64."""

    pub_key: str
    signature: str


@dataclass(frozen=True, slots=True)
class CommandLineProof:
    """The unsendable transaction, signed by the command line: one key or k of n."""

    signed_tx: str | Mapping[str, object]


@dataclass(frozen=True, slots=True)
class MemoProof:
    """The hash of a transaction on the chain that carries the memo."""

    tx_hash: str


Proof = WalletProof | CommandLineProof | MemoProof

NAMES: Mapping[type[Proof], str] = {WalletProof: "wallet", CommandLineProof: "command_line", MemoProof: "memo"}
"""How the ledger calls a proof."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a proof must show: the stored text and memo of one challenge, and how long that lived."""

    address: Address
    text: str
    memo: str
    created_at: Moment
    expires_at: Moment


def memo_answers(house: House, proof: Proof) -> tuple[bytes, ...]:
    """What the chains say of the transaction that a memo proof names; nothing for the other proofs.

    The network is read here, so this stands outside of any transaction. Empty: every chain says that there is no
    such transaction. Raises Unavailable where none shows it and one could not be asked: that refuses nobody.
    """
    if not isinstance(proof, MemoProof) or not is_transaction_hash(proof.tx_hash):
        return ()
    answers, trouble = [], None
    for chain in memo_chains(house):
        try:
            seen = chain.get(f"/cosmos/tx/v1beta1/txs/{proof.tx_hash.upper()}")
        except Trouble as error:
            trouble = error
        else:
            if seen.status == 200:
                answers.append(seen.body)
    if not answers and trouble is not None:
        raise Unavailable(
            "We could not look that transaction up, which is our side. Send the same hash again in a minute, "
            "or sign in with a wallet or the command line."
        ) from trouble
    return tuple(answers)


def memo_chains(house: House) -> tuple[Chain, ...]:
    """The chains where a memo counts: the payout chain, then the campaign's where it is another one."""
    both = (house.payout_chain, house.chain)
    chains = [chain for chain in both if chain is not None]
    if len(chains) == 2 and chains[0].chain_id is not None and chains[0].chain_id == chains[1].chain_id:
        chains.pop()
    return tuple(dict.fromkeys(chains))


def holds(expected: Expected, proof: Proof, answers: tuple[bytes, ...]) -> bool:
    """Whether the proof shows what is expected. `answers` are those of `memo_answers`. Never says why not."""
    match proof:
        case WalletProof():
            try:
                key, signature = decode_base64(proof.pub_key), decode_base64(proof.signature)
            except ValueError:
                return False
            return is_text_signed_by(expected.address, expected.text, key, signature)
        case CommandLineProof():
            return is_signed_transaction_of(expected.address, expected.memo, proof.signed_tx)
        case MemoProof():
            return any(
                is_memo_sent_by(
                    expected.address,
                    expected.memo,
                    proof.tx_hash,
                    answer,
                    not_before=Moment(expected.created_at - BLOCK_TIME_SLACK),
                    not_after=Moment(expected.expires_at + BLOCK_TIME_SLACK),
                )
                for answer in answers
            )
