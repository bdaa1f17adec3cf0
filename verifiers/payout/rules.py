"""The bank's rules for transfers, each message by message as the chain applies them (cosmos-sdk x/bank)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from tasks.payout.batches import DENOM
from verifiers.payout.facts import PayerFacts
from verifiers.payout.findings import Finding, in_block
from verifiers.payout.signed import SignedTransaction
from verifiers.payout.transfers import Coin, Message, MultiSend, Send, Side
from verifiers.wallet.addresses import is_address

_DENOM = re.compile(r"[a-zA-Z][a-zA-Z0-9/:._-]{2,127}")


def bank_findings(signed: SignedTransaction, facts: PayerFacts) -> Iterator[Finding]:
    """What a block would find, in its order."""
    for message in signed.messages:
        yield from _multi_send(message) if isinstance(message, MultiSend) else _send(message)
        yield from _module_accounts(message, facts.module_accounts)
    yield from _funds(signed, facts)


def _multi_send(message: MultiSend) -> Iterator[Finding]:
    if not message.inputs:
        yield in_block("no_input", 2, "the transfer names no sender", "bank")
    elif len(message.inputs) > 1:
        yield in_block("several_inputs", 9, "the transfer names several senders; the chain takes one", "bank")
    if not message.outputs:
        yield in_block("no_output", 3, "the transfer names no recipient", "bank")
    for place, side in enumerate((*message.inputs, *message.outputs)):
        yield from _side(side, "sender" if place < len(message.inputs) else "recipient")
    if _sum(message.inputs) != _sum(message.outputs):
        yield in_block("sums_differ", 4, "what the recipients get is not what the sender gives", "bank")


def _send(message: Send) -> Iterator[Finding]:
    if not _is_taken(message.from_address):
        yield _no_address(message.from_address, "sender")
    yield from _side(Side(message.to_address, message.amount), "recipient")


def _side(side: Side, who: str) -> Iterator[Finding]:
    if not _is_taken(side.address):
        yield _no_address(side.address, who)
    denoms = [coin.denom for coin in side.coins]
    if not side.coins or denoms != sorted(set(denoms)) or not all(_is_sound(coin) for coin in side.coins):
        amounts = ", ".join(f"{coin.amount[:40]}{coin.denom[:40]}" for coin in side.coins) or "nothing"
        yield in_block("amount_invalid", 10, f"the {who} {side.address[:90]} has the amount {amounts}")


def _no_address(text: str, who: str) -> Finding:
    return in_block("address_invalid", 7, f"the {who} {text[:90]!r} is no address of this chain")


def _is_taken(address: str) -> bool:
    """Whether the chain reads it: an address all in capitals is the same one to it."""
    return is_address(address.lower() if address.isupper() else address, contracts=True)


def _is_sound(coin: Coin) -> bool:
    return coin.units is not None and coin.units > 0 and _DENOM.fullmatch(coin.denom) is not None


def _sum(sides: Sequence[Side]) -> Counter[str]:
    total: Counter[str] = Counter()
    for side in sides:
        for coin in side.coins:
            total[coin.denom] += coin.units or 0
    return total


def _module_accounts(message: Message, module_accounts: frozenset[str]) -> Iterator[Finding]:
    outputs = [side.address for side in message.outputs] if isinstance(message, MultiSend) else [message.to_address]
    for address in outputs:
        if address.lower() in module_accounts:
            text = f"{address} belongs to a module of the chain and is not allowed to receive funds"
            yield in_block("module_account", 4, text)


def _funds(signed: SignedTransaction, facts: PayerFacts) -> Iterator[Finding]:
    if facts.balance_uakt is None:
        return
    spent = 0
    for message in signed.messages:
        sides = message.inputs if isinstance(message, MultiSend) else (Side(message.from_address, message.amount),)
        spent += sum(coin.units or 0 for side in sides for coin in side.coins if coin.denom == DENOM)
    left = facts.balance_uakt - signed.fee.uakt
    if left >= 0 and spent > left:
        text = f"the account holds {left}uakt after the fee and the file spends {spent}uakt: fund it first"
        yield in_block("insufficient_funds", 5, text)
