"""Who runs the demo: the people whose keys lie in its folder get their roles, as `organizer add` gives them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from devnet.scenarios import payday
from jobs.demo_run import Performance
from services.house import House
from services.roles import add_role


def appointments(house: House, seed: int) -> Sequence[Performance]:
    """One act for each of the staff, before anything else happens; doing it again changes nothing."""
    keys = payday.keys(seed)
    return [Performance(1, partial(_appoint, house, keys[name].address, role)) for name, role in payday.ROLES.items()]


def _appoint(house: House, address: str, role: str) -> None:
    add_role(house, address, role)
