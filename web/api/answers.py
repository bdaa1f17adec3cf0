"""From what services know to what the API answers."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import cast

from pydantic import JsonValue

from ledger.reviews import ReviewStepRow
from services.appeals import Appeal
from services.evidence_lookup import Seen
from services.payments import Payment
from services.profiles import Line, Profile, SeenClaim
from services.results import Results
from services.review_queue import Waiting
from services.standings import Place
from services.task_board import DecayNow, TaskNow
from tasks.moment import SECOND, Moment, format_moment
from tasks.parts import Reward
from verifiers.evidence import Candidate
from web.api import models


def time_or_none(moment: int | None) -> str | None:
    """RFC 3339, or None."""
    return None if moment is None else format_moment(Moment(moment))


def decimal_or_none(value: int | None) -> str | None:
    """A decimal string, or None."""
    return None if value is None else str(value)


def plain(value: object) -> JsonValue:
    """Tuples and mappings of the rules as JSON values."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [plain(each) for each in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)


def task(entry: TaskNow, unit: str) -> models.TaskAnswer:
    """One task."""
    asked = entry.task
    requires = asked.requires
    return models.TaskAnswer(
        slug=asked.slug,
        kind=asked.kind,
        title=asked.title,
        summary=asked.summary,
        state=entry.phase.value,
        opens=format_moment(asked.opens),
        closes=format_moment(asked.closes),
        params={name: plain(value) for name, value in asked.params.items()},
        requires={requires.mode: list(requires.tasks)} if requires else None,
        reward=_reward(asked.reward, unit) if asked.reward else None,
        fields=[
            models.FieldAnswer(
                name=field.name,
                type=field.type,
                required=field.required,
                label=field.label,
                choices=list(field.choices),
            )
            for field in entry.fields
        ],
        places=models.PlacesAnswer(taken=entry.places.taken, held=entry.places.held, left=entry.places.left),
        decay=_decay(entry.decay) if entry.decay else None,
        results=results(entry.results),
    )


def results(found: Results) -> models.ResultsAnswer:
    """How far the results of a task or a campaign are."""
    return models.ResultsAnswer(
        stage=found.stage.value,
        published_at=time_or_none(found.published),
        appeals_until=time_or_none(found.appeals_until),
        final_at=time_or_none(found.final),
        results_by=time_or_none(found.promised),
        late_seconds=found.late_ns // SECOND,
    )


def _reward(reward: Reward, unit: str) -> models.RewardAnswer:
    return models.RewardAnswer(
        unit=unit,
        amount_micro=reward.amount.single if reward.amount.by is None else None,
        by=reward.amount.by,
        table={value: int(micro) for value, micro in reward.amount.table.items()},
        per_participant=reward.per_participant,
    )


def _decay(decay: DecayNow) -> models.DecayAnswer:
    return models.DecayAnswer(
        percent=decay.percent, next_at=time_or_none(decay.next_at), next_percent=decay.next_percent
    )


def place(entry: Place, unit: str) -> models.PlaceAnswer:
    """One place of the leaderboard."""
    return models.PlaceAnswer(
        rank=entry.rank,
        address=entry.address,
        name=entry.name,
        amount_micro=entry.amount_micro,
        provisional_micro=entry.provisional_micro,
        unit=unit,
        tasks=entry.tasks,
    )


def claim(seen: SeenClaim) -> models.ClaimAnswer:
    """A claim with checks and awards."""
    row = seen.row
    return models.ClaimAnswer(
        id=row.id,
        task=row.task,
        participant=row.participant,
        subject=row.subject,
        at=time_or_none(row.at_ns),
        height=decimal_or_none(row.height),
        tx_index=row.tx_index,
        received_at=format_moment(Moment(row.received_ns)),
        verdict=row.outcome,
        holds_place=row.holds_place,
        attributes=row.attributes,
        checks=[
            models.CheckAnswer(
                name=check.name,
                expected=check.expected,
                seen=check.seen,
                outcome=check.outcome,
                observations=check.observations,
                height=decimal_or_none(check.height),
                time=time_or_none(check.time_ns),
            )
            for check in seen.checks
        ],
        missing=list(seen.missing),
        next_look=next_look(seen),
        looked_at=time_or_none(row.looked_ns),
        looked_height=decimal_or_none(row.looked_height),
        awards=[award(line) for line in seen.lines],
        decisions=[decision(step) for step in seen.steps],
        appeals=[appeal(each) for each in seen.appeals],
    )


def decision(step: ReviewStepRow) -> models.DecisionAnswer:
    """One act of people about a claim."""
    return models.DecisionAnswer(
        act=step.act,
        at=format_moment(Moment(step.at_ns)),
        by=step.name or None,
        reason=step.reason,
        decided=step.decided,
        observation=step.observation,
    )


def appeal(each: Appeal) -> models.AppealAnswer:
    """An appeal with its ruling."""
    ruling = each.ruling
    return models.AppealAnswer(
        id=each.row.id,
        claim=each.row.claim,
        about=each.about,
        made_at=format_moment(Moment(each.row.made_ns)),
        outcome=each.outcome,
        decided_at=time_or_none(ruling.at_ns) if ruling else None,
        reason=ruling.reason if ruling else None,
        observation=ruling.observation if ruling else None,
    )


def review(each: Waiting) -> models.ReviewAnswer:
    """A claim in the review queue."""
    return models.ReviewAnswer(
        claim=each.row.id,
        task=each.row.task,
        participant=each.row.participant,
        subject=each.row.subject,
        received_at=format_moment(Moment(each.row.received_ns)),
        reasons=each.reasons,
        is_own=each.is_own,
        taken_until=time_or_none(each.taken_until_ns),
        answer_until=time_or_none(each.standing.keeps_until),
        accepted=each.standing.accepted,
        rejected=each.standing.rejected,
    )


def next_look(seen: SeenClaim) -> str | None:
    """When we look again: as the verdict says, else when the claim is due."""
    return None if seen.row.settled else time_or_none(seen.row.next_look_ns or seen.row.due_ns)


def award(line: Line) -> models.AwardAnswer:
    """One line of the ledger, or a provisional one."""
    return models.AwardAnswer(
        kind=line.kind,
        slug=line.slug,
        amount_micro=line.amount_micro,
        reason=line.reason,
        provisional=line.provisional,
        revision=line.revision,
        cause=line.cause or None,
        computed_at=time_or_none(line.computed_ns),
        working=cast("dict[str, JsonValue]", plain(line.working)),
        payment=_payment(line.payment) if line.payment else None,
    )


def _payment(found: Payment) -> models.PaymentAnswer:
    return models.PaymentAnswer(
        payout=found.payout,
        batch=found.batch,
        state=str(found.state),
        payout_chain_id=found.chain_id,
        tx_hash=found.tx_hash,
        tx_height=decimal_or_none(found.tx_height),
        tx_time=time_or_none(found.tx_time_ns),
    )


def participant(found: Profile) -> models.ParticipantAnswer:
    """A participant with every claim."""
    standing, registration = found.place, found.registration
    return models.ParticipantAnswer(
        address=found.address,
        name=found.name,
        addresses=[row.address for row in found.addresses],
        registered_at=time_or_none(registration.received_ns) if registration else None,
        rank=standing.rank if standing else None,
        unit=found.unit,
        amount_micro=standing.amount_micro if standing else 0,
        provisional_micro=standing.provisional_micro if standing else 0,
        payable=found.standing.payable,
        awards=[award(line) for line in found.other_lines],
        claims=[claim(each) for each in found.claims],
    )


def todo(found: Sequence[Candidate], claims: Sequence[SeenClaim]) -> models.TodoAnswer:
    """What a participant may see to."""
    return models.TodoAnswer(
        candidates=[
            models.CandidateAnswer(
                task=each.task,
                owner=each.owner,
                dseq=str(each.dseq),
                app=each.app,
                gpu_models=list(each.gpu_models),
                providers=list(each.providers),
                needs=each.needs,
            )
            for each in found
        ],
        claims=[
            models.TodoClaimAnswer(
                id=each.row.id,
                task=each.row.task,
                subject=each.row.subject,
                verdict=each.row.outcome,
                missing=list(each.missing),
                next_look=next_look(each),
            )
            for each in claims
        ],
    )


def observation(seen: Seen) -> models.ObservationAnswer:
    """One thing seen with its raw body."""
    row = seen.row
    return models.ObservationAnswer(
        id=row.id,
        source=row.source,
        request=row.request,
        host=row.host,
        seen_at=format_moment(Moment(row.seen_ns)),
        status=row.status,
        chain_id=row.chain_id,
        height=decimal_or_none(row.height),
        time=time_or_none(row.time_ns),
        trouble=row.trouble,
        restricted=row.restricted,
        verifier=row.verifier,
        body_digest=row.body_digest,
        size_bytes=seen.size,
        body=None if seen.body is None else base64.b64encode(seen.body).decode(),
    )
