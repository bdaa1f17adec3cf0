"""Balances, accounts and fees, with what they were at every height."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from devnet.acts import Person
from devnet.addresses import module_address
from devnet.generation import Generation
from devnet.state.events import Events
from devnet.state.objects import ChainError

PLENTY = 10_000_000_000_000
"""What somebody without stated balances starts with, of each denom."""

MINTED_PER_BLOCK = 2_059_739
"""New uakt a block, a fixed number here: real chains change it a little with every block."""

ESCROW = module_address("escrow")
FEE_COLLECTOR = module_address("fee_collector")
DISTRIBUTION = module_address("distribution")

MODULES_V1: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("bonded_tokens_pool", ("burner", "staking")),
    ("distribution", ()),
    ("escrow", ()),
    ("fee_collector", ()),
    ("gov", ("burner",)),
    ("mint", ("minter",)),
    ("not_bonded_tokens_pool", ("burner", "staking")),
    ("transfer", ("burner", "minter")),
)
MODULES_V2 = (("bme", ("burner", "minter")), *MODULES_V1)


@dataclass(slots=True)
class Holder:
    """One account. The lists hold one entry for each height at which something changed."""

    address: str
    number: int
    public_key: bytes
    heights: list[int]
    balances: list[dict[str, int]]
    sequences: list[int]
    known_from: int = 0

    def at(self, height: int) -> tuple[dict[str, int], int] | None:
        """Balances by denom and the sequence at the end of block `height`; None before the account existed."""
        place = bisect_right(self.heights, height)
        return (self.balances[place - 1], self.sequences[place - 1]) if place else None


class Bank:
    """Who holds what. Every change is written for the block in which it happens and tells its events (a fee tells
    none: the transaction knows it)."""

    def __init__(self, generation: Generation, people: Iterable[Person], others: Iterable[str]) -> None:
        self.generation = generation
        self.holders: dict[str, Holder] = {}
        self.height = 0
        self.events = Events()
        self.fees_by_height: list[tuple[int, int]] = []
        plenty = tuple((denom, PLENTY) for denom in generation.denoms)
        for person in people:
            self._new(person.address, person.public_key, dict(person.balances or plenty))
        for address in others:
            if address not in self.holders:
                self._new(address, b"", dict(plenty))
        self.first_module_number = len(self.holders)
        self._next_number = self.first_module_number + len(self.modules)
        self._new_module(ESCROW)
        self.genesis = {
            denom: sum(holder.balances[0].get(denom, 0) for holder in self.holders.values())
            for denom in generation.denoms
        }

    @property
    def modules(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Names and permissions of the module accounts, by name."""
        return MODULES_V2 if self.generation.name == "v2" else MODULES_V1

    def to_escrow(self, payer: str, amount: int, denom: str) -> None:
        """Move a deposit into the escrow module. Raises ChainError where the payer has not enough."""
        self._move(payer, ESCROW, amount, denom)

    def from_escrow(self, recipient: str, amount: int, denom: str) -> None:
        """Move money out of the escrow module; nothing where there are no whole units."""
        if amount:
            self._move(ESCROW, recipient, amount, denom)

    def pay_provider(self, provider: str, amount: int, denom: str) -> None:
        """Pay earnings, in v1 less the take fee, which goes to the community pool first."""
        fee = amount * self.generation.take_fee_percent // 100
        self.from_escrow(DISTRIBUTION, fee, denom)
        self.from_escrow(provider, amount - fee, denom)

    def send(self, sender: str, recipient: str, amount: int, denom: str) -> None:
        """A user's transfer. Raises ChainError."""
        if denom == "uact" and self.generation.name == "v2":
            log = "uact transfers are currently disabled: send transactions are disabled"
            raise ChainError("bank", 5, log)
        self._move(sender, recipient, amount, denom)

    def pay_fee(self, payer: str, fee: int) -> int:
        """Take a transaction's fee; returns the sequence that the transaction used."""
        holder = self.holders[payer]
        sequence = holder.sequences[-1]
        self._change(holder, "uakt", -min(fee, holder.balances[-1].get("uakt", 0)), sequence + 1)
        self.fees_by_height.append((self.height, fee))
        return sequence

    def check(self, payer: str, amount: int, denom: str) -> None:
        """Raises ChainError where somebody has not enough."""
        holder = self.holders.get(payer)
        have = holder.balances[-1].get(denom, 0) if holder else 0
        if have < amount:
            raise ChainError(
                "sdk", 5, f"spendable balance {have}{denom} is smaller than {amount}{denom}: insufficient funds"
            )

    def fees_until(self, height: int) -> int:
        """All fees paid in blocks up to and with `height`."""
        return sum(fee for paid_at, fee in self.fees_by_height if paid_at <= height)

    def _move(self, payer: str, recipient: str, amount: int, denom: str) -> None:
        self.check(payer, amount, denom)
        self._change(self.holders[payer], denom, -amount)
        if recipient not in self.holders:
            self._new(recipient, b"", {}, self.height)
        self._change(self.holders[recipient], denom, amount)
        self.events.coins(payer, recipient, f"{amount}{denom}")

    def _new(self, address: str, public_key: bytes, balances: dict[str, int], height: int = 0) -> None:
        number = len(self.holders) if height == 0 else self._take_number()
        self.holders[address] = Holder(address, number, public_key, [height], [balances], [0], height)

    def _new_module(self, address: str) -> None:
        names = [name for name, _ in self.modules]
        self.holders[address] = Holder(address, self.first_module_number + names.index("escrow"), b"", [0], [{}], [0])

    def _take_number(self) -> int:
        self._next_number += 1
        return self._next_number - 1

    def _change(self, holder: Holder, denom: str, amount: int, sequence: int | None = None) -> None:
        balances = holder.balances[-1]
        if holder.heights[-1] != self.height:
            balances = dict(balances)
            holder.heights.append(self.height)
            holder.balances.append(balances)
            holder.sequences.append(holder.sequences[-1])
        balances[denom] = balances.get(denom, 0) + amount
        if not balances[denom]:
            del balances[denom]
        if sequence is not None:
            holder.sequences[-1] = sequence
