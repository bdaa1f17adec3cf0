"""Spot checks of moments before a demo's start: held as the job holds them, answered by their participants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ledger.spot_checks import DRAWN, OPEN, SpotCheckRow, checks_of
from services import campaigns, spot_checks, spot_draws
from services.clock import StoppedClock
from services.house import House
from tasks.moment import SECOND, Moment

EVERY = 3 * 3600 * SECOND
"""How often it is held between the moments that were drawn; the job looks once a minute, and finds nothing more."""

ANSWERED_AFTER = 1800 * SECOND

Whose = tuple[str, str, str, str]
"""A task, a participant, a provider, a GPU model."""


@dataclass(frozen=True)
class PastSpotChecks:
    """Plays them on a house. `answers`: the challenge and the text of the result of whoever answers."""

    house: House
    answers: Mapping[Whose, tuple[str, str]]

    def commit(self, at: Moment) -> None:
        """Publish the commitments before anything is drawn with them; again: nothing changes."""
        spot_draws.hold(self._at(at))

    def hold(self, begins: Moment, ends: Moment) -> None:
        """All that happened from `begins` to `ends`; again: nothing changes."""
        now = begins
        while now <= ends:
            spot_draws.hold(self._at(now))
            self.answer(ends)
            drawn = [Moment(row.moment_ns) for row in self._rows(DRAWN) if row.moment_ns > now]
            now = min([Moment(now + EVERY), *drawn])

    def answer(self, until: Moment) -> None:
        """Enter what participants answer to the spot checks that are open, up to a moment."""
        for row in self._rows(OPEN):
            answered = Moment((row.opens_ns or 0) + ANSWERED_AFTER)
            given = self.answers.get((row.task, row.participant, row.provider, row.gpu_model))
            if given is None or answered > until:
                continue
            then, (challenge, result) = self._at(answered), given
            spot_checks.keep_shipped(then, row.participant, row.id, challenge)
            if not all(each.entered for each in spot_checks.shown(then, row.participant, row.id).given):
                spot_checks.enter(then, row.participant, row.id, [result])

    def _rows(self, state: str) -> Sequence[SpotCheckRow]:
        loaded = campaigns.required(self.house)
        with self.house.ledger.read() as session:
            rows = [row for row in checks_of(session, loaded.slug) if row.state == state]
            session.expunge_all()
        return rows

    def _at(self, moment: Moment) -> House:
        return self.house.at(StoppedClock(moment))
