"""What the cast list expects, judged by a plain reading of the deploy task's rules over the acts alone.

Rules: three distinct providers, ten minutes each, not one's own, deployments and leases in the window, an app of the
catalogue known by its SDL; 200 places, five for each person, once for each person and app; nothing for work before
the registration.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property

import pytest

from devnet.acts import CreateDeployment, CreateLease, UpdateDeployment
from devnet.story.library import Story, story
from devnet.story.people import GiveSdl, Link, Register, SubmitClaim
from tests.devnet.story.recount import Deployment, Lease, Recount

OPENS, CLOSES = 216_001, 302_401
PLACES, EACH, PROVIDERS, BLOCKS = 200, 5, 3, 100
Order = tuple[int, int]


@dataclass
class Person:
    registered: int
    addresses: set[str]
    awards: int = 0
    paid_apps: set[str] = field(default_factory=set)


class Reading:
    def __init__(self, told: Story) -> None:
        self.told = told
        self.counted = Recount(told.chain)
        self.people = {
            act.participant: Person(act.height, {act.participant}) for act in told.people if isinstance(act, Register)
        }
        for act in told.people:
            if isinstance(act, Link):
                self.people[act.participant].addresses.add(act.address)
        self.whose = {address: name for name, one in self.people.items() for address in one.addresses}
        self.catalogue = {text: app for app, texts in told.catalogue.items() for text in texts}
        self.texts: dict[tuple[str, int], set[str]] = {}
        self.order: dict[object, Order] = {}
        for index, act in enumerate(told.chain.ordered()):
            if isinstance(act, CreateDeployment):
                self.texts[act.owner, act.dseq] = {told.chain.sdls[act.sdl]}
            elif isinstance(act, UpdateDeployment):
                self.texts[act.owner, act.dseq].add(told.chain.sdls[act.sdl])
            elif isinstance(act, CreateLease):
                self.order[act.bid] = (act.height, index)
        self.entered: dict[str, set[str]] = {}
        for act in told.people:
            if isinstance(act, GiveSdl):
                self.entered.setdefault(act.owner, set()).add(act.sdl_text)
            elif isinstance(act, SubmitClaim) and act.task == "deploy":
                fields = dict(act.fields)
                self.entered.setdefault(fields["owner"], set()).add(fields["sdl"])
        self.claims = self._claims()

    def _app(self, owner: str, dseq: int) -> tuple[str, bool]:
        """The app of a deployment by its first text, and whether it is known; no app: ("", False)."""
        for text in self.texts[owner, dseq]:
            for app, texts in self.told.catalogue.items():
                image = next(line for line in texts[0].splitlines() if "image: " in line)
                if image in text.splitlines():
                    known = text in self.catalogue or text in self.entered.get(owner, set())
                    return app, known
        return "", False

    def _claims(self) -> dict[tuple[str, str], tuple[str, Order | None]]:
        """(owner, app) -> verdict, moment of completion."""
        found: dict[tuple[str, str], list[tuple[Order, Lease]]] = {}
        open_pages: set[tuple[str, str]] = set()
        for (owner, dseq), one in self.counted.deployments.items():
            if owner not in self.whose:
                continue
            app, known = self._app(owner, dseq)
            if app and not known and self.entered.get(owner) and max(one.gpus) > 0:
                open_pages.add((owner, app))
            if app and known:
                leases = found.setdefault((owner, app), [])
                leases += [
                    (self.order[lease.bid], lease) for lease in one.leases if self._qualifies(owner, one, lease)
                ]
        claims: dict[tuple[str, str], tuple[str, Order | None]] = dict.fromkeys(open_pages, ("pending", None))
        claims |= {key: ("unknown", None) for key in found if key[0] in self.told.unreadable}
        for key, leases in found.items():
            if key in claims and key[0] in self.told.unreadable:
                continue
            first: dict[str, Order] = {}
            for order, lease in sorted(leases, key=lambda row: row[0]):
                first.setdefault(lease.bid.provider, order)
            done = sorted(first.values())[PROVIDERS - 1 : PROVIDERS]
            claims[key] = ("passed", done[0]) if done else ("failed", None)
        return dict.fromkeys(self._claimed, ("failed", None)) | claims

    @property
    def _claimed(self) -> set[tuple[str, str]]:
        """(owner, app) that people claim, whatever they deployed."""
        named = [
            dict(act.fields) for act in self.told.people if isinstance(act, SubmitClaim) and act.task == "deploy"
        ]
        return {(fields["owner"], fields["app"]) for fields in named}

    def _qualifies(self, owner: str, one: Deployment, lease: Lease) -> bool:
        own = lease.bid.provider in self.people[self.whose[owner]].addresses
        end = lease.closed or self.told.told_by
        while one.cost(end) > one.funds and end > lease.opened:
            end -= 1
        gpu = one.gpus[lease.bid.order.gseq - 1] > 0
        inside = OPENS <= one.created < CLOSES and OPENS <= lease.opened < CLOSES
        return inside and gpu and not own and end - lease.opened >= BLOCKS

    @cached_property
    def awards(self) -> dict[tuple[str, str], str]:
        reasons: dict[tuple[str, str], str] = {}
        taken = 0
        done = [(order, key) for key, (verdict, order) in self.claims.items() if verdict == "passed" and order]
        for order, (owner, app) in sorted(done):
            person = self.people[self.whose[owner]]
            if order[0] < person.registered:
                reason = "before_registration"
            elif app in person.paid_apps:
                reason = "duplicate"
            elif person.awards >= EACH:
                reason = "participant_limit"
            elif taken >= PLACES:
                reason = "slots_full"
            else:
                reason = "awarded"
                taken += 1
                person.awards += 1
                person.paid_apps.add(app)
            reasons[owner, app] = reason
        return reasons


@pytest.fixture(scope="module")
def reading() -> Reading:
    return Reading(story("gpu-testnet-2023"))


def test_expected__of_the_whole_cast__is_what_the_rules_say(reading: Reading) -> None:
    reasons = reading.awards
    for one in reading.told.expected:
        verdict = reading.claims.get((one.owner, one.app), ("none", None))[0]
        assert (verdict, reasons.get((one.owner, one.app), "")) == (one.verdict, one.reason), one


def test_story__of_the_deploy_task__reaches_every_reason_and_each_step_of_the_decay(reading: Reading) -> None:
    told = Counter(reading.awards.values())
    assert set(told) == {"awarded", "duplicate", "participant_limit", "slots_full", "before_registration"}
    assert told["awarded"] == PLACES
    assert told["slots_full"] >= 5
    days = {
        (order[0] - OPENS) // 14_400
        for key, (_, order) in reading.claims.items()
        if order and reading.awards.get(key) == "awarded"
    }
    assert days == {0, 1, 2, 3, 4, 5}
    assert Counter(verdict for verdict, _ in reading.claims.values())["failed"] >= 15
