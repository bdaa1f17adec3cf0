"""A claim prepared for the pages: its words, its checks, its award as a sum."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ledger.claims import CheckRow
from services.payments import Payment
from services.profiles import Line, SeenClaim
from services.sessions import Person
from tasks.rewards.refusals import Place
from verifiers.reviewing import VOTES, Act
from web.formats import short_address
from web.workings import Around, Sum, line_summary, working_of

_DIGEST = re.compile(r"[0-9a-f]{64}")
_CHALLENGE = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class CheckView:
    """One check as a row of the table."""

    title: str
    expected: str
    seen: str
    outcome: str
    height: int | None
    time_ns: int | None
    observations: Sequence[str]


@dataclass(frozen=True, slots=True)
class CorrectionView:
    """One entry of the ledger, where a claim has more than one."""

    computed_ns: int
    words: str
    cause: str
    revision: int


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A claim for the macros of `templates/macros/claims.html`."""

    id: str
    task: str
    task_title: str
    participant: str
    subject: str
    subject_words: str
    outcome: str
    verdict: int | None
    missing: Sequence[str]
    next_look_ns: int | None
    settled: bool
    at_ns: int | None
    height: int | None
    as_of_height: int | None
    looked_ns: int | None
    received_ns: int
    judge: str | None
    version: int | None
    attributes: Mapping[str, str]
    fields: Mapping[str, str]
    checks: Sequence[CheckView]
    sum: Sum | None
    corrections: Sequence[CorrectionView]
    amount_micro: int
    provisional_micro: int
    waits_for_answer: bool
    not_payable: bool
    stated: str
    payments: Sequence[Payment]

    @property
    def failed_checks(self) -> int:
        """How many checks failed."""
        return sum(check.outcome == "failed" for check in self.checks)

    @property
    def open_checks(self) -> int:
        """How many checks can still come true, or could not be looked at."""
        return sum(check.outcome in {"pending", "unknown"} for check in self.checks)

    @property
    def is_waiting(self) -> bool:
        """Whether the page should look again by itself."""
        return not self.settled


def reads_reasons(person: Person | None, participant: str) -> bool:
    """Whether somebody reads why a participant may not be paid: the participant and the staff; others do not."""
    return person is not None and (person.participant == participant or person.is_staff)


def claim_view(claim: SeenClaim, unit: str, person: Person | None = None) -> ClaimView:
    """All that a page shows of a claim to this person; `unit` is that of its amounts."""
    row, verdict = claim.row, claim.verdict
    stated = claim.standing.reason if reads_reasons(person, row.participant) else ""
    return ClaimView(
        id=row.id,
        task=row.task,
        task_title=claim.task_title,
        participant=row.participant,
        subject=row.subject,
        subject_words=subject_in_words(row.subject),
        outcome=row.outcome,
        verdict=row.verdict_id,
        missing=claim.missing,
        next_look_ns=row.next_look_ns if row.next_look_ns is not None else row.due_ns,
        settled=row.settled,
        at_ns=row.at_ns,
        height=row.height,
        as_of_height=row.looked_height or (verdict.as_of_height if verdict else None),
        looked_ns=row.looked_ns or (verdict.decided_ns if verdict else None),
        received_ns=row.received_ns,
        judge=verdict.judge if verdict else None,
        version=verdict.version if verdict else None,
        attributes=row.attributes,
        fields=row.fields,
        checks=[_check(check) for check in claim.checks],
        sum=_sum(claim, unit, stated),
        corrections=_corrections(claim.lines, unit),
        amount_micro=claim.amount_micro,
        provisional_micro=claim.provisional_micro,
        waits_for_answer=waits_for_answer(claim),
        not_payable=not claim.standing.payable,
        stated=stated,
        payments=claim.payments,
    )


def waits_for_answer(claim: SeenClaim) -> bool:
    """Whether a reviewer asked its participant for changes, holds to it, and nothing came since."""
    votes: dict[str, str] = {}
    for step in claim.steps:
        if step.act in VOTES:
            votes[step.name] = step.act
        else:
            votes.clear()
    return claim.row.outcome in ("pending", "unknown") and Act.NEEDS_WORK in votes.values()


def subject_in_words(subject: str) -> str:
    """A subject with its addresses shortened: `akash1365y…nmlx63, app stable-diffusion`; a web address whole."""
    if subject.startswith("https://"):
        return subject
    if "#" in subject:
        return subject  # a file of a pull request
    if _CHALLENGE.fullmatch(subject):
        return f"challenge {subject[:8]}…"
    if _DIGEST.fullmatch(subject):
        return f"manifest {subject[:12]}…"
    return " / ".join(short_address(part) for part in subject.split("/"))


_CHECK_TITLES = {
    "gpu": "GPU requested",
    "providers": "Different providers",
    "own_provider": "Not your own provider",
    "active": "Running time",
    "own_address": "Your own provider",
    "rest": "REST",
    "grpc": "gRPC",
    "gpu_listed": "Model listed",
    "cpu": "CPU",
    "ram": "Memory",
    "one_model": "One model in a machine",
    "gpu_label": "GPU label",
    "audited": "Signed by an auditor",
    "lease": "Proving lease",
    "same_gpu": "The same GPU",
    "proof": "Proof of work",
    "proof_time": "Time of the proof",
    "source": "From its owner",
    "distinct": "Nobody else's numbers",
}


def check_title(name: str) -> str:
    """A check's name as a heading: `really_paid` → `Really paid`; some have a better one."""
    words = name.replace("_", " ").strip()
    return _CHECK_TITLES.get(name) or words[:1].upper() + words[1:]


def _check(row: CheckRow) -> CheckView:
    return CheckView(
        title=check_title(row.name),
        expected=row.expected,
        seen=row.seen,
        outcome=row.outcome,
        height=row.height,
        time_ns=row.time_ns,
        observations=row.observations,
    )


def _sum(claim: SeenClaim, unit: str, stated: str) -> Sum | None:
    lines = [line for line in claim.lines if line.kind != "grant"]
    if not lines:
        return None
    newest = lines[-1]
    total = claim.provisional_micro if newest.provisional else claim.amount_micro
    row = claim.row
    around = Around(Place.at_moment(row.at_ns, row.height, row.tx_index), claim.task, stated)
    return working_of(newest, unit, total, around)


def _corrections(lines: Sequence[Line], unit: str) -> list[CorrectionView]:
    kept = [line for line in lines if not line.provisional]
    if len(kept) < 2 and not any(line.kind == "grant" for line in kept):
        return []
    return [
        CorrectionView(line.computed_ns or 0, line_summary(line, unit), line.cause, line.revision or 0)
        for line in kept
    ]
