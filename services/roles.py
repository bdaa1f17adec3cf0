"""Who may do what besides taking part."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy.orm import Session

from ledger.people import RoleRow
from ledger.rows import insert_once
from services.errors import Refused
from services.house import House
from services.sessions import end_all_sessions
from verifiers.wallet.addresses import AddressError, parse_address


class Role(StrEnum):
    """The roles of DESIGN; everybody who registers is a participant without a row here."""

    REVIEWER = "reviewer"
    ORGANIZER = "organizer"
    TREASURER = "treasurer"
    APPROVER = "approver"
    ADMIN = "admin"


def add_role(house: House, address: str, role: str) -> bool:
    """Give an address a role; False where it has it. Its sessions end, so that the new one knows the role."""
    try:
        owner = parse_address(address)
    except AddressError as error:
        raise Refused(str(error), "address") from error
    if role not in set(Role):
        raise Refused(f"{role!r} is no role: choose one of {', '.join(Role)}.", "role")

    def add(session: Session) -> bool:
        return insert_once(session, RoleRow, {"address": owner, "role": role})

    added = house.ledger.transact(add)
    if added:
        end_all_sessions(house, owner)
    return added
