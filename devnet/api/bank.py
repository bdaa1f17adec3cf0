"""Balances, supply and accounts."""

from __future__ import annotations

from collections.abc import Mapping

from devnet.addresses import BadAddressError, account_bytes, module_address
from devnet.api import pages
from devnet.api.answer import INVALID, NOT_FOUND, UNKNOWN, Request, RestError
from devnet.api.registry import cosmos_page
from devnet.groups import compact
from devnet.public_keys import SingleKey
from devnet.state.bank import DISTRIBUTION, ESCROW, FEE_COLLECTOR, MINTED_PER_BLOCK, Holder
from devnet.state.chain import Chain
from devnet.state.store import Row


class BankAnswers:
    """Answers about money and accounts."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._bank = chain.world.bank

    def balances(self, request: Request) -> str:
        """All balances of an address, by denom; an unknown address has none."""
        held = self._held(request.values[0], request.height)
        coins = ",".join(_coin(denom, amount) for denom, amount in sorted(held.items()))
        return f'{{"balances":[{coins}],"pagination":{{"next_key":null,"total":"{len(held)}"}}}}'

    def balance(self, request: Request) -> str:
        """One balance."""
        denom = request.text("denom")
        if not denom:
            raise RestError(INVALID, "invalid denom: ")
        return f'{{"balance":{_coin(denom, self._held(request.values[0], request.height).get(denom, 0))}}}'

    def supply(self, request: Request) -> str:
        """The supply of every denom."""
        supply = self._supply(request.height)
        coins = ",".join(_coin(denom, amount) for denom, amount in sorted(supply.items()))
        return f'{{"supply":[{coins}],"pagination":{{"next_key":null,"total":"{len(supply)}"}}}}'

    def supply_of(self, request: Request) -> str:
        """The supply of one denom."""
        denom = request.text("denom")
        return f'{{"amount":{_coin(denom, self._supply(request.height).get(denom, 0))}}}'

    def account(self, request: Request) -> str:
        """An account with its key and sequence."""
        return f'{{"account":{self._account(request.values[0], request.height)}}}'

    def account_info(self, request: Request) -> str:
        """The same without its type."""
        shown = self._account(request.values[0], request.height)
        return '{"info":{' + shown.removeprefix('{"@type":"/cosmos.auth.v1beta1.BaseAccount",') + "}"

    def accounts(self, request: Request) -> list[bytes]:
        """All accounts, by the bytes of their address."""
        page = pages.read_page(request)
        rows = []
        for address in sorted(self._bank.holders, key=account_bytes):
            holder = self._bank.holders[address]
            if holder.at(request.height) is not None and address != ESCROW:
                row = Row(1, (_base_account(holder, request.height, self._chain).encode(),))
                rows.append((account_bytes(address), row))
        taken, next_key, total = cosmos_page(rows, page)
        return pages.render("accounts", taken, next_key, total)

    def module_accounts(self, request: Request) -> str:  # noqa: ARG002 (every handler takes its request)
        """The accounts of the modules, by name."""
        shown = ",".join(self._module(name) for name, _ in self._bank.modules)
        return f'{{"accounts":[{shown}]}}'

    def module_account(self, request: Request) -> str:
        """The account of one module."""
        name = request.values[0]
        if name not in dict(self._bank.modules):
            raise RestError(NOT_FOUND, f"account {name} not found")
        return f'{{"account":{self._module(name)}}}'

    def _held(self, address: str, height: int) -> Mapping[str, int]:
        try:
            account_bytes(address)
        except BadAddressError as error:
            raise RestError(INVALID, f"invalid address: {error}") from None
        if address == FEE_COLLECTOR:
            collected = self._bank.fees_until(height) - self._bank.fees_until(height - 1) + MINTED_PER_BLOCK
            return {"uakt": collected}
        holder = self._bank.holders.get(address)
        found = holder.at(height) if holder else None
        held = dict(found[0]) if found else {}
        if address == DISTRIBUTION:
            handed_out = self._bank.fees_until(height - 1) + MINTED_PER_BLOCK * (height - 1)
            held["uakt"] = held.get("uakt", 0) + handed_out
        return held

    def _supply(self, height: int) -> dict[str, int]:
        supply = dict(self._bank.genesis)
        supply["uakt"] = supply.get("uakt", 0) + MINTED_PER_BLOCK * height
        return supply

    def _account(self, address: str, height: int) -> str:
        try:
            account_bytes(address)
        except BadAddressError as error:
            raise RestError(UNKNOWN, str(error)) from None
        for name, _ in self._bank.modules:
            if module_address(name) == address:
                return self._module(name)
        holder = self._bank.holders.get(address)
        if holder is None or holder.at(height) is None:
            raise RestError(NOT_FOUND, f"account {address} not found")
        return _base_account(holder, height, self._chain)

    def _module(self, name: str) -> str:
        names = [each for each, _ in self._bank.modules]
        permissions = ",".join(f'"{each}"' for each in dict(self._bank.modules)[name])
        number = self._bank.first_module_number + names.index(name)
        return (
            f'{{"@type":"/cosmos.auth.v1beta1.ModuleAccount","base_account":{{"address":"{module_address(name)}",'
            f'"pub_key":null,"account_number":"{number}","sequence":"0"}},"name":"{name}",'
            f'"permissions":[{permissions}]}}'
        )


def _base_account(holder: Holder, height: int, chain: Chain) -> str:
    """An account; its key is known to the chain from its first transaction on."""
    found = holder.at(height)
    sequence = found[1] if found else 0
    key = "null"
    if sequence:
        known = holder.key or SingleKey(chain.public_key(holder.address))
        key = compact(known.shown()).decode()
    return (
        f'{{"@type":"/cosmos.auth.v1beta1.BaseAccount","address":"{holder.address}","pub_key":{key},'
        f'"account_number":"{holder.number}","sequence":"{sequence}"}}'
    )


def _coin(denom: str, amount: int) -> str:
    return f'{{"denom":"{denom}","amount":"{amount}"}}'
