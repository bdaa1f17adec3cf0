"""What the API answers about providers."""

from __future__ import annotations

from web.api.models import Address, Answer, Decimal, PointAnswer, Time


class IncidentAnswer(Answer):
    """A time in which it was down, with the causes in the order seen."""

    begins: Time
    ends: Time
    causes: list[str]


class ClaimedGpuAnswer(Answer):
    """The `number`-th GPU of a model that somebody claimed there. `verdict`: of the claim.

    `uptime_permille` null: no probe is known yet. `known_permille`: of the time from `since` that counts.
    """

    claim: str
    gpu_model: str
    number: int
    verdict: str
    since: Time
    uptime_permille: int | None
    known_permille: int
    incidents: list[IncidentAnswer]


class ProviderAnswer(Answer):
    """A provider as it describes itself on the chain; `created_height` null: not later than `not_later_than`.

    `onboarding`: the GPUs claimed there, with their uptime as we saw it.
    """

    address: Address
    host_uri: str
    gpu_models: list[str]
    region: str | None
    organization: str | None
    active_leases: int
    created_height: Decimal | None
    not_later_than: Decimal
    attributes: list[list[str]]
    onboarding: list[ClaimedGpuAnswer]


class ProviderCheckLine(Answer):
    """One check of the pre-flight."""

    name: str
    expected: str
    seen: str
    outcome: str


class ProviderCheckAnswer(Answer):
    """What a provider shows now; `host_uri` null: the chain has no record of it."""

    provider: Address
    host_uri: str | None
    outcome: str
    as_of: PointAnswer
    checks: list[ProviderCheckLine]
