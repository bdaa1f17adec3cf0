"""A submitted version of an SDL as its judge reads it, and how it is written down (pure)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tasks.moment import Moment, format_moment, parse_moment
from verifiers.codehost.links import PullRequest, read_link
from verifiers.evidence import Observation, Source

REQUEST = "SUBMISSION "


@dataclass(frozen=True, slots=True)
class Submission:
    """One version: `number` counts those of a claim from 1, `received_at` is our receipt.

    `pull`: the pull request, None where none is asked. `codes`: the author's one-time codes, the newest first.
    `sdl`: the reduction (`verifiers/sdl/submission.py`). `observation`: what it was read from.
    """

    number: int
    received_at: Moment
    pull: PullRequest | None
    codes: tuple[str, ...]
    sdl: Mapping[str, object]
    observation: str

    @property
    def hashes(self) -> frozenset[str]:
        """The set of hashes that a deployment of this SDL may carry."""
        return frozenset(self.texts("hashes"))

    @property
    def services(self) -> Sequence[Mapping[str, object]]:
        """What is deployed: `{name, image, count, gpu}` each."""
        services = self.sdl.get("services")
        return services if isinstance(services, list) else ()

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts of the reduction."""
        values = self.sdl.get(key)
        return tuple(map(str, values)) if isinstance(values, list) else ()


def submission_observation(
    claim: str, number: int, received_at: Moment, link: str, codes: Sequence[str], reduced: bytes
) -> Observation:
    """One version as an observation, canonical JSON without the SDL's text. `link`: empty where none is asked."""
    document = {
        "codes": list(codes),
        "number": number,
        "pull_request": link,
        "received_at": format_moment(received_at),
        "sdl": json.loads(reduced),
    }
    body = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return Observation(Source.ENTERED, f"{REQUEST}{claim}/{number}", body, "entered", received_at)


def newest_submission(claim: str, observations: Iterable[Observation]) -> Submission | None:
    """The newest version of this claim among observations; None where there is none that can be read."""
    found = [
        version
        for each in observations
        if each.source == Source.ENTERED and each.request.startswith(f"{REQUEST}{claim}/")
        if (version := _read(each)) is not None
    ]
    return max(found, key=lambda version: version.number, default=None)


def _read(observation: Observation) -> Submission | None:
    try:
        document = json.loads(observation.body)
        sdl = document["sdl"]
        if not isinstance(sdl, dict):
            return None
        return Submission(
            number=int(document["number"]),
            received_at=parse_moment(document["received_at"]),
            pull=_pull(str(document["pull_request"])),
            codes=tuple(map(str, document["codes"])),
            sdl=sdl,
            observation=observation.id,
        )
    except (ValueError, KeyError, TypeError):
        return None


def _pull(link: str) -> PullRequest | None:
    """The pull request; whether its repository is the task's is judged, not read."""
    host, owner, name = link.removeprefix("https://").split("/")[:3] if link else ("", "", "")
    return read_link(link, (f"{host}/{owner}/{name}",)) if link else None


class NoSubmissions:
    """For a pass without any."""

    def newest(self, claim: str) -> Sequence[Observation]:  # noqa: ARG002 - the shape of the protocol
        """Nothing was submitted."""
        return ()

    def comparison(self, claim: str) -> Sequence[Observation]:  # noqa: ARG002 - the shape of the protocol
        """Nothing is compared."""
        return ()
