"""SDLs written for others: where they stand in their pull request, what of them is kept, what they are like."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.claims import ClaimRow
from ledger.observations import load_observations, store_observations
from ledger.submissions import SubmittedSdlRow, newest_version, submitted_in
from ledger.verdicts import look_again
from services.author_codes import author_codes
from services.campaigns import Loaded
from services.errors import Conflict
from services.house import House
from tasks.moment import Moment
from verifiers.deployed.params import App, deployment_params
from verifiers.evidence import Entry, Observation, Outcome, SubmittedSdl
from verifiers.submitted.novelty import Earlier, comparison_observation
from verifiers.submitted.pull import ask, facts_of
from verifiers.submitted.record import Submission, newest_submission, submission_observation

MOST_OPEN = 20
MOST_VERSIONS = 50
VERIFIER = "entered/1"


def located(house: House, campaign: str, participant: str, task: str, entry: Entry) -> Entry:
    """The entry with the path of its file in the pull request behind its subject.

    Where the code host can't be asked now, or shows no such file, the subject stays without a path: the claim is
    made all the same, with its receipt, and its checks say what was seen. Network; call it outside a transaction.
    Raises Conflict for somebody with too many claims that wait: the code host counts our questions.
    """
    given = entry.submission
    if given is None or not given.pull_request or house.codehost is None:
        return entry
    _few_enough(house, campaign, participant, task, entry.subject)
    now = house.clock.now()
    version = _read("", submission_observation("", 1, now, given.pull_request, (), given.reduced))
    if version is None or version.pull is None:
        return entry
    facts = facts_of(version, version.pull)
    for _ in ask(facts, house.codehost):
        pass
    path = facts.found().path
    return replace(entry, subject=f"{entry.subject}{path}") if path is not None else entry


def _few_enough(house: House, campaign: str, participant: str, task: str, pull: str) -> None:
    mine = ClaimRow.campaign == campaign, ClaimRow.participant == participant, ClaimRow.task == task
    with house.ledger.read() as session:
        subjects = session.scalars(select(ClaimRow.subject).where(*mine, ClaimRow.settled.is_(False))).all()
    if len(subjects) >= MOST_OPEN and not any(subject.startswith(pull) for subject in subjects):
        raise Conflict(f"{MOST_OPEN} of your claims of this task are not decided yet: wait for those first.")


def same_claim(session: Session, campaign: str, participant: str, task: str, entry: Entry) -> Entry:
    """The entry with the subject of a claim that was made for the same file before its path could be seen.

    Such a claim counts on while it has not failed, so that nobody has two claims for one file.
    """
    given = entry.submission
    if given is None or not given.pull_request:
        return entry
    without_path = entry.subject.partition(":")[0] + ":"
    mine = (
        ClaimRow.campaign == campaign,
        ClaimRow.participant == participant,
        ClaimRow.task == task,
        ClaimRow.subject == without_path,
        ClaimRow.outcome != Outcome.FAILED,
    )
    claim = session.scalars(select(ClaimRow).where(*mine)).first()
    row = newest_version(session, claim.id) if claim is not None else None
    if claim is None or row is None:
        return entry
    kept = _hashes(load_observations(session, [row.observation])[row.observation], claim.id)
    shared = kept & frozenset(json.loads(given.reduced)["hashes"])
    return replace(entry, subject=without_path) if shared else entry


def keep(
    session: Session, house: House, loaded: Loaded, claim: str, participant: str, given: SubmittedSdl, now: Moment
) -> bool:
    """Keep a version of a claim and let it be looked at; False where it says nothing new.

    A version replaces the one before, and its own receipt counts. One that passed is not replaced; the same again
    is a new version only where it failed before.
    """
    row = session.get_one(ClaimRow, claim)
    before = newest_version(session, claim)
    codes = author_codes(house.settings, loaded.slug, participant)
    number = before.number + 1 if before is not None else 1
    seen = submission_observation(claim, number, now, given.pull_request, codes, given.reduced)
    digest = json.loads(given.reduced)["digest"]
    if before is not None:
        is_same = (before.digest, before.pull_request) == (digest, given.pull_request)
        if row.outcome == Outcome.PASSED or (is_same and row.outcome != Outcome.FAILED):
            return False
        if number > MOST_VERSIONS:
            raise Conflict(f"This claim has {MOST_VERSIONS} versions: ask the organizers before you send another.")
    store_observations(session, [seen], VERIFIER)
    session.add(
        SubmittedSdlRow(
            claim=claim,
            number=number,
            campaign=loaded.slug,
            received_ns=now,
            digest=digest,
            text=given.text,
            pull_request=given.pull_request,
            observation=seen.id,
        )
    )
    session.flush()
    # whoever looks at the version before loses the claim: what they find is of no use any more
    look_again(session, now, ClaimRow.id == claim, settled_too=True)
    return True


def unsent(
    house: House, loaded: Loaded, claim: str, participant: str, given: SubmittedSdl, now: Moment
) -> Observation:
    """A version as it would be kept, without keeping it."""
    codes = author_codes(house.settings, loaded.slug, participant)
    return submission_observation(claim, 1, now, given.pull_request, codes, given.reduced)


@dataclass
class KeptSubmissions:
    """Implements `evidence.SubmissionSource` from the ledger. Make one for each pass. Thread safe.

    `unsent`: a version that is looked at without being kept, in place of the newest one.
    """

    house: House
    loaded: Loaded
    unsent: Observation | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _earlier: list[tuple[ClaimRow, Earlier]] | None = None

    def newest(self, claim: str) -> Sequence[Observation]:
        """The newest version submitted for a claim, reduced."""
        if self.unsent is not None:
            return [self.unsent]
        with self.house.ledger.read() as session:
            row = newest_version(session, claim)
            return list(load_observations(session, [row.observation]).values()) if row is not None else []

    def comparison(self, claim: str) -> Sequence[Observation]:
        """What that version shares with the campaign's apps and with what other claims submitted earlier.

        What the same participant sent before in a claim that failed is no original of anything.
        """
        seen = self.newest(claim)
        version = _read(claim, seen[0]) if seen else None
        if version is None:
            return []
        with self._lock:
            if self._earlier is None:
                self._earlier = self._read_all()
            every = self._earlier
        participant = next((row.participant for row, each in every if each.claim == claim), "")
        earlier = [
            each
            for row, each in every
            if not (row.participant == participant and row.outcome == Outcome.FAILED and row.id != claim)
        ]
        return [comparison_observation(claim, version, self._apps(), earlier)]

    def _apps(self) -> Sequence[App]:
        found: dict[str, App] = {}
        for task in self.loaded.newest.tasks:
            if task.kind == "ai_deployment":
                found |= {app.slug: app for app in deployment_params(task.params).apps}
        return list(found.values())

    def _read_all(self) -> list[tuple[ClaimRow, Earlier]]:
        with self.house.ledger.read() as session:
            rows = submitted_in(session, self.loaded.slug)
            bodies = load_observations(session, [observation for _, _, _, observation in rows])
        found = []
        for row, number, received, observation in rows:
            version = _read(row.id, bodies[observation])
            if version is not None:
                found.append((row, Earlier(row.id, number, Moment(received), version.sdl)))
        return found


def _read(claim: str, seen: Observation) -> Submission | None:
    return newest_submission(claim, [seen])


def _hashes(seen: Observation, claim: str) -> frozenset[str]:
    version = _read(claim, seen)
    return version.hashes if version is not None else frozenset()
