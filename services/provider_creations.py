"""When providers were created: the one fact of the index that no state tells."""

from __future__ import annotations

import structlog
from sqlalchemy.orm import Session

from ledger.chain import CursorRow, ProviderRow
from ledger.chain_index import created_provider, existed_provider, note_state, unknown_creations
from services.house import House
from verifiers.chain.answers import akash_events_of, decode_rpc_txs
from verifiers.chain.client import Chain, TipStatus
from verifiers.chain.trouble import IndexOff, Pruned
from verifiers.trouble import Trouble

log = structlog.get_logger()

FOUND_BY_PAGE = 100
TRY_AGAIN_BLOCKS = 600


def find_creations(house: House, chain: Chain, cursor: CursorRow, tip: TipStatus) -> None:
    """Once after each bootstrap, find the creation heights of the providers that were listed.

    From the node's index of transactions, else by asking the state at earlier heights: a provider never disappears
    (akash-chain.md 1.4), so halving finds the first height that has it. Where that is pruned, all that is known is
    `not_later_than`. Trouble with this stops nothing: it is tried again an hour's blocks later.
    """
    if cursor.creations_due_height is None or cursor.creations_due_height > tip.height:
        return
    chain_id, again = cursor.chain_id, None
    try:
        created = _from_index(chain) if tip.tx_index_on else {}
        house.ledger.transact(lambda session: _keep(session, chain_id, created))
        with house.ledger.read() as session:
            unknown = unknown_creations(session, chain_id)
        for provider in unknown:
            _find_in_state(house, chain, provider, tip.earliest_height)
    except Trouble as error:
        again = tip.height + TRY_AGAIN_BLOCKS
        log.warning("provider_creations_not_found", chain_id=chain_id, trouble=error.name, again_at=again)
    house.ledger.transact(lambda session: note_state(session, chain_id, {"creations_due_height": again}))


def _keep(session: Session, chain_id: str, created: dict[str, int]) -> None:
    for owner, height in sorted(created.items()):
        created_provider(session, chain_id, owner, height)


def _from_index(chain: Chain) -> dict[str, int]:
    """Address → height of creation, as far as the node has it indexed."""
    event = f"akash.provider.{chain.api.provider}.EventProviderCreated.owner"
    created: dict[str, int] = {}
    page, seen = 1, 0
    while True:
        parameters = {
            "query": f'"{event} EXISTS"',
            "page": f'"{page}"',
            "per_page": f'"{FOUND_BY_PAGE}"',
            "order_by": '"asc"',
        }
        try:
            found = decode_rpc_txs(chain.rpc("tx_search", parameters).body, chain.api)
        except IndexOff:
            return created
        for tx in found.txs:
            for entry in akash_events_of(tx.height, tx.index, tx.tx_result):
                if entry.name == "ProviderCreated" and entry.owner is not None and tx.tx_result.code == 0:
                    created.setdefault(entry.owner, entry.height)
        page, seen = page + 1, seen + len(found.txs)
        if not found.txs or seen >= found.total_count:
            return created


def _find_in_state(house: House, chain: Chain, provider: ProviderRow, earliest: int) -> None:
    """Halve between a height without the provider and one with it."""
    absent, present = max(0, earliest - 1), provider.not_later_than
    sure = absent == 0
    while present - absent > 1:
        middle = (absent + present) // 2
        try:
            answer = chain.get(chain.api.provider_info(provider.owner), None, middle)
        except Pruned:
            absent, sure = middle, False
            continue
        if answer.status == 404:
            absent, sure = middle, True
        else:
            present = middle

    def keep(session: Session) -> None:
        existed_provider(session, provider.chain_id, provider.owner, present)
        if sure:
            created_provider(session, provider.chain_id, provider.owner, present)

    house.ledger.transact(keep)
