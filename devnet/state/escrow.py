"""Escrow: settling, withdrawing and closing, in the chain's own arithmetic.

The rules are those of akash-network/node `x/escrow/keeper/keeper.go` since v1.0 and of the recordings, odd ones
included: a deposit into an open account settles nothing, an account that ran out stays open until somebody settles
it, and a settlement made when another lease of the same deployment is created pays out of the account without
reaching the balance of the older payments (recorded: deployment 20001).
"""

from __future__ import annotations

from devnet.amounts import ONE
from devnet.state.bank import Bank
from devnet.state.objects import CLOSED, OPEN, OVERDRAWN, Account, ChainError, Deposit, Payment


def open_account(
    bank: Bank, scope: str, xid: str, owner: str, amount: int, denom: str, *, height: int, first_denom: str
) -> Account:
    """A new account with its first deposit. Raises ChainError where the owner has not enough."""
    bank.to_escrow(owner, amount, denom)
    account = Account(scope, xid, owner, height, {first_denom: 0}, {first_denom: 0}, [])
    _put(account, Deposit(owner, height, denom, amount * ONE))
    return account


def deposit(bank: Bank, account: Account, depositor: str, amount: int, denom: str, *, height: int) -> None:
    """Somebody pays in. An overdrawn account is settled by it and closed. Raises ChainError."""
    if account.state == CLOSED:
        raise ChainError("escrow", 3, "account closed")
    bank.to_escrow(depositor, amount, denom)
    _put(account, Deposit(depositor, height, denom, amount * ONE))
    if account.state == OVERDRAWN:
        payments, overdrawn = settle(bank, account, height)
        for payment in payments:
            if payment.state == OPEN:
                payment.state = CLOSED
            withdraw(bank, payment)
        if not overdrawn:
            account.state = CLOSED
        refund(bank, account)


def settle(bank: Bank, account: Account, height: int) -> tuple[list[Payment], bool]:
    """Pay the blocks since the last settlement out of the deposits. Returns the payments paid and whether the money
    was not enough: then account and payments are overdrawn and what there was has left to the providers."""
    if account.state == CLOSED:
        raise ChainError("escrow", 3, "account closed")
    if next(iter(account.funds.values())) < 0:
        return [], True
    delta = 0
    if account.state != OVERDRAWN:
        delta = height - account.settled_at
        account.settled_at = height
    payments = _payable(account, with_open=delta != 0)
    overdrawn = False
    for payment, amount in [(payment, _owed(payment, delta)) for payment in payments]:
        paid, short = _deduct(account, payment.denom, amount)
        payment.balance += paid
        payment.state = OVERDRAWN if short else OPEN
        payment.unsettled += amount - paid
        overdrawn = overdrawn or short
    if overdrawn:
        account.state = OVERDRAWN
        for payment in payments:
            payment.state = OVERDRAWN
            withdraw(bank, payment)
    return payments, overdrawn


def would_overdraw(account: Account, height: int) -> bool:
    """Whether settling at `height` would find too little money."""
    if account.state != OPEN:
        return True
    delta = height - account.settled_at
    owed = sum(_owed(payment, delta) for payment in _payable(account, with_open=delta != 0))
    denom = next(iter(account.funds))
    return owed > sum(item.amount for item in account.deposits if item.denom == denom)


def settle_for_new_payment(account: Account, height: int) -> None:
    """Settle as the creation of a payment does: the account pays, the balances of the other payments stay."""
    delta = height - account.settled_at
    account.settled_at = height
    for payment in _payable(account, with_open=delta != 0):
        _deduct(account, payment.denom, _owed(payment, delta))


def withdraw(bank: Bank, payment: Payment) -> None:
    """Send the whole units of a payment's balance to the provider, less the take fee; `withdrawn` stays gross."""
    earnings = payment.balance // ONE
    if not earnings:
        return
    bank.pay_provider(payment.lease.provider, earnings, payment.denom)
    payment.withdrawn += earnings
    payment.balance -= earnings * ONE


def close_payment(bank: Bank, account: Account, payment: Payment, height: int) -> None:
    """End one payment: settle all, pay out this one. Where the money is not enough all become overdrawn.

    Within the block of the last settlement nothing is settled and the payment stays open, as on the chain.
    """
    payments, _ = settle(bank, account, height)
    if any(each is payment for each in payments):
        if payment.state == OPEN:
            payment.state = CLOSED
        withdraw(bank, payment)
    if account.state == OVERDRAWN:
        refund(bank, account)


def close_account(bank: Bank, account: Account, height: int) -> bool:
    """Settle, pay everybody and give the rest back. Returns whether the money was not enough."""
    payments, overdrawn = settle(bank, account, height)
    if account.state == OPEN:
        account.state = CLOSED
    for payment in payments:
        if payment.state == OPEN:
            payment.state = CLOSED
        withdraw(bank, payment)
    refund(bank, account)
    return overdrawn


def refund(bank: Bank, account: Account) -> None:
    """Give what is left of the deposits back to those who made them."""
    for item in account.deposits:
        if item.amount > 0:
            bank.from_escrow(item.owner, item.amount // ONE, item.denom)
            account.funds[item.denom] -= item.amount
    account.deposits = []


def _put(account: Account, item: Deposit) -> None:
    account.funds[item.denom] = max(account.funds.get(item.denom, 0), 0) + item.amount
    account.transferred.setdefault(item.denom, 0)
    account.deposits.append(item)


def _payable(account: Account, *, with_open: bool) -> list[Payment]:
    """Overdrawn payments, then (when blocks went by) the open ones, each in the order of their keys."""
    inside = sorted(account.payments.items())
    found = [payment for _, payment in inside if payment.state == OVERDRAWN]
    return found + [payment for _, payment in inside if payment.state == OPEN] if with_open else found


def _owed(payment: Payment, delta: int) -> int:
    """What is due: whole units of rate times blocks, or what was left unsettled."""
    if payment.state == OVERDRAWN:
        due, payment.unsettled = payment.unsettled, 0
        return due
    return payment.rate * delta // ONE * ONE


def _deduct(account: Account, denom: str, amount: int) -> tuple[int, bool]:
    """Take `amount` off the deposits, oldest first. Returns what there was and whether it was too little; the
    funds go negative by what is missing."""
    remaining = amount
    for item in account.deposits:
        if item.denom == denom:
            part = min(item.amount, remaining)
            item.amount -= part
            remaining -= part
    account.deposits = [item for item in account.deposits if item.amount]
    account.transferred[denom] += amount - remaining
    account.funds[denom] -= amount
    return amount - remaining, remaining > 0
