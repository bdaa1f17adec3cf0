"""Review signals over the API: clusters for staff, decisions, what those concerned read, appeals."""

from __future__ import annotations

from typing import Literal

from flask import Blueprint, Response
from pydantic import Field

from ledger.signals import SignalAppealRow, SignalAppealRulingRow, SignalDecisionRow, SignalEdgeRow
from services import signal_appeals, signal_decisions, signals
from services.paging import paged
from services.signal_appeals import SignalAppeal
from services.signal_decisions import Decided, Notice
from services.signals import SeenEdge
from tasks.moment import Moment, format_moment
from verifiers.signals.clusters import Cluster
from web.api import models
from web.api.described import Description, answered, described, listed
from web.api.signal_models import (
    ClusterAnswer,
    EdgeAnswer,
    NoticeAnswer,
    SignalAppealAnswer,
    SignalDecisionAnswer,
    TraceAnswer,
)
from web.asked import asked_page
from web.bodies import Body, read_body
from web.context import house
from web.review_views import STAFF
from web.security import limiter, participant_only, required_person, role_required
from web.signal_views import cluster_view, traces_of

blueprint = Blueprint("api_signals", __name__, url_prefix="/api/v1")

LIMIT = "120 per minute"


class SignalDecisionBody(Body):
    """A decision about the signs `edges`. `after`: the newest decision that was seen; a later one about them: 409."""

    edges: list[str] = Field(min_length=1, max_length=signal_decisions.MOST_EDGES)
    outcome: Literal["dismissed", "watched", "confirmed"]
    reason: str = Field(max_length=10_000)
    after: int | None = Field(None, ge=0, lt=2**63)


class SignalAppealBody(Body):
    """Why a decision is wrong."""

    text: str = Field(max_length=10_000)


class SignalRulingBody(Body):
    """An organizer's answer to an appeal."""

    outcome: Literal["won", "lost"]
    reason: str = Field(max_length=10_000)


@blueprint.get("/signals")
@role_required(*STAFF)
@described(
    Description(
        "Clusters of participants whom signs join, the most serious first, with the evidence of each sign",
        {200: models.Listed[ClusterAnswer]},
        query=("page", "per_page"),
        refusals=(403, 404, 422),
        needs_session=True,
    )
)
def clusters() -> Response:
    """For staff; nothing of it is public."""
    asked = asked_page()
    found = paged(list(signals.overview(house()).clusters), asked.page, asked.per_page)
    return listed(found, (_cluster(each) for each in found.items), ClusterAnswer)


@blueprint.get("/signals/weak")
@role_required(*STAFF)
@described(
    Description(
        "Signs that say little and join nobody",
        {200: models.Listed[EdgeAnswer]},
        query=("page", "per_page"),
        refusals=(403, 404, 422),
        needs_session=True,
    )
)
def weak() -> Response:
    """The oldest first."""
    asked = asked_page()
    found = paged(list(signals.overview(house()).weak), asked.page, asked.per_page)
    return listed(found, (_edge(each) for each in found.items), EdgeAnswer)


@blueprint.post("/signals/decisions")
@limiter.limit(LIMIT)
@role_required("organizer")
@described(
    Description(
        "Decide about signs with a reason; the same again gives the existing decision",
        {201: SignalDecisionAnswer, 200: SignalDecisionAnswer},
        body=SignalDecisionBody,
        refusals=(403, 404, 409, 422),
        needs_session=True,
    )
)
def decide() -> Response:
    """The decision; it has no effect on any verdict or award."""
    body = read_body(SignalDecisionBody)
    decided = Decided(body.edges, body.outcome, body.reason, body.after)
    row, is_new = signal_decisions.decide(house(), required_person().address, decided)
    return answered(_decision(row, sorted(set(body.edges))), 201 if is_new else 200)


@blueprint.get("/signals/appeals")
@role_required("organizer")
@described(
    Description(
        "Appeals against decisions about signs, those that wait first",
        {200: models.Listed[SignalAppealAnswer]},
        query=("page", "per_page"),
        refusals=(403, 404, 422),
        needs_session=True,
    )
)
def appeals() -> Response:
    """Decided ones follow."""
    asked = asked_page()
    found = paged(signal_appeals.listed(house()), asked.page, asked.per_page)
    return listed(found, (_appeal_of(each) for each in found.items), SignalAppealAnswer)


@blueprint.post("/signals/appeals/<appeal_id>/ruling")
@limiter.limit(LIMIT)
@role_required("organizer")
@described(
    Description(
        "Answer such an appeal, once; a won one dismisses the signs",
        {201: SignalAppealAnswer},
        body=SignalRulingBody,
        refusals=(403, 404, 409, 422),
        needs_session=True,
    )
)
def rule(appeal_id: str) -> Response:
    """The appeal with its answer."""
    body = read_body(SignalRulingBody)
    ruled = signal_appeals.rule(house(), required_person().address, appeal_id, body.outcome, body.reason)
    return answered(_appeal_of(ruled), 201)


@blueprint.get("/me/signals")
@participant_only
@described(
    Description(
        "Decisions about signs that concern the reader, the newest first",
        {200: models.Listed[NoticeAnswer]},
        query=("page", "per_page"),
        refusals=(403, 404, 422),
        needs_session=True,
    )
)
def notices() -> Response:
    """What was not decided is not among it."""
    asked = asked_page()
    participant = required_person().participant or ""
    found = paged(signal_decisions.notices(house(), participant), asked.page, asked.per_page)
    return listed(found, (_notice(each) for each in found.items), NoticeAnswer)


@blueprint.post("/me/signals/<int:number>/appeals")
@limiter.limit(LIMIT)
@participant_only
@described(
    Description(
        "Appeal against such a decision; the same again gives the existing appeal",
        {201: SignalAppealAnswer, 200: SignalAppealAnswer},
        body=SignalAppealBody,
        refusals=(403, 404, 409, 422),
        needs_session=True,
    )
)
def appeal(number: int) -> Response:
    """The appeal."""
    text = read_body(SignalAppealBody).text
    row, is_new = signal_appeals.make(house(), required_person().participant or "", number, text)
    return answered(_appeal(row, None), 201 if is_new else 200)


# ---------------------------------------------------------------- answers


def _cluster(cluster: Cluster[SeenEdge]) -> ClusterAnswer:
    view = cluster_view(cluster)
    return ClusterAnswer(
        participants=list(cluster.participants),
        seriousness=str(cluster.seriousness),
        signals=list(cluster.signals),
        undecided=view.undecided,
        edges=[_edge(edge) for edge in cluster.edges],
    )


def _edge(edge: SeenEdge) -> EdgeAnswer:
    row = edge.row
    return EdgeAnswer(
        id=row.id,
        signal=row.signal,
        one=row.one,
        other=row.other if row.other != row.one else None,
        strength=row.strength,
        said=row.said,
        evidence=_traces(row),
        first_seen_at=format_moment(Moment(row.first_seen_ns)),
        found=row.holds,
        status=str(edge.status),
        decision=edge.newest.id if edge.newest else None,
    )


def _traces(row: SignalEdgeRow) -> list[TraceAnswer]:
    return [
        TraceAnswer(
            said=trace.said,
            claim=trace.claim or None,
            observation=trace.observation or None,
            height=str(trace.height) if trace.height is not None else None,
            tx=trace.tx or None,
        )
        for trace in traces_of(row)
    ]


def _decision(row: SignalDecisionRow, edges: list[str]) -> SignalDecisionAnswer:
    return SignalDecisionAnswer(
        id=row.id,
        outcome=row.outcome,
        reason=row.reason,
        decided_by=row.name,
        decided_at=format_moment(Moment(row.at_ns)),
        edges=edges,
    )


def _notice(notice: Notice) -> NoticeAnswer:
    return NoticeAnswer(
        decision=_decision(notice.decision, [edge.id for edge in notice.edges]),
        evidence=[trace for edge in notice.edges for trace in _traces(edge)],
        holds=notice.holds,
        appeal=_appeal(notice.appeal, notice.ruling) if notice.appeal else None,
    )


def _appeal_of(appeal: SignalAppeal) -> SignalAppealAnswer:
    return _appeal(appeal.row, appeal.ruling)


def _appeal(row: SignalAppealRow, ruling: SignalAppealRulingRow | None) -> SignalAppealAnswer:
    return SignalAppealAnswer(
        id=row.id,
        decision=row.decision,
        participant=row.participant,
        text=row.text,
        made_at=format_moment(Moment(row.made_ns)),
        outcome=ruling.outcome if ruling else "open",
        reason=ruling.reason if ruling else None,
        ruled_at=format_moment(Moment(ruling.at_ns)) if ruling else None,
    )
