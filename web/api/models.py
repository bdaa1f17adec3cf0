"""What the API answers: heights and chain amounts as decimal strings, micro amounts integers, times RFC 3339."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Time = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-03-20T12:00:00Z"])]
Decimal = Annotated[str, Field(pattern=r"^[0-9]+$", examples=["400000"])]
Address = Annotated[str, Field(examples=["akash1365yvmc4s7awdyj3n2sav7xfx76adc6dnmlx63"])]
Micro = Annotated[int, Field(description="millionths of the campaign's unit", examples=[40000000])]

Item = TypeVar("Item")


class Answer(BaseModel):
    """The base of all answers: frozen, and nothing beside the named fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Problem(BaseModel):
    """An error (RFC 9457); `field` names the entered field that is to be mended."""

    type: str
    title: str
    status: int
    detail: str
    field: str | None = None


class Listed(Answer, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    page: int
    per_page: int
    total: int


class ResultsAnswer(Answer):
    """How far results are. `stage`: before, open, closed, provisional or final.

    `appeals_until` null before they are published; `late_seconds`: how much later than `results_by` they were
    published, or how late they are by now.
    """

    stage: str
    published_at: Time | None
    appeals_until: Time | None
    final_at: Time | None
    results_by: Time | None
    late_seconds: int


class CampaignAnswer(Answer):
    """The campaign in force. `rules_digest` is echoed at registration."""

    slug: str
    revision: int
    title: str
    opens: Time
    closes: Time
    chain_id: str | None
    payout_chain_id: str | None
    rules_digest: str
    terms: str


class FieldAnswer(Answer):
    """A field of a claim. `type`: text, url, number, choice, address, sdl or json."""

    name: str
    type: str
    required: bool
    label: str
    choices: list[str]


class PlacesAnswer(Answer):
    """Places of a task; `left` null where their number is not limited."""

    taken: int
    held: int
    left: int | None


class DecayAnswer(Answer):
    """The percent paid now and what comes next; null where it stays."""

    percent: int
    next_at: Time | None
    next_percent: int | None


class RewardAnswer(Answer):
    """What a completion is worth before decay: one amount, or a table by an attribute."""

    unit: str
    amount_micro: Micro | None
    by: str | None
    table: dict[str, Micro]
    per_participant: int | None


class TaskAnswer(Answer):
    """A task. `state`: not_built (its kind can't be confirmed here yet), before, open or closed."""

    slug: str
    kind: str
    title: str
    summary: str
    state: str
    opens: Time
    closes: Time
    params: dict[str, JsonValue]
    requires: dict[str, list[str]] | None
    reward: RewardAnswer | None
    fields: list[FieldAnswer]
    places: PlacesAnswer
    decay: DecayAnswer | None
    results: ResultsAnswer


class PointAnswer(Answer):
    """A block."""

    chain_id: str
    height: Decimal
    time: Time


class StatsAnswer(Answer):
    """The figures and the block they hold at; `as_of` null before the chain was read."""

    participants: int
    gpu_deployment_requests: int
    leases_created: int
    unique_deployers: int
    peak_concurrent_gpus: int
    as_of: PointAnswer | None


class PlaceAnswer(Answer):
    """One place of the leaderboard."""

    rank: int
    address: Address
    name: str | None
    amount_micro: Micro
    provisional_micro: Micro
    unit: str
    tasks: dict[str, Micro]


class CheckAnswer(Answer):
    """One check: what was expected and seen, at which block, and the observations behind it."""

    name: str
    expected: str
    seen: str
    outcome: str
    observations: list[str]
    height: Decimal | None
    time: Time | None


class PaymentAnswer(Answer):
    """The payout that holds an award. The transaction's fields are null until a block holds the payment.

    `state`: planned, approved, exported, signed, broadcast, paid, partly paid, or question (people look at it).
    """

    payout: int
    batch: str
    state: str
    payout_chain_id: str
    tx_hash: str | None
    tx_height: Decimal | None
    tx_time: Time | None


class AwardAnswer(Answer):
    """A line of the reward ledger (a signed difference), or a provisional amount with its working.

    `payment` null while no payout holds it.
    """

    kind: str
    slug: str | None
    amount_micro: Micro
    reason: str
    provisional: bool
    revision: int | None
    cause: str | None
    computed_at: Time | None
    working: dict[str, JsonValue]
    payment: PaymentAnswer | None


class DecisionAnswer(Answer):
    """One act of people about a claim. `by`: a reviewer's random id, null for the participant's own answer.

    `act`: accept, needs_work, reject, reopen, answer or appeal_won; `observation` is what the result rests on.
    """

    act: str
    at: Time
    by: str | None
    reason: str
    decided: dict[str, str]
    observation: str


class AppealAnswer(Answer):
    """An appeal. `about`: result or award; `outcome`: open, won or lost, with its public reason."""

    id: str
    claim: str
    about: str
    made_at: Time
    outcome: str
    decided_at: Time | None
    reason: str | None
    observation: str | None


class ClaimAnswer(Answer):
    """A claim with its newest result. `verdict`: passed, failed, pending or unknown."""

    id: str
    task: str
    participant: Address
    subject: str
    at: Time | None
    height: Decimal | None
    tx_index: int | None
    received_at: Time
    verdict: str
    holds_place: bool
    attributes: dict[str, str]
    checks: list[CheckAnswer]
    missing: list[str]
    next_look: Time | None
    looked_at: Time | None
    looked_height: Decimal | None
    awards: list[AwardAnswer]
    decisions: list[DecisionAnswer]
    appeals: list[AppealAnswer]


class ReviewAnswer(Answer):
    """A claim in the review queue. `reasons`: why people look; `taken_until`: somebody looks at it until then."""

    claim: str
    task: str
    participant: Address
    subject: str
    received_at: Time
    reasons: str
    is_own: bool
    taken_until: Time | None
    answer_until: Time | None
    accepted: int
    rejected: int


class ParticipantAnswer(Answer):
    """A participant with every claim. `rank` null where not registered for the campaign in force."""

    address: Address
    name: str | None
    addresses: list[Address]
    registered_at: Time | None
    rank: int | None
    unit: str
    amount_micro: Micro
    provisional_micro: Micro
    payable: bool
    awards: list[AwardAnswer]
    claims: list[ClaimAnswer]


class CandidateAnswer(Answer):
    """Something found on the chain that is no claim yet. `needs`: what is missing, empty when nothing is."""

    task: str
    owner: Address
    dseq: Decimal
    app: str | None
    gpu_models: list[str]
    providers: list[Address]
    needs: str


class TodoClaimAnswer(Answer):
    """A claim in short."""

    id: str
    task: str
    subject: str
    verdict: str
    missing: list[str]
    next_look: Time | None


class TodoAnswer(Answer):
    """What is found and what is missing, for the signed-in participant."""

    candidates: list[CandidateAnswer]
    claims: list[TodoClaimAnswer]


class ObservationAnswer(Answer):
    """One thing seen. `body`: the raw answer in base64, null where it is restricted."""

    id: str
    source: str
    request: str
    host: str
    seen_at: Time
    status: int | None
    chain_id: str | None
    height: Decimal | None
    time: Time | None
    trouble: str | None
    restricted: bool
    verifier: str
    body_digest: str
    size_bytes: int
    body: str | None
