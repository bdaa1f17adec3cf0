"""Made-up award lines and participants for the tests of payouts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache

from tasks.moment import parse_moment
from tasks.payout.lines import LineState, OwedLine, Payee
from tasks.payout.plan import Terms
from tasks.rewards.money import parse_rate
from verifiers.wallet.addresses import Address, encode_address

PAYER = encode_address(hashlib.sha256(b"payer of the tests").digest()[:20])
MODULE = encode_address(hashlib.sha256(b"module of the tests").digest()[:20])


@cache
def person(number: int) -> Address:
    return encode_address(hashlib.sha256(f"person {number}".encode()).digest()[:20])


def line(
    number: int,
    who: int,
    amount: int,
    *,
    task: str | None = "deploy",
    state: LineState = LineState.PAYABLE,
    reason: str = "",
) -> OwedLine:
    return OwedLine(number, person(who), task, amount, state, reason)


def payees(numbers: Iterable[int]) -> dict[str, Payee]:
    return {person(number): Payee(person(number), person(number)) for number in numbers}


def terms(rate: str = "0.85", *, task: str | None = None, minimum: int = 0) -> Terms:
    at = parse_moment("2026-03-01T00:00:00Z")
    return Terms("falcon-7", task, "USD", parse_rate(rate), "noon price of the exchange", at, minimum)
