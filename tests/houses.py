"""A whole platform for one test: a migrated SQLite file, a clock that stands, a small campaign."""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path

from ledger.base import Ledger
from ledger.upgrading import upgrade
from services.clock import StoppedClock
from services.house import House
from services.loading import load_campaign
from services.settings import Settings
from tasks.moment import SECOND, Moment, parse_moment
from verifiers.chain.client import Chain

NOON = parse_moment("2026-11-24T12:00:00Z")

SEASON = """\
campaign: small-test
revision: 1
title: A small test
summary: A campaign for tests.
terms: Be kind.
chain_id: local-v2
opens: 2026-11-01T00:00:00Z
closes: 2026-12-01T00:00:00Z
reward: {unit: USD, denom: uakt, rate: "0.85", budget: 1000}
"""
"""A campaign without tasks, which follow."""

TWO_GPUS = """\
gpu_models:
  - {id: a100, class: data_center, aliases: ["NVIDIA A100-PCI"]}
  - {id: t4, class: data_center, vram_gib: 16}
"""

CAMPAIGN = f"""\
{SEASON}tasks:
  - slug: deploy
    kind: ai_deployment
    title: Deploy an AI app
    summary: Deploy one.
    params: {{group_by: deployment, providers: 1}}
    reward: {{amount: 10, slots: [{{max: 5}}]}}
"""


@cache
def _template() -> Path:
    """An empty migrated database, made once."""
    path = Path(tempfile.mkdtemp(prefix="waymark-tests-")) / "empty.db"
    upgrade(f"sqlite:///{path}")
    return path


def make_house(
    folder: Path,
    *,
    campaign: str | None = CAMPAIGN,
    chain: Chain | None = None,
    payout_chain: Chain | None = None,
    **settings: object,
) -> House:
    """A house in `folder` whose clock stands at NOON."""
    database = folder / "waymark.db"
    shutil.copy(_template(), database)
    given = Settings(_env_file=None, database_url=f"sqlite:///{database}", **settings)
    house = House(given, Ledger(given.database_url), StoppedClock(NOON), chain, payout_chain)
    if campaign is not None:
        load_campaign(house, campaign, "tests")
    return house


def reopened(folder: Path) -> House:
    """The house of `make_house` again, as another process opens it."""
    given = Settings(_env_file=None, database_url=f"sqlite:///{folder / 'waymark.db'}")
    return House(given, Ledger(given.database_url), StoppedClock(NOON))


def later(house: House, seconds: float) -> House:
    """The same house, `seconds` later."""
    return house.at(StoppedClock(Moment(house.clock.now() + int(seconds * SECOND))))
