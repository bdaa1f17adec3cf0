"""An SDL written for others: each check passed, failed, pending and unknown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tasks.moment import Moment
from tests.codehost_double import CodeHostDouble, Fault
from tests.deployed_worlds import OWNER, World
from tests.submissions import SDL
from tests.submitted_worlds import (
    ALIKE,
    CODE,
    COPY,
    GPU,
    HASH,
    OTHER_CODE,
    OVER,
    PATH,
    RECEIVED,
    SIGNED_BY,
    UNLIKE,
    Change,
    chain,
    outcomes,
    pull,
    setting,
    submitted,
    text,
    text_without_gpu,
    versions,
    well,
)
from verifiers.deployed.params import App


@pytest.fixture
def double() -> Iterator[CodeHostDouble]:
    with CodeHostDouble() as running:
        yield running


CASES: list[tuple[str, str, str, Change, dict[str, object], dict[str, object]]] = [
    # check, its outcome, the verdict's, what is different, the claim, the task
    ("gpu", "passed", "passed", lambda w: None, {}, {}),
    ("gpu", "failed", "failed", lambda w: text(w, GPU, ""), {}, {}),
    ("gpu", "failed", "failed", text_without_gpu, {}, {}),
    ("images", "failed", "failed", lambda w: text(w, ":1.4", ":latest"), {}, {}),
    ("images", "failed", "failed", lambda w: text(w, ":1.4", ""), {}, {}),
    ("images", "passed", "passed", lambda w: text(w, ":1.4", "@sha256:" + "ab" * 32), {}, {}),
    ("exposed", "passed", "passed", lambda w: None, {}, {}),
    ("signed_by", "failed", "failed", lambda w: text(w, "    anywhere:\n", f"    anywhere:\n{SIGNED_BY}"), {}, {}),
    ("deployed", "pending", "pending", lambda w: chain(w, World()), {}, {}),
    ("deployed", "pending", "pending", lambda w: chain(w, World().deploy(1).lease(1)), {}, {}),
    ("deployed", "failed", "failed", lambda w: chain(w, World()), OVER, {}),
    (
        "deployed",
        "failed",
        "failed",
        lambda w: chain(w, World().deploy(1, 20, hash_hex=HASH).lease(1, created_at=30)),
        OVER,
        {},
    ),
    ("deployed", "unknown", "unknown", lambda w: w.chain.trouble("deployments/list", "timeout"), {}, {}),
    ("deployed", "unknown", "unknown", lambda w: w.chain.trouble("deployments/list", "lagging"), OVER, {}),
    (
        "deployed",
        "passed",
        "passed",
        lambda w: chain(w, World().deploy(9, hash_hex=HASH, owner="akash1two").lease(9, owner="akash1two")),
        {"addresses": (OWNER, "akash1two")},
        {},
    ),
    ("leased", "pending", "pending", lambda w: chain(w, World().deploy(1, hash_hex=HASH)), {}, {}),
    ("leased", "failed", "failed", lambda w: chain(w, World().deploy(1, hash_hex=HASH)), OVER, {}),
    ("leased", "unknown", "unknown", lambda w: w.chain.trouble("leases/list", "server_error"), {}, {}),
    ("active", "pending", "pending", lambda w: chain(w, World(height=150).deploy(1, hash_hex=HASH).lease(1)), {}, {}),
    (
        "active",
        "pending",
        "pending",
        lambda w: chain(w, World().deploy(1, hash_hex=HASH).lease(1, closed_on=150)),
        {},
        {},
    ),
    (
        "active",
        "failed",
        "failed",
        lambda w: chain(w, World().deploy(1, hash_hex=HASH).lease(1, closed_on=150)),
        OVER,
        {},
    ),
    ("active", "unknown", "unknown", lambda w: w.chain.trouble("blocks/110", "timeout"), {}, {}),
    (
        "active",
        "passed",
        "passed",
        lambda w: chain(w, World().deploy(1, hash_hex=HASH, state="closed").lease(1, closed_on=400)),
        OVER,
        {},
    ),
    ("pull_request", "passed", "passed", lambda w: pull(w, state="closed", merged_at="2026-11-21T00:00:00Z"), {}, {}),
    (
        "pull_request",
        "passed",
        "passed",
        lambda w: pull(w, state="closed", merged_at="2026-11-21T00:00:00Z"),
        {},
        {"state": "merged"},
    ),
    ("pull_request", "pending", "pending", lambda w: None, {}, {"state": "merged"}),
    ("pull_request", "pending", "pending", lambda w: None, OVER, {"state": "merged"}),
    ("pull_request", "failed", "failed", lambda w: pull(w, state="closed", closed_at="2026-11-21T00:00:00Z"), {}, {}),
    ("pull_request", "failed", "failed", lambda w: w.double.pulls.clear(), {}, {}),
    ("pull_request", "failed", "failed", lambda w: None, {}, {"repositories": ("net/others",)}),
    ("pull_request", "unknown", "unknown", lambda w: w.double.repositories.clear(), {}, {}),
    ("author", "pending", "pending", lambda w: pull(w, body="no code"), {}, {}),
    ("author", "pending", "pending", lambda w: pull(w, body=f"{CODE}x"), {}, {}),
    ("author", "failed", "failed", lambda w: pull(w, body=""), OVER, {}),
    ("author", "failed", "failed", lambda w: pull(w, body=OTHER_CODE), {}, {}),
    ("author", "passed", "passed", lambda w: pull(w, body=f"{OTHER_CODE} {CODE}"), {}, {}),
    ("author", "passed", "passed", lambda w: pull(w, body="", title=f"Add {CODE}"), {}, {}),
    ("author", "passed", "passed", lambda w: pull(w, body=""), {}, {"author_proof": "none"}),
    ("author", "unknown", "unknown", lambda w: w.double.faults.append(Fault("/pulls/12", 500)), OVER, {}),
    ("file", "passed", "passed", lambda w: pull(w, files={"moved/app.yml": SDL.replace("# ", "").encode()}), {}, {}),
    (
        "file",
        "passed",
        "passed",
        lambda w: pull(w, files={PATH: b"# a comment, and Windows lines\r\n" + SDL.replace("\n", "\r\n").encode()}),
        {},
        {},
    ),
    ("file", "failed", "failed", lambda w: pull(w, files={PATH: SDL.replace("16Gi", "32Gi").encode()}), {}, {}),
    ("file", "failed", "failed", lambda w: pull(w, files={"README.md": b"# only words"}), {}, {}),
    ("file", "failed", "failed", lambda w: pull(w, files={}), {}, {}),
    ("file", "failed", "failed", lambda w: pull(w, removed=(PATH,)), {}, {}),
    ("file", "pending", "pending", lambda w: pull(w, files={f"{n:03}.yaml": b"no: sdl" for n in range(41)}), {}, {}),
    ("file", "pending", "failed", lambda w: w.double.pulls.clear(), {}, {}),
    ("file", "unknown", "unknown", lambda w: w.double.faults.append(Fault("/contents/", 404, {}, b"{}")), {}, {}),
    ("file", "unknown", "unknown", lambda w: w.double.faults.append(Fault("/files", 503)), OVER, {}),
    ("novelty", "passed", "passed", lambda w: setattr(w, "earlier", [UNLIKE]), {}, {}),
    (
        "novelty",
        "passed",
        "passed",
        lambda w: setattr(w, "earlier", [replace(COPY, received_at=Moment(RECEIVED + 1))]),
        {},
        {},
    ),
    ("novelty", "unknown", "unknown", setting("compares", False), {}, {}),
    ("review", "pending", "pending", setting("earlier", [COPY]), {}, {}),
    ("review", "pending", "pending", setting("earlier", [ALIKE, UNLIKE]), {}, {}),
    (
        "review",
        "pending",
        "pending",
        setting("apps", [App("llm", "An LLM", ("example/llm-server",), frozenset())]),
        {},
        {},
    ),
    ("review", "pending", "pending", setting("apps", [App("llm", "An LLM", (), frozenset({HASH}))]), OVER, {}),
    ("sdl", "unknown", "unknown", lambda w: versions(w, []), OVER, {}),
    ("sdl", "unknown", "unknown", lambda w: versions(w, [replace(w.versions[0], body=b"{}")]), {}, {}),
]


@pytest.mark.parametrize(
    ("check", "outcome", "whole", "change", "facts", "task"),
    CASES,
    ids=[f"{number}-{row[0]}-{row[1]}" for number, row in enumerate(CASES)],
)
def test_judge__one_thing_different__has_this_outcome(
    double: CodeHostDouble,
    check: str,
    outcome: str,
    whole: str,
    change: Change,
    facts: dict[str, object],
    task: dict[str, object],
) -> None:
    written = well(double)
    change(written)
    verdict = written.judged(submitted(**facts), **task)
    assert outcomes(verdict).get(check) == outcome, verdict.checks
    assert str(verdict.outcome) == whole, verdict.checks
    assert (verdict.next_look is None) == (whole in ("passed", "failed") or check == "review")
    assert bool(verdict.missing) == (whole != "passed")
    assert all(each.height == written.chain.height for each in verdict.checks)
