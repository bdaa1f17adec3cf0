"""Which app a deployment runs: by the hash on the chain and the SDLs that its owner gave."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from verifiers.deployed.params import App
from verifiers.evidence import Observation, Source
from verifiers.sdl.images import matches_any

REQUEST = "SDL "


@dataclass(frozen=True, slots=True)
class GivenSdl:
    """A reduced SDL that was entered for one deployment. `gpu_images`: of services with GPU units."""

    owner: str
    dseq: int
    hashes: frozenset[str]
    gpu_images: tuple[str, ...]
    named: str | None
    observation: str


def given_sdls(observations: Iterable[Observation]) -> tuple[GivenSdl, ...]:
    """The entered SDLs among observations, in their order; one that can't be read is left out."""
    entered = (each for each in observations if each.source == Source.ENTERED and each.request.startswith(REQUEST))
    return tuple(given for each in entered if (given := _given(each)) is not None)


def _given(observation: Observation) -> GivenSdl | None:
    owner, _, dseq = observation.request.removeprefix(REQUEST).rpartition("/")
    try:
        reduced = json.loads(observation.body)
        return GivenSdl(
            owner=owner,
            dseq=int(dseq),
            hashes=frozenset(map(str, reduced["hashes"])),
            gpu_images=tuple(str(service["image"]) for service in reduced["services"] if service["gpu"]),
            named=reduced.get("app"),
            observation=observation.id,
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


@dataclass(frozen=True, slots=True)
class AppFinding:
    """What one on-chain hash says of a deployment.

    `app`: the one app it is, None where it can't be said. `matching`: all that fit. `is_proven`: the content is
    known (a given SDL's hash set or the catalogue holds the hash), so no match is a clear no. `trouble`: what kept us
    from reading the hash that a lease began with.
    """

    app: str | None
    matching: tuple[str, ...]
    is_proven: bool
    observations: tuple[str, ...] = ()
    trouble: str | None = None


def app_of(on_chain: str, owner: str, dseq: int, apps: Sequence[App], given: Sequence[GivenSdl]) -> AppFinding:
    """The app of a deployment with this hash: the catalogue's hashes, then images of an SDL with that hash.

    An SDL that the owner gave for another deployment with the same hash proves the content as well. Where several
    apps fit, the one that the participant named with the SDL of this deployment.
    """
    proofs = [sdl for sdl in given if sdl.owner == owner and on_chain in sdl.hashes]
    images = [image for sdl in proofs for image in sdl.gpu_images]
    matching = tuple(
        app.slug for app in apps if on_chain in app.hashes or any(matches_any(app.images, image) for image in images)
    )
    named = next((sdl.named for sdl in proofs if sdl.dseq == dseq and sdl.named in matching), None)
    app = matching[0] if len(matching) == 1 else named
    seen = tuple(dict.fromkeys(sdl.observation for sdl in proofs))
    return AppFinding(app, matching, bool(proofs or matching), seen)
