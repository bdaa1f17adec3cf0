"""What verification reads of one block: shared by batches, and nothing that is known for good is asked again."""

from __future__ import annotations

from bisect import bisect_right

from ledger.observations import known, known_requests
from services.errors import Unavailable
from services.house import House
from services.provider_looks import provider_source
from tasks.moment import SECOND, Duration, Moment
from verifiers.chain.pinned import PinnedChain
from verifiers.chain.questions import block_height
from verifiers.evidence import ChainPoint, Observation, ProviderSource

KEPT = Duration(60 * SECOND)
"""Shorter than a claim waits after trouble, so that the next look at it asks anew."""


class PassReads:
    """The chain and the providers as seen at one block; at the next block, or after KEPT, all is read afresh.

    Made for one run of a job, so that what a batch has read is not asked again by the batch after it.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._read: tuple[PinnedChain, ProviderSource] | None = None
        self._until = house.clock.now()

    def at(self, point: ChainPoint) -> tuple[PinnedChain, ProviderSource]:
        """What may be asked at `point`. Raises Unavailable without a chain."""
        now = self._house.clock.now()
        if self._read is None or self._read[0].point != point or now >= self._until:
            self._until = Moment(now + KEPT)
            chain = pinned_chain(self._house, point)
            self._read = chain, provider_source(self._house, chain)
        return self._read


def pinned_chain(house: House, point: ChainPoint) -> PinnedChain:
    """The chain at `point`, with what the ledger keeps of it for good. Raises Unavailable without a chain.

    Which blocks are kept is read once, the answers only where there are any.
    """
    if house.chain is None:
        raise Unavailable("No chain is connected: set WAYMARK_CHAIN_REST and WAYMARK_CHAIN_RPC.")
    with house.ledger.read() as session:
        requests = known_requests(session, point.chain_id)

    def look_up(request: str, height: int | None) -> Observation | None:
        if height is None and request not in requests:
            return None
        with house.ledger.read() as session:
            return known(session, request, point.chain_id, height)

    heights = sorted(height for request in requests if (height := block_height(request)) is not None)
    return PinnedChain(house.chain, point, look_up, known_blocks=heights[: bisect_right(heights, point.height)])
