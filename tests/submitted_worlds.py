"""An SDL written for others as a `gather` sees it: a small chain, a code host on loopback, and its versions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from tasks.moment import SECOND, Moment
from tests.codehost_double import CodeHostDouble, PullDouble
from tests.deployed_worlds import BLOCK_NS, OWNER, START, World, claim
from tests.nodes import StandingClock
from tests.submissions import SDL
from verifiers.codehost.client import CodeHost
from verifiers.deployed.params import App
from verifiers.evidence import ClaimFacts, Entry, Observation, Verdict
from verifiers.http import Limits
from verifiers.kinds import sdl_submission
from verifiers.sdl import check
from verifiers.sdl.submission import reduce_submission
from verifiers.submitted.novelty import Earlier, comparison_observation
from verifiers.submitted.record import newest_submission, submission_observation

CODE = "waymark-abcdefgh234567ab"
OTHER_CODE = "waymark-zzzzzzzzzzzzzzzz"
REPOSITORY = "net/apps"
LINK = f"https://github.com/{REPOSITORY}/pull/12"
PATH = "llm/deploy.yaml"
RECEIVED = Moment(START + 120 * BLOCK_NS)
HASH = check(SDL).manifest_hashes[0]
CLOSES = Moment(START + 900 * BLOCK_NS)
GPU = "        gpu: {units: 1, attributes: {vendor: {nvidia: [{model: a100}]}}}\n"
SIGNED_BY = "      signedBy: {anyOf: [akash1auditor]}\n"
EARLIER = Moment(RECEIVED - SECOND)
ALIKE = Earlier("b" * 32, 1, EARLIER, reduce_submission(SDL.replace("llm-server:1.4", "llm-server:1.5")))
COPY = Earlier("b" * 32, 1, EARLIER, reduce_submission(SDL))
UNLIKE = Earlier(
    "b" * 32,
    1,
    EARLIER,
    reduce_submission(SDL.replace("example/llm-server", "other/notebook").replace("60Gi", "9Gi")),
)


def params(**changes: object) -> dict[str, object]:
    """Params as the campaign's loading gives them."""
    return {
        "repositories": (REPOSITORY,),
        "state": "open",
        "active_ns": 600 * SECOND,
        "own_run": True,
        "signed_by": "refused",
        "author_proof": "code",
        **changes,
    }


def submitted(**changes: object) -> ClaimFacts:
    """A claim of the owner whose task is open for blocks 50 to 5000."""
    facts = {
        "subject": f"github.com/{REPOSITORY}#12:{PATH}",
        "kind": "sdl_submission",
        "fields": {"pull_request": LINK},
    }
    return claim(**{**facts, **changes})


@dataclass
class Written:
    """Everything that a submission rests on; all of it is well unless something is changed."""

    double: CodeHostDouble
    chain: World = field(default_factory=World)
    pull: PullDouble = field(default_factory=lambda: PullDouble(REPOSITORY, 12, f"A model.\n{CODE}\n"))
    apps: Sequence[App] = ()
    earlier: Sequence[Earlier] = ()
    versions: list[Observation] = field(default_factory=list)
    compares: bool = True
    link: str = LINK
    limits: Limits = field(default_factory=lambda: Limits(deadline_seconds=5))

    def version(self, text: str = SDL, received_at: Moment = RECEIVED, **task: object) -> Entry:
        """Submit a version of the claim."""
        fields = {"sdl": text} | ({"pull_request": self.link} if self.link else {})
        entry = sdl_submission.enter(fields, params(**task), (OWNER,))
        assert entry.submission is not None
        given = entry.submission
        number = len(self.versions) + 1
        name = submitted().id
        self.versions.append(
            submission_observation(name, number, received_at, given.pull_request, (CODE,), given.reduced)
        )
        return entry

    def judged(self, facts: ClaimFacts | None = None, **task: object) -> Verdict:
        """Gather and judge, twice over and in any order."""
        facts, task = facts or submitted(), params(**task)
        host = CodeHost(self.double.url, StandingClock(RECEIVED), limits=self.limits)
        seen = sdl_submission.gather(facts, task, Sources(self, host))
        host.close()
        verdict = sdl_submission.judge(facts, seen, task, self.chain.point)
        assert verdict == sdl_submission.judge(facts, tuple(reversed(seen)), task, self.chain.point)
        return verdict


@dataclass
class Sources:
    """`evidence.Sources` of a Written."""

    written: Written
    codehost: CodeHost

    @property
    def chain(self) -> World:
        return self.written.chain

    @property
    def entered(self) -> World:
        return self.written.chain

    @property
    def submissions(self) -> Sources:
        return self

    def newest(self, name: str) -> Sequence[Observation]:
        return [each for each in self.written.versions if f"/{len(self.written.versions)}" in each.request]

    def comparison(self, name: str) -> Sequence[Observation]:
        version = newest_submission(name, self.newest(name))
        if version is None or not self.written.compares:
            return []
        return [comparison_observation(name, version, self.written.apps, self.written.earlier)]


def well(double: CodeHostDouble, height: int = 1000) -> Written:
    """A submission where nothing is missing: deployed, leased, run, in an open pull request with the code."""
    written = Written(double, World(height=height))
    written.chain.deploy(1, hash_hex=HASH).lease(1, created_at=110)
    written.pull.files = {PATH: SDL.encode(), "README.md": b"# A model"}
    double.add(written.pull)
    written.version()
    return written


def outcomes(verdict: Verdict) -> dict[str, str]:
    return {check.name: str(check.outcome) for check in verdict.checks}


def seen(verdict: Verdict, name: str) -> str:
    return next(check.seen for check in verdict.checks if check.name == name)


def text(written: Written, old: str, new: str) -> None:
    """Submit a changed SDL, and run and push that one."""
    changed = SDL.replace(old, new)
    assert changed != SDL
    written.versions.clear()
    hashes = reduce_submission(changed)["hashes"]
    assert isinstance(hashes, list)
    written.chain = World().deploy(1, hash_hex=hashes[0]).lease(1)
    written.pull.files = {PATH: changed.encode()}
    written.version(changed)


def chain(written: Written, world: World) -> None:
    written.chain = world


def pull(written: Written, **changes: object) -> None:
    written.double.add(replace(written.pull, **changes))


def versions(written: Written, observations: list[Observation]) -> None:
    written.versions[:] = observations


def setting(name: str, value: object) -> Callable[[Written], None]:
    return lambda written: setattr(written, name, value)


Change = Callable[[Written], object]
OVER = {"closes": CLOSES}


def text_without_gpu(written: Written) -> None:
    """A GPU only in a profile that nothing is deployed with."""
    compute = SDL[SDL.index("    llm:\n      resources") : SDL.index("  placement:")]
    written.versions.clear()
    written.version(SDL.replace(GPU, "").replace("  placement:", f"{compute.replace('llm', 'idle')}  placement:"))
