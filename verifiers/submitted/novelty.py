"""What an SDL shares with the catalogue and with earlier ones: numbers that only ever lead to a review (pure)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tasks.moment import Moment, format_moment
from verifiers.deployed.params import App
from verifiers.deployed.wording import count_of
from verifiers.evidence import Observation, Outcome, Source
from verifiers.sdl.images import matches_any
from verifiers.submitted.finding import Finding, Findings
from verifiers.submitted.record import Submission

REQUEST = "COMPARE "
COMPARISON = "sdl/1"
MOST_LIKE = 10
SAME_IMAGES_PERMILLE = 500
LIKE_STRUCTURE_PERMILLE = 600
SAME_STRUCTURE_PERMILLE = 900
LEAST_SHARED = 8


@dataclass(frozen=True)
class Earlier:
    """A version that another claim submitted earlier; `sdl`: its reduction."""

    claim: str
    number: int
    received_at: Moment
    sdl: Mapping[str, object]

    @cached_property
    def hashes(self) -> frozenset[str]:
        """The hashes that a deployment of it may carry."""
        return _texts(self.sdl.get("hashes"))

    @cached_property
    def images(self) -> frozenset[str]:
        """The repositories of its images."""
        return _texts(self.sdl.get("repositories"))

    @cached_property
    def features(self) -> frozenset[str]:
        """What its structure is made of."""
        return _texts(self.sdl.get("features"))


@dataclass(frozen=True, slots=True)
class Likeness:
    """What an SDL shares with another: an app of the catalogue (`app`) or a version of another claim.

    `images` and `structure` in permille of all that either has, `shared`: how many parts of structure.
    """

    claim: str
    app: str
    number: int
    is_exact: bool
    images: int
    structure: int
    shared: int

    @property
    def is_near(self) -> bool:
        """Whether somebody should look: the same manifest, a listed app, or most of images and structure."""
        if self.is_exact or self.app:
            return True
        same_images = self.images >= SAME_IMAGES_PERMILLE and self.structure >= LIKE_STRUCTURE_PERMILLE
        return same_images or (self.structure >= SAME_STRUCTURE_PERMILLE and self.shared >= LEAST_SHARED)

    @property
    def words(self) -> str:
        """For a check."""
        what = f"app {self.app}" if self.app else f"claim {self.claim[:12]}"
        if self.is_exact:
            return f"{what}: the same manifest"
        if self.app:
            return f"{what}: an image of the catalogue"
        return f"{what}: {_percent(self.images)} of images, {_percent(self.structure)} of structure shared"


@dataclass(frozen=True, slots=True)
class Compared:
    """What a comparison says: with how many it was compared, and the likest of them."""

    apps: int
    claims: int
    like: tuple[Likeness, ...]
    observation: str

    @property
    def near(self) -> tuple[Likeness, ...]:
        """Those that somebody should look at."""
        return tuple(each for each in self.like if each.is_near)

    @property
    def app(self) -> str | None:
        """The one app of the catalogue that it is."""
        apps = {each.app for each in self.like if each.app}
        return next(iter(apps)) if len(apps) == 1 else None


def comparison_observation(
    claim: str, submission: Submission, apps: Sequence[App], earlier: Iterable[Earlier]
) -> Observation:
    """Compare one version with the catalogue and with every version of another claim received before it."""
    before = [
        each
        for each in earlier
        if each.claim != claim and (each.received_at, each.claim) < (submission.received_at, claim)
    ]
    images, features = frozenset(submission.texts("repositories")), frozenset(submission.texts("features"))
    like = [_with_app(submission, app) for app in apps]
    like += [_with_claim(submission, images, features, each) for each in before]
    alike = sorted((each for each in like if each is not None), key=_order)[:MOST_LIKE]
    document = {
        "apps": len(apps),
        "claims": len({each.claim for each in before}),
        "claim": claim,
        "like": [_written(each) for each in alike],
        "number": submission.number,
        "rules": COMPARISON,
        "until": format_moment(submission.received_at),
    }
    body = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    request = f"{REQUEST}{claim}/{submission.number}"
    return Observation(Source.COMPARISON, request, body, "comparison", submission.received_at)


def _order(like: Likeness) -> tuple[bool, bool, int, int, str, str, int]:
    named = (like.claim, like.app, like.number)
    return (not like.is_exact, not like.is_near, -like.images, -like.structure, *named)


def _with_app(submission: Submission, app: App) -> Likeness | None:
    is_exact = bool(app.hashes & submission.hashes)
    images = [str(each["image"]) for each in submission.services if each.get("gpu")]
    if not is_exact and not any(matches_any(app.images, image) for image in images):
        return None
    return Likeness("", app.slug, 0, is_exact, 0, 0, 0)


def _with_claim(
    submission: Submission, images: frozenset[str], features: frozenset[str], earlier: Earlier
) -> Likeness | None:
    shared_images, _ = _permille(images, earlier.images)
    structure, shared = _permille(features, earlier.features)
    is_exact = bool(earlier.hashes & submission.hashes)
    if not is_exact and not shared_images and not structure:
        return None
    return Likeness(earlier.claim, "", earlier.number, is_exact, shared_images, structure, shared)


def _texts(value: object) -> frozenset[str]:
    return frozenset(map(str, value)) if isinstance(value, list | tuple) else frozenset()


def _permille(first: frozenset[str], second: frozenset[str]) -> tuple[int, int]:
    every, both = len(first | second), len(first & second)
    return (both * 1000 // every if every else 0), both


def _written(like: Likeness) -> Mapping[str, object]:
    if like.app:
        return {"app": like.app, "exact": like.is_exact}
    return {
        "claim": like.claim,
        "exact": like.is_exact,
        "images_permille": like.images,
        "number": like.number,
        "shared": like.shared,
        "structure_permille": like.structure,
    }


def read_comparison(claim: str, number: int, observations: Iterable[Observation]) -> Compared | None:
    """The comparison of this version among observations; None where there is none that can be read."""
    wanted = f"{REQUEST}{claim}/{number}"
    for each in observations:
        if each.source == Source.COMPARISON and each.request == wanted and each.trouble is None:
            return _read(each)
    return None


def _read(observation: Observation) -> Compared | None:
    try:
        document = json.loads(observation.body)
        like = tuple(
            Likeness(
                str(row.get("claim", "")),
                str(row.get("app", "")),
                int(row.get("number", 0)),
                bool(row["exact"]),
                int(row.get("images_permille", 0)),
                int(row.get("structure_permille", 0)),
                int(row.get("shared", 0)),
            )
            for row in document["like"]
        )
        return Compared(int(document["apps"]), int(document["claims"]), like, observation.id)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def novelty_findings(compared: Compared | None, make: Findings) -> tuple[Finding, ...]:
    """The check `novelty`, and `review` where something is alike: a person decides, never a number."""
    expected = "compared with the catalogue and with everything submitted earlier"
    if compared is None:
        return (make.made("novelty", expected, "could not compare yet", Outcome.UNKNOWN),)
    number = f"{count_of(compared.apps, 'app')} and {count_of(compared.claims, 'earlier claim')}"
    ids = (compared.observation,)
    if not compared.near:
        return (make.made("novelty", expected, f"nothing like it among {number}", Outcome.PASSED, ids),)
    seen = "; ".join(each.words for each in compared.near[:3])
    missing = "Nothing for you to do: a reviewer compares it with something that is alike."
    return (
        make.made("novelty", expected, f"among {number}: {seen}", Outcome.PASSED, ids),
        make.made(
            "review", "accepted by a reviewer", f"alike: {seen}", Outcome.PENDING, ids, missing, keeps_place=True
        ),
    )


def _percent(permille: int) -> str:
    return f"{permille // 10} %"
