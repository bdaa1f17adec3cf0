"""What was seen and what follows from it: the words that `gather`, `judge`, the ledger and the archive share."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Protocol

from tasks.moment import Moment
from verifiers.codehost.links import PullRequest


class Outcome(StrEnum):
    """The four outcomes of a check and of a verdict (DESIGN section 4)."""

    PASSED = "passed"
    FAILED = "failed"
    PENDING = "pending"
    UNKNOWN = "unknown"


class Source(StrEnum):
    """Where an observation comes from."""

    CHAIN = "chain"
    PROVIDER = "provider"
    CODEHOST = "codehost"
    ENTERED = "entered"
    REVIEWER = "reviewer"
    COMPARISON = "comparison"
    PROBES = "probes"
    RECORD = "record"


@dataclass(frozen=True, slots=True)
class ChainPoint:
    """One block of one chain."""

    chain_id: str
    height: int
    time: Moment


@dataclass(frozen=True)
class Observation:
    """One thing seen, or one attempt to see it that failed for a reason of ours (`trouble`). Never changed.

    `request` is canonical and names no host: `GET /akash/…?filters.owner=…`, `RPC block_results?height=…`.
    `body` is the raw answer. `status` is the HTTP status; `None` for what was entered or could not be asked.
    A chain's clear "does not exist" (404 with code 5) is an observation with status 404, no trouble.
    `height` is the height that the answer says it holds at. `trouble` is the short name of the error family's
    member (`timeout`, `pruned`, `lagging`, …); the body is empty then.
    """

    source: Source
    request: str
    body: bytes
    host: str
    seen_at: Moment
    status: int | None = None
    chain_id: str | None = None
    height: int | None = None
    trouble: str | None = None
    restricted: bool = False

    @cached_property
    def body_digest(self) -> str:
        """SHA-256 of the body, hex."""
        return hashlib.sha256(self.body).hexdigest()

    @cached_property
    def id(self) -> str:
        """Names the thing seen: the same answer to the same question at the same height has the same id."""
        named = [
            self.source,
            self.request,
            self.status,
            self.chain_id,
            self.height,
            self.trouble,
            self.body_digest,
        ]
        return hashlib.sha256(json.dumps(named, separators=(",", ":")).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a verdict. `observations` are ids; `height` and `time` say when it was true."""

    name: str
    expected: str
    seen: str
    outcome: Outcome
    observations: tuple[str, ...] = ()
    height: int | None = None
    time: Moment | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge says of a claim.

    `at`, `height`, `tx_index`: when the work was done (CAMPAIGN_FORMAT "The kinds"), once known. `holds_place`:
    no check failed, `at` is known, and what is open are durations, a review or look-ups that failed on our side.
    `next_look`: when looking again can change something; `None` when nothing can.
    `missing`: for the participant, what is not there yet, one sentence each.
    """

    outcome: Outcome
    checks: tuple[Check, ...]
    judge: str
    version: int
    as_of: ChainPoint
    at: Moment | None = None
    height: int | None = None
    tx_index: int | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    holds_place: bool = False
    next_look: Moment | None = None
    missing: tuple[str, ...] = ()


def outcome_of(checks: Sequence[Check]) -> Outcome:
    """Failed if any check failed, else unknown if any could not look, else pending if any is open, else passed."""
    seen = {check.outcome for check in checks}
    for outcome in (Outcome.FAILED, Outcome.UNKNOWN, Outcome.PENDING):
        if outcome in seen:
            return outcome
    return Outcome.PASSED


@dataclass(frozen=True, slots=True)
class ClaimFacts:
    """All that a judge may know of a claim besides observations.

    `addresses`: every address of the participant, the registered one first. `fields`: as entered or found.
    `opens`, `closes`: the task's window `[opens, closes)` in the newest revision.
    """

    id: str
    campaign: str
    chain_id: str
    task: str
    kind: str
    participant: str
    addresses: tuple[str, ...]
    subject: str
    fields: Mapping[str, str]
    received_at: Moment
    opens: Moment
    closes: Moment


@dataclass(frozen=True, slots=True)
class IndexedDeployment:
    """A deployment as the follower's index knows it: where to look, never evidence.

    `hash`: hex. `gpu_models`: as requested, `vendor/model`. `providers`: of its leases, in the order of the leases.
    """

    owner: str
    dseq: int
    hash: str
    created_at: int
    gpu_units: int
    gpu_models: tuple[str, ...]
    providers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something found on the chain that may become a claim with these `fields`.

    `needs` says what is missing, empty when nothing is.
    """

    task: str
    owner: str
    dseq: int
    subject: str | None
    app: str | None
    gpu_models: tuple[str, ...]
    providers: tuple[str, ...]
    needs: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


class EntryRefused(Exception):
    """What a participant entered can't become a claim; `field` names what is to be mended, the message how."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True)
class EnteredSdl:
    """An SDL given for a deployment, reduced (DESIGN section 4): canonical JSON bytes; `app` where it was named."""

    owner: str
    dseq: int
    app: str | None
    reduced: bytes


@dataclass(frozen=True, slots=True)
class SubmittedSdl:
    """An SDL written for others: its text, which is kept and shown, and its reduction, canonical JSON.

    `pull_request`: its link, empty where none is asked.
    """

    text: str
    reduced: bytes
    pull_request: str = ""


@dataclass(frozen=True, slots=True)
class EnteredRun:
    """A benchmark run: the challenge's id, and the runner's result unless the runner has posted it itself.

    `address`: where the lease serves the result, entered in its place. `host`: where it was fetched from.
    """

    challenge: str
    result: str | None
    address: str = ""
    host: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a participant entered for a task, checked and ready to become a claim.

    `is_numbered`: there is no thing in the world that it is about; `/<n>` is put behind the subject, where it is the
    participant's n-th claim of the task. `others`: further claims that the same entry makes, each with a subject of
    its own.
    """

    subject: str
    fields: Mapping[str, str]
    sdls: tuple[EnteredSdl, ...] = ()
    is_numbered: bool = False
    others: tuple[Entry, ...] = ()
    run: EnteredRun | None = None
    submission: SubmittedSdl | None = None


class ChainSource(Protocol):
    """The chain as `gather` sees it: pinned to one block, each request asked once and then shared.

    Nothing here raises for trouble on the way: the observation then carries `trouble`.
    """

    @property
    def point(self) -> ChainPoint:
        """The block that every state read is pinned to."""
        ...

    def state(self, path: str, parameters: Mapping[str, str]) -> Observation:
        """One REST answer at the pinned height."""
        ...

    def pages(self, path: str, parameters: Mapping[str, str], rows: str) -> Sequence[Observation]:
        """Every page of a list at the pinned height; `rows` is the name of the list in the answer."""
        ...

    def state_at(self, height: int, path: str, parameters: Mapping[str, str]) -> Observation:
        """One REST answer at another height, for facts that are looked for in the past."""
        ...

    def block(self, height: int) -> Observation:
        """The block's header (REST `blocks/{height}`): its time. For good: asked once in a campaign."""
        ...

    def block_results(self, height: int) -> Observation:
        """The results of the block's transactions in order (RPC `block_results`). For good."""
        ...

    def first_block_from(self, moment: Moment) -> Sequence[Observation]:
        """The header of the first block not earlier than `moment` and of the one before it (none of those that
        lie above the tip or below the first block). They prove on which side of `moment` any height lies."""
        ...


class ProviderSource(Protocol):
    """Providers as `gather` sees them: each looked at once, then shared. Nothing here raises for trouble."""

    def look(self, owner: str, host_uri: str) -> Sequence[Observation]:
        """Both certificates with what the chain says of them, the public routes, and the status over gRPC."""
        ...


class ProbeSource(Protocol):
    """What our probes found."""

    def days(self, provider: str, begins: Moment, ends: Moment) -> Sequence[Observation]:
        """The days of probes that `[begins, ends)` touches, as one observation; request `PROBES <provider> …`.

        Its body says of each day whether it is sealed: only sealed days are final.
        """
        ...


class RecordSource(Protocol):
    """What this platform has on record."""

    def looks(self, claim: str) -> Sequence[Observation]:
        """What earlier looks at a claim found; request `LOOKS <claim>`. Once a look passed everything that must hold
        at one moment, the observations of that look follow: they are judged again, not looked for again."""
        ...

    def spot_checks(self, claim: ClaimFacts) -> Sequence[Observation]:
        """The spot checks that cover a claim and were opened, request `SPOT CHECKS <claim>`; then the results entered
        for them, and what the look saw in which one passed: that is judged again, not looked for again."""
        ...

    def tenants(self, addresses: Sequence[str]) -> Observation:
        """Which of these addresses belong to registered participants; request `TENANTS <campaign>`."""
        ...

    def provider_created(self, provider: str) -> int | None:
        """The height at which a provider was created, where the index knows it: where to look, no evidence."""
        ...


class EnteredSource(Protocol):
    """What participants and reviewers entered, as observations."""

    def sdls(self, owner: str) -> Sequence[Observation]:
        """The reduced SDLs given for deployments of `owner`; request `SDL <owner>/<dseq>`."""
        ...


class CodeHostSource(Protocol):
    """A code host as `gather` sees it, answers reduced. Nothing here raises for trouble: observations carry it."""

    def pull(self, pull: PullRequest) -> Sequence[Observation]:
        """A pull request; where it is not there (status 404) then its repository too."""
        ...

    def files(self, pull: PullRequest) -> Sequence[Observation]:
        """Every page of the files that it changes."""
        ...

    def file(self, pull: PullRequest, path: str, commit: str) -> Observation:
        """One file as it is in a commit, read as an SDL."""
        ...


class SubmissionSource(Protocol):
    """SDLs written for others, as they were submitted."""

    def newest(self, claim: str) -> Sequence[Observation]:
        """The newest version submitted for a claim, reduced; request `SUBMISSION <claim>/<number>`."""
        ...

    def comparison(self, claim: str) -> Sequence[Observation]:
        """What that version shares with the catalogue and with what others submitted earlier."""
        ...


class BenchmarkSource(Protocol):
    """Benchmark runs as the platform keeps them, as observations."""

    def record(self, challenge: str) -> Observation | None:
        """The challenge as it was issued, what was measured between seed and commitment, and the result; request
        `BENCHMARK <id>`. None where no result was entered."""
        ...

    def comparison(self, challenge: str) -> Observation | None:
        """Medians of earlier accepted runs of the same variant, and others' earlier runs with the same output;
        request `BENCHMARK COMPARISON <id>`."""
        ...


class Sources(Protocol):
    """All that a `gather` may ask."""

    @property
    def chain(self) -> ChainSource:
        """The campaign's chain."""
        ...

    @property
    def entered(self) -> EnteredSource:
        """What people entered."""
        ...

    @property
    def provider(self) -> ProviderSource:
        """The providers themselves."""
        ...

    @property
    def probes(self) -> ProbeSource:
        """What our probes found."""
        ...

    @property
    def records(self) -> RecordSource:
        """What we have on record."""
        ...

    @property
    def codehost(self) -> CodeHostSource:
        """The code host of the campaign's repositories."""
        ...

    @property
    def submissions(self) -> SubmissionSource:
        """SDLs that people wrote for others."""
        ...

    @property
    def benchmarks(self) -> BenchmarkSource:
        """Benchmark runs."""
        ...


class Verifier(Protocol):
    """What a module of `verifiers/kinds` offers; `VERSION` changes with every change of its judge."""

    KIND: str
    VERSION: int

    def enter(self, fields: Mapping[str, str], params: Mapping[str, object], addresses: Sequence[str]) -> Entry:
        """Check what a participant with these addresses entered. Pure. Raises EntryRefused."""
        ...

    def gather(self, claim: ClaimFacts, params: Mapping[str, object], sources: Sources) -> Sequence[Observation]:
        """Ask all that the judge needs; never raises for trouble of ours."""
        ...

    def judge(
        self,
        claim: ClaimFacts,
        observations: Sequence[Observation],
        params: Mapping[str, object],
        as_of: ChainPoint,
    ) -> Verdict:
        """Pure: same facts, same verdict, byte for byte."""
        ...
