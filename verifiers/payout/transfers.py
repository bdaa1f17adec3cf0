"""What a bank transaction moves: its messages as values, their JSON, protobuf and amino forms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from verifiers.payout import wire

SEND = "/cosmos.bank.v1beta1.MsgSend"
MULTI_SEND = "/cosmos.bank.v1beta1.MsgMultiSend"

_AMINO = {SEND: "cosmos-sdk/MsgSend", MULTI_SEND: "cosmos-sdk/MsgMultiSend"}


@dataclass(frozen=True, slots=True)
class Coin:
    """An amount of one denom, as text: what a file says need not be a number."""

    denom: str
    amount: str

    @property
    def units(self) -> int | None:
        """The amount as a whole number, None where the text is none (the SDK's `math.Int`: at most 256 bits)."""
        digits = self.amount.removeprefix("-")
        if not digits.isascii() or not digits.isdigit() or len(digits) > 78:
            return None
        return int(self.amount)


@dataclass(frozen=True, slots=True)
class Side:
    """An input or output of a MsgMultiSend."""

    address: str
    coins: tuple[Coin, ...]


@dataclass(frozen=True, slots=True)
class MultiSend:
    """One sender, many recipients."""

    inputs: tuple[Side, ...]
    outputs: tuple[Side, ...]


@dataclass(frozen=True, slots=True)
class Send:
    """One sender, one recipient."""

    from_address: str
    to_address: str
    amount: tuple[Coin, ...]


Message = MultiSend | Send

Transfer = tuple[str, str, int]
"""(address, denom, amount)."""


def multi_send(payer: str, rows: Sequence[tuple[str, int]], denom: str) -> MultiSend:
    """The message that pays `rows` (address, amount) from `payer`; its input is their exact sum."""
    total = sum(amount for _, amount in rows)
    outputs = tuple(Side(address, (Coin(denom, str(amount)),)) for address, amount in rows)
    return MultiSend((Side(payer, (Coin(denom, str(total)),)),), outputs)


def sends(payer: str, rows: Sequence[tuple[str, int]], denom: str) -> tuple[Send, ...]:
    """The same as one MsgSend for each row, for signers whose tool knows no MsgMultiSend."""
    return tuple(Send(payer, address, (Coin(denom, str(amount)),)) for address, amount in rows)


def payers_of(messages: Sequence[Message]) -> tuple[str, ...]:
    """Who pays, each once, in order of first appearance."""
    found: dict[str, None] = {}
    for message in messages:
        senders = (
            [side.address for side in message.inputs] if isinstance(message, MultiSend) else [message.from_address]
        )
        found.update(dict.fromkeys(senders))
    return tuple(found)


def outputs_of(messages: Sequence[Message]) -> tuple[Side, ...]:
    """Every (recipient, coins) in order."""
    found: list[Side] = []
    for message in messages:
        found += message.outputs if isinstance(message, MultiSend) else [Side(message.to_address, message.amount)]
    return tuple(found)


def transfers_of(messages: Sequence[Message]) -> Counter[Transfer]:
    """The multiset of what is paid out; coins whose amount is no number count as 0 of it."""
    return Counter(
        (side.address, coin.denom, coin.units or 0) for side in outputs_of(messages) for coin in side.coins
    )


def json_of(message: Message) -> dict[str, object]:
    """A message as the command line reads it, keys in the SDK's order."""
    if isinstance(message, MultiSend):
        return {
            "@type": MULTI_SEND,
            "inputs": [_side_json(side) for side in message.inputs],
            "outputs": [_side_json(side) for side in message.outputs],
        }
    return {
        "@type": SEND,
        "from_address": message.from_address,
        "to_address": message.to_address,
        "amount": _coins_json(message.amount),
    }


def amino_of(message: Message) -> dict[str, object]:
    """A message as it stands in what is signed in amino-json."""
    value = json_of(message)
    kind = str(value.pop("@type"))
    return {"type": _AMINO[kind], "value": value}


def any_of(message: Message) -> bytes:
    """A message as the protobuf `Any` of a transaction's body."""
    if isinstance(message, MultiSend):
        value = b"".join(wire.message(1, _side_bytes(side)) for side in message.inputs)
        value += b"".join(wire.message(2, _side_bytes(side)) for side in message.outputs)
        return wire.text(1, MULTI_SEND) + wire.octets(2, value)
    value = wire.text(1, message.from_address) + wire.text(2, message.to_address)
    value += b"".join(wire.message(3, coin_bytes(coin)) for coin in message.amount)
    return wire.text(1, SEND) + wire.octets(2, value)


def message_from_any(data: bytes) -> Message | None:
    """The message inside an `Any`, None where it is no bank transfer. Raises WireError for bytes that are none."""
    fields = wire.Fields(data)
    kind, value = fields.text(1), fields.octets(2)
    if kind == MULTI_SEND:
        inner = wire.Fields(value)
        return MultiSend(_sides(inner.all(1)), _sides(inner.all(2)))
    if kind == SEND:
        inner = wire.Fields(value)
        return Send(inner.text(1), inner.text(2), tuple(coin_from(each) for each in inner.all(3)))
    return None


def message_from_json(read: Mapping[str, object]) -> Message | None:
    """The message of a node's JSON answer, None where it is no bank transfer or not of its shape."""
    kind = read.get("@type")
    if kind == MULTI_SEND:
        inputs, outputs = _sides_in(read.get("inputs")), _sides_in(read.get("outputs"))
        return None if inputs is None or outputs is None else MultiSend(inputs, outputs)
    payer, recipient, coins = read.get("from_address"), read.get("to_address"), _coins_in(read.get("amount"))
    if kind != SEND or coins is None or not isinstance(payer, str) or not isinstance(recipient, str):
        return None
    return Send(payer, recipient, coins)


def coin_bytes(coin: Coin) -> bytes:
    """A coin as protobuf."""
    return wire.text(1, coin.denom) + wire.text(2, coin.amount)


def coin_from(data: bytes) -> Coin:
    """A coin from protobuf. Raises WireError."""
    fields = wire.Fields(data)
    return Coin(fields.text(1), fields.text(2))


def _side_bytes(side: Side) -> bytes:
    return wire.text(1, side.address) + b"".join(wire.message(2, coin_bytes(coin)) for coin in side.coins)


def _side_json(side: Side) -> dict[str, object]:
    return {"address": side.address, "coins": _coins_json(side.coins)}


def _coins_json(coins: Sequence[Coin]) -> list[dict[str, str]]:
    return [{"denom": coin.denom, "amount": coin.amount} for coin in coins]


def _sides(read: Sequence[bytes]) -> tuple[Side, ...]:
    fields = [wire.Fields(each) for each in read]
    return tuple(Side(each.text(1), tuple(coin_from(coin) for coin in each.all(2))) for each in fields)


def _sides_in(read: object) -> tuple[Side, ...] | None:
    if not isinstance(read, (list, tuple)):
        return None
    found: list[Side] = []
    for each in read:
        address = each.get("address") if isinstance(each, Mapping) else None
        coins = _coins_in(each.get("coins")) if isinstance(each, Mapping) else None
        if not isinstance(address, str) or coins is None:
            return None
        found.append(Side(address, coins))
    return tuple(found)


def _coins_in(read: object) -> tuple[Coin, ...] | None:
    if not isinstance(read, (list, tuple)):
        return None
    found: list[Coin] = []
    for each in read:
        denom = each.get("denom") if isinstance(each, Mapping) else None
        amount = each.get("amount") if isinstance(each, Mapping) else None
        if not isinstance(denom, str) or not isinstance(amount, str):
            return None
        found.append(Coin(denom, amount))
    return tuple(found)
