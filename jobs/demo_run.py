"""Runs a demo: the local network, the platform on it, and the people of the story, each act at its time."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol, TextIO

from jobs.demo import CHAIN_ID, CODE_HOST_AT, Demo, campaign_text, is_answering, write_settings, write_whole
from jobs.supervisor import Supervisor
from ledger.upgrading import upgrade
from services import campaigns, claims, following, verification, verifying_anew
from services.author_codes import author_codes
from services.errors import Unavailable, UseCaseError
from services.house import House
from services.loading import load_campaign
from services.rewards import Computed, compute_awards, compute_if_changed
from services.settings import Settings, load_settings
from tasks.campaign import preset
from verifiers.evidence import ChainPoint
from verifiers.trouble import Trouble

NOTE_EVERY = 50
TRIES = 20
LOOKS_IDLE = 50
LOOKS_AT_UNKNOWN = 3
PRESET = "gpu-testnet-2023"


@dataclass(frozen=True, slots=True)
class Performance:
    """Something that a person of the story does when `height` is the newest block.

    `waits`: it follows on verdicts and awards, so all that is due is verified before it.
    """

    height: int
    run: Callable[[], None]
    waits: bool = False


class Told(Protocol):
    """The story: its blocks, and what its people do."""

    def block(self, height: int) -> ChainPoint:
        """The block of a height."""
        ...

    def performances(self, house: House) -> Sequence[Performance]:
        """The acts of people, by height."""
        ...

    def before_the_jobs(self, house: House) -> None:
        """What the platform has done before its jobs run, at each start; again: nothing changes."""
        ...

    def providers(self) -> Sequence[str]:
        """The owners of the providers that answer, in the order of their ports."""
        ...

    def payer(self) -> str:
        """The account that payouts are paid from."""
        ...

    def authors(self) -> Sequence[str]:
        """The participants who have pull requests."""
        ...

    def small_tasks(self) -> str:
        """Made-up tasks beside the preset's, a YAML document that begins with `tasks`."""
        ...


@dataclass
class DemoRun:
    """One start of a demo. `build_house` wires a platform on settings, `child` is the command line of one of our own
    commands, `until_height` where the story stops."""

    demo: Demo
    told: Told
    build_house: Callable[[Settings], House]
    child: Callable[..., list[str]]
    messages: TextIO
    until_height: int | None = None
    supervisor: Supervisor = field(default_factory=Supervisor)
    _has_found: bool = False

    def forever(self) -> None:
        """Run until told to stop."""
        house = self._start()
        try:
            self._say(f"Waymark: open {self.demo.url}")
            self._say(f"Its staff's keys: {self.demo.folder / 'keys'}; docs/demo.md says how to sign in with them")
            self._play(house, self.told.performances(house))
            self.supervisor.run()
        finally:
            self.supervisor.stop()

    def until(self, height: int) -> Computed | None:
        """Run up to the height, verify every claim there, compute the awards. None where told to stop before."""
        house = self._start()
        try:
            self._say(f"Waymark: {self.demo.url}, up to height {height}")
            self._play(house, self.told.performances(house))
            self._wait_for_follower(house, height)
            self.supervisor.stop_child("serve")
            return None if self.supervisor.stopping.is_set() else self._settle(house, height)
        finally:
            self.supervisor.stop()

    def _start(self) -> House:
        demo, until = self.demo, self.until_height
        stops = None if until is None else self.told.block(until).time
        write_settings(demo, stops, self.told.providers(), self.told.payer())
        settings = load_settings(demo.env_file)
        upgrade(settings.database_url)
        house = self.build_house(settings)
        loaded, _ = load_campaign(house, _campaign(demo, self.told.small_tasks()), "demo")
        codes = {who: author_codes(settings, loaded.slug, who)[0] for who in self.told.authors()}
        write_whole(demo.codes_file, json.dumps(codes, indent=2) + "\n")
        self.supervisor.stop_on_signals()
        network = ["devnet", "--port", str(demo.rest_port), "--opens", str(demo.opens)]
        network += ["--scale", demo.scale, "--seed", str(demo.seed), "--codes", str(demo.codes_file)]
        network += ["--payouts", str(demo.folder)]
        network += [] if until is None else ["--until", str(until)]
        self.supervisor.start("devnet", self.child(*network), os.environ)
        self._wait_for_code_host()
        self.told.before_the_jobs(house)
        self.supervisor.start("serve", [*_with_env(self.child, demo), "serve"], os.environ)
        return house

    def _wait_for_code_host(self) -> None:
        """Until it takes questions, so that the first author's pull request is found; no longer than a minute."""
        for _ in range(600):
            if is_answering(self.demo.rest_port + CODE_HOST_AT) or self.supervisor.stopping.wait(0.1):
                return
            self.supervisor.tend()

    def _play(self, house: House, acts: Sequence[Performance]) -> None:
        """Perform the acts in order, each when its block is there; at a second start go on where the first ended.

        Those that wait for verdicts come after the others of their time: verdicts are there from the first start on.
        """
        others, waiting = [act for act in acts if not act.waits], [act for act in acts if act.waits]
        last = self.until_height
        until = max((act.height for act in waiting), default=0) if last is None else last
        rows = ("done", others, until), ("waited", waiting, last), ("done", others, last)
        for row, these, height in rows:
            if not self._play_row(house, row, these, height):
                return

    def _play_row(self, house: House, row: str, acts: Sequence[Performance], last: int | None) -> bool:
        """Perform acts up to a height; False where told to stop before."""
        done = self.demo.acts_done(row)
        for number, act in enumerate(acts[done:], done + 1):
            if last is not None and act.height > last:
                break
            if not self._wait_until(house, act.height) or (act.waits and not self._wait_for_verdicts(house)):
                return False
            if not self._perform(house, act):
                return False
            done = number
            if number % NOTE_EVERY == 0:
                self.demo.note_acts_done(row, number)
        self.demo.note_acts_done(row, done)
        return True

    def _perform(self, house: House, act: Performance) -> bool:
        """Perform an act. One that waits for verdicts is tried again where it is refused: a busy machine may have
        looked in vain. False where told to stop."""
        looks = LOOKS_AT_UNKNOWN
        for left in reversed(range(TRIES)):
            try:
                act.run()
            except UseCaseError as refusal:
                if left and act.waits and isinstance(refusal, Unavailable):
                    self.supervisor.stopping.wait(0.5)
                    continue
                if looks and act.waits:
                    looks -= 1
                    verifying_anew.look_again_at_unknown(house, campaigns.required(house))
                    if self._wait_for_verdicts(house):
                        continue
                    return False
                self._say(f"at height {act.height} somebody was told: {refusal.message}")
            break
        return True

    def _wait_for_verdicts(self, house: House) -> bool:
        """Until every claim there is has been looked at; the jobs do most of it. False where told to stop."""
        loaded, idle = campaigns.required(house), 0
        while not self.supervisor.stopping.is_set():
            self.supervisor.tend()
            with suppress(Unavailable, Trouble):
                if not self._has_found and verification.judging_point(house, loaded) is not None:
                    claims.find_claims(house)
                    self._has_found = True
                # the jobs hold the rest; killed ones would hold theirs until the clock, which may stand, is later
                look = verifying_anew.verify_waiting if idle > LOOKS_IDLE else verification.verify_batch
                idle = 0 if look(house, loaded) else idle + 1
                if self._has_found and not verifying_anew.waiting_claims(house, loaded):
                    compute_if_changed(house)
                    return True
            if idle:
                self.supervisor.stopping.wait(0.2)
        return False

    def _wait_until(self, house: House, height: int) -> bool:
        while house.clock.now() < self.told.block(height).time:
            self.supervisor.tend()
            if self.supervisor.stopping.wait(0.5):
                return False
        self.supervisor.tend()
        return not self.supervisor.stopping.is_set()

    def _wait_for_follower(self, house: House, height: int) -> None:
        while not self.supervisor.stopping.wait(0.5):
            self.supervisor.tend()
            point = self._point(house)
            if point is not None and point.height == height:
                return

    def _point(self, house: House) -> ChainPoint | None:
        """The block that the follower stands at, None while it has none that can be judged at."""
        try:
            with house.ledger.read() as session:
                return following.judged_point(session, CHAIN_ID, house.clock.now())
        except Unavailable:
            return None

    def _settle(self, house: House, height: int) -> Computed:
        """Every claim gets a verdict gathered at exactly this height; then the awards follow."""
        loaded = campaigns.required(house)
        point = self._point(house)
        if point is None or point.height != height:
            raise AssertionError("the follower left the height at which the chain stands")
        before: frozenset[str] | None = None
        for _ in range(LOOKS_AT_UNKNOWN):
            self._wait_for_node(house)
            claims.find_claims(house)
            verifying_anew.verify_everything(house, loaded, point, lambda _: self.supervisor.tend())
            while verifying_anew.verify_waiting(house, loaded):  # what was decided or entered since somebody looked
                self.supervisor.tend()
            unknown = verifying_anew.unknown_claims(house, loaded)
            if not unknown or unknown == before:
                break  # another look would tell no more
            before = unknown
            verifying_anew.look_again_at_unknown(house, loaded)
        verifying_anew.verify_everything(house, loaded, point, lambda _: self.supervisor.tend())
        return compute_awards(house)

    def _wait_for_node(self, house: House) -> None:
        """Until the network answers: it may just have been started again."""
        while house.chain is not None and not self.supervisor.stopping.is_set():
            self.supervisor.tend()
            try:
                house.chain.tip()
            except Trouble:
                time.sleep(1)
            else:
                return

    def _say(self, message: str) -> None:
        print(message, file=self.messages, flush=True)


def _with_env(child: Callable[..., list[str]], demo: Demo) -> list[str]:
    program, script, *_ = child()
    return [program, script, "--env-file", str(demo.env_file)]


def _campaign(demo: Demo, small_tasks: str) -> str:
    """The campaign file of this demo; written once, so that people can read and revise it."""
    if not demo.campaign_file.exists():
        demo.campaign_file.write_text(campaign_text(preset(PRESET), demo.opens, small_tasks))
    return demo.campaign_file.read_text()
