"""Those who write SDLs in the 2023 story: texts that hold, runs that exist, every sort of outcome expected."""

from __future__ import annotations

import pytest
import yaml

from devnet.acts import CreateDeployment, CreateLease
from devnet.story.library import SCENARIOS, Story, story
from devnet.story.parameters import read_parameters
from devnet.story.people import Register, SubmitClaim
from tasks.campaign import load, preset
from tasks.moment import parse_moment
from verifiers.sdl import check

FOLDER = SCENARIOS / "gpu_testnet_2023"
TOLD_BY = 403_200
CHECKS = ("gpu", "images", "signed_by", "deployed", "leased", "active", "pull_request", "author", "file", "review")


@pytest.fixture(scope="module", params=["full", "small"])
def told(request: pytest.FixtureRequest) -> Story:
    return story("gpu-testnet-2023", scale=request.param)


def sent(told: Story) -> dict[str, tuple[SubmitClaim, dict[str, str]]]:
    tasks = {one.task for one in told.authors}
    acts = [act for act in told.people if isinstance(act, SubmitClaim) and act.task in tasks]
    assert len({act.participant for act in acts}) == len(acts)
    return {act.participant: (act, dict(act.fields)) for act in acts}


def leases(told: Story) -> dict[str, set[str]]:
    """Texts that an owner's leased deployments had, by owner."""
    texts: dict[tuple[str, int], str] = {}
    found: dict[str, set[str]] = {}
    for act in told.chain.acts:
        if isinstance(act, CreateDeployment):
            texts[act.owner, act.dseq] = told.chain.sdls[act.sdl]
        elif isinstance(act, CreateLease):
            order = act.bid.order
            found.setdefault(order.owner, set()).add(texts[order.owner, order.dseq])
    return found


def test_authors__expected__are_of_every_outcome(told: Story) -> None:
    assert {one.verdict for one in told.authors} == {"passed", "failed", "pending", "unknown", "none"}
    assert {one.participant for one in told.authors} == set(sent(told))


def test_authors__acts__come_after_registration_and_with_valid_texts(told: Story) -> None:
    registered = {act.participant: act.height for act in told.people if isinstance(act, Register)}
    for participant, (act, fields) in sent(told).items():
        assert registered[participant] < act.height <= 403_200
        assert check(fields["sdl"]).valid
        assert "/pull/900" in fields["pull_request"], "no number that a real pull request has"


def test_authors__who_ran_it__have_a_lease_of_that_very_text(told: Story) -> None:
    leased = leases(told)
    for one in told.authors:
        _, fields = sent(told)[one.participant]
        ran = fields["sdl"] in leased.get(one.participant, set())
        assert ran == ("leased" not in one.not_passed and one.verdict != "none"), one.name


def test_authors__every_one_of_the_file__is_there_at_either_scale(told: Story) -> None:
    written = yaml.safe_load((FOLDER / "authors.yaml").read_text(encoding="utf-8"))
    assert [one.name for one in told.authors] == [one["name"] for one in written["authors"]]
    assert {name for one in told.authors for name in one.not_passed} == set(CHECKS)


def test_authors__of_a_task_that_closed__sent_and_deployed_before(told: Story) -> None:
    written = yaml.safe_load((FOLDER / "authors.yaml").read_text(encoding="utf-8"))["tasks"]
    small = {task["slug"]: task for task in yaml.safe_load(told.small_tasks)["tasks"]}
    whole = load(preset("gpu-testnet-2023")).task("sdl")
    assert whole is not None
    assert parse_moment(written["sdl"]["opens"].strftime("%Y-%m-%dT%H:%M:%SZ")) == whole.opens
    assert {name: written["made-up-model"][name] for name in ("opens", "closes")} == {
        name: small["made-up-model"][name] for name in ("opens", "closes")
    }
    closes = read_parameters(FOLDER, "full").calendar.height(small["made-up-model"]["closes"])
    acts = [act for act, _ in sent(told).values() if act.task == "made-up-model"]
    assert len(acts) == 5
    assert max(act.height for act in acts) < closes < TOLD_BY
    assert all(pull.merged_at is None or pull.merged_at < TOLD_BY for pull in told.pulls)


def test_pulls__numbers__are_each_one_pull_request(told: Story) -> None:
    numbers = [pull.number for pull in told.pulls]
    assert len(numbers) == len(set(numbers))
    assert min(numbers) > 90_000
