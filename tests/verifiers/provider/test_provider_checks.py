from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tasks.moment import Moment
from tests.provider_double import NOW, OWNER, STRANGER, StubChain, encoded, framed, made, node, status_of
from verifiers.chain.answers import Provider
from verifiers.chain.answers.resources import Attribute
from verifiers.evidence import Observation, Outcome, Source
from verifiers.provider.checks import Wants, instant_checks, memory_doubt, record_checks, waits_for_certificate
from verifiers.provider.facts import provider_seen
from verifiers.provider.gpu_models import ListedModel, ModelNames
from verifiers.provider.identity import Record, Shown
from verifiers.provider.messages import STATUS
from verifiers.provider.questions import get_status_request, route_request, tls_request

PASSED, FAILED, PENDING, UNKNOWN = Outcome.PASSED, Outcome.FAILED, Outcome.PENDING, Outcome.UNKNOWN
NAMES = ModelNames([ListedModel("a100", ("NVIDIA A100-SXM4-80GB",)), ListedModel("t4", (), 16)])
WANTS = Wants(NAMES)
CERTIFICATE = made()


def _provider(*models: str) -> Provider:
    keys = models or ("a100", "a100/ram/80Gi", "a100/interface/pcie", "t4", "h100")
    attributes = [Attribute(f"capabilities/gpu/vendor/nvidia/model/{key}", "true") for key in keys]
    return Provider(OWNER, "https://provider.example:8443", (Attribute("region", "eu"), *attributes))


def _seen(request: str, body: bytes = b"", trouble: str | None = None) -> Observation:
    status = None if trouble or request.startswith("TLS") else 200
    return Observation(Source.PROVIDER, request, body, "provider.example:8443", Moment(NOW), status, trouble=trouble)


def _look(*nodes: dict[str, Any], owner_says: str = OWNER, shown: bytes = CERTIFICATE.der,
          chain: StubChain | None = None, troubles: dict[str, str] | None = None) -> list[Observation]:  # fmt: skip
    """The observations of one look; `troubles` by the first word(s) of the request."""
    record = Record("provider.example", 8443, Shown((shown,), "mtls.provider.example", "TLSv1.3")).body()
    bodies = {
        tls_request(OWNER, "rest"): record,
        tls_request(OWNER, "grpc"): record,
        route_request(OWNER, "/version"): b'{"akash":{"version":"0.14.0"}}',
        route_request(OWNER, "/address"): json.dumps({"address": owner_says}).encode(),
        route_request(OWNER, "/status"): b'{"address":"x","cluster":{"leases":0,"inventory":{"available":{}}}}',
        get_status_request(OWNER): framed(encoded(STATUS, status_of(*nodes))),
    }
    troubled = {
        request: name for request in bodies for start, name in (troubles or {}).items() if request.startswith(start)
    }
    answers = [
        _seen(request, b"" if request in troubled else body, troubled.get(request))
        for request, body in bodies.items()
    ]
    looked_up = chain or StubChain(CERTIFICATE.row())
    return [*looked_up(OWNER, CERTIFICATE.serial), *answers]


def _outcomes(
    observations: list[Observation], wants: Wants = WANTS, record: Provider | None = None
) -> dict[str, Outcome]:
    seen = provider_seen(OWNER, observations, NOW)
    return {check.name: check.outcome for check in instant_checks(record or _provider(), seen, wants)}


GOOD = node(gpus=[("a100", "80Gi")] * 2, modelid="20b5")
INVENTORY = ("inventory", "gpu_listed", "attributes", "cpu", "ram", "one_model", "gpu_label")
ALL = ("certificate", "rest", "address", "grpc", *INVENTORY)


def test_instant_checks__provider_in_order__all_pass() -> None:
    assert _outcomes(_look(GOOD)) == dict.fromkeys(ALL, PASSED)


@pytest.mark.parametrize(
    ("nodes", "unmet"),
    [
        pytest.param([node(cpu="1999m")], {"cpu"}, id="too-little-cpu"),
        pytest.param([node(cpu="2")], set(), id="enough-cpu"),
        pytest.param([node(memory="64Gi")], {"ram"}, id="too-little-memory"),
        pytest.param([node(memory="75Gi")], set(), id="memory-less-what-the-kernel-keeps"),
        pytest.param([node(memory="80Gi")], set(), id="enough-memory"),
        pytest.param([node(memory="rubbish")], {"ram"}, id="unreadable-memory"),
        pytest.param([node(gpus=[("a100", "")]), node("b", memory="64Gi")], {"ram"}, id="one-short-one-unknown"),
        pytest.param([node(gpus=[("a100", "")], memory="rubbish")], {"ram"}, id="nothing-readable"),
        pytest.param([node(gpus=[("t4", "")], memory="8Gi")], {"ram"}, id="memory-as-listed"),
        pytest.param([node(gpus=[("a100", "80Gi"), ("t4", "16Gi")])], {"one_model"}, id="mixed-models"),
        pytest.param([node(gpus=[("a100", "80Gi"), ("NVIDIA A100-SXM4-80GB", "80Gi")])], set(),
                     id="one-model-by-two-names"),
        pytest.param([node(gpus=[("rtx9090", "32Gi")])], {"gpu_listed", "attributes"}, id="not-listed"),
        pytest.param([node(gpus=[])], {*INVENTORY},
                     id="no-gpu"),
        pytest.param([], {*INVENTORY}, id="no-node"),
        pytest.param([node(gpus=[("a100", "80Gi")], capacity=0)], {"inventory", "gpu_listed"}, id="driver-gone"),
        pytest.param([GOOD, node(cpu="1", gpus=[])], set(), id="a-small-node-without-gpu-matters-not"),
        pytest.param([GOOD, node("b", cpu="1")], {"cpu"}, id="one-bad-node"),
    ],
)  # fmt: skip
def test_instant_checks__inventory__what_does_not_hold_fails(nodes: list[dict[str, Any]], unmet: set[str]) -> None:
    outcomes = _outcomes(_look(*nodes))
    assert {name for name, outcome in outcomes.items() if outcome is FAILED} == unmet
    pending = _outcomes(_look(*nodes), replace(WANTS, unmet=PENDING))
    assert {name for name, outcome in pending.items() if outcome is PENDING} >= unmet
    assert FAILED not in pending.values()


@pytest.mark.parametrize(
    ("models", "gpu", "outcome"),
    [
        pytest.param(["a100"], ("a100", "80Gi"), PASSED, id="plain"),
        pytest.param(["A100"], ("a100", "80Gi"), PASSED, id="capitals"),
        pytest.param(["a100/ram/80Gi"], ("a100", "80Gi"), PASSED, id="ram-agrees"),
        pytest.param(["a100/ram/40Gi"], ("a100", "80Gi"), FAILED, id="ram-differs"),
        pytest.param(["a100/interface/pcie"], ("a100", "80Gi"), PASSED, id="interface-agrees"),
        pytest.param(["a100/interface/sxm"], ("a100", "80Gi"), FAILED, id="interface-differs"),
        pytest.param(["a100/ram/80Gi/interface/pcie"], ("a100", "80Gi"), PASSED, id="both"),
        pytest.param(["a100/ram/40Gi", "a100/ram/80Gi"], ("a100", "80Gi"), PASSED, id="one-of-two-variants"),
        pytest.param(["*"], ("a100", "80Gi"), FAILED, id="wildcard-claims-no-model"),
        pytest.param(["h100"], ("a100", "80Gi"), FAILED, id="another-model"),
        pytest.param(["nvidia-a100-sxm4-80gb"], ("a100", "80Gi"), PASSED, id="alias"),
    ],
)
def test_attributes__against_the_inventory__agree_or_not(
    models: list[str], gpu: tuple[str, str], outcome: Outcome
) -> None:
    assert _outcomes(_look(node(gpus=[gpu])), record=_provider(*models))["attributes"] is outcome


@pytest.mark.parametrize(
    ("model", "count", "unmet"),
    [
        ("a100", 2, set()),
        ("a100", 3, {"inventory"}),
        ("t4", 1, {"inventory", "attributes", "cpu", "ram", "one_model", "gpu_label"}),
        ("h100", 1, {*INVENTORY}),
    ],
)
def test_claim__model_and_count__are_asked_for(model: str, count: int, unmet: set[str]) -> None:
    outcomes = _outcomes(_look(GOOD), replace(WANTS, gpu_model=model, count=count))
    assert {name for name, outcome in outcomes.items() if outcome is FAILED} == unmet


def test_label__that_disagrees_with_the_pci_id__waits_for_a_reviewer() -> None:
    assert _outcomes(_look(node(modelid="1eb8")))["gpu_label"] is PENDING
    assert _outcomes(_look(node(modelid="ffff")))["gpu_label"] is PASSED


@pytest.mark.parametrize(
    ("gpus", "outcome", "said"),
    [
        pytest.param([("a100", "")], PENDING, "memory of a100 is not known", id="nobody-says-it"),
        pytest.param([("a100", "rubbish")], PENDING, "memory of a100 is not known", id="unreadable"),
        pytest.param([("a100", "80Gi"), ("a100", "")], PENDING, "memory of a100 is not known", id="of-one-of-two"),
        pytest.param([("t4", "")], PASSED, "1 machine", id="the-campaign-says-it"),
    ],
)
@pytest.mark.parametrize("unmet", [PENDING, FAILED], ids=["open", "closed"])
def test_ram__memory_of_the_gpu_is_not_known__waits_for_a_reviewer(
    gpus: list[tuple[str, str]], outcome: Outcome, said: str, unmet: Outcome
) -> None:
    wants = replace(WANTS, unmet=unmet)
    seen = provider_seen(OWNER, _look(node(gpus=gpus)), NOW)
    (ram,) = (check for check in instant_checks(_provider(), seen, wants) if check.name == "ram")
    assert ram.outcome is outcome
    assert said in ram.seen
    assert bool(memory_doubt(seen, wants)) is (outcome is PENDING)


@pytest.mark.parametrize(
    "trouble",
    ["timeout", "refused", "rate_limited", "server_error", "cut_body", "not_ready", "undecodable", "own_network",
     "wrong_content_type", "too_large", "tls", "name_unknown", "unimplemented", "denied", "redirected"],
)  # fmt: skip
def test_instant_checks__no_status__is_unknown_never_failed(trouble: str) -> None:
    outcomes = _outcomes(_look(GOOD, troubles={"GRPC": trouble}))
    assert {name for name, outcome in outcomes.items() if outcome is UNKNOWN} == {"grpc", *INVENTORY}
    assert FAILED not in outcomes.values()
    everything = _outcomes(_look(GOOD, troubles=dict.fromkeys(("TLS", "GET", "GRPC"), trouble)))
    assert set(everything.values()) == {UNKNOWN}


def test_instant_checks__rest_in_trouble__leaves_what_grpc_shows() -> None:
    outcomes = _outcomes(_look(GOOD, troubles={"GET /version": "server_error"}))
    assert outcomes["rest"] is UNKNOWN
    assert [outcomes[name] for name in INVENTORY] == [PASSED] * len(INVENTORY)


def test_address__of_somebody_else__fails() -> None:
    assert _outcomes(_look(GOOD, owner_says=STRANGER))["address"] is FAILED


@pytest.mark.parametrize(
    ("look", "certificate"),
    [
        pytest.param(_look(GOOD, chain=StubChain()), FAILED, id="not-on-the-chain"),
        pytest.param(_look(GOOD, chain=StubChain(CERTIFICATE.row("revoked"))), FAILED, id="revoked"),
        pytest.param(_look(GOOD, shown=made(STRANGER).der), FAILED, id="foreign"),
        pytest.param(_look(GOOD, shown=b"no certificate"), FAILED, id="unreadable"),
        pytest.param(_look(GOOD, chain=StubChain(trouble="pruned")), UNKNOWN, id="chain-in-trouble"),
        pytest.param(_look(GOOD, troubles={"TLS": "bad_certificate"}), FAILED, id="refused-by-the-authorities"),
        pytest.param(_look(GOOD, troubles={"TLS": "host_refused"}), FAILED, id="private-address"),
        pytest.param(_look(GOOD, troubles={"TLS": "timeout"}), UNKNOWN, id="silent"),
    ],
)
def test_certificate__not_tied_to_the_chain__decides_and_its_inventory_does_not_count(
    look: list[Observation], certificate: Outcome
) -> None:
    outcomes = _outcomes(look)
    assert outcomes["certificate"] is certificate
    assert {outcomes[name] for name in INVENTORY} == {UNKNOWN}


UNASKED = {"GET": "unasked", "GRPC": "unasked"}
OTHERS = ("rest", "address", "grpc", *INVENTORY)


@pytest.mark.parametrize(
    ("look", "waiting"),
    [
        pytest.param(_look(GOOD, shown=made(STRANGER).der, troubles=UNASKED), OTHERS, id="foreign"),
        pytest.param(_look(GOOD, shown=made(ends=0).der, troubles=UNASKED), OTHERS, id="run-out"),
        pytest.param(_look(GOOD, shown=b"no certificate", troubles=UNASKED), OTHERS, id="unreadable"),
        pytest.param(_look(GOOD, troubles={"TLS": "host_refused", **UNASKED}), OTHERS, id="private-address"),
        pytest.param(_look(GOOD, chain=StubChain()), ("address", *INVENTORY), id="not-on-the-chain"),
        pytest.param(_look(GOOD, chain=StubChain(CERTIFICATE.row("revoked"))), ("address", *INVENTORY), id="revoked"),
        pytest.param(_look(GOOD, troubles={"TLS rest": "bad_certificate", "GET": "unasked"}), ("rest", "address"),
                     id="of-one-port"),
    ],
)  # fmt: skip
def test_certificate__clearly_not_theirs__the_rest_waits_for_it_until_the_close(
    look: list[Observation], waiting: tuple[str, ...]
) -> None:
    seen = provider_seen(OWNER, look, NOW)
    checks = instant_checks(_provider(), seen, replace(WANTS, unmet=PENDING))
    assert {check.name for check in checks if waits_for_certificate(check)} == set(waiting)
    assert {check.outcome for check in checks} <= {PENDING, PASSED}
    closed = _outcomes(look)
    assert closed["certificate"] is FAILED
    assert {closed[name] for name in waiting} == {UNKNOWN}


@pytest.mark.parametrize(
    ("look", "unknown"),
    [
        pytest.param(_look(GOOD, chain=StubChain(trouble="pruned"), troubles=UNASKED), ("certificate", *OTHERS),
                     id="chain-in-trouble"),
        pytest.param(_look(GOOD, shown=made(STRANGER).der, troubles={"TLS rest": "timeout", **UNASKED}),
                     ("certificate", *OTHERS), id="foreign-and-one-port-silent"),
        pytest.param(_look(GOOD, chain=StubChain(), troubles={"GRPC": "timeout"}), ("grpc", *INVENTORY),
                     id="not-on-the-chain-and-silent"),
        pytest.param(_look(GOOD, chain=StubChain(), troubles={"GET /version": "timeout", "GET": "unasked"}),
                     ("rest", "address"), id="not-on-the-chain-and-too-slow"),
        pytest.param(_look(GOOD, troubles={"GET /version": "timeout", "GET": "unasked"}), ("rest", "address"),
                     id="its-own-and-too-slow"),
        pytest.param(_look(GOOD, troubles={"TLS": "timeout", **UNASKED}), ("certificate", *OTHERS), id="silent"),
    ],
)  # fmt: skip
def test_certificate__not_why_nobody_was_asked__what_could_not_be_seen_stays_unknown(
    look: list[Observation], unknown: tuple[str, ...]
) -> None:
    outcomes = _outcomes(look, replace(WANTS, unmet=PENDING))
    assert {name for name, outcome in outcomes.items() if outcome is UNKNOWN} == set(unknown)


@pytest.mark.parametrize(
    ("record", "trouble", "outcome"),
    [(_provider(), None, PASSED), (None, None, FAILED), (None, "pruned", UNKNOWN)],
    ids=["there", "not-there", "chain-in-trouble"],
)
def test_record__on_the_chain__or_not(record: Provider | None, trouble: str | None, outcome: Outcome) -> None:
    (check,) = record_checks(OWNER, record, trouble, ("id",), WANTS)
    assert (check.name, check.outcome) == ("provider", outcome)


def test_instant_checks__again__are_the_same() -> None:
    looks = [_look(GOOD), _look(GOOD)]
    first, second = (instant_checks(_provider(), provider_seen(OWNER, look, NOW), WANTS) for look in looks)
    assert first == second


def test_instant_checks__hostile_words__are_cut_and_readable() -> None:
    evil = "a\0\x1b[31m\u202e" + "x" * 5000
    machines = [node(f"{evil}{place}", gpus=[(f"{evil}{place}", evil)]) for place in range(60)]
    record = replace(_provider(f"{evil}/ram/9Gi"), host_uri=evil)
    seen = provider_seen(OWNER, _look(*machines, owner_says=evil), NOW)
    checks = (*record_checks(OWNER, record, None, (), WANTS), *instant_checks(record, seen, WANTS))
    for check in checks:
        assert len(check.seen) <= 400
        assert check.seen.isprintable()
        assert check.expected.isprintable()
