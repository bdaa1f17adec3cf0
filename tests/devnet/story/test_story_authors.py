"""Those who write SDLs in the 2023 story: texts that hold, runs that exist, every sort of outcome expected."""

from __future__ import annotations

import pytest

from devnet.acts import CreateDeployment, CreateLease
from devnet.story.library import Story, story
from devnet.story.people import Register, SubmitClaim
from verifiers.sdl import check


@pytest.fixture(scope="module")
def told() -> Story:
    return story("gpu-testnet-2023")


def sent(told: Story) -> dict[str, tuple[SubmitClaim, dict[str, str]]]:
    acts = [act for act in told.people if isinstance(act, SubmitClaim) and act.task == "sdl"]
    return {act.participant: (act, dict(act.fields)) for act in acts}


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
    texts: dict[tuple[str, int], str] = {}
    leased: set[tuple[str, int]] = set()
    for act in told.chain.acts:
        if isinstance(act, CreateDeployment):
            texts[act.owner, act.dseq] = told.chain.sdls[act.sdl]
        elif isinstance(act, CreateLease):
            leased.add((act.bid.order.owner, act.bid.order.dseq))
    for one in told.authors:
        _, fields = sent(told)[one.participant]
        ran = any(
            owner == one.participant and text == fields["sdl"] and (owner, dseq) in leased
            for (owner, dseq), text in texts.items()
        )
        assert ran == ("leased" not in one.not_passed and one.verdict != "none"), one.name


def test_pulls__numbers__are_each_one_pull_request(told: Story) -> None:
    numbers = [pull.number for pull in told.pulls]
    assert len(numbers) == len(set(numbers))
    assert min(numbers) > 90_000
