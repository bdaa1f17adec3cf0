"""The bank's messages as cosmos-sdk 0.53 carries them out (`x/bank/keeper/msg_server.go`): rules in its order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from devnet.addresses import BadAddressError, OtherPrefixError, module_address
from devnet.sent import gas
from devnet.sent.checks import coins_of
from devnet.sent.gas import Meter
from devnet.sent.transaction import SEND, normal
from devnet.state.bank import Bank
from devnet.state.objects import ChainError

Coins = Sequence[Mapping[str, str]]


def carry_out(bank: Bank, message: Mapping[str, Any], meter: Meter) -> None:
    """Move what a message says and tell its events. Raises ChainError, with whatever it moved until then."""
    sender = message["from_address"] if message["@type"] == SEND else _sender(message)
    bank.events.plain("message", ("action", message["@type"]), ("sender", sender), ("module", "bank"))
    if message["@type"] == SEND:
        _send(bank, message, meter)
    else:
        _multi_send(bank, message, meter)


def _sender(message: Mapping[str, Any]) -> str:
    return str(message["inputs"][0]["address"]) if message["inputs"] else ""


def _send(bank: Bank, message: Mapping[str, Any], meter: Meter) -> None:
    for name, said in (("from", message["from_address"]), ("to", message["to_address"])):
        try:
            normal(said)
        except BadAddressError as error:
            raise ChainError("sdk", 7, f"invalid {name} address: {error}: invalid address") from None
    amount = _amount(message["amount"])
    _allowed(bank, amount, [message["to_address"]], meter)
    sender, recipient = normal(message["from_address"]), normal(message["to_address"])
    meter.use(gas.SPEND, "ReadPerByte")
    bank.spend(sender, amount)
    meter.use(gas.SPENT, "WritePerByte")
    _receive(bank, recipient, amount, meter)
    bank.events.coins(sender, recipient, _shown(message["amount"]))


def _multi_send(bank: Bank, message: Mapping[str, Any], meter: Meter) -> None:
    inputs, outputs = message["inputs"], message["outputs"]
    if not inputs:
        raise ChainError("bank", 2, "no inputs to send transaction")
    if len(inputs) > 1:
        raise ChainError("bank", 9, "multiple senders not allowed")
    if not outputs:
        raise ChainError("bank", 3, "no outputs to send transaction")
    spent = _side(inputs[0], "input")
    received: Counter[str] = Counter()
    for output in outputs:
        received.update(_side(output, "output"))
    if dict(received) != spent:
        raise ChainError("bank", 4, "sum inputs != sum outputs")
    _allowed(bank, spent, [output["address"] for output in outputs], meter)
    sender = inputs[0]["address"]
    bank.events.plain("message", ("sender", sender))
    meter.use(gas.SPEND, "ReadPerByte")
    bank.spend(normal(sender), spent)
    meter.use(gas.SPENT, "WritePerByte")
    bank.events.plain("coin_spent", ("spender", normal(sender)), ("amount", _shown(inputs[0]["coins"])))
    for output in outputs:
        _receive(bank, normal(output["address"]), _amount(output["coins"]), meter)
        shown = _shown(output["coins"])
        bank.events.plain("coin_received", ("receiver", normal(output["address"])), ("amount", shown))
        bank.events.plain("transfer", ("recipient", output["address"]), ("sender", sender), ("amount", shown))


def _receive(bank: Bank, recipient: str, amount: Mapping[str, int], meter: Meter) -> None:
    meter.use(gas.RECEIVE, "WritePerByte")
    if recipient not in bank.holders:
        meter.use(gas.NEW_ACCOUNT, "WritePerByte")
    bank.receive(recipient, amount)


def _side(side: Mapping[str, Any], name: str) -> dict[str, int]:
    """What an input or output gives. Raises ChainError where its address or coins are not valid."""
    try:
        normal(side["address"])
    except OtherPrefixError as error:
        text = f"invalid {name} address: invalid Bech32 prefix; expected akash, got {error.prefix}: invalid address"
        raise ChainError("sdk", 7, text) from None
    except BadAddressError as error:
        raise ChainError("sdk", 7, f"invalid {name} address: {error}: invalid address") from None
    return _amount(side["coins"])


def _amount(coins: Coins) -> dict[str, int]:
    found = coins_of(tuple((coin["denom"], coin["amount"]) for coin in coins))
    if not found:
        raise ChainError("sdk", 10, f"{_shown(coins)}: invalid coins")
    return found


def _allowed(bank: Bank, amount: Mapping[str, int], recipients: Sequence[str], meter: Meter) -> None:
    """Denoms that may be sent, recipients that are no modules."""
    meter.use(gas.SEND_ENABLED, "ReadPerByte")
    for denom in amount:
        bank.sendable(denom)
    modules = {module_address(name) for name, _ in bank.modules}
    for recipient in recipients:
        if normal(recipient) in modules:
            raise ChainError("sdk", 4, f"{recipient} is not allowed to receive funds: unauthorized")


def _shown(coins: Coins) -> str:
    return ",".join(f"{coin['amount']}{coin['denom']}" for coin in coins)
