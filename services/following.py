"""Following one chain: contact, identity, lists, blocks; every step leaves a state that can be shown."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from sqlalchemy.orm import Session

from ledger.chain import CursorRow
from ledger.chain_index import (
    CursorMoved,
    begin_cursor,
    block_at,
    cursor_of,
    last_hashed_block,
    newest_cursor,
    note_state,
)
from services import campaigns
from services.boundaries import learn_boundaries
from services.chain_health import halt_of, judged_point
from services.errors import Unavailable
from services.following_blocks import WINDOW, BlocksGone, ChainReset, apply_next_blocks
from services.following_lists import list_again, list_next_page
from services.house import House
from services.provider_creations import find_creations
from verifiers.chain.answers import decode_block
from verifiers.chain.client import Chain, TipStatus
from verifiers.chain.trouble import Lagging, Pruned, Syncing, WrongChain
from verifiers.trouble import Trouble

log = structlog.get_logger()

RELIST_BEYOND = 5_000
"""So many blocks behind, listing again is cheaper than reading each block."""

NEARLY = 3
"""Hosts behind one address, or REST beside RPC, stand some blocks apart: no reason to speak of lag."""


@dataclass(frozen=True, slots=True)
class FollowLimits:
    """How much one step does at most."""

    pages: int = 50
    blocks: int = 600


@dataclass(frozen=True, slots=True)
class FollowResult:
    """Where a step ended. `moved`: pages and blocks taken in; `at_tip`: nothing was left to do."""

    state: str
    detail: str
    chain_id: str | None
    height: int
    tip_height: int | None
    at_tip: bool
    moved: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a step learned: the state to show, in a sentence, and how far it got."""

    state: str
    detail: str
    moved: int = 0


def follow(house: House) -> str:
    """A job: follow until nothing is left to do or something is in the way; says in a line where it stands."""
    while True:
        result = step(house)
        if result.at_tip or result.moved == 0:
            return f"{result.state}: {result.detail}"


def step(house: House, limits: FollowLimits | None = None) -> FollowResult:
    """Do a bounded amount of following. Trouble of the nodes never raises: it becomes the state.

    1. Ask a node where it stands. Another chain id, another hash at a height that we know: `reset`, stop. A lower
       tip alone: `lagging`, stop.
    2. Without a cursor, or where the blocks after it are gone, or there are very many: list everything at the tip,
       page by page, each page with the cursor in one transaction; a pinned height that is gone is replaced by the
       tip. Then follow from the lowest height that any page was read at; if that block is gone too, list again,
       until two lists agree.
    3. Apply the blocks after the cursor, some at a time: what their events name is read afresh and kept with the
       cursor in one transaction, guarded by where the cursor was. A row that was read later is never overwritten.
    4. At the tip: creation heights of providers, heights of UTC midnights. A tip older than five minutes: `halted`.

    Killed anywhere, the next step goes on from the cursor. Raises LedgerError where the database can't be written.
    """
    chain = house.chain
    if chain is None:
        detail = "no node is set: set WAYMARK_CHAIN_REST and WAYMARK_CHAIN_RPC"
        return FollowResult("unreachable", detail, None, 0, None, at_tip=False, moved=0)
    expected = expected_chain_id(house)
    try:
        tip = chain.tip()
    except WrongChain as error:
        return _result(house, expected, None, Found("reset", _other_chain(error.expected, error.found)))
    except Trouble as error:
        return _result(house, expected, None, Found("unreachable", f"{error.name}: {error}"))
    if expected is not None and tip.chain_id != expected:
        return _result(house, expected, None, Found("reset", _other_chain(expected, tip.chain_id)))
    found = _advance(house, chain, tip, limits or FollowLimits())
    return _result(house, tip.chain_id, tip, found)


def expected_chain_id(house: House) -> str | None:
    """The id that the node must have: of the settings, else of the campaign, else of the chain followed so far."""
    with house.ledger.read() as session:
        followed = newest_cursor(session)
        try:
            wanted = campaigns.chain_id(house, campaigns.current_in(session, house.settings.campaign))
        except Unavailable:  # several campaigns and no word which: the chain is followed all the same
            wanted = house.settings.chain_id
    return wanted if wanted is not None else followed.chain_id if followed is not None else None


def _other_chain(expected: str, found: str) -> str:
    return f"the node is on {found}, and {expected} is followed: point WAYMARK_CHAIN_REST and WAYMARK_CHAIN_RPC at it"


def _advance(house: House, chain: Chain, tip: TipStatus, limits: FollowLimits) -> Found:
    """Everything a step does once a node of the right chain has answered."""
    now = house.clock.now()
    cursor = _cursor(house, tip.chain_id)
    if cursor is None:
        house.ledger.transact(
            lambda session: begin_cursor(session, tip.chain_id, now, "bootstrapping", "the first list is on its way")
        )
    moved = 0
    try:
        trouble = None if cursor is None else _identity(house, chain, cursor, tip)
        if trouble is not None:
            return trouble
        moved = _work(house, chain, tip, limits)
    except ChainReset as error:
        return Found("reset", str(error), moved)
    except CursorMoved as error:
        return Found("following", str(error), moved)
    except (Lagging, Syncing) as error:
        return _behind(house, tip, error)
    except Trouble as error:
        return Found("unreachable", f"{error.name}: {error}", moved)
    return _standing(house, tip, moved)


def _cursor(house: House, chain_id: str) -> CursorRow | None:
    with house.ledger.read() as session:
        return cursor_of(session, chain_id)


def _identity(house: House, chain: Chain, cursor: CursorRow, tip: TipStatus) -> Found | None:
    """Whether the node shows the blocks that we know: other hashes are a reset, a lower tip alone is lag."""
    if tip.catching_up:
        return Found("lagging", f"the node is still catching up with its chain, at {tip.height}")
    with house.ledger.read() as session:
        same = block_at(session, tip.chain_id, tip.height)
        below = last_hashed_block(session, tip.chain_id, tip.height)
    if same is not None and same.hash is not None and same.hash != tip.hash:
        raise ChainReset(f"block {tip.height} was {same.hash} when we saw it and is {tip.hash} now")
    known = max(cursor.height, cursor.listing_height or 0)
    if tip.height < known and below is None:
        raise ChainReset(f"the node stands at {tip.height}, below every block that we know")
    if below is not None and below is not same and (tip.height < known or cursor.stage == "listing"):
        _same_block(chain, below.height, below.hash)
    if known - tip.height > NEARLY:
        return Found("lagging", f"the node stands at {tip.height}, and we were at {known} already")
    return None


def _work(house: House, chain: Chain, tip: TipStatus, limits: FollowLimits) -> int:
    """Lists, then blocks, until nothing is left or the limits are reached; returns pages and blocks taken in."""
    pages = blocks = 0
    while pages < limits.pages and blocks < limits.blocks:
        cursor = _cursor(house, tip.chain_id)
        if cursor is None:
            break
        if cursor.stage == "listing":
            list_next_page(house, chain, cursor, tip)
            pages += 1
        elif cursor.height >= tip.height:
            find_creations(house, chain, cursor, tip)
            _learn(house, chain, cursor, tip)
            break
        elif tip.height - cursor.height > RELIST_BEYOND:
            _same_block(chain, cursor.height, cursor.hash)
            list_again(house, cursor, tip)
        else:
            blocks += _blocks(house, chain, cursor, tip, min(WINDOW, limits.blocks - blocks))
    return pages + blocks


def _learn(house: House, chain: Chain, cursor: CursorRow, tip: TipStatus) -> None:
    """The heights of days, for the figures: trouble with them stops nothing, the next step tries again."""
    try:
        learn_boundaries(house, chain, cursor, tip)
    except Trouble as error:
        log.warning("day_boundaries_not_found", chain_id=cursor.chain_id, trouble=error.name)


def _blocks(house: House, chain: Chain, cursor: CursorRow, tip: TipStatus, limit: int) -> int:
    """Some blocks at once; where a node fails in the middle of so much, one by one."""
    try:
        try:
            return apply_next_blocks(house, chain, cursor, tip.height, limit) - cursor.height
        except Trouble:
            if limit == 1:
                raise
            return apply_next_blocks(house, chain, cursor, tip.height, 1) - cursor.height
    except BlocksGone:
        list_again(house, cursor, tip)
        return 0


def _same_block(chain: Chain, height: int, known_hash: str | None) -> None:
    """Is a block that we know still the node's? Where it is gone, nothing is said. Raises ChainReset."""
    try:
        block = decode_block(chain.block(height).body, chain.api)
    except Pruned:
        return
    if known_hash is not None and block.hash != known_hash:
        raise ChainReset(f"block {height} was {known_hash} when we saw it and is {block.hash} now")


def _behind(house: House, tip: TipStatus, error: Trouble) -> Found:
    """A host that lags behind the one that told the tip: a little is nothing."""
    cursor = _cursor(house, tip.chain_id)
    stands = error.tip if isinstance(error, Lagging) else None
    if stands is None and cursor is not None and cursor.stage == "following":
        stands = cursor.height
    if stands is not None and tip.height - stands <= NEARLY:
        return _standing(house, tip, 0)
    return Found("lagging", f"{error.name}: {error}")


def _standing(house: House, tip: TipStatus, moved: int) -> Found:
    """The state after a step without trouble."""
    halt = halt_of(tip.time, house.clock.now())
    if halt is not None:
        return Found("halted", halt, moved)
    cursor = _cursor(house, tip.chain_id)
    if cursor is None or cursor.stage == "listing":
        again = cursor is not None and (cursor.listing_round > 1 or cursor.height > 0)
        name = cursor.listing if cursor is not None else None
        why = ", again, because the blocks since the last look are gone" if again else ""
        return Found("bootstrapping", f"reading the list of {name or 'deployments'} at {tip.height}{why}", moved)
    behind = tip.height - cursor.height
    detail = f"at block {cursor.height}" if behind <= 0 else f"at block {cursor.height}, {behind} behind the tip"
    return Found("following", detail, moved)


def _result(house: House, chain_id: str | None, tip: TipStatus | None, found: Found) -> FollowResult:
    """Write what is shown of the follower, and say it."""
    if chain_id is None:
        return FollowResult(found.state, found.detail, None, 0, None, at_tip=False, moved=found.moved)
    now = house.clock.now()
    changes: dict[str, object] = {"state": found.state, "detail": found.detail, "checked_ns": now}
    if tip is not None and found.state != "reset":
        changes |= {"tip_height": tip.height, "tip_time_ns": tip.time, "earliest_height": tip.earliest_height}

    def note(session: Session) -> None:
        begin_cursor(session, chain_id, now, found.state, found.detail)
        note_state(session, chain_id, changes)

    house.ledger.transact(note)
    cursor = _cursor(house, chain_id)
    height = cursor.height if cursor is not None else 0
    done = cursor is not None and tip is not None and cursor.stage == "following" and height >= tip.height
    at_tip = done and found.state in {"following", "halted"}
    return FollowResult(
        found.state, found.detail, chain_id, height, tip.height if tip else None, at_tip=at_tip, moved=found.moved
    )


__all__ = ["FollowLimits", "FollowResult", "expected_chain_id", "follow", "judged_point", "step"]
