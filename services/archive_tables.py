"""Which rows of the ledger an archive holds, and what of them is public: one source for each of its members."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import zstandard
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from ledger.awards import AwardLineRow
from ledger.campaigns import CampaignRevisionRow
from ledger.claims import CheckRow, ClaimRow, VerdictObservationRow, VerdictRow
from ledger.eligibility import EligibilityRow
from ledger.observations import BodyRow, ObservationRow
from ledger.people import AddressRow, RegistrationRow
from ledger.probes import ProbeDayRow, day_in
from ledger.results import ResultStateRow
from ledger.reviews import AppealRow, AppealRulingRow, ReviewStepRow
from ledger.rows import in_parts
from ledger.spot_checks import DRAWN, SpotCheckRow, SpotSeedRow
from ledger.submissions import SubmittedSdlRow
from services import archive_payouts
from services.archive import format as archive
from services.archive import payout_members, spot_members
from services.archive.member import Member
from services.campaigns import Loaded
from services.spot_checks import is_told_in
from tasks.moment import Moment
from tasks.payouts import convert
from verifiers.entries import asked_fields

Line = dict[str, Any]
AT_ONCE = 400


@dataclass(frozen=True, slots=True)
class Export:
    """One state of the ledger, read through one session, and the campaign that is exported."""

    session: Session
    loaded: Loaded
    now: Moment

    @property
    def slug(self) -> str:
        """The campaign's slug."""
        return self.loaded.slug

    def ordered(self, column: Any) -> Any:
        """A text column in the order of its bytes, whatever the database's language."""
        return column.collate("C") if self.session.get_bind().dialect.name == "postgresql" else column

    def rows(self, statement: Any) -> Iterator[Any]:
        """The rows of a statement, some at a time."""
        return iter(self.session.execute(statement.execution_options(yield_per=AT_ONCE)))


Source = Callable[[Export], Iterator[Line]]


def _plain(member: Member, row: Any) -> Line:
    return {column.name: getattr(row, column.name) for column in member.columns}


def revisions(export: Export) -> Iterator[Line]:
    """The revisions, with the digest of the rules that people accept."""
    statement = select(CampaignRevisionRow).where(CampaignRevisionRow.campaign == export.slug)
    by_number = {campaign.revision: campaign for campaign in export.loaded.rules.revisions}
    for row in export.session.scalars(statement.order_by(CampaignRevisionRow.revision)):
        given = {name.name: getattr(row, name.name, None) for name in archive.REVISIONS.columns}
        yield given | {"rules_digest": by_number[row.revision].rules_digest}


def texts(export: Export) -> Iterator[tuple[str, str]]:
    """Name and text of each revision's file."""
    statement = select(CampaignRevisionRow.revision, CampaignRevisionRow.text)
    mine = statement.where(CampaignRevisionRow.campaign == export.slug).order_by(CampaignRevisionRow.revision)
    for revision, text in export.session.execute(mine):
        yield archive.revision_file(revision), text


def _participants(export: Export) -> Select[Any]:
    registered = select(RegistrationRow.participant).where(RegistrationRow.campaign == export.slug)
    return registered.union(select(ClaimRow.participant).where(ClaimRow.campaign == export.slug))  # type: ignore[return-value]


def registrations(export: Export) -> Iterator[Line]:
    """Who takes part; one who only has claims is there too."""
    people = _participants(export).subquery()
    joined = (people.c.participant == RegistrationRow.participant) & (RegistrationRow.campaign == export.slug)
    statement = select(people.c.participant, RegistrationRow).join(RegistrationRow, joined, isouter=True)
    for participant, row in export.rows(statement.order_by(export.ordered(people.c.participant))):
        columns = (column.name for column in archive.REGISTRATIONS.columns)
        yield {name: getattr(row, name, None) for name in columns} | {"participant": participant}


def addresses(export: Export) -> Iterator[Line]:
    """Every address of those who take part, in the order in which judges see them."""
    mine = AddressRow.participant.in_(select(_participants(export).subquery().c.participant))
    order = export.ordered(AddressRow.participant), AddressRow.linked_ns, export.ordered(AddressRow.address)
    for row in export.rows(select(AddressRow).where(mine).order_by(*order)):
        yield _plain(archive.ADDRESSES, row[0])


def claims(export: Export) -> Iterator[Line]:
    """Every claim; free texts of reviewed tasks as digests."""
    shown = _shown_fields(export.loaded)
    statement = select(ClaimRow).where(ClaimRow.campaign == export.slug).order_by(export.ordered(ClaimRow.id))
    for (row,) in export.rows(statement):
        names = shown.get(row.task)
        fields = {
            name: value if names is None or name in names else _digest(value) for name, value in row.fields.items()
        }
        given = {column.name: getattr(row, column.name, None) for column in archive.CLAIMS.columns}
        yield given | {"fields": fields, "verdict": row.verdict_id}


def _shown_fields(loaded: Loaded) -> dict[str, set[str]]:
    """Of each reviewed task the fields that are no free text in any revision; the others stay with us."""
    shown: dict[str, set[str]] = {}
    texts: dict[str, set[str]] = {}
    for campaign in loaded.rules.revisions:
        for task in campaign.tasks:
            if task.kind == "reviewed":
                for field in asked_fields(task.params, decided=False):
                    sort = texts if field.type == "text" else shown
                    sort.setdefault(task.slug, set()).add(field.name)
                shown.setdefault(task.slug, set())
    return {slug: names - texts.get(slug, set()) for slug, names in shown.items()}


def _digest(text: str) -> str:
    """What stands for a text that stays with us, as in the answers to reviewers (`services/reviews.py`)."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _used(export: Export) -> ColumnElement[bool]:
    """Observations that a judge was given, or that people's decisions are."""
    mine = select(ClaimRow.id).where(ClaimRow.campaign == export.slug)
    judged = (
        select(VerdictObservationRow.observation)
        .join(VerdictRow, VerdictRow.id == VerdictObservationRow.verdict)
        .where(VerdictRow.claim.in_(mine))
    )
    decided = select(ReviewStepRow.observation).where(ReviewStepRow.claim.in_(mine))
    ruled = (
        select(AppealRulingRow.observation)
        .join(AppealRow, AppealRow.id == AppealRulingRow.appeal)
        .where(AppealRow.campaign == export.slug)
    )
    return or_(*(ObservationRow.id.in_(ids) for ids in (judged, decided, ruled)))


def bodies(export: Export) -> Iterator[Line]:
    """The raw answers of what is public, each once."""
    public = select(ObservationRow.body_digest).where(_used(export), ObservationRow.restricted.is_(False))
    order = export.ordered(BodyRow.digest)
    decompressor = zstandard.ZstdDecompressor()
    for (row,) in export.rows(select(BodyRow).where(BodyRow.digest.in_(public)).order_by(order)):
        raw = decompressor.decompress(row.body, max_output_size=row.size)
        yield {"digest": row.digest, "size": row.size, **_written(raw)}


def _written(raw: bytes) -> Line:
    try:
        return {"text": raw.decode("utf-8"), "base64": None}
    except UnicodeDecodeError:
        return {"text": None, "base64": base64.b64encode(raw).decode("ascii")}


def observations(export: Export) -> Iterator[Line]:
    """What was seen; of a restricted one neither question nor host."""
    statement = select(ObservationRow).where(_used(export)).order_by(export.ordered(ObservationRow.id))
    for (row,) in export.rows(statement):
        hidden: Mapping[str, object] = {"request": None, "host": None} if row.restricted else {}
        yield {**_plain(archive.OBSERVATIONS, row), **hidden}


def verdicts(export: Export) -> Iterator[Line]:
    """Every verdict with its checks and the ids of what its judge was given."""
    mine = select(ClaimRow.id).where(ClaimRow.campaign == export.slug)
    numbers = export.session.scalars(select(VerdictRow.id).where(VerdictRow.claim.in_(mine)).order_by(VerdictRow.id))
    for part in in_parts(list(numbers)):
        checks, given = _checks(export.session, part), _given(export.session, part)
        for row in export.session.scalars(select(VerdictRow).where(VerdictRow.id.in_(part)).order_by(VerdictRow.id)):
            point = {"chain_id": row.as_of_chain, "height": row.as_of_height, "time_ns": row.as_of_time_ns}
            nested = {"as_of": point, "checks": checks.get(row.id, []), "observations": given.get(row.id, [])}
            plain = {column.name: getattr(row, column.name, None) for column in archive.VERDICTS.columns}
            yield plain | nested
        export.session.expunge_all()


def _checks(session: Session, verdict_ids: Sequence[int]) -> dict[int, list[Line]]:
    found: dict[int, list[Line]] = {}
    statement = (
        select(CheckRow).where(CheckRow.verdict.in_(verdict_ids)).order_by(CheckRow.verdict, CheckRow.position)
    )
    names = ("name", "expected", "seen", "outcome", "height", "time_ns", "observations")
    for row in session.scalars(statement):
        found.setdefault(row.verdict, []).append({name: getattr(row, name) for name in names})
    return found


def _given(session: Session, verdict_ids: Sequence[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    links = VerdictObservationRow
    statement = select(links.verdict, links.observation).where(links.verdict.in_(verdict_ids))
    for verdict, observation in session.execute(statement.order_by(links.verdict, links.position)):
        found.setdefault(verdict, []).append(observation)
    return found


def review_steps(export: Export) -> Iterator[Line]:
    """What people decided, under random ids; texts are in the observations, those of participants as digests."""
    mine = select(ClaimRow.id).where(ClaimRow.campaign == export.slug)
    statement = select(ReviewStepRow).where(ReviewStepRow.claim.in_(mine))
    for (row,) in export.rows(statement.order_by(export.ordered(ReviewStepRow.claim), ReviewStepRow.number)):
        yield _plain(archive.REVIEW_STEPS, row)


def appeals(export: Export) -> Iterator[Line]:
    """Appeals and their rulings, without the participants' words."""
    statement = (
        select(AppealRow, AppealRulingRow)
        .join(AppealRulingRow, AppealRulingRow.appeal == AppealRow.id, isouter=True)
        .where(AppealRow.campaign == export.slug)
        .order_by(AppealRow.made_ns, export.ordered(AppealRow.id))
    )
    for appeal, ruling in export.rows(statement):
        decided = {name: getattr(ruling, name, None) for name in ("outcome", "name", "reason", "observation")}
        made = {name: getattr(appeal, name) for name in ("id", "claim", "about", "verdict_id", "line", "made_ns")}
        yield {**made, **decided, "ruled_ns": getattr(ruling, "at_ns", None)}


def award_lines(export: Export) -> Iterator[Line]:
    """The reward ledger."""
    statement = select(AwardLineRow).where(AwardLineRow.campaign == export.slug).order_by(AwardLineRow.id)
    for (row,) in export.rows(statement):
        yield _plain(archive.AWARD_LINES, row)


def totals(export: Export) -> Iterator[Line]:
    """The sums by participant, and their parts in uakt at the campaign's rate."""
    statement = (
        select(AwardLineRow.participant, func.sum(AwardLineRow.amount_micro))
        .where(AwardLineRow.campaign == export.slug)
        .group_by(AwardLineRow.participant)
    )
    sums = {participant: int(micro) for participant, micro in export.session.execute(statement)}
    rate = export.loaded.newest.reward.rate
    parts = convert(sums, rate).parts if rate is not None else {}
    for participant in sorted(sums):
        yield {"participant": participant, "amount_micro": sums[participant], "uakt": parts.get(participant)}


def eligibility(export: Export) -> Iterator[Line]:
    """Who may earn and be paid, without the reasons and without who decided."""
    statement = select(EligibilityRow).where(EligibilityRow.campaign == export.slug).order_by(EligibilityRow.id)
    for (row,) in export.rows(statement):
        yield _plain(archive.ELIGIBILITY, row)


def results(export: Export) -> Iterator[Line]:
    """What became provisional and final."""
    order = export.ordered(ResultStateRow.task), export.ordered(ResultStateRow.state)
    for (row,) in export.rows(select(ResultStateRow).where(ResultStateRow.campaign == export.slug).order_by(*order)):
        yield _plain(archive.RESULTS, row)


def uptime_days(export: Export) -> Iterator[Line]:
    """The sealed days of the providers that claims are about."""
    mine = ClaimRow.campaign == export.slug, ClaimRow.kind == "provider_onboarding"
    subjects = export.session.scalars(select(ClaimRow.subject).where(*mine))
    providers = sorted({subject.partition("/")[0] for subject in subjects})
    for part in in_parts(providers):
        sealed = ProbeDayRow.sealed, ProbeDayRow.provider.in_(part)
        order = export.ordered(ProbeDayRow.provider), ProbeDayRow.day
        for (row,) in export.rows(select(ProbeDayRow).where(*sealed).order_by(*order)):
            day = day_in(row)
            digest = row.digest.hex() if row.digest else day.digest
            yield {**day.document(), "digest": digest, "chain_id": row.chain_id}


def spot_seeds(export: Export) -> Iterator[Line]:
    """The commitments; a seed only once the task is closed and nothing of it is to come."""
    statement = select(SpotSeedRow).where(SpotSeedRow.campaign == export.slug)
    for (row,) in export.rows(statement.order_by(export.ordered(SpotSeedRow.task))):
        is_told = is_told_in(export.session, export.loaded, row.task, export.now)
        yield {**_plain(spot_members.SPOT_SEEDS, row), "seed": row.seed if is_told else None}


def spot_checks(export: Export) -> Iterator[Line]:
    """Those that were opened or came too late; one that is drawn and to come is nobody's business."""
    statement = select(SpotCheckRow).where(SpotCheckRow.campaign == export.slug, SpotCheckRow.state != DRAWN)
    for (row,) in export.rows(statement.order_by(export.ordered(SpotCheckRow.id))):
        yield _plain(spot_members.SPOT_CHECKS, row)


def submitted_sdls(export: Export) -> Iterator[Line]:
    """SDLs written for others, with their texts: they are public."""
    statement = select(SubmittedSdlRow).where(SubmittedSdlRow.campaign == export.slug)
    for (row,) in export.rows(statement.order_by(export.ordered(SubmittedSdlRow.claim), SubmittedSdlRow.number)):
        yield _plain(archive.SUBMITTED_SDLS, row)


SOURCES: Mapping[str, Source] = {
    archive.REVISIONS.name: revisions,
    archive.REGISTRATIONS.name: registrations,
    archive.ADDRESSES.name: addresses,
    archive.CLAIMS.name: claims,
    archive.BODIES.name: bodies,
    archive.OBSERVATIONS.name: observations,
    archive.VERDICTS.name: verdicts,
    archive.REVIEW_STEPS.name: review_steps,
    archive.APPEALS.name: appeals,
    archive.SUBMITTED_SDLS.name: submitted_sdls,
    archive.UPTIME_DAYS.name: uptime_days,
    spot_members.SPOT_SEEDS.name: spot_seeds,
    spot_members.SPOT_CHECKS.name: spot_checks,
    archive.ELIGIBILITY.name: eligibility,
    archive.RESULTS.name: results,
    archive.AWARD_LINES.name: award_lines,
    archive.TOTALS.name: totals,
    payout_members.PAYOUTS.name: lambda export: archive_payouts.payouts(export.session, export.slug),
    payout_members.PAYOUT_ROWS.name: lambda export: archive_payouts.payout_rows(export.session, export.slug),
    payout_members.PAYOUT_BATCHES.name: lambda export: archive_payouts.payout_batches(export.session, export.slug),
    payout_members.PAYOUT_SIGNATURES.name: lambda export: archive_payouts.payout_signatures(
        export.session, export.slug
    ),
}
"""Another table is one more member in `services/archive/format.py` and one more source here."""
