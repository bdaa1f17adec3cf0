"""Every fault of a provider and of a node, at every call of a look and of a probe: what must come of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from tests.nodes import StandingClock
from tests.onboarding_worlds import AUDITOR, NOW, OnboardingWorld, gpu_claim, looked, outcomes
from tests.provider_double import OWNER, STRANGER, ProviderDouble, StubChain, made
from verifiers.evidence import Observation, Outcome
from verifiers.guard import Guard
from verifiers.onboarding.state import controlled, state_of
from verifiers.probes import NO_CONTROL, Standing, State
from verifiers.provider.client import ProviderLimits, Providers
from verifiers.provider.facts import provider_seen

QUICK = ProviderLimits(look_seconds=30.0, question_seconds=1.0, connect_seconds=1.0)
PATIENT = ProviderLimits(look_seconds=60.0, question_seconds=20.0, connect_seconds=20.0)

REST = {
    "slow_header": "timeout", "slow_body": "timeout", "429": "rate_limited", "500": "server_error",
    "503": "server_error", "401": "denied", "404": "unimplemented", "redirect": "redirected", "cut_body": "cut_body",
    "wrong_type": "wrong_content_type", "garbage": "undecodable", "huge": "too_large",
}  # fmt: skip
GRPC = {
    "not_ready": "not_ready", "no_cluster": "not_ready", "unavailable": "server_error", "exhausted": "rate_limited",
    "http_503": "server_error", "http_429": "rate_limited", "http_302": "redirected",
    "wrong_type": "wrong_content_type", "slow": "timeout", "cut_body": "cut_body", "no_trailers": "cut_body",
    "bad_message": "undecodable", "packed": "undecodable",
}  # fmt: skip
BOTH = {"silent": "timeout", "slow_handshake": "timeout", "no_tls": "tls", "hang_up": "tls"}
FAULTS = [
    *(pytest.param(fault, "", cause, id=f"rest-{fault}") for fault, cause in REST.items()),
    *(pytest.param("", fault, cause, id=f"grpc-{fault}") for fault, cause in GRPC.items()),
    *(pytest.param(fault, fault, cause, id=f"both-{fault}") for fault, cause in BOTH.items()),
    *(pytest.param("", fault, cause, id=f"grpc-{fault}") for fault, cause in BOTH.items()),
]


@pytest.fixture
def double() -> Iterator[ProviderDouble]:
    with ProviderDouble() as made_one:
        yield made_one


def seen_by(double: ProviderDouble, chain: StubChain, limits: ProviderLimits = PATIENT) -> Sequence[Observation]:
    providers = Providers(StandingClock(NOW), Guard(("127.0.0.0/8",)), limits=limits)
    return providers.look(OWNER, double.host_uri, chain)


def state_in(observations: Sequence[Observation]) -> State:
    return state_of(provider_seen(OWNER, observations, NOW))


def official(observations: Sequence[Observation], height: int) -> dict[str, str]:
    """The official look with these answers of the provider."""
    world = OnboardingWorld().leased().at(height)
    world.look = lambda *_: [  # type: ignore[method-assign]
        *observations,
        *world.pages("/akash/cert/v1/certificates/list", _filters(), "certificates"),
    ]
    return outcomes(looked(world))


def _filters() -> dict[str, str]:
    return {"filter.owner": OWNER, "filter.serial": str(made().serial), "filter.state": "valid"}


@pytest.mark.parametrize(("rest", "grpc", "cause"), FAULTS)
def test_fault__of_the_provider__is_down_with_its_cause_and_never_failed(
    double: ProviderDouble, rest: str, grpc: str, cause: str
) -> None:
    double.rest_fault, double.grpc_fault = rest, grpc
    seen = seen_by(double, StubChain(made().row()), QUICK if cause == "timeout" else PATIENT)
    state = state_in(seen)
    assert state == State.down(cause)
    assert controlled(state, is_reachable=True) == state
    assert controlled(state, is_reachable=False) == State.unknown(NO_CONTROL)
    open_task, closed_task = official(seen, 1000), official(seen, 50_010)
    assert "unknown" in open_task.values()
    assert "failed" not in open_task.values()
    assert "failed" not in closed_task.values()


@pytest.mark.parametrize(
    ("certificate", "rows"),
    [
        pytest.param(made(begins=-9, ends=-1), [made(begins=-9, ends=-1).row()], id="expired"),
        pytest.param(made(STRANGER), [made(STRANGER).row()], id="foreign"),
        pytest.param(made(), [], id="not on the chain"),
        pytest.param(made(), [made().row("revoked")], id="revoked"),
        pytest.param(made(), [made(ends=30).row()], id="another under its serial"),
    ],
)
def test_fault__certificate__is_down_and_never_up(double: ProviderDouble, certificate: object, rows: list) -> None:
    double.certificate = certificate  # type: ignore[assignment]
    assert state_in(seen_by(double, StubChain(*rows))) == State.down("bad_certificate")


def test_fault__chain_does_not_answer_about_certificates__is_ours(double: ProviderDouble) -> None:
    assert state_in(seen_by(double, StubChain(trouble="timeout"))) == State.unknown("chain")


def test_fault__nobody_listens__is_down() -> None:
    with ProviderDouble() as gone:
        pass
    assert state_in(seen_by(gone, StubChain(made().row()))) == State.down("refused")


def test_fault__leads_to_a_private_address__is_down_and_nobody_is_asked() -> None:
    providers = Providers(StandingClock(NOW), Guard(), limits=QUICK)
    seen = providers.look(OWNER, "https://127.0.0.1:8443", StubChain(made().row()))
    assert state_in(seen) == State.down("host_refused")


def test_no_fault__is_up(double: ProviderDouble) -> None:
    state = state_in(seen_by(double, StubChain(made().row())))
    assert (state.standing, state.capacity) == (Standing.UP, (("nvidia/a100", 1),))


# ------------------------------------------------------------------ the node

CALLS = (
    "/providers/", "certificates/list", "/audit/", "leases/list", "bids/info", "deployments/info", "blocks/",
    "block_results",
)  # fmt: skip
TROUBLES = (
    "timeout", "rate_limited", "server_error", "cut_body", "wrong_content_type", "redirected", "undecodable",
    "unreachable", "lagging", "disagree", "pruned", "not_indexed", "index_off", "wrong_chain",
)  # fmt: skip
HARMLESS = {
    (call, trouble) for call in ("bids/info", "block_results") for trouble in ("pruned", "not_indexed", "index_off")
}
"""The group names the model too; without results only the position in the block is missing."""


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("height", [1000, 50_010], ids=["open", "closed"])
def test_fault__of_the_node__is_unknown_and_costs_nothing(call: str, trouble: str, height: int) -> None:
    world = OnboardingWorld(signed={AUDITOR: ["capabilities/gpu/vendor/nvidia/model/a100"]}).leased().at(height)
    verdict = looked(world.trouble(call, trouble), auditors=(AUDITOR,))
    assert "failed" not in outcomes(verdict).values()
    if (call, trouble) not in HARMLESS:
        assert verdict.outcome == Outcome.UNKNOWN
        assert verdict.at is None
    world.troubles.clear()
    assert looked(world, auditors=(AUDITOR,)).height == 500


@pytest.mark.parametrize("call", ["/providers/", "leases/list", "/audit/"])
@pytest.mark.parametrize("change", [{"height": 40}, {"chain_id": "another-1"}, {"status": 500}], ids=str)
@pytest.mark.parametrize("height", [1000, 50_010], ids=["open", "closed"])
def test_fault__node_answers_for_another_block_or_chain__is_unknown(
    call: str, change: dict[str, object], height: int
) -> None:
    from dataclasses import replace

    world = OnboardingWorld(signed={AUDITOR: ["capabilities/gpu/vendor/nvidia/model/a100"]}).leased().at(height)
    answer = world._answer

    def lying(request: str, body: object, height: int | None = None) -> Observation:
        found = answer(request, body, height)
        return replace(found, **change) if call in request else found

    world._answer = lying  # type: ignore[method-assign]
    verdict = looked(world, auditors=(AUDITOR,))
    assert verdict.outcome == Outcome.UNKNOWN
    assert "failed" not in outcomes(verdict).values()
    assert gpu_claim().id
