"""A claimed GPU: each check, when the work was done, and what the uptime makes of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tasks.moment import Moment
from tests.onboarding_worlds import (
    AUDITOR,
    HOUR,
    MODELS,
    PROVIDER,
    STRANGER_TENANT,
    TENANT,
    UP,
    OnboardingWorld,
    gpu_claim,
    looked,
    outcomes,
    probed,
    record_json,
    text_of,
)
from tests.provider_double import STRANGER, made, node
from verifiers.evidence import EntryRefused, Outcome
from verifiers.kinds import provider_onboarding
from verifiers.probes import State

DOWN = State.down("timeout")
CLOSES = 50_000
AFTER = CLOSES + 10

Change = Callable[[OnboardingWorld], object]


def good() -> OnboardingWorld:
    return OnboardingWorld().leased()


def set_gpus(**changes: object) -> Change:
    return lambda world: [setattr(world.gpus, name, value) for name, value in changes.items()]


def set_world(**changes: object) -> Change:
    return lambda world: [setattr(world, name, value) for name, value in changes.items()]


def nodes(*found: dict) -> Change:
    return set_gpus(nodes=found)


def silent(*requests: str, trouble: str = "timeout") -> Change:
    return set_gpus(troubles=dict.fromkeys(requests, trouble))


# ------------------------------------------------------------------ the checks of one moment

CASES = [
    pytest.param(set_world(record=None), "provider", "pending", id="no record"),
    pytest.param(
        lambda world: world.trouble("/providers/", "timeout"), "provider", "unknown", id="record not readable"
    ),
    pytest.param(set_world(certificates=[]), "certificate", "pending", id="certificate not on the chain"),
    pytest.param(set_world(certificates=[made().row("revoked")]), "certificate", "pending", id="revoked"),
    pytest.param(set_gpus(certificate=made(STRANGER)), "certificate", "pending", id="of somebody else"),
    pytest.param(set_gpus(certificate=made(ends=0)), "certificate", "pending", id="expired"),
    pytest.param(lambda world: world.trouble("certificates", "timeout"), "certificate", "unknown", id="chain silent"),
    pytest.param(silent("TLS"), "certificate", "unknown", id="no answer at all"),
    pytest.param(silent("TLS", trouble="host_refused"), "certificate", "pending", id="private address"),
    pytest.param(silent("GET /version", trouble="server_error"), "rest", "unknown", id="version 500"),
    pytest.param(silent("GET /status", trouble="rate_limited"), "rest", "unknown", id="status 429"),
    pytest.param(set_gpus(address=STRANGER), "address", "pending", id="another address"),
    pytest.param(silent("GRPC"), "grpc", "unknown", id="gRPC silent"),
    pytest.param(silent("GRPC", trouble="not_ready"), "inventory", "unknown", id="inventory not ready"),
    pytest.param(nodes(), "inventory", "pending", id="no machines"),
    pytest.param(nodes(node(gpus=[("t4", "16Gi")])), "inventory", "pending", id="another model"),
    pytest.param(nodes(node(cpu="1900m")), "cpu", "pending", id="too little CPU"),
    pytest.param(nodes(node(memory="64Gi")), "ram", "pending", id="less memory than the GPU"),
    pytest.param(nodes(node(gpus=[("a100", "80Gi"), ("t4", "16Gi")])), "one_model", "pending", id="mixed models"),
    pytest.param(set_world(record=record_json("t4")), "attributes", "pending", id="attributes name another"),
    pytest.param(set_world(record=record_json("*")), "attributes", "pending", id="a wildcard claims no model"),
    pytest.param(set_world(record=record_json("a100/ram/40Gi")), "attributes", "pending", id="another memory"),
]


@pytest.mark.parametrize(("change", "name", "expected"), CASES)
def test_judge__one_thing_not_so__is_told_and_never_failed_while_it_can_be_mended(
    change: Change, name: str, expected: str
) -> None:
    world = good()
    change(world)
    verdict = looked(world)
    assert outcomes(verdict)[name] == expected
    assert "failed" not in outcomes(verdict).values()
    assert (verdict.at, verdict.holds_place) == (None, False)
    assert verdict.next_look is not None
    assert verdict.missing


@pytest.mark.parametrize(("change", "name", "expected"), CASES)
def test_judge__one_thing_not_so_after_the_close__fails_only_for_a_clear_answer(
    change: Change, name: str, expected: str
) -> None:
    world = good().at(AFTER)
    change(world)
    assert outcomes(looked(world))[name] == {"pending": "failed", "unknown": "unknown"}[expected]


UNASKED = {"GET": "unasked", "GRPC": "unasked"}
FOREIGN = {"certificate": made(STRANGER), "troubles": UNASKED}
CLEARLY = [
    pytest.param(set_gpus(**FOREIGN), id="of somebody else"),
    pytest.param(set_gpus(certificate=made(ends=0), troubles=UNASKED), id="expired"),
    pytest.param(set_world(certificates=[made().row("revoked")]), id="revoked"),
    pytest.param(set_world(certificates=[]), id="not on the chain"),
    pytest.param(set_gpus(troubles={"TLS": "host_refused", **UNASKED}), id="private address"),
]


@pytest.mark.parametrize("change", CLEARLY)
def test_judge__certificate_is_clearly_not_theirs__waits_for_that_alone_and_says_so(change: Change) -> None:
    world = good()
    change(world)
    verdict = looked(world)
    assert verdict.outcome == Outcome.PENDING
    assert set(outcomes(verdict).values()) == {"passed", "pending"}
    assert (verdict.at, verdict.holds_place) == (None, False)
    mend, *rest = verdict.missing
    assert "valid certificate" in mend
    assert rest == []
    closed = good().at(AFTER)
    change(closed)
    verdict = looked(closed)
    assert (verdict.outcome, outcomes(verdict)["certificate"]) == (Outcome.FAILED, "failed")
    assert {outcomes(verdict)[name] for name in ("address", "inventory", "cpu")} == {"unknown"}


def test_judge__certificate_is_foreign_and_nodes_fail__is_ours() -> None:
    world = good().trouble("/providers/", "timeout")
    set_gpus(**FOREIGN)(world)
    assert looked(world).outcome == Outcome.UNKNOWN


def test_judge__all_in_order__holds_its_place_and_waits_for_the_close() -> None:
    world = good()
    world.created = 60
    world.creations[60] = []
    verdict = looked(world)
    assert set(outcomes(verdict).values()) == {"passed", "pending"}
    assert outcomes(verdict)["uptime"] == "pending"
    assert (verdict.outcome, verdict.holds_place) == (Outcome.PENDING, True)
    assert (verdict.at, verdict.height, verdict.tx_index) == (world.time(500), 500, 1)
    assert verdict.next_look == gpu_claim().closes
    assert verdict.attributes == {"gpu_model": "a100", "gpu_class": "data_center", "region": "eu-west"}
    assert verdict.missing == ("Keep the provider up until 2026-11-27T21:40:00Z.",)


def test_judge__provider_of_somebody_else__fails() -> None:
    claim = gpu_claim()
    others = claim.__class__(**{**{name: getattr(claim, name) for name in claim.__slots__}, "addresses": (TENANT,)})
    assert outcomes(looked(good(), others))["own_address"] == "failed"


def test_judge__label_against_its_pci_id__keeps_its_time_and_goes_to_review() -> None:
    world = good()
    world.gpus.nodes = [node(modelid="1eb8")]
    verdict = looked(world)
    assert outcomes(verdict)["review"] == "pending"
    assert "PCI id" in text_of(verdict, "review")
    assert verdict.at == world.time(500)


@pytest.mark.parametrize("height", [1000, AFTER], ids=["open", "closed"])
def test_judge__memory_of_the_gpu_is_not_known__keeps_its_time_and_goes_to_review(height: int) -> None:
    world = good().at(height)
    world.gpus.nodes = [node(gpus=[("a100", "")])]
    verdict = looked(world)
    assert (outcomes(verdict)["ram"], outcomes(verdict)["review"]) == ("passed", "pending")
    assert text_of(verdict, "review").startswith("the memory of a100 is not known")
    assert verdict.at == world.time(500)


def test_judge__memory_not_known_and_too_little_cpu__is_not_hidden_by_the_doubt() -> None:
    world = good()
    world.gpus.nodes = [node(gpus=[("a100", "")], cpu="1")]
    verdict = looked(world)
    assert (outcomes(verdict)["cpu"], outcomes(verdict)["ram"], verdict.at) == ("pending", "passed", None)


@pytest.mark.parametrize(
    ("signed", "expected"),
    [
        ({AUDITOR: ["capabilities/gpu/vendor/nvidia/model/a100"]}, "passed"),
        ({AUDITOR: ["capabilities/gpu/vendor/nvidia/model/*"]}, "pending"),
        ({AUDITOR: ["capabilities/gpu/vendor/nvidia/model/t4"]}, "pending"),
        ({"akash1other": ["capabilities/gpu/vendor/nvidia/model/a100"]}, "pending"),
        ({}, "pending"),
    ],
    ids=["signed", "a wildcard", "another model", "another auditor", "nothing"],
)
def test_judge__auditors_asked__counts_what_one_of_them_signed(signed: dict, expected: str) -> None:
    world = good()
    world.signed = signed
    assert outcomes(looked(world, auditors=(AUDITOR,)))["audited"] == expected


def test_judge__nobody_has_signed_at_the_close__fails() -> None:
    assert outcomes(looked(good().at(AFTER), auditors=(AUDITOR,)))["audited"] == "failed"


@pytest.mark.parametrize(("height", "expected"), [(1000, "pending"), (AFTER, "failed")], ids=["open", "closed"])
def test_judge__model_that_a_revision_took_off_the_list__does_not_count(height: int, expected: str) -> None:
    listed = [model for model in MODELS if model["id"] != "a100"]
    verdict = looked(good().at(height), campaign_gpu_models=listed, gpu_models=("t4",))
    not_passed = {name: outcome for name, outcome in outcomes(verdict).items() if outcome != "passed"}
    assert not_passed == {"gpu_listed": expected, "uptime": "pending"}, "all else is as true as before"


def test_judge__auditors_not_readable__is_unknown() -> None:
    assert outcomes(looked(good().trouble("/audit/", "timeout"), auditors=(AUDITOR,)))["audited"] == "unknown"


# ------------------------------------------------------------------ the proving lease


@pytest.mark.parametrize(
    ("world", "expected"),
    [
        pytest.param(OnboardingWorld(), "pending", id="none"),
        pytest.param(OnboardingWorld().leased(owner=STRANGER_TENANT), "pending", id="tenant not registered"),
        pytest.param(OnboardingWorld().leased(40), "pending", id="before the window"),
        pytest.param(OnboardingWorld().leased(asked="t4"), "pending", id="another model asked"),
        pytest.param(OnboardingWorld().leased(asked="*"), "pending", id="any model asked"),
        pytest.param(OnboardingWorld().leased(asked=""), "pending", id="no model asked"),
        pytest.param(OnboardingWorld().leased(asked="*", offered="a100"), "passed", id="any asked, this one offered"),
        pytest.param(OnboardingWorld().leased(asked="a100", offered="t4"), "pending", id="another offered"),
        pytest.param(OnboardingWorld().leased(), "passed", id="asked by name"),
        pytest.param(OnboardingWorld().leased().trouble("leases/list", "timeout"), "unknown", id="list not readable"),
        pytest.param(OnboardingWorld().leased().trouble("bids/info", "timeout"), "unknown", id="bid not readable"),
        pytest.param(OnboardingWorld().leased().trouble("bids/info", "pruned"), "passed", id="bid forgotten"),
        pytest.param(OnboardingWorld().leased().trouble("deployments/info", "lagging"), "unknown", id="group not"),
        pytest.param(OnboardingWorld().leased().trouble("block_results", "timeout"), "unknown", id="results not"),
        pytest.param(OnboardingWorld().leased().trouble("block_results", "pruned"), "passed", id="results forgotten"),
    ],
)
def test_judge__lease__cases(world: OnboardingWorld, expected: str) -> None:
    verdict = looked(world)
    assert outcomes(verdict)["lease"] == expected
    assert (verdict.at is not None) == (expected == "passed")


def test_judge__tenants_named_by_the_campaign__only_theirs_count() -> None:
    assert outcomes(looked(good(), tenants=(STRANGER_TENANT,)))["lease"] == "pending"
    assert outcomes(looked(good(), tenants=(TENANT,)))["lease"] == "passed"


def test_judge__several_leases__the_first_that_proves_it_counts() -> None:
    world = OnboardingWorld().leased(300, dseq=1, asked="t4").leased(420, dseq=2).leased(430, dseq=3)
    verdict = looked(world)
    assert (verdict.height, verdict.tx_index) == (420, 1)
    assert not any("dseq=3" in request for request in world.asked)


def test_judge__earlier_lease_not_readable__is_not_dated_by_a_later_one() -> None:
    world = OnboardingWorld().leased(300, dseq=1).leased(420, dseq=2).trouble("id.dseq=1&", "timeout")
    assert (outcomes(looked(world))["lease"], looked(world).at) == ("unknown", None)


def test_judge__lease_after_the_close__does_not_count() -> None:
    world = OnboardingWorld().leased(CLOSES + 1).at(AFTER)
    assert outcomes(looked(world))["lease"] == "failed"


# ------------------------------------------------------------------ when it was done


def test_at__first_look_after_the_lease_fails__is_the_time_of_the_first_that_passes() -> None:
    world = good().at(600)
    world.gpus.nodes = []
    assert looked(world).at is None
    world.at(700).gpus.nodes = [node()]
    verdict = looked(world)
    assert (verdict.at, verdict.height, verdict.tx_index) == (world.time(700), None, None)


def test_at__first_looks_could_not_look__is_the_block_of_the_lease() -> None:
    world = good().at(600)
    world.gpus.troubles = {"TLS": "timeout"}
    assert looked(world).outcome == Outcome.UNKNOWN
    world.at(700).gpus.troubles = {}
    assert looked(world).height == 500


def test_at__look_before_the_lease_fails__does_not_matter() -> None:
    world = OnboardingWorld().at(300)
    world.gpus.nodes = []
    looked(world)
    world.leased(500).at(600).gpus.nodes = [node()]
    assert looked(world).height == 500


def test_at__look_passed_while_the_lease_was_not_readable__is_the_block_of_the_lease() -> None:
    world = good().at(600).trouble("leases/list", "timeout")
    looked(world)
    world.troubles.clear()
    world.at(700).gpus.nodes = []
    looked(world)
    world.at(800).gpus.nodes = [node()]
    assert looked(world).height == 500


def test_at__provider_dead_after_it_passed__does_not_move_and_nobody_is_asked_again() -> None:
    world = good().at(600)
    first = looked(world)
    world.at(900).gpus.troubles = {"TLS": "timeout"}
    world.record, world.certificates = None, []
    world.registered.clear()
    again = looked(world)
    assert world.looked_at == 1
    assert (again.at, again.height, again.checks, again.attributes) == (
        first.at, first.height, first.checks, first.attributes,
    )  # fmt: skip


def test_at__second_gpu_shown_later__has_a_later_time_than_the_first() -> None:
    world = good().at(600)
    assert looked(world).height == 500
    second = OnboardingWorld().leased().at(600)
    assert looked(second, gpu_claim(2)).at is None
    second.at(700).gpus.nodes = [node(gpus=[("a100", "80Gi")] * 2)]
    assert looked(second, gpu_claim(2)).at == second.time(700)


# ------------------------------------------------------------------ the uptime


def closed(found: Callable[[Moment], State | None] = lambda _: UP) -> OnboardingWorld:
    """Passed at block 600, and the task is closed since."""
    world = good().at(600)
    looked(world)
    world.probed = probed(world.time(500), gpu_claim().closes, found)
    return world.at(AFTER)


def part(permille: int, state: State | None) -> Callable[[Moment], State | None]:
    """`state` in that part of all slots, spread evenly."""
    return lambda moment: state if moment // (300 * 10**9) * 7919 % 1000 < permille else UP


@pytest.mark.parametrize(
    ("found", "outcome", "uptime"),
    [
        pytest.param(part(0, DOWN), "passed", "passed", id="always up"),
        pytest.param(part(40, DOWN), "passed", "passed", id="96 percent up"),
        pytest.param(part(70, DOWN), "failed", "failed", id="93 percent up"),
        pytest.param(part(1000, DOWN), "failed", "failed", id="dead since"),
        pytest.param(part(60, State.unknown("no_control")), "passed", "passed", id="some unknown"),
        pytest.param(part(150, State.unknown("no_control")), "pending", "passed", id="much unknown"),
        pytest.param(part(150, None), "pending", "passed", id="our probes did not run"),
        pytest.param(part(1000, State.up({"nvidia/a100": 0})), "failed", "failed", id="up without the GPU"),
        pytest.param(part(1000, State.up({"nvidia/NVIDIA A100-PCI": 1})), "passed", "passed", id="under an alias"),
        pytest.param(part(1000, State.up({"nvidia/t4": 1})), "failed", "failed", id="another model since"),
    ],
)
def test_uptime__closed__follows_from_the_sealed_days(
    found: Callable[[Moment], State | None], outcome: str, uptime: str
) -> None:
    verdict = looked(closed(found))
    assert (str(verdict.outcome), outcomes(verdict)["uptime"]) == (outcome, uptime)
    assert ("review" in outcomes(verdict)) == (outcome == "pending")
    assert (verdict.at, verdict.height) == (closed().time(500), 500)
    assert verdict.next_look is None


def test_uptime__excused_outage__costs_nothing() -> None:
    world = closed(lambda moment: DOWN if 20 * HOUR <= moment % (24 * HOUR) < 22 * HOUR else UP)
    assert outcomes(looked(world))["uptime"] == "failed"
    nights = [(moment, moment + 2 * HOUR) for moment in range(20 * HOUR, 2**61, 24 * HOUR) if moment > world.start]
    world.earlier.pop()
    assert outcomes(looked(world, excused=tuple(nights)))["uptime"] == "passed"


def test_uptime__last_day_not_sealed__waits_for_it() -> None:
    world = closed()
    world.unsealed = {world.probed[-1].day}
    verdict = looked(world)
    assert (verdict.outcome, outcomes(verdict)["uptime"]) == (Outcome.PENDING, "pending")
    assert verdict.holds_place
    assert verdict.next_look is not None


def test_uptime__day_changed_after_sealing__is_as_if_never_seen() -> None:
    world = closed()
    seen = world.days(PROVIDER, gpu_claim().opens, gpu_claim().closes)[0]
    forged = seen.body.replace(b'"nvidia/a100":1', b'"nvidia/a100":9')
    world.days = lambda *_: [seen.__class__(**{**_fields(seen), "body": forged})]
    assert outcomes(looked(world))["review"] == "pending"


def _fields(seen: object) -> dict:
    names = ("source", "request", "body", "host", "seen_at", "status", "chain_id", "height", "trouble", "restricted")
    return {name: getattr(seen, name) for name in names}


def test_uptime__began_too_late__fails_at_once_and_looks_again_at_the_close() -> None:
    world = OnboardingWorld().leased(CLOSES - 300).at(CLOSES - 200)
    verdict = looked(world)
    assert outcomes(verdict)["uptime"] == "failed"
    assert "it had to begin by" in text_of(verdict, "uptime")
    assert (verdict.holds_place, verdict.next_look) == (False, gpu_claim().closes)


def test_uptime__never_passed__is_not_measured() -> None:
    world = OnboardingWorld().at(AFTER)
    world.gpus.nodes = []
    verdict = looked(world)
    assert outcomes(verdict)["uptime"] == "pending"
    assert verdict.outcome == Outcome.FAILED


# ------------------------------------------------------------------ the entry


def test_enter__three_gpus__makes_three_claims() -> None:
    from tests.onboarding_worlds import gpu_params

    fields = {"provider": PROVIDER, "gpu_model": "NVIDIA A100-PCI", "count": "3"}
    entry = provider_onboarding.enter(fields, gpu_params(), [PROVIDER])
    assert [each.subject for each in (entry, *entry.others)] == [f"{PROVIDER}/a100/{number}" for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("field", "value"),
    [("provider", STRANGER), ("provider", ""), ("gpu_model", "rtx9999"), ("gpu_model", ""), ("count", "0"),
     ("count", "-1"), ("count", "65"), ("count", "1.5"), ("count", "２")],
)  # fmt: skip
def test_enter__anything_else__names_the_field(field: str, value: str) -> None:
    from tests.onboarding_worlds import gpu_params

    fields = {"provider": PROVIDER, "gpu_model": "a100", "count": "1"} | {field: value}
    with pytest.raises(EntryRefused) as refusal:
        provider_onboarding.enter(fields, gpu_params(), [PROVIDER])
    assert refusal.value.field == field
