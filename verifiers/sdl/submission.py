"""An SDL written for others: reduced for its judge and for comparisons, its text searched for secrets (pure)."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable

from verifiers.sdl.findings import Finding, sort_of_value
from verifiers.sdl.images import repository
from verifiers.sdl.model import Compute, Sdl, Service
from verifiers.sdl.report import SdlReport, check, read_valid, reduce

_PHRASE = re.compile(r"[a-z]{3,8}( [a-z]{3,8}){11}(( [a-z]{3,8}){12})?")
_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_TAG = re.compile(r":([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})$")
MAX_FEATURES = 400


def reduce_submission(source: str) -> dict[str, object]:
    """`reduce` of the SDL and beside it what the rules of a submission need. Raises SdlRefused.

    `exposed`: `service:port` open to the world. `signed_by`: placements with an auditor filter. `unpinned`: images
    without tag or digest, or with the tag `latest`. `idle_gpus`: profiles with GPUs that nothing is deployed with.
    `repositories`: of all images. `features`: what the manifest is made of, for comparing structure. `digest`: of the
    text; `blob`: its name in git, by which a file is found without reading every one.
    """
    report, sdl = check(source), read_valid(source)
    used = [pair.profile for pair in sdl.deployed]
    return {
        **reduce(source),
        "blob": _blob(source.encode()),
        "digest": hashlib.sha256(source.encode()).hexdigest(),
        "exposed": [f"{port.service}:{port.external_port}" for port in report.ports if port.is_global],
        "signed_by": sorted({pair.placement for pair in sdl.deployed if _is_filtered(sdl, pair.placement)}),
        "unpinned": [image for image in report.images if not is_pinned(image)],
        "idle_gpus": sorted(name for name, each in sdl.computes.items() if each.gpu_units and name not in used),
        "repositories": sorted({repository(image) for image in report.images}),
        "features": sorted(_features(sdl))[:MAX_FEATURES],
    }


def secrets_in_submission(source: str, report: SdlReport) -> tuple[Finding, ...]:
    """Secrets anywhere in a valid SDL's text, comments too: the text would be shown to everybody."""
    lines = enumerate(source.splitlines(), start=1)
    found = [Finding(number, "", sort) for number, line in lines if (sort := _sort_of_line(line)) is not None]
    seen = {each.sort for each in found}  # a service's own findings name the line where the service begins
    return (*found, *(each for each in report.findings if each.sort not in seen))


def _sort_of_line(line: str) -> str | None:
    sort = sort_of_value(line)
    if sort != "recovery phrase":
        return sort
    # twelve short words are prose more often than a phrase: only where they stand alone
    words = line.partition(": ")[2] or line
    return sort if _PHRASE.fullmatch(words.strip(" \t#-\"'")) else None


def is_pinned(image: str) -> bool:
    """Whether an image names what it runs: a digest, or a tag that is not `latest`."""
    if _DIGEST.search(image):
        return True
    tag = _TAG.search(image.rpartition("/")[2])
    return tag is not None and tag[1] != "latest"


def _is_filtered(sdl: Sdl, placement: str) -> bool:
    return bool(sdl.placements[placement].any_of or sdl.placements[placement].all_of)


def _features(sdl: Sdl) -> set[str]:
    """What makes an SDL what it is: neither its images nor the names that its author chose."""
    found: set[str] = set()
    for pair in sdl.deployed:
        found |= set(_of_service(sdl.services[pair.service], sdl.computes[pair.profile]))
    return found


def _of_service(service: Service, compute: Compute) -> Iterable[str]:
    for word, texts in (("command", service.command), ("args", service.args)):
        for text in texts or ():
            yield f"{word} {_short(text)}"
    for entry in service.env or ():
        name, _, value = entry.partition("=")
        yield f"env {name[:80]}"
        yield f"env {name[:80]} {_short(value)}"
    for expose in service.expose:
        yield f"port {expose.port} {expose.external_port} {expose.protocol}"
    for mount in service.params.storage if service.params else ():
        yield f"mount {mount.mount[:80]}"
    yield f"gpu {compute.gpu_units} {' '.join(sorted(model.key for model in compute.gpu_models))}"
    yield f"cpu {compute.cpu_thousandths}"
    yield f"memory {compute.memory_bytes}"
    yield f"storage {' '.join(str(volume.size_bytes) for volume in compute.volumes)}"


def _blob(raw: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest()


def _short(value: object) -> str:
    """A text as a short digest: features are compared, never read."""
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:12]
