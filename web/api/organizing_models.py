"""What the API answers organizers: the end of a campaign, eligibility, grants, revisions."""

from __future__ import annotations

from pydantic import JsonValue

from web.api.models import Address, Answer, Micro, Time


class OpenClaimAnswer(Answer):
    """A claim that is not decided; `state`: pending, unknown, or that nobody has looked yet."""

    claim: str
    task: str
    participant: Address
    state: str
    holds_place: bool


class OpenAppealAnswer(Answer):
    """An appeal that waits for its ruling."""

    appeal: str
    claim: str
    task: str
    participant: Address
    made_at: Time


class BeforeAnswer(Answer):
    """What an act on results would reach. `refused`: why nothing can be reached now; `left_open`: named before."""

    tasks: list[str]
    refused: str | None
    claims: list[OpenClaimAnswer]
    appeals: list[OpenAppealAnswer]
    left_open: list[OpenClaimAnswer]


class EndedAnswer(Answer):
    """What an act reached. `state`: provisional or final."""

    state: str
    tasks: list[str]
    pools_and_bonuses: bool
    at: Time
    appeals_until: Time | None


class EligibilityAnswer(Answer):
    """An entry, for staff. `starts`: it holds for work from then; null: for all. `number` counts a participant's."""

    entry: int
    participant: Address
    number: int
    eligibility: str
    reason: str
    starts: Time | None
    by: str
    at: Time


class EligibilityChangeAnswer(Answer):
    """What one line of a list would change; `before` null where nothing was decided."""

    line: int
    participant: Address
    before: str | None
    after: str
    starts: Time | None
    awarded_micro: Micro


class ImportPreviewAnswer(Answer):
    """What a list would change. With any `mistakes` it is not taken; `seen` is sent along to take it."""

    changes: list[EligibilityChangeAnswer]
    unchanged: int
    mistakes: list[str]
    seen: str


class ImportedAnswer(Answer):
    """How many entries were added, and how many lines said what holds already."""

    added: int
    unchanged: int


class GrantAnswer(Answer):
    """A grant with the two who decided it; `taken_back_at` null where it stands."""

    grant: str
    number: int
    participant: Address
    amount_micro: Micro
    reason: str
    names: list[str]
    claim: str | None
    at: Time
    taken_back_at: Time | None


class GrantBudgetAnswer(Answer):
    """All grants, the newest first, and what is left of their budget."""

    unit: str
    budget_micro: Micro
    left_micro: Micro
    grants: list[GrantAnswer]


class GrantProposalAnswer(Answer):
    """A grant, or the undoing of one (`takes_back`), that one organizer proposed. `outcome`: open, agreed, refused,
    withdrawn; `grant`: what it made.
    """

    proposal: int
    participant: Address
    amount_micro: Micro
    reason: str
    claim: str | None
    takes_back: str | None
    by: str
    at: Time
    outcome: str
    decided_by: str | None
    decided_at: Time | None
    grant: str | None


class RevisionAnswer(Answer):
    """A revision that is loaded."""

    campaign: str
    revision: int
    digest: str


class PreviewAnswer(Answer):
    """Who would gain or lose how much by a revision (as `campaign preview --json`)."""

    preview: dict[str, JsonValue]
