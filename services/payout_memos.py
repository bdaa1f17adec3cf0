"""Was a memo used before? A ledger that was restored from a copy may plan what was paid after the copy was made."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice

import structlog

from services.errors import Unavailable
from services.house import House
from services.payout_facts import asking, is_connected
from verifiers.chain import transactions

log = structlog.get_logger()

PAGES = 25
"""How many pages of the payer's newest transactions are read."""


def used_memos(house: House, payer: str, memos: Collection[str]) -> dict[str, str]:
    """The memos whose batch the payer's transactions name already, each with a hash (wallet-and-payouts.md 2.5).

    Their rows may be others: the hash at a memo's end is not compared. Where no node can list the transactions
    nothing is known and nothing is said: the batch is looked for afterwards, as every other.
    """
    found: dict[str, str] = {}
    batches = {_batch(memo): memo for memo in memos}
    if not memos or not is_connected(house):
        return found
    try:
        with asking(house) as chain:
            for page in islice(transactions.sent_by(chain, payer), PAGES):
                for each in page:
                    if _batch(each.seen.memo) in batches:
                        found[batches[_batch(each.seen.memo)]] = each.seen.hash
    except Unavailable as error:
        log.warning("payout_memos_unknown", payer=payer, trouble=error.message)
    return found


def _batch(memo: str) -> str:
    """`waymark/1/<campaign>/<batch>` of a memo."""
    return memo.rpartition("/")[0]
