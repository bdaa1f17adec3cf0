"""A payout plan: who is paid how much of what is owed, at which rate, and who is not and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from tasks.digests import sha256_of
from tasks.moment import Moment, format_moment
from tasks.payout.lines import LineState, NotPaid, OwedLine, Payee
from tasks.payouts import convert
from tasks.rewards.money import Rate, whole


@dataclass(frozen=True, slots=True)
class Terms:
    """What a plan is made by: its scope (one task, or None for the campaign), its rate with source and time.

    `minimum_micro`: a participant who would get less waits for the next plan.
    """

    campaign: str
    task: str | None
    unit: str
    rate: Rate
    rate_source: str
    rate_at: Moment
    minimum_micro: int = 0


@dataclass(frozen=True, slots=True)
class PlanRow:
    """What one participant gets: the sum of its lines in micro, and its exact part of the plan in uakt."""

    participant: str
    recipient: str
    amount_micro: int
    amount_uakt: int
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Unpaid:
    """What one participant does not get: stays owed (negative: stays overpaid)."""

    participant: str
    amount_micro: int
    reason: NotPaid
    detail: str
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Rows by recipient; unpaid by participant. The rows' uakt sum to `total_uakt` exactly."""

    terms: Terms
    rows: tuple[PlanRow, ...]
    unpaid: tuple[Unpaid, ...]

    @property
    def total_uakt(self) -> int:
        """What the rows pay."""
        return sum(row.amount_uakt for row in self.rows)

    @property
    def total_micro(self) -> int:
        """What the rows settle, in micro of the unit."""
        return sum(row.amount_micro for row in self.rows)

    def digest(self, batches: Iterable[str]) -> str:
        """Hex SHA-256 over everything that is approved: terms, rows, what is not paid, the batches' row hashes.

        The words behind a reason stay out: why somebody is withheld is not public, and the digest is worked again
        from what is.
        """
        terms = self.terms
        return sha256_of(
            {
                "campaign": terms.campaign,
                "task": terms.task,
                "unit": terms.unit,
                "rate": terms.rate.text,
                "rate_source": terms.rate_source,
                "rate_at": format_moment(terms.rate_at),
                "minimum_micro": terms.minimum_micro,
                "rows": [
                    [row.participant, row.recipient, row.amount_micro, row.amount_uakt, list(row.lines)]
                    for row in self.rows
                ],
                "unpaid": [
                    [each.participant, each.amount_micro, str(each.reason), list(each.lines)] for each in self.unpaid
                ],
                "batches": list(batches),
            }
        )


@dataclass(slots=True)
class _Account:
    """One participant's lines while a plan is made."""

    chosen: list[OwedLine] = field(default_factory=list)
    left: dict[NotPaid, list[OwedLine]] = field(default_factory=lambda: defaultdict(list))

    @property
    def micro(self) -> int:
        return sum(line.amount_micro for line in self.chosen)


def plan(
    lines: Iterable[OwedLine],
    payees: Mapping[str, Payee],
    terms: Terms,
    refused: Callable[[str], str | None],
) -> Plan:
    """The plan for the lines that no live batch holds.

    A participant's payable lines of the scope are paid together. Where the lines of another task or state sum to
    less than nothing (a correction of what was paid), they are set off against these: all of them go into the row.
    `refused` says why an address can't be paid, None where it can (verifiers.payout.recipients).
    Who gets less than the minimum, or less than one uakt, is left out before the conversion, so that the sum to be
    shared is only of those who share it.
    """
    accounts = _accounts(lines, terms)
    unpaid: list[Unpaid] = []
    sharing: dict[str, _Account] = {}
    for participant, account in sorted(accounts.items()):
        for reason, left in sorted(account.left.items()):
            unpaid.append(_unpaid(participant, left, reason, _detail(left)))
        if not account.chosen:
            continue
        stopped = _stopped(payees.get(participant), account.micro, terms, refused)
        if stopped:
            unpaid.append(_unpaid(participant, account.chosen, *stopped))
        else:
            sharing[participant] = account
    parts = _converted({name: account.micro for name, account in sharing.items()}, terms.rate)
    for participant, account in sharing.items():
        if participant not in parts:
            unpaid.append(_unpaid(participant, account.chosen, NotPaid.BELOW_ONE_UAKT, ""))
    rows = [_row(payees[name], sharing[name], uakt) for name, uakt in parts.items()]
    made = Plan(
        terms,
        tuple(sorted(rows, key=lambda row: (row.recipient, row.participant))),
        tuple(sorted(unpaid, key=lambda each: (each.participant, str(each.reason), each.lines))),
    )
    _check(made, accounts)
    return made


def _accounts(lines: Iterable[OwedLine], terms: Terms) -> dict[str, _Account]:
    groups: dict[tuple[str, str | None, LineState], list[OwedLine]] = defaultdict(list)
    for line in lines:
        whole(line.amount_micro)
        groups[line.participant, line.task, line.state].append(line)
    accounts: dict[str, _Account] = defaultdict(_Account)
    for (participant, task, state), group in groups.items():
        is_in_scope = terms.task is None or task == terms.task
        if sum(line.amount_micro for line in group) < 0 or (is_in_scope and state is LineState.PAYABLE):
            accounts[participant].chosen += group
        elif is_in_scope:
            reason = NotPaid.WITHHELD if state is LineState.WITHHELD else NotPaid.NOT_FINAL
            accounts[participant].left[reason] += group
    return accounts


def _stopped(
    payee: Payee | None, micro: int, terms: Terms, refused: Callable[[str], str | None]
) -> tuple[NotPaid, str] | None:
    """Why this participant is not paid, None where it is."""
    if micro <= 0:
        return NotPaid.SET_OFF, ""
    if payee is None or payee.address is None:
        return NotPaid.NO_ADDRESS, ""
    trouble = refused(payee.address)
    if trouble:
        return NotPaid.REFUSED_ADDRESS, trouble
    return (NotPaid.BELOW_MINIMUM, "") if micro < terms.minimum_micro else None


def _converted(sums: Mapping[str, int], rate: Rate) -> dict[str, int]:
    """Each one's part in uakt (CAMPAIGN_FORMAT, "Conversion"), without those whose part is nothing.

    These leave the sum too, so the rest is converted again: nobody is paid another's remainder. First go those whose
    own sum is no uakt; a part can be nothing beyond that only by rounding.
    """
    sharing = {name: amount for name, amount in sums.items() if rate.uakt(amount)}
    while sharing:
        parts = convert(sharing, rate).parts
        if all(parts.values()):
            return dict(parts)
        sharing = {name: amount for name, amount in sharing.items() if parts[name]}
    return {}


def _row(payee: Payee, account: _Account, uakt: int) -> PlanRow:
    recipient = payee.address or ""
    lines = tuple(sorted(line.line for line in account.chosen))
    return PlanRow(payee.participant, recipient, account.micro, uakt, lines)


def _unpaid(participant: str, lines: list[OwedLine], reason: NotPaid, detail: str) -> Unpaid:
    numbers = tuple(sorted(line.line for line in lines))
    return Unpaid(participant, sum(line.amount_micro for line in lines), reason, detail, numbers)


def _detail(lines: list[OwedLine]) -> str:
    return "; ".join(sorted({line.reason for line in lines if line.reason}))


def _check(made: Plan, accounts: Mapping[str, _Account]) -> None:
    """Every line is in exactly one row or one reason, and the sums agree. Raises ArithmeticError else."""
    taken = [line for row in made.rows for line in row.lines] + [line for each in made.unpaid for line in each.lines]
    known = [
        line for account in accounts.values() for lines in (account.chosen, *account.left.values()) for line in lines
    ]
    if sorted(taken) != sorted(line.line for line in known):
        raise ArithmeticError("a line is lost or twice in the plan")
    if made.total_micro + sum(each.amount_micro for each in made.unpaid) != sum(line.amount_micro for line in known):
        raise ArithmeticError("the plan does not add up in the unit")
    if made.total_uakt != made.terms.rate.uakt(made.total_micro):
        raise ArithmeticError("the plan does not add up in uakt")
