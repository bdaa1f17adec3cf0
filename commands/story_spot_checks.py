"""Spot checks of the demo: held at the story's moments, answered with shipped results for fixed challenges."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from devnet.story.library import Story
from jobs.demo_run import Performance
from jobs.turns import give_turns_back, take_turns, turns_of
from services import campaigns
from services.house import House
from services.spot_acts import PastSpotChecks
from tasks.moment import Moment
from verifiers.evidence import ChainPoint

SHIPPED = Path(__file__).parent.parent / "devnet" / "scenarios" / "gpu_testnet_2023" / "spot_checks.json"
TOLD_AT = 401_701
"""The height of the act: an hour before the reviewers look, when all of them have come."""

HOLDS, LOOKS = ("spot_checks",), ("verify",)
MOST_SECONDS = 900
"""How long the job leaves these spot checks alone, so that none is drawn, missed or over before its time is told."""


@cache
def shipped_results() -> Mapping[str, dict[str, Any]]:
    """The results that the demo ships, by the name in hosts.yaml; the file's first line says how they were made."""
    found: dict[str, dict[str, Any]] = json.loads(SHIPPED.read_text("utf-8"))["results"]
    return found


@dataclass(frozen=True)
class ToldSpotChecks:
    """The spot checks of one demo."""

    house: House
    block: Callable[[int], ChainPoint]
    told: Story

    def begin(self, *, is_told: bool) -> None:
        """At each start, before any job runs: commit, end what an earlier start began, and keep the job away until
        they are told."""
        if not self.told.racks:
            return
        past = self._past()
        past.commit(self.block(1).time)
        past.answer(self.block(TOLD_AT).time)
        if not is_told:
            take_turns(self.house, HOLDS, MOST_SECONDS)

    def performances(self) -> list[Performance]:
        """One act: it needs the verdicts that say since when GPUs count."""
        return [Performance(TOLD_AT, self._hold, waits=True)] if self.told.racks else []

    def _hold(self) -> None:
        # nobody judges between the opening and the answer that came half an hour later
        with turns_of(self.house, LOOKS, MOST_SECONDS):
            self._past().hold(self._begins, self.block(TOLD_AT).time)
        give_turns_back(self.house, HOLDS)

    @property
    def _begins(self) -> Moment:
        newest = campaigns.required(self.house).newest
        return min(task.opens for task in newest.tasks if task.params.get("spot_checks"))

    def _past(self) -> PastSpotChecks:
        results = shipped_results()
        answers = {
            (one.task, one.participant, one.provider, one.model): (
                str(results[one.answers]["challenge"]),
                json.dumps(results[one.answers]),
            )
            for one in self.told.racks
            if one.answers
        }
        return PastSpotChecks(self.house, answers)
