"""Reads a whole SDL and applies the rules between its parts (reference akash-sdl 6; `go/sdl` validate)."""

from __future__ import annotations

import re

from verifiers.sdl.manifest import Exposed, exposed_entries, ip_sequence_numbers
from verifiers.sdl.model import Compute, Deployed, Expose, ExposeTo, Sdl, Service
from verifiers.sdl.nodes import MapNode, Node
from verifiers.sdl.profiles import read_computes, read_deployed, read_placements
from verifiers.sdl.reading import Cursor, Problem, Problems
from verifiers.sdl.services import read_endpoints, read_services

TOP_LEVEL = ("version", "include", "services", "profiles", "deployment", "endpoints", "reclamation")
MAX_HOST_LENGTH = 253
MAX_GROUPS = 20
MAX_EXPOSED = 2_000

_VERSION = re.compile(r"\s*v?(\d{1,6})(?:\.(\d{1,6}))?(?:\.(\d{1,6}))?\s*", re.ASCII)
_WINDOW = re.compile(r"\+?((\d+\.?\d*|\.\d+)(h|m|s|ms|us|µs|μs|ns))+", re.ASCII)
_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*")


def read_sdl(root: Node, problems: Problems) -> Sdl:
    """The SDL of a tree; what is wrong with it goes into `problems`, and it may only be used where nothing is."""
    place = Cursor(root, "", root.line, problems)
    place.only(*TOP_LEVEL)
    profiles = place.at("profiles")
    deployed, services = read_deployed(place.at("deployment")), place.at("services")
    sdl = Sdl(
        shares_profiles=_shares_profiles(place.at("version")),
        services=read_services(services, _used(services, {pair.service for pair in deployed})),
        computes=read_computes(profiles.at("compute"), {pair.profile for pair in deployed}),
        placements=read_placements(profiles.at("placement")),
        deployed=deployed,
        endpoints=read_endpoints(place.at("endpoints")),
    )
    _check_reclamation(place.at("reclamation"))
    if not problems.errors:
        _Rules(sdl, problems).check()
    return sdl


def _used(services: Cursor, deployed: set[str]) -> set[str]:
    """The services whose rules count: where a deployed one is missing it may be any, so all."""
    written = set(services.node.entries) if isinstance(services.node, MapNode) else set()
    return written if deployed - written else deployed


def _shares_profiles(place: Cursor) -> bool:
    if place.is_absent:
        place.error('an SDL begins with version: "2.0"')
        return False
    match = _VERSION.fullmatch(place.text())
    numbers = tuple(int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    if numbers == (2, 0, 0):
        return False
    if numbers < (2, 1, 0):
        place.error('version is "2.0" or "2.1"')
    elif numbers >= (2, 2, 0):
        place.warn("only the rules of 2.0 and 2.1 are known; the hash of this version cannot be decided for certain")
    return True


def _check_reclamation(place: Cursor) -> None:
    if place.node is None:
        return
    window = place.at("min_window")
    if _WINDOW.fullmatch(window.text()) is None or not any(digit in "123456789" for digit in window.text()):
        window.error("min_window is a duration above zero such as 30m or 24h")


class _Rules:
    """The rules between services, profiles, endpoints and deployment."""

    def __init__(self, sdl: Sdl, problems: Problems) -> None:
        self._sdl = sdl
        self._problems = problems
        self._endpoints_used: set[str] = set()
        self._ip_ports: dict[tuple[str, int, str], str] = {}

    def check(self) -> None:
        """Add an error for every rule that is broken."""
        complete = [pair for pair in self._sdl.deployed if self._references_exist(pair)]
        if len(complete) < len(self._sdl.deployed):
            return
        for pair in complete:
            service = self._sdl.services[pair.service]
            self._check_ips(service)
            self._check_volumes(pair, service, self._sdl.computes[pair.profile])
        for name in self._sdl.endpoints:
            if name not in self._endpoints_used:
                self._error(
                    self._sdl.endpoints[name], f"endpoints.{name}", "no service uses this endpoint; remove it"
                )
        for service in self._sdl.services.values():
            if all(pair.service != service.name for pair in complete):
                self._warn(service.line, service.path, "this service is not deployed: it is not under deployment")
        self._check_prices(complete)
        if len({pair.placement for pair in complete}) > MAX_GROUPS:
            self._error(complete[0].line, "deployment", f"a deployment has at most {MAX_GROUPS} placements")
        self._check_reach(complete)
        self._check_tee(complete)

    def _error(self, line: int, path: str, message: str) -> None:
        self._problems.errors.append(Problem(line, path, message))

    def _console_only(self, line: int, path: str, message: str) -> None:
        self._problems.console.append(Problem(line, path, message))

    def _warn(self, line: int, path: str, message: str) -> None:
        self._problems.warnings.append(Problem(line, path, message))

    def _references_exist(self, pair: Deployed) -> bool:
        missing = []
        if pair.service not in self._sdl.services:
            missing.append(f"there is no service {pair.service[:40]!r}; add it under services")
        if pair.profile not in self._sdl.computes:
            missing.append(f"there is no compute profile {pair.profile[:40]!r}; add it under profiles.compute")
        if pair.placement not in self._sdl.placements:
            missing.append(f"there is no placement {pair.placement[:40]!r}; add it under profiles.placement")
        elif pair.profile not in self._sdl.placements[pair.placement].pricing:
            missing.append(f"{pair.placement[:40]!r} has no price for {pair.profile[:40]!r}; add it to its pricing")
        for message in missing:
            self._error(pair.line, pair.path, message)
        return not missing

    def _check_ips(self, service: Service) -> None:
        for expose in service.expose:
            for to in expose.to:
                if to.ip:
                    self._check_ip(service, expose, to)

    def _check_ip(self, service: Service, expose: Expose, to: ExposeTo) -> None:
        if not to.is_global:
            self._error(to.line, expose.path, "an ip needs global: true beside it")
        if to.ip not in self._sdl.endpoints:
            self._error(to.line, expose.path, f"declare the endpoint {to.ip[:40]!r} under endpoints with kind: ip")
        self._endpoints_used.add(to.ip)
        # the network's parser compares `as` and `proto` as written
        taken = (to.ip, expose.external_port, expose.proto)
        if taken in self._ip_ports:
            self._console_only(
                to.line,
                expose.path,
                f"{self._ip_ports[taken]!r} already uses this port and protocol of {to.ip[:40]!r}; set another as",
            )
        self._ip_ports[taken] = service.name

    def _check_volumes(self, pair: Deployed, service: Service, compute: Compute) -> None:
        mounts = service.params.storage if service.params else ()
        names = {volume.name for volume in compute.volumes}
        for index, mount in enumerate(mounts):
            if mount.name not in names:
                self._error(
                    mount.line, mount.path, f"profile {pair.profile[:40]!r} has no volume of this name; add it"
                )
            volume = next((volume for volume in compute.volumes if volume.name == mount.name), None)
            if self._sdl.shares_profiles and mount.read_only and volume is not None and volume.is_ram:
                self._console_only(mount.line, mount.path, "memory is never read only: remove readOnly")
            if any(mount.mount == earlier.mount for earlier in mounts[:index]):
                self._error(mount.line, mount.path, f"{mount.mount[:60]!r} is mounted twice; choose another path")
        mounted = {mount.name for mount in mounts}
        for volume in compute.volumes:
            if volume.persistent == "true" and volume.name not in mounted:
                message = f"a persistent volume needs a mount: services.{service.name}.params.storage.{volume.name}"
                # the parser of 2.0 is content when any volume of the service has one, that of 2.1 always
                tell = self._warn if mounts or self._sdl.shares_profiles else self._error
                tell(volume.line, compute.path, message)

    def _check_prices(self, pairs: list[Deployed]) -> None:
        prices = [self._sdl.placements[pair.placement].pricing[pair.profile] for pair in pairs]
        for price in prices:
            if price.denom != prices[0].denom:
                self._error(
                    price.line, price.path, f"one deployment has one denom; {prices[0].denom} stands elsewhere"
                )
                return

    def _check_reach(self, pairs: list[Deployed]) -> None:
        """At least one global expose; host names valid and unique over the whole manifest."""
        numbers = ip_sequence_numbers(self._sdl)
        entries: list[Exposed] = []
        for pair in pairs:
            entries += exposed_entries(self._sdl.services[pair.service], numbers)
            if len(entries) > MAX_EXPOSED:
                self._error(
                    pair.line, pair.path, f"a deployment of more than {MAX_EXPOSED} exposed ports is too large"
                )
                return
        if pairs and not any(entry.is_global for entry in entries):
            self._error(pairs[0].line, "services", "expose at least one port with to: [{global: true}]")
        seen: set[str] = set()
        for entry in entries:
            for host in entry.hosts or ():
                if len(host) > MAX_HOST_LENGTH or _HOST.fullmatch(host) is None:
                    self._error(entry.line, entry.path, f"{host[:60]!r} is no lower-case host name")
                elif host in seen:
                    self._error(entry.line, entry.path, f"the host name {host!r} is accepted twice; keep one")
                seen.add(host)

    def _check_tee(self, pairs: list[Deployed]) -> None:
        types: dict[str, str] = {}
        for pair in pairs:
            params = self._sdl.services[pair.service].params
            if params is None or not params.tee:
                continue
            if params.tee == "cpu-gpu" and not self._sdl.computes[pair.profile].gpu_units:
                self._error(params.line, f"services.{pair.service}.params.tee", "cpu-gpu needs a profile with GPUs")
            if types.setdefault(pair.placement, params.tee) != params.tee:
                self._error(params.line, f"services.{pair.service}.params.tee", "one placement has one tee type")
