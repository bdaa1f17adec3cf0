"""Benchmark challenges, what was measured between seed and commitment, and the results."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, ForeignKey, Index, and_, false, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from ledger.base import Base, Json
from ledger.claims import ClaimRow
from ledger.rows import in_parts


class BenchmarkChallengeRow(Base):
    """A challenge as it was issued; from `size` on: the interactive proof, each given once.

    `sdl_hashes`: the manifest hashes of the SDL that carries it, `price_denom`: the coin of its price. `seed`,
    `root`, `draw`: hex. `is_shipped`: it came with the demo together with its result, not from us. `spot_check`: the
    one that it was given for, with the `attempt` and the container (`part`) of it and that container's GPUs; None for
    a run that its owner asked for.
    """

    __tablename__ = "benchmark_challenges"
    __table_args__ = (Index(None, "campaign", "participant"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    campaign: Mapped[str]
    participant: Mapped[str] = mapped_column(ForeignKey("participants.address"))
    provider: Mapped[str]
    gpu_model: Mapped[str | None]
    issued_ns: Mapped[int]
    expires_ns: Mapped[int]
    sdl_hashes: Mapped[list[str]] = mapped_column(Json)
    size: Mapped[int | None]
    seed: Mapped[str | None]
    started_ns: Mapped[int | None]
    root: Mapped[str | None]
    committed_ns: Mapped[int | None]
    draw: Mapped[str | None]
    is_shipped: Mapped[bool] = mapped_column(server_default=false())
    spot_check: Mapped[str | None] = mapped_column(index=True)
    attempt: Mapped[int | None]
    part: Mapped[int | None]
    gpus: Mapped[int | None]
    price_denom: Mapped[str] = mapped_column(server_default="uakt")


class BenchmarkRunRow(Base):
    """The result for a challenge. `claim` and `observation` are None while its owner has not confirmed it.

    `delivered_by`: runner, owner, lease. `variant`: what it may be compared with; `output_digest`: of the numbers.
    """

    __tablename__ = "benchmark_runs"
    __table_args__ = (
        Index(None, "campaign", "variant"),
        Index(None, "campaign", "output_digest"),
    )

    challenge: Mapped[str] = mapped_column(ForeignKey("benchmark_challenges.id"), primary_key=True)
    campaign: Mapped[str]
    participant: Mapped[str] = mapped_column(ForeignKey("participants.address"))
    claim: Mapped[str | None] = mapped_column(ForeignKey("claims.id"), index=True)
    observation: Mapped[str | None] = mapped_column(ForeignKey("observations.id"))
    delivered_by: Mapped[str]
    received_ns: Mapped[int]
    gpu_model: Mapped[str]
    variant: Mapped[str]
    output_digest: Mapped[str]
    result: Mapped[dict[str, object]] = mapped_column(Json)


def challenges_of_checks(
    session: Session, checks: Sequence[str]
) -> dict[str, list[tuple[BenchmarkChallengeRow, BenchmarkRunRow | None]]]:
    """The challenges given for these spot checks with what came of each, by check, in the order of giving."""
    found: dict[str, list[tuple[BenchmarkChallengeRow, BenchmarkRunRow | None]]] = {name: [] for name in checks}
    for some in in_parts(checks):
        statement = (
            select(BenchmarkChallengeRow, BenchmarkRunRow)
            .join(BenchmarkRunRow, BenchmarkRunRow.challenge == BenchmarkChallengeRow.id, isouter=True)
            .where(BenchmarkChallengeRow.spot_check.in_(some))
            .order_by(BenchmarkChallengeRow.attempt, BenchmarkChallengeRow.part)
        )
        for challenge, run in session.execute(statement):
            found[challenge.spot_check or ""].append((challenge, run))
    return found


def run_of_claim(session: Session, claim: str) -> BenchmarkRunRow | None:
    """The run that a claim is made of."""
    return session.scalars(select(BenchmarkRunRow).where(BenchmarkRunRow.claim == claim)).first()


def earlier_of_variant(session: Session, run: BenchmarkRunRow) -> Sequence[BenchmarkRunRow]:
    """Runs of the same variant that were received before this one and whose claims passed; oldest first."""
    statement = (
        select(BenchmarkRunRow)
        .join(ClaimRow, ClaimRow.id == BenchmarkRunRow.claim)
        .where(BenchmarkRunRow.campaign == run.campaign, BenchmarkRunRow.variant == run.variant)
        .where(ClaimRow.outcome == "passed", *_before(run))
        .order_by(BenchmarkRunRow.received_ns, BenchmarkRunRow.challenge)
    )
    return session.scalars(statement).all()


def earlier_with_output(session: Session, run: BenchmarkRunRow) -> Sequence[str]:
    """Challenges of other participants whose results came before and have the same numbers, oldest first.

    Only before: who copies a run can't cast doubt on it.
    """
    statement = (
        select(BenchmarkRunRow.challenge)
        .where(BenchmarkRunRow.campaign == run.campaign, BenchmarkRunRow.output_digest == run.output_digest)
        .where(BenchmarkRunRow.participant != run.participant, BenchmarkRunRow.claim.is_not(None), *_before(run))
        .order_by(BenchmarkRunRow.received_ns, BenchmarkRunRow.challenge)
    )
    return session.scalars(statement).all()


def _before(run: BenchmarkRunRow) -> tuple[ColumnElement[bool], ...]:
    at_once = and_(BenchmarkRunRow.received_ns == run.received_ns, BenchmarkRunRow.challenge < run.challenge)
    return (or_(BenchmarkRunRow.received_ns < run.received_ns, at_once),)


def accepted_runs(
    session: Session, campaign: str, first: int, count: int
) -> Sequence[tuple[BenchmarkRunRow, BenchmarkChallengeRow]]:
    """A page of the public data set: runs whose claims passed, oldest first."""
    statement = (
        select(BenchmarkRunRow, BenchmarkChallengeRow)
        .join(ClaimRow, ClaimRow.id == BenchmarkRunRow.claim)
        .join(BenchmarkChallengeRow, BenchmarkChallengeRow.id == BenchmarkRunRow.challenge)
        .where(BenchmarkRunRow.campaign == campaign, ClaimRow.outcome == "passed")
        .order_by(BenchmarkRunRow.received_ns, BenchmarkRunRow.challenge)
        .offset(first)
        .limit(count)
    )
    return [(run, challenge) for run, challenge in session.execute(statement)]


def count_accepted(session: Session, campaign: str) -> int:
    """How many runs the public data set has."""
    statement = (
        select(func.count())
        .select_from(BenchmarkRunRow)
        .join(ClaimRow, ClaimRow.id == BenchmarkRunRow.claim)
        .where(BenchmarkRunRow.campaign == campaign, ClaimRow.outcome == "passed")
    )
    return session.scalar(statement) or 0


def challenges_of(
    session: Session, campaign: str, participant: str, most: int
) -> Sequence[tuple[BenchmarkChallengeRow, BenchmarkRunRow | None]]:
    """The newest challenges of a participant with what came of them."""
    statement = (
        select(BenchmarkChallengeRow, BenchmarkRunRow)
        .join(BenchmarkRunRow, BenchmarkRunRow.challenge == BenchmarkChallengeRow.id, isouter=True)
        .where(BenchmarkChallengeRow.campaign == campaign, BenchmarkChallengeRow.participant == participant)
        .where(BenchmarkChallengeRow.spot_check.is_(None))
        .order_by(BenchmarkChallengeRow.issued_ns.desc(), BenchmarkChallengeRow.id)
        .limit(most)
    )
    return [(challenge, run) for challenge, run in session.execute(statement)]
