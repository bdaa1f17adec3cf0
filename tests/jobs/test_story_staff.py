"""The demo's staff have their roles from the first start on."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from commands.story_staff import appointments
from devnet.keys import key_of
from devnet.scenarios import payday
from ledger.people import RoleRow
from tests.houses import make_house

SEED = 7


def test_appointments__performed_twice__each_of_the_staff_has_their_role_once(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    for act in (*appointments(house, SEED), *appointments(house, SEED)):
        assert act.height == 1
        act.run()
    with house.ledger.read() as session:
        found = [(row.address, row.role) for row in session.scalars(select(RoleRow))]
    assert sorted(found) == sorted((key_of(SEED, name).address, role) for name, role in payday.ROLES.items())
    assert {payday.ROLES[name] for name in payday.MEMBERS} == {"treasurer", "approver"}
