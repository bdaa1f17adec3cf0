"""The six kinds: found by looking, their defaults, the fields of a claim."""

from __future__ import annotations

import pytest

from tasks.campaign import check, load
from tasks.kinds import by_kind, kinds

HEAD = "campaign: t\nopens: 2026-01-01T00:00:00Z\ncloses: 2026-01-03T00:00:00Z\nreward: {unit: USD, budget: 9}\n"
SECOND = 10**9


def _params(kind: str, params: str = "{}") -> dict[str, object]:
    part = ", {slug: x, kind: reviewed}" if kind == "all_of" else ""
    campaign = load(f"{HEAD}tasks: [{{slug: a, kind: {kind}, params: {params}}}{part}]")
    return dict(campaign.tasks[0].params)


DEFAULTS = {
    "provider_onboarding": {
        "gpu_models": "listed", "min_cpu": 2, "uptime_permille": 950, "probe_every_ns": 300 * SECOND,
        "min_observed_ns": 72 * 3600 * SECOND, "tenants": "registered", "auditors": (), "spot_checks": 0,
    },
    "ai_deployment": {
        "group_by": "deployment", "providers": 3, "active_ns": 600 * SECOND, "gpu_models": "any",
        "own_provider": "refused", "apps": (),
    },
    "sdl_submission": {
        "repositories": (), "state": "open", "active_ns": 600 * SECOND, "own_run": True, "signed_by": "refused",
        "author_proof": "code",
    },
    "benchmark_run": {
        "suite": 1, "expires_ns": 7200 * SECOND, "within_permille_of_median": 3000, "lease": "required",
    },
    "reviewed": {"fields": (), "reviewers": 1, "needs_work_keeps_ns": 72 * 3600 * SECOND},
}  # fmt: skip


@pytest.mark.parametrize("kind", DEFAULTS)
def test_params__left_out__are_the_defaults_of_the_table(kind: str) -> None:
    assert _params(kind) == DEFAULTS[kind]


def test_kinds__of_the_folder__are_the_six() -> None:
    assert kinds() == (
        "ai_deployment", "all_of", "benchmark_run", "provider_onboarding", "reviewed", "sdl_submission",
    )  # fmt: skip
    assert by_kind("lottery") is None
    assert all(getattr(by_kind(kind), "KIND", None) == kind for kind in kinds())


def test_ai_deployment__with_apps__is_grouped_by_app_and_asks_which() -> None:
    params = _params(
        "ai_deployment", "{apps: [{slug: x, images: [a/x, 'b:1']}, {slug: y, hashes: [%s]}]}" % ("AB" * 32)
    )
    assert params["group_by"] == "app"
    apps = params["apps"]
    assert isinstance(apps, tuple)
    assert apps[0] == {"slug": "x", "title": "x", "images": ("a/x", "b:1"), "hashes": ()}
    assert apps[1]["hashes"] == ("ab" * 32,)
    kind = by_kind("ai_deployment")
    assert kind is not None
    fields = kind.claim_fields(params)
    assert [(field.name, field.required) for field in fields] == [
        ("owner", True), ("dseq", True), ("sdl", True), ("app", False),
    ]  # fmt: skip
    assert fields[3].choices == ("x", "y")


def test_ai_deployment__with_models_listed_by_name__keeps_them() -> None:
    assert _params("ai_deployment", "{gpu_models: [h100, t4]}")["gpu_models"] == ("h100", "t4")


def test_reviewed__with_a_decided_field__asks_the_participant_for_the_others_only() -> None:
    params = _params("reviewed", "{fields: [{name: url, type: url, hosts: [x.com]}, {name: sev, decided: true}]}")
    kind = by_kind("reviewed")
    assert kind is not None
    assert [field.name for field in kind.claim_fields(params)] == ["url"]
    assert kind.attributes(params) == ("sev",)


def test_sdl_submission__only_with_repositories__asks_for_the_pull_request() -> None:
    kind = by_kind("sdl_submission")
    assert kind is not None
    for params, names in (("{}", ["sdl"]), ("{repositories: [a/b]}", ["sdl", "pull_request"])):
        fields = kind.claim_fields(_params("sdl_submission", params))
        assert [field.name for field in fields if field.required] == names


WRONG = [
    ("ai_deployment", "{providers: 0}", "providers"),
    ("ai_deployment", "{active: soon}", "active"),
    ("ai_deployment", "{group_by: app}", "group_by"),
    ("ai_deployment", "{apps: [{slug: x}]}", "apps[0].images"),
    ("ai_deployment", "{apps: [{slug: x, hashes: [12]}]}", "apps[0].hashes[0]"),
    ("ai_deployment", "{apps: [{slug: x, images: [a]}, {slug: x, images: [b]}]}", "apps"),
    ("ai_deployment", "{own_provider: yes}", "own_provider"),
    ("provider_onboarding", "{uptime_permille: 1001}", "uptime_permille"),
    ("provider_onboarding", "{tenants: [cosmos1x]}", "tenants[0]"),
    ("sdl_submission", "{repositories: [no-slash]}", "repositories[0]"),
    ("sdl_submission", "{own_run: maybe}", "own_run"),
    ("benchmark_run", "{lease: never}", "lease"),
    ("reviewed", "{fields: [{name: Bad Name}]}", "fields[0].name"),
    ("reviewed", "{fields: [{name: c, type: choice}]}", "fields[0].choices"),
    ("reviewed", "{fields: [{name: c, hosts: [x.com]}]}", "fields[0].hosts"),
    ("reviewed", "{fields: [{name: c}, {name: c}]}", "fields"),
    ("reviewed", "{field: []}", "field"),
    ("all_of", "{tasks: []}", "tasks"),
]


@pytest.mark.parametrize(("kind", "params", "path"), WRONG, ids=[f"{kind}-{path}" for kind, _, path in WRONG])
def test_params__that_are_wrong__name_their_path(kind: str, params: str, path: str) -> None:
    mistakes = check(f"{HEAD}tasks: [{{slug: a, kind: {kind}, params: {params}}}]").mistakes
    assert [each.path for each in mistakes] == [f"tasks[0].params.{path}"]
