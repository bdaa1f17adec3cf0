"""What is to be asked on the chain for review signals, and when: addresses, providers, leases, deployments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from ledger.chain import LeaseRow, ProviderRow
from ledger.claims import ClaimRow
from ledger.people import AddressRow, RegistrationRow
from ledger.signals import SignalLookRow
from tasks.moment import Moment


class Question(StrEnum):
    """What is asked; the subject is an address, a lease, or a deployment `<owner>/<dseq>`."""

    FIRST_FUNDS = "first_funds"
    FEE_GRANTS = "fee_grants"
    FEE_PAYERS = "fee_payers"
    FEE_ALLOWANCES = "fee_allowances"
    DEPOSITS = "deposits"
    DEPOSIT_GRANTS = "deposit_grants"
    PROVIDER = "provider"
    CERTIFICATES = "certificates"
    OWN_LEASE = "own_lease"
    ESCROW = "escrow"


OF_CLAIMANTS = (
    Question.FIRST_FUNDS,
    Question.FEE_PAYERS,
    Question.FEE_GRANTS,
    Question.FEE_ALLOWANCES,
    Question.DEPOSIT_GRANTS,
)
"""Asked about every address of whoever has a claim."""

OF_PROVIDERS = (Question.PROVIDER, Question.CERTIFICATES)
"""Asked about their providers."""


@dataclass(frozen=True, slots=True)
class Target:
    """One question about one subject."""

    question: Question
    subject: str


def belonging(session: Session, campaign: str) -> dict[str, str]:
    """Every address of those registered for the campaign, and whose it is."""
    statement = (
        select(AddressRow.address, AddressRow.participant)
        .join(RegistrationRow, RegistrationRow.participant == AddressRow.participant)
        .where(RegistrationRow.campaign == campaign)
    )
    return {address: participant for address, participant in session.execute(statement)}  # noqa: C416


def due_targets(
    session: Session, campaign: str, chain_id: str, escrows: Sequence[str], now: Moment
) -> Sequence[Target]:
    """What was never asked or is due again: what was never asked first, and of that who has claims first."""
    known = _looks(session, campaign)
    due: list[tuple[int, int, Target]] = []
    for place, target in enumerate(_targets(session, campaign, chain_id, escrows)):
        when = known.get((target.question, target.subject), 0)
        if when is not None and when <= now:
            due.append((when, place, target))
    return [target for _, _, target in sorted(due, key=lambda each: each[:2])]


def closed_questions(session: Session, campaign: str, troubles: Sequence[str], now: Moment) -> set[Question]:
    """Questions of which the node answered nothing a short while ago: one of these troubles, and not due yet."""
    here = SignalLookRow.campaign == campaign, SignalLookRow.trouble.in_(troubles), SignalLookRow.due_ns > now
    return {Question(name) for name in session.scalars(select(SignalLookRow.question).where(*here).distinct())}


def _looks(session: Session, campaign: str) -> Mapping[tuple[str, str], int | None]:
    columns = SignalLookRow.question, SignalLookRow.subject, SignalLookRow.due_ns
    rows = session.execute(select(*columns).where(SignalLookRow.campaign == campaign))
    return {(question, subject): due for question, subject, due in rows}


def _targets(session: Session, campaign: str, chain_id: str, escrows: Sequence[str]) -> Iterator[Target]:
    """Everything that there is to ask, each once, the most telling first."""
    belongs = belonging(session, campaign)
    claimants = set(
        session.scalars(select(ClaimRow.participant).where(ClaimRow.campaign == campaign).distinct()).all()
    )
    for subject in escrows:
        yield Target(Question.ESCROW, subject)
    for subject in _own_leases(session, campaign, chain_id):
        yield Target(Question.OWN_LEASE, subject)
    providers = session.scalars(select(ProviderRow.owner).where(ProviderRow.chain_id == chain_id))
    for owner in sorted(set(providers) & belongs.keys()):
        for question in OF_PROVIDERS:
            yield Target(question, owner)
    ordered = sorted(belongs)
    for address in ordered:
        if belongs[address] in claimants:
            for question in OF_CLAIMANTS:
                yield Target(question, address)
    # whoever pays need not have claims
    for address in sorted(ordered, key=lambda each: belongs[each] not in claimants):
        yield Target(Question.DEPOSITS, address)


def _own_leases(session: Session, campaign: str, chain_id: str) -> list[str]:
    """The first lease of each deployer on each provider of the same participant, as the index knows it."""
    deployer, host = aliased(AddressRow), aliased(AddressRow)
    statement = (
        select(LeaseRow)
        .join(deployer, deployer.address == LeaseRow.owner)
        .join(host, host.address == LeaseRow.provider)
        .join(RegistrationRow, RegistrationRow.participant == deployer.participant)
        .where(LeaseRow.chain_id == chain_id, RegistrationRow.campaign == campaign)
        .where(deployer.participant == host.participant)
        .order_by(LeaseRow.created_at, LeaseRow.dseq, LeaseRow.gseq, LeaseRow.oseq, LeaseRow.bseq)
    )
    found: dict[tuple[str, str], str] = {}
    for row in session.scalars(statement):
        named = (row.owner, row.dseq, row.gseq, row.oseq, row.provider, row.bseq)
        found.setdefault((row.owner, row.provider), "/".join(map(str, named)))
    return list(found.values())
