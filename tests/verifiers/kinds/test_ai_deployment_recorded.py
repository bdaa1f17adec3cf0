"""The judge on what real nodes answered, whole, damaged and with pieces missing."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.moment import SECOND, Moment
from tests.deployed_worlds import OWNER, START, World, claim, params, recorded_world
from tests.recordings import SETS
from verifiers.evidence import ClaimFacts, Observation, Outcome, Source, Verdict
from verifiers.kinds import ai_deployment

OPEN = {"opens": START, "closes": Moment(START + 10**6 * SECOND)}
ANY_APP = {"apps": (), "group_by": "deployment"}
FALCON = {
    "slug": "falcon",
    "title": "Falcon",
    "images": ("example/falcon7b",),
    "hashes": ("d3182426d93a55967eccceb31482a3f2d993974a2d9a41e486063aa708061c90",),
}


def owner_of(world: World, dseq: int) -> str:
    return next(owner for owner, number in world.deployments if number == dseq)


def judged(folder: str, dseq: int, seconds: int, **changes: object) -> Verdict:
    world = recorded_world(folder)
    owner = owner_of(world, dseq)
    facts = claim(f"{owner}/{dseq}", addresses=(owner,), participant=owner, **OPEN)
    task = params(active_ns=seconds * SECOND, **{**ANY_APP, **changes})
    observations = ai_deployment.gather(facts, task, world)
    return ai_deployment.judge(facts, observations, task, world.point)


RECORDED = [
    ("three groups on three providers", "akash-recorded", 20001, 60, 3, "passed"),
    ("the same on v2", "akash-recorded-v2", 20001, 60, 3, "passed"),
    ("four providers wanted", "akash-recorded", 20001, 60, 4, "pending"),
    ("lease runs", "akash-recorded", 10002, 60, 1, "passed"),
    ("second order runs on", "akash-recorded", 10003, 60, 1, "passed"),
    ("closed by the provider after three blocks", "akash-recorded", 10004, 10, 1, "pending"),
    ("overdrawn and found", "akash-recorded", 20002, 10, 1, "failed"),
    ("overdrawn, paid blocks suffice", "akash-recorded", 20002, 1, 1, "passed"),
    ("overdrawn and found by nobody", "akash-recorded", 20003, 10, 1, "pending"),
    ("the same on v2", "akash-recorded-v2", 20003, 10, 1, "pending"),
    ("overdrawn with uakt in the account", "akash-recorded-v2", 20005, 60, 1, "failed"),
    ("reclaiming", "akash-recorded-v2", 30002, 60, 1, "passed"),
    ("copied SDL, one block", "akash-recorded", 66001, 600, 1, "failed"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("folder", "dseq", "seconds", "providers", "outcome"), [pytest.param(*row[1:], id=row[0]) for row in RECORDED]
)
def test_judge__recorded_deployment__is_as_the_node_tells(
    folder: str, dseq: int, seconds: int, providers: int, outcome: str
) -> None:
    gpu_units = recorded_world(folder).deployments[owner_of(recorded_world(folder), dseq), dseq]
    verdict = judged(folder, dseq, seconds, providers=providers)
    assert str(verdict.outcome) == outcome, (verdict.checks, gpu_units["groups"])


def test_judge__copied_hash_with_a_lease_of_one_block__does_not_pass() -> None:
    verdict = judged("akash-recorded", 66001, 600, apps=(FALCON,), group_by="deployment")
    outcomes = {check.name: check.outcome for check in verdict.checks}
    assert outcomes["app"] == Outcome.PASSED
    assert outcomes["active"] == Outcome.FAILED


def test_judge__fractional_price__is_exact() -> None:
    world = recorded_world("akash-recorded")
    rows = [row for row in world.leases if "." in row["lease"]["price"]["amount"].rstrip("0").rstrip(".")]
    assert rows
    verdict = judged("akash-recorded", int(rows[0]["lease"]["id"]["dseq"]), 60)
    assert verdict.outcome in (Outcome.PASSED, Outcome.FAILED)


CLAIMS = [(folder, owner, dseq) for folder in SETS for owner, dseq in sorted(recorded_world(folder).deployments)]
TROUBLES = ["timeout", "pruned", "lagging", "wrong_chain", "disagree"]


def gathered(
    folder: str, owner: str, subject: str, task: dict[str, object]
) -> tuple[ClaimFacts, World, list[Observation]]:
    world = recorded_world(folder)
    facts = claim(f"{owner}/{subject}", addresses=(owner,), participant=owner, **OPEN)
    return facts, world, list(ai_deployment.gather(facts, task, world))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(
    st.sampled_from(CLAIMS),
    st.booleans(),
    st.integers(1, 4),
    st.integers(0, 120),
    st.lists(st.tuples(st.integers(0, 60), st.sampled_from(["drop", "empty", "garbage", *TROUBLES])), max_size=4),
    st.randoms(use_true_random=False),
)
def test_judge__damaged_observations__never_raises_and_says_the_same_twice(
    row: tuple[str, str, int],
    by_app: bool,
    providers: int,
    seconds: int,
    damages: list[tuple[int, str]],
    random: object,
) -> None:
    folder, owner, dseq = row
    changes = {"apps": (FALCON,), "group_by": "app"} if by_app else ANY_APP
    task = params(providers=providers, active_ns=seconds * SECOND, **changes)
    facts, world, observations = gathered(folder, owner, "falcon" if by_app else str(dseq), task)
    for place, damage in damages:
        if observations:
            observations[place % len(observations)] = damaged(observations[place % len(observations)], damage)
    verdict = ai_deployment.judge(facts, observations, task, world.point)
    assert repr(ai_deployment.judge(facts, list(observations), task, world.point)) == repr(verdict)
    random.shuffle(observations)
    assert ai_deployment.judge(facts, observations, task, world.point).outcome == verdict.outcome
    if verdict.outcome == Outcome.PASSED:
        assert verdict.at is not None


def damaged(observation: Observation, damage: str) -> Observation:
    kept = {"source": observation.source, "host": "h", "seen_at": START, "chain_id": observation.chain_id}
    if damage == "drop":
        return Observation(Source.REVIEWER, "REVIEW nothing", b"", "h", START)
    if damage in ("empty", "garbage"):
        body = b"{}" if damage == "empty" else b"\xff<html>"
        return Observation(request=observation.request, body=body, status=200, height=observation.height, **kept)
    return Observation(request=observation.request, body=b"", height=observation.height, trouble=damage, **kept)


def test_judge__trouble_of_ours__never_fails_an_honest_claim() -> None:
    task = params(providers=3, active_ns=60 * SECOND, **ANY_APP)
    world = recorded_world("akash-recorded")
    facts, world, observations = gathered("akash-recorded", owner_of(world, 20001), "20001", task)
    for place, observation in enumerate(observations):
        for damage in ("empty", "garbage", *TROUBLES):
            changed = [*observations[:place], damaged(observation, damage), *observations[place + 1 :]]
            verdict = ai_deployment.judge(facts, changed, task, world.point)
            assert verdict.outcome in (Outcome.PASSED, Outcome.UNKNOWN), (observation.request, damage, verdict.checks)


def test_gather__every_chain_question_in_trouble__still_answers() -> None:
    for name in TROUBLES:
        world = World().deploy(1).lease(1).sdl(1).trouble("", name)
        observations = ai_deployment.gather(claim(), params(), world)
        verdict = ai_deployment.judge(claim(), observations, params(), world.point)
        assert verdict.outcome == Outcome.UNKNOWN
        assert OWNER in claim().addresses
