"""What a code host shows of a pull request: its state, its author's code, and whether it holds the SDL (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from tasks.moment import format_moment
from verifiers.codehost.answers import ChangedFile, Pull, read_file, read_files, read_pull
from verifiers.codehost.links import (
    MAX_PAGES,
    PER_PAGE,
    PullRequest,
    contents_request,
    files_request,
    pull_request,
    repository_request,
)
from verifiers.deployed.wording import count_of, listed
from verifiers.evidence import CodeHostSource, Observation, Outcome, Source
from verifiers.submitted.finding import Finding, Findings, could_not_ask
from verifiers.submitted.params import SubmissionParams
from verifiers.submitted.record import Submission
from verifiers.trouble import Undecodable

MOST_FILES = 40
"""So many YAML files of one pull request are read at most."""
NOT_LOOKED = "not_looked"
UNDECODABLE = "undecodable"
WAITS = "waits for the pull request"


@dataclass
class PullFacts:
    """The facts of one pull request. `hashes`: the set of the SDL looked for; `known_path`: where it was before."""

    name: PullRequest
    hashes: frozenset[str]
    blob: str = ""
    known_path: str = ""
    _seen: dict[str, Observation] = field(default_factory=dict)

    def add(self, observations: Iterable[Observation]) -> None:
        """Take in what the code host answered."""
        for each in observations:
            if each.source == Source.CODEHOST:
                self._seen[each.request] = each

    def _get(self, target: str) -> Observation | None:
        return self._seen.get(f"GET {target}")

    @property
    def pull_ids(self) -> tuple[str, ...]:
        """The observations of the pull request itself."""
        targets = (pull_request(self.name), repository_request(self.name))
        return tuple(each.id for target in targets if (each := self._get(target)) is not None)

    def pull(self) -> Pull | str | None:
        """The pull request; the trouble that hides it; None where there clearly is none."""
        seen = self._get(pull_request(self.name))
        if seen is None:
            return NOT_LOOKED
        if seen.trouble is not None:
            return seen.trouble
        if seen.status == 404:
            shown = self._get(repository_request(self.name))
            if shown is None or shown.trouble is not None or shown.status != 200:
                return (shown.trouble if shown else None) or NOT_LOOKED
            return None
        try:
            found = read_pull(seen.body)
        except Undecodable:
            return UNDECODABLE
        is_other = found.number != self.name.number or (
            found.repository and found.repository.lower() != self.name.repository.lower()
        )
        return UNDECODABLE if is_other else found

    def files(self) -> tuple[Sequence[ChangedFile], str | None, tuple[str, ...]]:
        """The files that it changes, what broke the list off, and the observations."""
        rows: list[ChangedFile] = []
        ids: list[str] = []
        page = 1
        while (seen := self._get(files_request(self.name, page))) is not None:
            ids.append(seen.id)
            if seen.trouble is not None:
                return rows, seen.trouble, tuple(ids)
            try:
                read = read_files(seen.body)
            except Undecodable:
                return rows, UNDECODABLE, tuple(ids)
            rows += read
            if len(read) < PER_PAGE:
                return rows, None, tuple(ids)
            page += 1
        return rows, None if page > MAX_PAGES else NOT_LOOKED, tuple(ids)

    def candidates(self, files: Sequence[ChangedFile]) -> list[str]:
        """Paths that may hold the SDL, the likeliest first."""

        def rank(file: ChangedFile) -> tuple[bool, bool, bool]:
            is_usual = file.path.rpartition("/")[2] in {"deploy.yaml", "deploy.yml"}
            return (
                not (self.blob and file.blob == self.blob),
                file.path != self.known_path,
                not is_usual,
            )

        fitting = [each for each in files if not each.is_removed and _may_be_sdl(each.path)]
        return [file.path for file in sorted(fitting, key=rank)]

    def file(self, path: str, commit: str) -> tuple[bool | None, str | None, str | None]:
        """Whether a file has the SDL's manifest (None: not known), what hid it, and the observation."""
        seen = self._get(contents_request(self.name, path, commit))
        if seen is None:
            return None, NOT_LOOKED, None
        if seen.trouble is not None:
            return None, seen.trouble, seen.id
        try:
            return bool(read_file(seen.body).hashes & self.hashes), None, seen.id
        except Undecodable:
            return None, UNDECODABLE, seen.id

    def found(self) -> Found:
        """Where the SDL stands in the pull request."""
        pull = self.pull()
        if not isinstance(pull, Pull):
            return Found(None, trouble=pull if pull is not None else NOT_LOOKED)
        files, trouble, ids = self.files()
        paths = self.candidates(files)
        observations = list(ids)
        for path in paths[:MOST_FILES]:
            same, hidden, seen = self.file(path, pull.head)
            observations += [seen] if seen else []
            if same:
                return Found(path, tuple(observations), None, tuple(paths))
            trouble = trouble or hidden
        return Found(None, tuple(observations), trouble, tuple(paths))


def _may_be_sdl(path: str) -> bool:
    is_plain = not {"", ".", ".."}.intersection(path.split("/"))
    return is_plain and path.lower().endswith((".yaml", ".yml"))


@dataclass(frozen=True, slots=True)
class Found:
    """The path of the SDL in the pull request, None where it was not found; `paths`: all YAML files there."""

    path: str | None
    observations: tuple[str, ...] = ()
    trouble: str | None = None
    paths: tuple[str, ...] = ()


def facts_of(submission: Submission, pull: PullRequest, known_path: str = "") -> PullFacts:
    """Facts without anything seen yet, for this version's SDL."""
    blob = submission.sdl.get("blob")
    return PullFacts(pull, submission.hashes, blob if isinstance(blob, str) else "", known_path)


def ask(facts: PullFacts, host: CodeHostSource) -> Iterator[Observation]:
    """Ask for the pull request, its files, and its YAML files until one is the SDL."""
    yield from _added(facts, host.pull(facts.name))
    pull = facts.pull()
    if not isinstance(pull, Pull):
        return
    yield from _added(facts, host.files(facts.name))
    files, trouble, _ = facts.files()
    if trouble is not None:
        return
    for path in facts.candidates(files)[:MOST_FILES]:
        yield from _added(facts, (host.file(facts.name, path, pull.head),))
        if facts.file(path, pull.head)[0] is not False:
            return  # found, or the host is in trouble: then the next question would fare no better


def _added(facts: PullFacts, observations: Sequence[Observation]) -> Sequence[Observation]:
    facts.add(observations)
    return observations


@dataclass(frozen=True)
class PullChecks:
    """The checks `pull_request`, `author` and `file` of one version."""

    facts: PullFacts
    submission: Submission
    params: SubmissionParams
    make: Findings
    is_over: bool

    def findings(self) -> tuple[Finding, ...]:
        """The three, in order."""
        pull = self.facts.pull()
        return (self._state(pull), self._author(pull), self._file(pull))

    def _state(self, pull: Pull | str | None) -> Finding:
        wanted = "merged" if self.params.must_be_merged else "open or merged"
        name = self.facts.name
        expected = f"pull request {name.name}, in a repository of the task, {wanted}"
        if f"{name.host}/{name.repository}" not in self.params.repositories:
            seen = f"{name.host}/{name.repository} is none of {listed(self.params.repositories)}"
            return self._made("pull_request", expected, seen, Outcome.FAILED, "Open it where the task says.")
        if isinstance(pull, str):
            return self._made("pull_request", expected, could_not_ask(pull), Outcome.UNKNOWN)
        if pull is None:
            missing = "Check the number in the link, then send the claim again."
            return self._made("pull_request", expected, "no such pull request", Outcome.FAILED, missing)
        return self._shown(pull, expected)

    def _shown(self, pull: Pull, expected: str) -> Finding:
        if pull.merged_at is not None:
            seen = f"merged on {format_moment(pull.merged_at)}"
            return self._made("pull_request", expected, seen, Outcome.PASSED)
        if not pull.is_open:
            when = f" on {format_moment(pull.closed_at)}" if pull.closed_at is not None else ""
            missing = "Reopen it, or open another one, then send the claim again."
            return self._made("pull_request", expected, f"closed{when} without a merge", Outcome.FAILED, missing)
        if self.params.must_be_merged:
            missing = "Wait for the repository's maintainers to merge it: when they do makes no difference."
            seen = "open, not merged yet"
            return self._made("pull_request", expected, seen, Outcome.PENDING, missing, keeps_place=True)
        return self._made("pull_request", expected, "open", Outcome.PASSED)

    def _author(self, pull: Pull | str | None) -> Finding:
        if not self.params.asks_code:
            return self._made("author", "no proof asked", "not asked", Outcome.PASSED)
        codes = self.submission.codes
        code = codes[0] if codes else ""
        expected = f"the participant's own code {code} in the pull request's text"
        if isinstance(pull, str):
            return self._made("author", expected, could_not_ask(pull), Outcome.UNKNOWN)
        if pull is None:
            return self._made("author", expected, WAITS, Outcome.PENDING)
        if set(pull.codes) & set(codes):
            return self._made("author", expected, "the code stands there", Outcome.PASSED)
        missing = f"Put the line {code} into the text of your pull request."
        if pull.codes:
            seen = f"another participant's code: {listed(pull.codes, 2)}"
            return self._made("author", expected, seen, Outcome.FAILED, f"{missing} Then send the claim again.")
        outcome = Outcome.FAILED if self.is_over else Outcome.PENDING
        return self._made("author", expected, "no code in its title or text", outcome, missing)

    def _file(self, pull: Pull | str | None) -> Finding:
        expected = "a YAML file in it with the manifest of this SDL"
        if isinstance(pull, str):
            return self._made("file", expected, could_not_ask(pull), Outcome.UNKNOWN)
        if pull is None:
            return self._made("file", expected, WAITS, Outcome.PENDING)
        found = self.facts.found()
        if found.path is not None:
            return self._made("file", expected, found.path, Outcome.PASSED, observations=found.observations)
        if found.trouble is not None:
            seen = could_not_ask(found.trouble)
            return self._made("file", expected, seen, Outcome.UNKNOWN, observations=found.observations)
        more = len(found.paths) - MOST_FILES
        if more > 0:
            seen = f"not in the first {MOST_FILES} YAML files; {more} more were not read"
            missing = "Make a pull request that changes fewer files, or ask the organizers to look."
            return self._made("file", expected, seen, Outcome.PENDING, missing, observations=found.observations)
        seen = f"{count_of(len(found.paths), 'YAML file')} with other manifests: {listed(found.paths)}"
        if not found.paths:
            seen = "no YAML file in it"
        missing = "Push this very SDL to the pull request, then send the claim again: that version's time counts."
        return self._made("file", expected, seen, Outcome.FAILED, missing, observations=found.observations)

    def _made(
        self,
        name: str,
        expected: str,
        seen: str,
        outcome: Outcome,
        missing: str = "",
        *,
        observations: Sequence[str] = (),
        keeps_place: bool = False,
    ) -> Finding:
        ids = (*self.facts.pull_ids, *observations)
        return self.make.made(name, expected, seen, outcome, ids, missing, keeps_place=keeps_place)


def path_of(subject: str) -> str:
    """The path in a claim's subject `host/owner/repo#number:path`, empty where it was not known."""
    return subject.partition("#")[2].partition(":")[2]
