"""Acts of people that follow on verdicts and awards: appeals and rulings, eligibility, grants, the end of a task.

Each at the block of its height, by the use cases that the API and the commands call; again: nothing changes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from ledger.awards import AwardLineRow
from ledger.eligibility import EligibilityRow
from ledger.results import result_states
from ledger.verdicts import claim_id
from services import appeals, campaigns, eligibility, ending, grants
from services.appeals import Appeal, Ruling
from services.award_lines import GRANT
from services.clock import StoppedClock
from services.errors import NotFound
from services.grants import Grant
from services.house import House
from services.loading import load_campaign
from tasks.rewards.money import parse_micro
from verifiers.evidence import ChainPoint
from verifiers.reviewing import Done


@dataclass(frozen=True)
class LaterPlayer:
    """Plays such acts on a house. `block` gives the block of a height."""

    house: House
    block: Callable[[int], ChainPoint]

    def appeal(self, height: int, participant: str, task: str, subject: str, about: str, text: str) -> None:
        """Contest the result or the award of a claim."""
        claim = self._claim(participant, task, subject)
        if self._appeal(claim, about) is None:
            appeals.make(self._at(height), participant, claim, about, text)

    def rule(
        self, height: int, organizer: str, participant: str, task: str, subject: str, about: str, ruling: Ruling
    ) -> None:
        """Decide the appeal about a claim. Raises NotFound where nobody made one."""
        made = self._appeal(self._claim(participant, task, subject), about)
        if made is None:
            raise NotFound("Nobody appealed, so there is nothing to decide.")
        if made.ruling is None:
            appeals.rule(self._at(height), organizer, made.row.id, ruling)

    def done_at(self, height: int | None) -> Done | None:
        """When work was done that lies in the block of a height, for a ruling."""
        return None if height is None else Done(self.block(height).time, height)

    def set_eligibility(self, height: int, organizer: str, entered: eligibility.Entered) -> None:
        """Say who may earn and be paid."""
        house = self._at(height)
        same = (
            EligibilityRow.campaign == campaigns.required(house).slug,
            EligibilityRow.participant == entered.address,
            EligibilityRow.at_ns == house.clock.now(),
        )
        with house.ledger.read() as session:
            is_done = session.scalars(select(EligibilityRow.id).where(*same)).first() is not None
        if not is_done:
            eligibility.set_eligibility(house, organizer, entered)

    def grant(
        self, height: int, participant: str, amount: str, reason: str, names: Sequence[str], about: str
    ) -> None:
        """Give something by hand, `amount` of the campaign's unit. `about`: `<task> <subject>` of the claim."""
        house = self._at(height)
        same = (
            AwardLineRow.campaign == campaigns.required(house).slug,
            AwardLineRow.kind == GRANT,
            AwardLineRow.participant == participant,
            AwardLineRow.computed_ns == house.clock.now(),
        )
        with house.ledger.read() as session:
            is_done = session.scalars(select(AwardLineRow.id).where(*same)).first() is not None
        if not is_done:
            task, _, subject = about.partition(" ")
            claim = self._claim(participant, task, subject)
            grants.grant(house, Grant(participant, parse_micro(amount), reason, tuple(names), claim))

    def end(self, height: int, organizer: str, task: str, state: str) -> None:
        """Publish the results of a task (`state` provisional), or make them final."""
        house = self._at(height)
        with house.ledger.read() as session:
            is_done = (task, state) in result_states(session, campaigns.required(house).slug)
        if not is_done:
            act = ending.publish_results if state == "provisional" else ending.finalize
            act(house, organizer, task)

    def revise(self, height: int, organizer: str, reason: str, replaced: Sequence[tuple[str, str]]) -> None:
        """Load a revision that reaches back, in whose text the second of each pair stands for the first."""
        newest = campaigns.required(self.house).newest
        if newest.change is not None and newest.change.reason == reason:
            return
        change = f"change: {{reason: {json.dumps(reason)}, reaches_back: true}}"
        text = re.sub(r"(?m)^(change|revision):.*\n", "", newest.text)
        for old, new in replaced:
            text = text.replace(old, new)
        head = f"revision: {newest.revision + 1}\n{change}\n"
        load_campaign(self._at(height), head + text, organizer)

    def _appeal(self, claim: str, about: str) -> Appeal | None:
        with self.house.ledger.read() as session:
            made = appeals.of_claims(session, [claim]).get(claim, [])
        return next((each for each in made if each.about == about), None)

    def _claim(self, participant: str, task: str, subject: str) -> str:
        return claim_id(campaigns.required(self.house).slug, participant, task, subject)

    def _at(self, height: int) -> House:
        return self.house.at(StoppedClock(self.block(height).time))
