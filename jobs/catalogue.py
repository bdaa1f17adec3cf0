"""The list of jobs: what each does, how often it is due."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services import (
    campaigns,
    claims,
    following,
    housekeeping,
    payout_reconcile,
    probing,
    registrations,
    rewards,
    signals,
    spot_draws,
    verification,
)
from services.house import House
from tasks.moment import SECOND, Moment

SPOT_CHECKS_EVERY_SECONDS = 60
PAYOUTS_EVERY_SECONDS = 15
PROBE_LOOKS_EVERY_SECONDS = 15
"""How soon a probe follows the beginning of its slot: the campaign says how long a slot is."""


@dataclass(frozen=True, slots=True)
class Job:
    """Scheduled work of ours. `run` is idempotent and returns one line for the job list."""

    name: str
    title: str
    every_seconds: int
    run: Callable[[House], str]

    def slot(self, now: Moment) -> Moment:
        """The start of the slot that `now` lies in: what makes one due run."""
        length = self.every_seconds * SECOND
        return Moment(now // length * length)


def catalogue(house: House) -> tuple[Job, ...]:
    """Every job, in the order in which they feed each other."""
    settings = house.settings
    return (
        Job("follow", "Follow the chain", settings.follow_every_seconds, following.follow),
        Job("registrations", "Give early registrations their block", 60, registrations.fill_points),
        Job("probe", "Probe providers with a live claim", PROBE_LOOKS_EVERY_SECONDS, probing.probe),
        Job("spot_checks", "Hold spot checks of providers", SPOT_CHECKS_EVERY_SECONDS, spot_draws.hold),
        Job("find", "Find deployments of participants", settings.verify_every_seconds, claims.find_claims),
        Job("verify", "Verify what is due", settings.verify_every_seconds, verification.verify_due),
        Job("rewards", "Compute the rewards", settings.verify_every_seconds, rewards.compute_if_changed),
        Job("signals", "Look for review signals", 300, signals.watch),
        Job("payouts", "Look for payouts on their chain", PAYOUTS_EVERY_SECONDS, payout_reconcile.reconcile),
        Job("campaign", "Check the campaign's chain and dates", 60, campaigns.watch),
        Job("housekeeping", "Remove what has expired", 3600, housekeeping.clean),
    )
