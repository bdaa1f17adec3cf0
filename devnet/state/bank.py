"""Balances, accounts and fees, with what they were at every height."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from devnet.acts import Person
from devnet.addresses import module_address
from devnet.generation import Generation
from devnet.public_keys import PublicKey, SingleKey
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
    """One account. The lists hold one entry for each height at which something changed.

    `key`: what the chain knows of it from its first transaction on; None: nobody has it, or not known yet.
    """

    address: str
    number: int
    key: PublicKey | None
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
        self._before: dict[str, tuple[int, dict[str, int], int] | None] | None = None
        plenty = tuple((denom, PLENTY) for denom in generation.denoms)
        for person in people:
            own = SingleKey(person.public_key) if person.public_key else None
            holder = self._new(person.address, person.multisig or own, dict(person.balances or plenty))
            holder.sequences[0] = person.sequence
            holder.number = holder.number if person.number is None else person.number
        for address in others:
            if address not in self.holders:
                self._new(address, None, dict(plenty))
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
        self.sendable(denom)
        self._move(sender, recipient, amount, denom)

    def sendable(self, denom: str) -> None:
        """Raises ChainError for a denom that users may not send."""
        if denom == "uact" and self.generation.name == "v2":
            log = "uact transfers are currently disabled: send transactions are disabled"
            raise ChainError("bank", 5, log)

    def spend(self, payer: str, amounts: Mapping[str, int]) -> None:
        """Take coins from somebody; tells nothing. Raises ChainError where there are not enough."""
        for denom, amount in amounts.items():
            self.check(payer, amount, denom)
            self._change(self.holders[payer], denom, -amount)

    def receive(self, recipient: str, amounts: Mapping[str, int]) -> None:
        """Give somebody coins; an unknown address becomes an account. Tells nothing."""
        if recipient not in self.holders:
            self._new(recipient, None, {}, self.height)
        for denom, amount in amounts.items():
            self._change(self.holders[recipient], denom, amount)

    def take_checked(self, address: str, paid: Mapping[str, int], sequence: int, key: PublicKey | None) -> None:
        """Keep what the checks of a transaction made of an account: fee paid, sequence used, key known."""
        holder = self.holders[address]
        for denom, amount in paid.items():
            self._change(holder, denom, -amount)
        self._change(holder, "uakt", 0, sequence)
        holder.key = key
        self.fees_by_height.append((self.height, paid.get("uakt", 0)))

    @contextmanager
    def undoing(self) -> Iterator[None]:
        """Within, a ChainError takes back every change before it goes on."""
        self._before = {}
        number = self._next_number
        try:
            yield
        except ChainError:
            for address, before in self._before.items():
                if before is None:
                    del self.holders[address]
                    continue
                holder, kept, balances, sequence = self.holders[address], *before
                del holder.heights[kept:], holder.balances[kept:], holder.sequences[kept:]
                holder.balances[-1], holder.sequences[-1] = balances, sequence
            self._next_number = number
            raise
        finally:
            self._before = None

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
            self._new(recipient, None, {}, self.height)
        self._change(self.holders[recipient], denom, amount)
        self.events.coins(payer, recipient, f"{amount}{denom}")

    def _new(self, address: str, key: PublicKey | None, balances: dict[str, int], height: int = 0) -> Holder:
        number = len(self.holders) if height == 0 else self._take_number()
        if self._before is not None:
            self._before.setdefault(address, None)
        self.holders[address] = made = Holder(address, number, key, [height], [balances], [0], height)
        return made

    def _new_module(self, address: str) -> None:
        names = [name for name, _ in self.modules]
        self.holders[address] = Holder(
            address, self.first_module_number + names.index("escrow"), None, [0], [{}], [0]
        )

    def _take_number(self) -> int:
        self._next_number += 1
        return self._next_number - 1

    def _change(self, holder: Holder, denom: str, amount: int, sequence: int | None = None) -> None:
        balances = holder.balances[-1]
        if self._before is not None and holder.address not in self._before:
            self._before[holder.address] = (len(holder.heights), dict(balances), holder.sequences[-1])
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
