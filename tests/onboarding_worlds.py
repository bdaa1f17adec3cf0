"""A chain with one provider and its tenants, that provider's answers, and our probes of it, as `gather` sees them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tasks.moment import SECOND, Moment
from tests.deployed_worlds import BLOCK_NS, CHAIN, World
from tests.provider_certificates import NOW, OWNER, MadeCertificate, made
from tests.provider_double import encoded, framed, node, status_of
from verifiers.chain.questions import rest_request
from verifiers.deciding import judge as decided
from verifiers.evidence import ClaimFacts, Observation, Outcome, Source, Verdict
from verifiers.kinds import provider_onboarding
from verifiers.onboarding.leases import TENANTS
from verifiers.onboarding.looks import Look, look_of, looks_body, looks_request
from verifiers.onboarding.measured import days_body, days_request
from verifiers.probes import ProbeDay, State, canonical, day_of
from verifiers.provider.identity import Record, Shown
from verifiers.provider.messages import STATUS
from verifiers.provider.questions import get_status_request, route_request, tls_request

PROVIDER = OWNER
TENANT, STRANGER_TENANT, AUDITOR = "akash1tenant", "akash1nobody", "akash1auditor"
START = Moment(NOW - 1000 * BLOCK_NS)
HOUR = 3600 * SECOND
UP = State.up({"nvidia/a100": 1})
HOST_URI = "https://gpu.example.org:8443"

MODELS = (
    {"id": "a100", "gpu_class": "data_center", "vram_gib": None, "aliases": ("NVIDIA A100-PCI",)},
    {"id": "t4", "gpu_class": "data_center", "vram_gib": 16, "aliases": ()},
)


@dataclass
class Gpus:
    """What the provider itself answers: `troubles` maps the beginnings of requests to troubles."""

    nodes: Sequence[dict[str, Any]] = field(default_factory=lambda: [node()])
    certificate: MadeCertificate = field(default_factory=made)
    address: str = PROVIDER
    troubles: dict[str, str] = field(default_factory=dict)
    seen_at: Moment = NOW

    def answers(self) -> list[Observation]:
        shown = Shown((self.certificate.der,), "mtls.gpu.example.org", "TLSv1.3")
        bodies = {
            tls_request(PROVIDER, "rest"): Record("gpu.example.org", 8443, shown).body(),
            route_request(PROVIDER, "/version"): b'{"akash":{"version":"0.14.0"},"kube":null}',
            route_request(PROVIDER, "/address"): json.dumps({"address": self.address}).encode(),
            route_request(PROVIDER, "/status"): b'{"cluster":{"leases":0,"inventory":{"available":{}}}}',
            tls_request(PROVIDER, "grpc"): Record("gpu.example.org", 8444, shown).body(),
            get_status_request(PROVIDER): framed(encoded(STATUS, status_of(*self.nodes))),
        }
        return [self._answer(request, body) for request, body in bodies.items()]

    def _answer(self, request: str, body: bytes) -> Observation:
        trouble = next((name for start, name in self.troubles.items() if request.startswith(start)), None)
        seen = b"" if trouble else body
        status = None if trouble or request.startswith("TLS") else 200
        return Observation(Source.PROVIDER, request, seen, "gpu.example.org", self.seen_at, status, trouble=trouble)


@dataclass
class OnboardingWorld(World):
    """Block h is at START + h x 6 s, block 1000 at NOW. `earlier`: the looks so far, as the ledger keeps them."""

    start: Moment = START
    gpus: Gpus = field(default_factory=Gpus)
    record: dict[str, Any] | None = field(default_factory=lambda: record_json("a100"))
    certificates: list[dict[str, Any]] = field(default_factory=lambda: [made().row()])
    registered: set[str] = field(default_factory=lambda: {TENANT})
    signed: dict[str, list[str]] = field(default_factory=dict)
    created: int | None = None
    probed: list[ProbeDay] = field(default_factory=list)
    unsealed: set[int] = field(default_factory=set)
    earlier: list[tuple[Verdict, Sequence[Observation]]] = field(default_factory=list)
    looked_at: int = 0

    @property
    def provider(self) -> OnboardingWorld:
        return self

    @property
    def probes(self) -> OnboardingWorld:
        return self

    @property
    def records(self) -> OnboardingWorld:
        return self

    def leased(
        self, created_at: int = 500, *, owner: str = TENANT, dseq: int = 7, asked: str = "a100", offered: str = ""
    ) -> OnboardingWorld:
        self.deploy(dseq, created_at - 10, owner=owner, models=(asked,) if asked else ())
        self.lease(dseq, PROVIDER, created_at, owner=owner, offered=(offered,) if offered else ())
        return self

    def at(self, height: int) -> OnboardingWorld:
        """The same world, at another block."""
        self.height = height
        self.gpus.seen_at = self.time(height)
        return self

    # ProviderSource

    def look(self, owner: str, host_uri: str) -> Sequence[Observation]:
        assert (owner, host_uri) == (PROVIDER, HOST_URI)
        self.looked_at += 1
        filters = {"filter.owner": owner, "filter.serial": str(self.gpus.certificate.serial), "filter.state": "valid"}
        return [*self.gpus.answers(), *self.pages("/akash/cert/v1/certificates/list", filters, "certificates")]

    # ProbeSource and RecordSource

    def days(self, provider: str, begins: Moment, ends: Moment) -> Sequence[Observation]:
        sealed = frozenset(day.day for day in self.probed) - self.unsealed
        body = days_body(self.probed, sealed)
        return [Observation(Source.PROBES, days_request(provider, begins, ends), body, "record", NOW)]

    def looks(self, claim: str) -> Sequence[Observation]:
        looks: list[Look] = []
        for verdict, seen in self.earlier:
            look = look_of(verdict.as_of.height, {check.name: str(check.outcome) for check in verdict.checks})
            looks.append(look)
            if look.instant == Outcome.PASSED and look.has_lease:
                kept = [one for one in seen if one.request != looks_request(claim) and one.source != Source.PROBES]
                body = looks_body(looks, verdict.as_of, [one.id for one in kept])
                return [Observation(Source.RECORD, looks_request(claim), body, "record", NOW), *kept]
        body = looks_body(looks, None, ())
        return [Observation(Source.RECORD, looks_request(claim), body, "record", NOW)] if looks else ()

    def tenants(self, addresses: Sequence[str]) -> Observation:
        body = canonical({"registered": sorted(self.registered & set(addresses))})
        return Observation(Source.RECORD, f"{TENANTS}demo", body, "record", NOW)

    def provider_created(self, provider: str) -> int | None:
        return self.created

    # ChainSource

    def pages(self, path: str, parameters: Mapping[str, str], rows: str) -> Sequence[Observation]:
        if rows == "certificates":
            wanted = parameters["filter.serial"], parameters["filter.state"]
            found = [row for row in self.certificates if (row["serial"], row["certificate"]["state"]) == wanted]
            body = {"certificates": found, "pagination": {"next_key": None, "total": "0"}}
            return [self._answer(rest_request(path, parameters), body)]
        found = [row for row in self.leases if row["lease"]["id"]["provider"] == parameters["filters.provider"]]
        body = {"leases": found, "pagination": {"next_key": None, "total": "0"}}
        return [self._answer(rest_request(path, parameters), body)]

    def state_at(self, height: int, path: str, parameters: Mapping[str, str]) -> Observation:
        if "/providers/" in path:
            return self._found(path, self.record and {"provider": self.record})
        if "/audit/" in path:
            auditor, owner = path.split("/")[-2:]
            keys = self.signed.get(auditor)
            pairs = [{"key": key, "value": "true"} for key in keys or ()]
            row = {"owner": owner, "auditor": auditor, "attributes": pairs}
            return self._found(path, {"providers": [row], "pagination": None} if keys is not None else None)
        return super().state_at(height, path, parameters)

    def _found(self, path: str, body: object) -> Observation:
        answer = self._answer(rest_request(path, {}), body or {"code": 5, "message": "not found", "details": []})
        return answer if body or answer.trouble else replace(answer, status=404)


def record_json(*models: str) -> dict[str, Any]:
    attributes = [{"key": f"capabilities/gpu/vendor/nvidia/model/{model}", "value": "true"} for model in models]
    attributes.append({"key": "region", "value": "eu-west"})
    info = {"email": "", "website": ""}
    return {"owner": PROVIDER, "host_uri": HOST_URI, "attributes": attributes, "info": info}


def gpu_claim(number: int = 1, model: str = "a100", *, closes: int = 50_000) -> ClaimFacts:
    """A claim whose task is open from block 50 to block `closes`."""
    return ClaimFacts(
        id="0" * 31 + str(number),
        campaign="demo",
        chain_id=CHAIN,
        task="onboard",
        kind="provider_onboarding",
        participant=PROVIDER,
        addresses=(PROVIDER,),
        subject=f"{PROVIDER}/{model}/{number}",
        fields={"provider": PROVIDER, "gpu_model": model, "count": str(number)},
        received_at=Moment(START + 400 * BLOCK_NS),
        opens=Moment(START + 50 * BLOCK_NS),
        closes=Moment(START + closes * BLOCK_NS),
    )


def gpu_params(**changes: object) -> dict[str, object]:
    """Params as the campaign's loading gives them, an hour of probes at least."""
    return {
        "gpu_models": ("a100", "t4"),
        "campaign_gpu_models": MODELS,
        "min_cpu": 2,
        "uptime_permille": 950,
        "probe_every_ns": 300 * SECOND,
        "min_observed_ns": HOUR,
        "tenants": "registered",
        "auditors": (),
        "spot_checks": 0,
        **changes,
    }


def looked(world: OnboardingWorld, claim: ClaimFacts | None = None, **changes: object) -> Verdict:
    """One look at the world as it is now; kept, as the ledger would."""
    facts, params = claim or gpu_claim(), gpu_params(**changes)
    seen = provider_onboarding.gather(facts, params, world)
    point = world.point
    verdict = decided(provider_onboarding, facts, seen, params, point)
    turned = decided(provider_onboarding, facts, list(reversed(seen)), params, point)
    assert (outcomes(turned), turned.at) == (outcomes(verdict), verdict.at)
    world.earlier.append((verdict, seen))
    return verdict


def outcomes(verdict: Verdict) -> dict[str, str]:
    return {check.name: str(check.outcome) for check in verdict.checks}


def text_of(verdict: Verdict, name: str) -> str:
    return next(check.seen for check in verdict.checks if check.name == name)


def probed(
    begins: Moment, ends: Moment, found: Callable[[Moment], State | None] = lambda _: UP, every: int = 300
) -> list[ProbeDay]:
    """Days in which every slot of the window has what `found` says of its beginning."""
    days = []
    for number in range(day_of(begins), day_of(Moment(ends - 1)) + 1):
        day = ProbeDay.empty(PROVIDER, number, every)
        for slot in range(len(day.slots)):
            start, stop = day.span(slot)
            state = found(start) if stop > begins and start < ends else None
            day = day.with_state(slot, state) if state else day
        days.append(day)
    return days
