"""Accounts as a transaction under check sees them: copies, so that nothing changes until it is known to be good."""

from __future__ import annotations

from dataclasses import dataclass, replace

from devnet.public_keys import PublicKey
from devnet.state.bank import Bank
from devnet.state.objects import ChainError


@dataclass(slots=True)
class Account:
    """One account; `key` None: the chain does not know it yet."""

    address: str
    number: int
    sequence: int
    key: PublicKey | None
    balances: dict[str, int]


class Accounts:
    """The bank's accounts as they are now, changed only here."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._seen: dict[str, Account] = {}

    def get(self, address: str) -> Account | None:
        """An account, None where there is none."""
        if address not in self._seen:
            holder = self._bank.holders.get(address)
            if holder is None:
                return None
            sequence = holder.sequences[-1]
            key = holder.key if sequence else None
            self._seen[address] = Account(address, holder.number, sequence, key, dict(holder.balances[-1]))
        return self._seen[address]

    def copy(self) -> Accounts:
        """The same accounts, to be changed apart."""
        made = Accounts(self._bank)
        made._seen = {
            address: replace(account, balances=dict(account.balances)) for address, account in self._seen.items()
        }
        return made

    def need(self, address: str) -> Account:
        """An account. Raises ChainError where there is none."""
        found = self.get(address)
        if found is None:
            raise ChainError("sdk", 9, f"account {address} does not exist: unknown address")
        return found


def spendable(balances: dict[str, int], denom: str, amount: int) -> None:
    """Raises ChainError where a balance is too small, in the bank's words."""
    have = balances.get(denom, 0)
    if have < amount:
        raise ChainError(
            "sdk", 5, f"spendable balance {have}{denom} is smaller than {amount}{denom}: insufficient funds"
        )
