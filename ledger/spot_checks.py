"""Spot checks of claimed GPUs: the seed of a task's draws, and each check from its draw to its end."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Index, select
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from ledger.base import Base
from tasks.moment import Moment
from verifiers.onboarding.draws import Drawn, Group

DRAWN, OPEN, OVER, MISSED = "drawn", "open", "over", "missed"


class SpotSeedRow(Base):
    """The seed that moments of a task are drawn with; `commitment` is published at once, the seed after the close."""

    __tablename__ = "spot_seeds"

    campaign: Mapped[str] = mapped_column(primary_key=True)
    task: Mapped[str] = mapped_column(primary_key=True)
    seed: Mapped[str]
    commitment: Mapped[str]
    made_ns: Mapped[int]


class SpotCheckRow(Base):
    """One spot check of a participant's GPUs of a model at a provider; `id` is the digest of all that names it.

    `begins_ns`, `ends_ns`, `parts`, `chain_id`, `height`, `block_hash`: what `moment_ns` was drawn from
    (`verifiers/onboarding/draws.py`). `state`: drawn (known to nobody), open (for `gpus` GPUs since `opens_ns`), over
    (at `over_ns`) or missed (its moment came too late for 24 hours: it counts against nobody).
    """

    __tablename__ = "spot_checks"
    __table_args__ = (Index(None, "campaign", "state"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    campaign: Mapped[str]
    task: Mapped[str]
    participant: Mapped[str]
    provider: Mapped[str]
    gpu_model: Mapped[str]
    number: Mapped[int]
    begins_ns: Mapped[int]
    ends_ns: Mapped[int]
    parts: Mapped[int]
    chain_id: Mapped[str]
    height: Mapped[int]
    block_hash: Mapped[str]
    moment_ns: Mapped[int]
    state: Mapped[str]
    gpus: Mapped[int]
    opens_ns: Mapped[int | None]
    over_ns: Mapped[int | None]

    @property
    def group(self) -> Group:
        """Whose GPUs it is about."""
        return Group(self.campaign, self.task, self.participant, self.provider, self.gpu_model)

    @property
    def drawn(self) -> Drawn:
        """What its moment was drawn from."""
        begins, ends = Moment(self.begins_ns), Moment(self.ends_ns)
        return Drawn(begins, ends, self.parts, self.chain_id, self.height, self.block_hash)


class SpotCardRow(Base):
    """A card that answered for a spot check, by the id that its driver tells, and when that came first."""

    __tablename__ = "spot_cards"

    campaign: Mapped[str] = mapped_column(primary_key=True)
    card: Mapped[str] = mapped_column(primary_key=True)
    spot_check: Mapped[str] = mapped_column(primary_key=True, index=True)
    received_ns: Mapped[int]


def shared_cards(session: Session, campaign: str, checks: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """Cards of these spot checks, all of one group, that answered for another group's before: (card, that check).

    Only before: who borrows a card casts no doubt on whoever showed it first.
    """
    mine, other = aliased(SpotCardRow), aliased(SpotCardRow)
    same = (other.campaign == mine.campaign) & (other.card == mine.card) & (other.received_ns < mine.received_ns)
    statement = (
        select(mine.spot_check, mine.card, other.spot_check)
        .join(other, same)
        .where(mine.campaign == campaign, mine.spot_check.in_(checks), other.spot_check.not_in(checks))
        .order_by(mine.spot_check, mine.card, other.received_ns, other.spot_check)
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for check, card, elsewhere in session.execute(statement):
        found.setdefault(check, []).append((card, elsewhere))
    return found


def checks_of(session: Session, campaign: str, group: Group | None = None) -> Sequence[SpotCheckRow]:
    """The spot checks of a group, or of all groups of a campaign, by group and number."""
    order = (SpotCheckRow.task, SpotCheckRow.participant, SpotCheckRow.provider, SpotCheckRow.gpu_model)
    query = select(SpotCheckRow).where(SpotCheckRow.campaign == campaign).order_by(*order, SpotCheckRow.number)
    if group is not None:
        query = query.where(
            SpotCheckRow.task == group.task,
            SpotCheckRow.participant == group.participant,
            SpotCheckRow.provider == group.provider,
            SpotCheckRow.gpu_model == group.model,
        )
    return session.scalars(query).all()
