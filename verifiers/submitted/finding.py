"""One check of a submitted SDL with what it means for the claim (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tasks.moment import Moment
from verifiers.evidence import ChainPoint, Check, Outcome

TROUBLES = {
    "timeout": "it did not answer in time",
    "unreachable": "it could not be reached",
    "bad_certificate": "it shows no certificate that can be trusted",
    "rate_limited": "it asked us to slow down",
    "server_error": "it had an error",
    "cut_body": "its answer broke off",
    "too_large": "its answer is too large",
    "wrong_content_type": "its answer is no JSON",
    "undecodable": "its answer could not be read",
    "redirected": "it redirects us",
    "denied": "it refuses to answer us",
    "repository_hidden": "it does not show us the repository",
    "unexpected_status": "it answered with a status that says nothing",
    "not_connected": "no code host is connected",
    "not_looked": "it was not asked",
    "host_refused": "its address is none that may be asked",
}
OURS = "Nothing for you to do: we could not look, and try again."


@dataclass(frozen=True, slots=True)
class Finding:
    """One check; `missing`: what the participant is to do, empty where nothing.

    `keeps_place`: an open check that waits for time or for people other than the participant. `ready`: when it may
    be met.
    """

    check: Check
    missing: str = ""
    keeps_place: bool = False
    ready: Moment | None = None

    @property
    def outcome(self) -> Outcome:
        """The check's."""
        return self.check.outcome


@dataclass(frozen=True, slots=True)
class Findings:
    """Makes findings that name the block at which a claim is looked at."""

    point: ChainPoint

    def made(
        self,
        name: str,
        expected: str,
        seen: str,
        outcome: Outcome,
        observations: Iterable[str] = (),
        missing: str = "",
        *,
        keeps_place: bool = False,
        ready: Moment | None = None,
    ) -> Finding:
        """One finding; an unknown one is ours and keeps the place."""
        ids = tuple(dict.fromkeys(observations))
        check = Check(name, expected, seen, outcome, ids, self.point.height, self.point.time)
        if outcome == Outcome.UNKNOWN:
            return Finding(check, missing or OURS, keeps_place=True)
        return Finding(check, "" if outcome == Outcome.PASSED else missing, keeps_place, ready)


def could_not_ask(trouble: str | None) -> str:
    """Why nothing is known of the code host, as ours."""
    return f"could not ask the code host: {TROUBLES.get(trouble or '', trouble or 'no reason given')}"
