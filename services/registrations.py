"""Taking part: registering an address for a campaign, linking further addresses, the block known at that moment."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import partial

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ledger.chain import BlockRow, CursorRow
from ledger.people import AddressRow, ParticipantRow, PersonalRow, RegistrationRow
from services import campaigns, proofs, signin
from services.campaigns import Loaded
from services.errors import Conflict, NotAllowed, NotFound, Refused, Unavailable
from services.house import House
from services.proofs import Proof
from services.signin import Purpose
from tasks.moment import SECOND, Moment
from verifiers.chain.answers import decode_block
from verifiers.chain.client import Chain, TipStatus
from verifiers.chain.trouble import Pruned
from verifiers.evidence import ChainPoint
from verifiers.trouble import Trouble
from verifiers.wallet.addresses import Address, AddressError, parse_address

LONGEST_NAME = 40
LONGEST_CONTACT = 200
CLOCK_SLACK = 60 * SECOND
"""A block may be this much younger than our clock says it is: then it is the newest one all the same."""

POINTS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Registration:
    """One participant's registration. `point` is the newest block known then; None: its receipt time counts."""

    campaign: str
    participant: Address
    rules_digest: str
    received_at: Moment
    point: ChainPoint | None
    is_new: bool


@dataclass(frozen=True, slots=True)
class Linked:
    """A further address of a participant."""

    address: Address
    linked_to: Address
    is_new: bool


@dataclass(frozen=True, slots=True)
class Personal:
    """Personal fields: the name is shown, the contact is for organizers only."""

    display_name: str | None
    contact: str | None


def register(
    house: House,
    address: str,
    campaign: str,
    rules_digest: str,
    display_name: str | None = None,
    contact: str | None = None,
    *,
    known: ChainPoint | None = None,
) -> Registration:
    """Register a signed-in address: from now on it names the participant and is paid. Again: the same row.

    A name or contact given again replaces the earlier one. `known` is the chain's newest block where the caller
    stands at a moment of the past (the demo's acts); else it is the newest that we know of.
    Raises NotFound for a campaign that is not this platform's, Conflict for the digest of other rules or an address
    that is linked to someone else, Refused for a name or contact that cannot be taken.
    """
    checked = _checked(address)
    name, reach = clean_name(display_name), clean_contact(contact)
    now = house.clock.now()

    def store(session: Session) -> Registration:
        kept = session.get(RegistrationRow, (campaign, checked))
        _check_rules(house, session, campaign, rules_digest, kept)
        _check_free(session, checked)
        _keep_personal(session, checked, now, name, reach)
        if kept is not None:
            return _registration(kept, is_new=False)
        point = known or newest_block(session, _chain_id(house, session), now)
        row = _new_row(campaign, checked, rules_digest, now, point)
        session.add(row)
        return _registration(row, is_new=True)

    return house.ledger.transact(store)


def link(house: House, participant: str, challenge_id: str, proof: Proof, browser_token: str | None) -> Linked:
    """Link the address that the proof shows to `participant`. Again: the same answer.

    Raises NotAllowed where `participant` is not registered, SignInRefused for every failure of the proof,
    Unavailable where we could not look, Conflict where the address belongs to someone else.
    """
    account = _checked(participant)
    with house.ledger.read() as session:
        if session.get(ParticipantRow, account) is None:
            raise NotAllowed("Register for the campaign first; then you can link further addresses.")
    expected = signin.prove(house, challenge_id, proof, browser_token, Purpose.LINK, linked_to=account)
    now = house.clock.now()

    def store(session: Session) -> Linked:
        kept = session.get(AddressRow, expected.address)
        if kept is not None and kept.participant != account:
            raise Conflict(
                "This address belongs to another participant already. Each address counts for one; "
                "write to the organizers if that is wrong."
            )
        if kept is None:
            session.add(
                AddressRow(
                    address=expected.address,
                    participant=account,
                    proved_ns=now,
                    proof=proofs.NAMES[type(proof)],
                    linked_ns=now,
                )
            )
        return Linked(expected.address, account, kept is None)

    return house.ledger.transact(store)


def change_personal(house: House, participant: str, display_name: str | None, contact: str | None) -> None:
    """Replace both personal fields; empty ones are erased. Raises Refused, NotAllowed for somebody unregistered."""
    address, name, reach = _checked(participant), clean_name(display_name), clean_contact(contact)

    def store(session: Session) -> None:
        if session.get(ParticipantRow, address) is None:
            raise NotAllowed("Register for the campaign first.")
        session.merge(PersonalRow(participant=address, display_name=name, contact=reach))

    house.ledger.transact(store)


def rules_digest_in_force(house: House, campaign: Loaded) -> str:
    """The digest that registering accepts: of the revision in force, or of the newest where none of ours is yet."""
    try:
        return campaign.rules.in_force(house.clock.now()).rules_digest
    except LookupError:
        return campaign.newest.rules_digest


def registration_of(house: House, campaign: str, participant: str) -> Registration | None:
    """A participant's registration for a campaign, or None."""
    with house.ledger.read() as session:
        row = session.get(RegistrationRow, (campaign, participant))
    return _registration(row, is_new=False) if row is not None else None


def personal_of(house: House, participant: str) -> Personal:
    """What the participant told of themselves; for their own page and for organizers, nobody else."""
    with house.ledger.read() as session:
        row = session.get(PersonalRow, participant)
    return Personal(row.display_name, row.contact) if row is not None else Personal(None, None)


def addresses_of(house: House, participant: str) -> tuple[Address, ...]:
    """Every address of a participant, the registered one first, then in the order of linking."""
    statement = (
        select(AddressRow.address)
        .where(AddressRow.participant == participant)
        .order_by(AddressRow.address != participant, AddressRow.linked_ns, AddressRow.address)
    )
    with house.ledger.read() as session:
        return tuple(Address(address) for address in session.scalars(statement))


def fill_registration_points(house: House) -> int:
    """Give registrations taken before any block was known the newest block not later than their receipt.

    Called by the follower once the chain is known; the network is read outside of transactions. A registration
    older than every block that the nodes keep goes by its receipt time. On another chain than the campaign's nothing
    is filled. Returns how many were. Raises Trouble of the chain.
    """
    waiting = (
        select(RegistrationRow.received_ns)
        .where(RegistrationRow.chain_id.is_(None))
        .distinct()
        .order_by(RegistrationRow.received_ns)
        .limit(POINTS_AT_ONCE)
    )
    with house.ledger.read() as session:
        moments = [Moment(received) for received in session.scalars(waiting)]
        expected = campaigns.chain_id(house, campaigns.current_in(session, house.settings.campaign))
    if not moments or house.chain is None:
        return 0
    chain, tip = house.chain, house.chain.tip()
    if expected not in {None, tip.chain_id}:
        return 0
    filled = 0
    for moment in moments:
        point = tip.point if tip.time <= moment else _block_before(chain, tip, moment)
        filled += house.ledger.transact(partial(_fill, chain_id=tip.chain_id, received=moment, point=point))
    return filled


def fill_points(house: House) -> str:
    """A job: registrations taken before the chain was known get their block. Raises Unavailable for its trouble."""
    try:
        filled = fill_registration_points(house)
    except Trouble as trouble:
        raise Unavailable(str(trouble)) from trouble
    return f"registrations that got their block: {filled}" if filled else "no registration waits"


def newest_block(session: Session, chain_id: str | None, now: Moment) -> ChainPoint | None:
    """The newest block that we know of at `now`; where our clock was set back, the newest not later than it."""
    if chain_id is None:
        return None
    cursor = session.get(CursorRow, chain_id)
    if cursor is None:
        return None
    seen = [(cursor.tip_height, cursor.tip_time_ns), (cursor.height, cursor.time_ns)]
    points = [(height, time) for height, time in seen if height is not None and time is not None]
    if points and max(points)[1] <= now + CLOCK_SLACK:
        height, time = max(points)
        return ChainPoint(chain_id, height, Moment(time))
    earlier = (
        select(BlockRow.height, BlockRow.time_ns)
        .where(BlockRow.chain_id == chain_id, BlockRow.time_ns <= now)
        .order_by(BlockRow.time_ns.desc())
        .limit(1)
    )
    row = session.execute(earlier).one_or_none()
    return ChainPoint(chain_id, row.height, Moment(row.time_ns)) if row else None


def clean_name(text: str | None) -> str | None:
    """A display name in NFC without white space around it; None where nothing is left. Raises Refused."""
    return _clean(text, "display_name", "the display name", LONGEST_NAME)


def clean_contact(text: str | None) -> str | None:
    """A contact, likewise; organizers alone see it. Raises Refused."""
    return _clean(text, "contact", "the contact", LONGEST_CONTACT)


def _clean(text: str | None, field: str, called: str, longest: int) -> str | None:
    cleaned = unicodedata.normalize("NFC", text or "").strip()
    if len(cleaned) > longest:
        raise Refused(f"Shorten {called} to at most {longest} characters.", field=field)
    # Controls, text direction, private and unassigned characters, line and paragraph separators.
    if any(unicodedata.category(character)[0] == "C" or character in "\u2028\u2029" for character in cleaned):
        raise Refused(f"Leave out control and invisible characters from {called}.", field=field)
    return cleaned or None


def _checked(address: str) -> Address:
    try:
        return parse_address(address)
    except AddressError as error:
        raise Refused(f"We cannot take this address: {error}.", field="address") from error


def _check_rules(
    house: House, session: Session, campaign: str, rules_digest: str, kept: RegistrationRow | None
) -> None:
    if kept is not None and kept.rules_digest == rules_digest:
        return
    current = campaigns.current_in(session, house.settings.campaign)
    if current is None or current.slug != campaign:
        raise NotFound(f"There is no campaign {campaign[:80]!r} to register for here.")
    if rules_digest not in {rules_digest_in_force(house, current), current.newest.rules_digest}:
        raise Conflict(
            "These are not the rules in force: they changed since you read them, or the digest was mistyped. "
            "Read the rules again, then accept them.",
            field="rules_digest",
        )


def _check_free(session: Session, address: Address) -> None:
    kept = session.get(AddressRow, address)
    if kept is not None and kept.participant != address:
        raise Conflict(
            f"This address is linked to {kept.participant} already, so it cannot take part by itself. "
            "Sign in with that address."
        )


def _keep_personal(session: Session, address: Address, now: Moment, name: str | None, contact: str | None) -> None:
    if session.get(ParticipantRow, address) is None:
        session.add(ParticipantRow(address=address, created_ns=now))
        session.flush()
        session.add(AddressRow(address=address, participant=address, proved_ns=now, proof="sign_in", linked_ns=now))
    if name is None and contact is None:
        return
    personal = session.get(PersonalRow, address)
    if personal is None:
        session.add(PersonalRow(participant=address, display_name=name, contact=contact))
        return
    personal.display_name = name if name is not None else personal.display_name
    personal.contact = contact if contact is not None else personal.contact


def _chain_id(house: House, session: Session) -> str | None:
    current = campaigns.current_in(session, house.settings.campaign)
    known = campaigns.chain_id(house, current) or (house.chain.chain_id if house.chain is not None else None)
    return known or session.scalar(select(CursorRow.chain_id).order_by(CursorRow.checked_ns.desc()).limit(1))


def _block_before(chain: Chain, tip: TipStatus, moment: Moment) -> ChainPoint | None:
    """The newest block not later than `moment`, asked from the chain; None where no node keeps such a block."""
    try:
        seen = chain.first_block_from(moment, tip.earliest_height, tip.height)
    except Pruned:
        return None
    blocks = [decode_block(observation.body) for observation in seen]
    points = [ChainPoint(block.chain_id, block.height, block.time) for block in blocks if block.time <= moment]
    return max(points, key=lambda point: point.height, default=None)


def _fill(session: Session, *, chain_id: str, received: Moment, point: ChainPoint | None) -> int:
    # A row without a block keeps the chain's id alone: it was looked for, there is none.
    filled = session.execute(
        update(RegistrationRow)
        .where(RegistrationRow.chain_id.is_(None), RegistrationRow.received_ns == received)
        .values(
            chain_id=chain_id,
            height=point.height if point else None,
            time_ns=point.time if point else None,
        )
        .returning(RegistrationRow.participant)
    )
    return len(filled.all())


def _new_row(
    campaign: str, address: Address, rules_digest: str, now: Moment, point: ChainPoint | None
) -> RegistrationRow:
    return RegistrationRow(
        campaign=campaign,
        participant=address,
        rules_digest=rules_digest,
        received_ns=now,
        chain_id=point.chain_id if point else None,
        height=point.height if point else None,
        time_ns=point.time if point else None,
    )


def _registration(row: RegistrationRow, *, is_new: bool) -> Registration:
    point = None
    if row.chain_id is not None and row.height is not None and row.time_ns is not None:
        point = ChainPoint(row.chain_id, row.height, Moment(row.time_ns))
    return Registration(
        campaign=row.campaign,
        participant=Address(row.participant),
        rules_digest=row.rules_digest,
        received_at=Moment(row.received_ns),
        point=point,
        is_new=is_new,
    )
