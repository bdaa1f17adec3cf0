"""Who reads payouts before they are public, and who acts on them."""

from __future__ import annotations

from services.payout_views import PayoutView
from services.roles import Role
from services.sessions import Person
from tasks.payout.sealing import Part

READERS = (Role.TREASURER, Role.APPROVER, Role.ORGANIZER, Role.ADMIN)
SIGNERS = (Role.TREASURER, Role.APPROVER)


def reads_payouts(person: Person | None) -> bool:
    """Whether somebody may look at the staff's pages of payouts."""
    return person is not None and bool(set(person.roles) & set(READERS))


def is_treasurer(person: Person | None) -> bool:
    """Whether somebody plans, exports, hands in and sends."""
    return person is not None and Role.TREASURER in person.roles


def part_to_sign(person: Person | None, view: PayoutView) -> Part | None:
    """As what this person may sign now; None for nothing. One's other addresses are looked at when signing."""
    if person is None or not view.waits_for_signatures:
        return None
    if view.planner is None:
        return Part.PLANNER if is_treasurer(person) else None
    may = Role.APPROVER in person.roles and view.eyes.refusal(_person(person)) is None
    return Part.APPROVER if may else None


def _person(person: Person) -> str:
    """The participant behind an address, else the address: one pair of eyes."""
    return person.participant or person.linked_to or person.address
