"""From what services know of payouts to what the API answers."""

from __future__ import annotations

from collections.abc import Sequence

from services.payout_report import NotPaidRow, Report, ReportBatch, ReportRow, Summary
from tasks.moment import Moment, format_moment
from web.api import payout_models as models
from web.api.answers import decimal_or_none, time_or_none


def summary(found: Summary) -> models.PayoutSummaryAnswer:
    """A payout in one line."""
    return models.PayoutSummaryAnswer(
        number=found.number,
        task=found.task,
        unit=found.unit,
        rate=found.rate,
        total_micro=found.total_micro,
        total_uakt=str(found.total_uakt),
        paid_uakt=str(found.paid_uakt),
        waiting_uakt=str(found.waiting_uakt),
        people=found.people,
        planned_at=format_moment(Moment(found.planned_ns)),
    )


def payout(found: Report) -> models.PayoutAnswer:
    """A payout without its rows."""
    return models.PayoutAnswer(
        campaign=found.campaign,
        summary=summary(found.summary),
        rate_source=found.rate_source,
        rate_at=format_moment(Moment(found.rate_at_ns)),
        minimum_micro=found.minimum_micro,
        payer=found.payer,
        payout_chain_id=found.chain_id,
        digest=found.digest,
        batches=[_batch(each) for each in found.batches],
        not_paid=[_not_paid(each) for each in found.not_paid],
    )


def whole(found: Report, rows: Sequence[ReportRow]) -> models.PayoutFile:
    """A payout with all its rows, as a file."""
    return models.PayoutFile(**dict(payout(found)), rows=[row(each) for each in rows])


def row(found: ReportRow) -> models.PayoutRowAnswer:
    """What one address gets."""
    return models.PayoutRowAnswer(
        participant=found.participant,
        recipient=found.recipient,
        amount_micro=found.amount_micro,
        amount_uakt=str(found.amount_uakt),
        batch=found.batch,
        state=str(found.state) if found.state is not None else None,
        tx_hash=found.tx_hash,
        tx_height=decimal_or_none(found.tx_height),
        tx_time=time_or_none(found.tx_time_ns),
    )


def _batch(found: ReportBatch) -> models.PayoutBatchAnswer:
    return models.PayoutBatchAnswer(
        name=found.name,
        state=str(found.state),
        people=found.people,
        total_uakt=str(found.total_uakt),
        memo=found.memo,
        tx_hash=found.tx_hash,
        tx_height=decimal_or_none(found.tx_height),
        tx_time=time_or_none(found.tx_time_ns),
    )


def _not_paid(found: NotPaidRow) -> models.PayoutNotPaidAnswer:
    return models.PayoutNotPaidAnswer(
        participant=found.participant, amount_micro=found.amount_micro, reason=found.words
    )
