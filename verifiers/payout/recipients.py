"""Who can't be paid: addresses that would fail a whole batch, or send the money where nobody gets it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from verifiers.chain.answers import Account
from verifiers.wallet.addresses import AddressError, parse_address


def refusals(payer: str, module_accounts: Iterable[str], *, contracts: bool = False) -> Callable[[str], str | None]:
    """The question "why can't this address be paid?", answered None where it can (wallet-and-payouts.md 2.5).

    Taken are lower-case `akash` addresses of 20 bytes exactly as written, that are neither the payer's own nor those
    of the payout chain's modules. `contracts` also takes addresses of 32 bytes: only where somebody asked for it.
    """
    modules = frozenset(module_accounts)

    def refusal(address: str) -> str | None:
        try:
            parsed = parse_address(address, contracts=contracts)
        except AddressError as error:
            return str(error)
        if parsed != address:
            return "the address has white space around it"
        if address == payer:
            return "this is the paying account itself"
        if address in modules:
            return "this account belongs to a module of the chain, which takes no transfers"
        return None

    return refusal


def module_addresses(accounts: Iterable[Account]) -> frozenset[str]:
    """The addresses in REST `/cosmos/auth/v1beta1/module_accounts` (verifiers.chain `decode_account_list`)."""
    return frozenset(account.address for account in accounts if account.module)
