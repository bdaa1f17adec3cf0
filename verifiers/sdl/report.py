"""What the platform says of an SDL: for people, for scripts, and reduced for judges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from verifiers.sdl import typescript
from verifiers.sdl.findings import Finding, secrets_in
from verifiers.sdl.groupspecs import group_specs_of
from verifiers.sdl.hashes import HashSet, manifest_hashes
from verifiers.sdl.manifest import Json, exposed_entries, ip_sequence_numbers
from verifiers.sdl.model import Sdl
from verifiers.sdl.nodes import Node
from verifiers.sdl.parse import SdlSyntaxError, parse
from verifiers.sdl.reading import Problem, Problems
from verifiers.sdl.validate import read_sdl

SDL_RULES_VERSION = 2
"""Changes with every change of the hashes, the services or the findings that these rules give for an SDL."""
MAX_PROBLEMS = 50


class SdlRefused(ValueError):
    """The SDL is not valid; `errors` say what is wrong."""

    def __init__(self, errors: tuple[Problem, ...]) -> None:
        first = errors[0]
        super().__init__(f"line {first.line}, {first.path or 'the file'}: {first.message}")
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Request:
    """What one (service, placement) asks for, each of `count` times; sizes in bytes."""

    service: str
    group: str
    image: str
    count: int
    cpu_thousandths: int
    memory_bytes: int
    storage_bytes: int
    gpu_units: int
    gpu_models: tuple[str, ...]
    gpu_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Port:
    """One port that a service offers, to the world where `is_global`, else to another service or its own group."""

    service: str
    port: int
    external_port: int
    proto: str
    is_global: bool
    to: str
    hosts: tuple[str, ...]
    ip: str


@dataclass(frozen=True, slots=True)
class SdlReport:
    """All that `sdl check` knows. Where it is not valid everything but errors and warnings is empty."""

    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...] = ()
    requests: tuple[Request, ...] = ()
    ports: tuple[Port, ...] = ()
    manifest_hashes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether the network would take it."""
        return not self.errors

    @property
    def images(self) -> tuple[str, ...]:
        """The images, once each, in the order of services."""
        return tuple(dict.fromkeys(request.image for request in self.requests))

    @property
    def gpu_units(self) -> int:
        """GPUs asked for in all."""
        return sum(request.gpu_units * request.count for request in self.requests)

    @property
    def gpu_models(self) -> tuple[str, ...]:
        """The models named as alternatives, sorted; `*` is any."""
        return tuple(sorted({model for request in self.requests for model in request.gpu_models}))


def check(source: str | bytes) -> SdlReport:
    """Judge one SDL. Never raises: whatever is wrong becomes an error with its line."""
    try:
        sdl, root, problems = _read(source)
    except SdlRefused as refused:
        return SdlReport(refused.errors)
    if problems.errors or (problems.console and not typescript.accepts(root)):
        return SdlReport(_ordered([*problems.errors, *problems.console]), _ordered(problems.warnings))
    hashes = manifest_hashes(sdl, root, console_only=bool(problems.console))
    findings = secrets_in(sdl)
    console = [_console_warning(problem) for problem in problems.console]
    warnings = [*problems.warnings, *console, *_undecided(hashes, root), *(_warning(finding) for finding in findings)]
    return SdlReport((), _ordered(warnings), _requests(sdl), _ports(sdl), hashes.hashes, findings)


def reduce(source: str | bytes) -> dict[str, object]:
    """`{hashes, version, services: [{name, image, count, gpu}], findings}` of DESIGN section 4, public.

    `gpu` is null or `{units, models}`; `findings` are `{line, path, sort}`. Raises SdlRefused where it is not valid.
    """
    report = check(source)
    if report.errors:
        raise SdlRefused(report.errors)
    return {
        "hashes": list(report.manifest_hashes),
        "version": SDL_RULES_VERSION,
        "services": [
            {
                "name": request.service,
                "image": request.image,
                "count": request.count,
                "gpu": {"units": request.gpu_units, "models": list(request.gpu_models)}
                if request.gpu_units
                else None,
            }
            for request in report.requests
        ],
        "findings": [{"line": found.line, "path": found.path, "sort": found.sort} for found in report.findings],
    }


def group_specs(source: str | bytes) -> list[Json]:
    """The on-chain group specs in REST form, one for each placement by name. Raises SdlRefused."""
    return group_specs_of(read_valid(source))


def read_valid(source: str | bytes) -> Sdl:
    """The SDL itself. Raises SdlRefused."""
    sdl, root, problems = _read(source)
    if problems.errors or (problems.console and not typescript.accepts(root)):
        raise SdlRefused(_ordered([*problems.errors, *problems.console]))
    return sdl


def _read(source: str | bytes) -> tuple[Sdl, Node, Problems]:
    try:
        document = parse(source)
    except SdlSyntaxError as error:
        raise SdlRefused((Problem(error.line, "", error.message),)) from error
    problems = Problems()
    sdl = read_sdl(document.root, problems)
    if document.has_more:
        problems.warnings.append(Problem(document.root.line, "", "only the first document of this file is deployed"))
    return sdl, document.root, problems


def _ordered(problems: list[Problem]) -> tuple[Problem, ...]:
    unique = sorted(set(problems), key=lambda problem: (problem.line, problem.path, problem.message))
    return tuple(unique[:MAX_PROBLEMS])


def _undecided(hashes: HashSet, root: Node) -> list[Problem]:
    return [
        Problem(
            root.line, "", f"the hash cannot be decided for certain: {reason}; give the manifest's own JSON instead"
        )
        for reason in hashes.undecided
    ]


def _console_warning(problem: Problem) -> Problem:
    return Problem(
        problem.line, problem.path, f"only the Console deploys this, the command line refuses it: {problem.message}"
    )


def _warning(finding: Finding) -> Problem:
    return Problem(finding.line, finding.path, f"{finding.sort}: the provider can read it; use one that may leak")


def _requests(sdl: Sdl) -> tuple[Request, ...]:
    requests = []
    for pair in sdl.deployed:
        compute = sdl.computes[pair.profile]
        models = compute.gpu_models if compute.gpu_units else ()
        requests.append(
            Request(
                service=pair.service,
                group=pair.placement,
                image=sdl.services[pair.service].image,
                count=pair.count,
                cpu_thousandths=compute.cpu_thousandths,
                memory_bytes=compute.memory_bytes,
                storage_bytes=sum(volume.size_bytes for volume in compute.volumes),
                gpu_units=compute.gpu_units,
                gpu_models=tuple(sorted({model.model.lower() for model in models})),
                gpu_keys=tuple(sorted(model.key for model in models)),
            )
        )
    return tuple(requests)


def _ports(sdl: Sdl) -> tuple[Port, ...]:
    numbers = ip_sequence_numbers(sdl)
    return tuple(
        Port(
            name,
            entry.port,
            entry.external_port or entry.port,
            entry.proto,
            entry.is_global,
            entry.service,
            entry.hosts or (),
            entry.ip,
        )
        for name in sorted({pair.service for pair in sdl.deployed})
        for entry in sorted(exposed_entries(sdl.services[name], numbers), key=lambda entry: entry.sort_key)
    )


def report_json(report: SdlReport) -> Mapping[str, object]:
    """The JSON document of `sdl check --json` (DESIGN section 5)."""
    asked = [request for request in report.requests if request.gpu_units]
    return {
        "valid": report.valid,
        "errors": [_problem_json(problem) for problem in report.errors],
        "warnings": [_problem_json(problem) for problem in report.warnings],
        "gpu": {
            "units": report.gpu_units,
            "vendors": ["nvidia"] if asked else [],
            "models": list(report.gpu_models),
            "services": [
                {
                    "service": request.service,
                    "group": request.group,
                    "units": request.gpu_units,
                    "count": request.count,
                    "models": list(request.gpu_models),
                    "attributes": list(request.gpu_keys),
                }
                for request in asked
            ],
        },
        "images": list(report.images),
        "manifest_hashes": list(report.manifest_hashes),
    }


def _problem_json(problem: Problem) -> dict[str, object]:
    return {"line": problem.line, "path": problem.path, "message": problem.message}
