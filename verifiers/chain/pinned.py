"""The chain as `gather` sees it: pinned to one block, each request asked once, trouble kept instead of raised."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence

from tasks.moment import Moment
from verifiers.chain.answers import decode_block
from verifiers.chain.apiset import ApiSet
from verifiers.chain.client import Chain
from verifiers.chain.questions import block_request, block_results_request, rest_request
from verifiers.chain.search import blocks_around
from verifiers.chain.trouble import WrongChain
from verifiers.evidence import ChainPoint, Observation, Source
from verifiers.trouble import Trouble

Known = Callable[[str, int | None], Observation | None]
"""What the ledger already keeps of a fact that never changes, by its request text; state with its height."""


def nothing_known(_: str, __: int | None) -> Observation | None:
    """For a caller without a store."""
    return None


class PinnedChain:
    """Implements `evidence.ChainSource` over a Chain. Make one for each round of looks and share it between claims.
    Thread safe: two that ask the same wait for one answer.

    Blocks, their results and the state at blocks before the pinned one are asked from `known` first: they are facts
    for good. `known_blocks`: the heights, in order and up to the pinned one, whose blocks `known` has: a moment is
    searched between the nearest two. `earliest_height` bounds the search; without it the chain's status says it.
    """

    def __init__(
        self,
        chain: Chain,
        point: ChainPoint,
        known: Known = nothing_known,
        earliest_height: int | None = None,
        known_blocks: Sequence[int] = (),
    ) -> None:
        self._chain = chain
        self._point = point
        self._known = known
        self._earliest_height = earliest_height
        self._known_blocks = known_blocks
        self._one_at_a_time: defaultdict[Hashable, threading.Lock] = defaultdict(threading.Lock)
        self._times: dict[int, Moment] = {}
        self._seen: dict[tuple[str, int | None], Observation] = {}
        self._lists: dict[str, tuple[Observation, ...]] = {}
        self._moments: dict[Moment, tuple[Observation, ...]] = {}
        self._troubles: dict[str, Trouble] = {}

    @property
    def api(self) -> ApiSet:
        """Which paths the chain's nodes serve."""
        return self._chain.api

    @property
    def point(self) -> ChainPoint:
        """The block that every state read is pinned to."""
        return self._point

    def state(self, path: str, parameters: Mapping[str, str]) -> Observation:
        """One REST answer at the pinned height."""
        return self.state_at(self._point.height, path, parameters)

    def state_at(self, height: int, path: str, parameters: Mapping[str, str]) -> Observation:
        """One REST answer at another height."""
        request = rest_request(path, parameters)
        key = (request, height)
        with self._one_at_a_time[key]:
            if key not in self._seen:
                kept = self._kept(request, height) if height < self._point.height else None
                self._seen[key] = kept or self._attempt(
                    request, height, lambda: self._chain.get(path, parameters, height)
                )
        return self._seen[key]

    def pages(self, path: str, parameters: Mapping[str, str], rows: str) -> Sequence[Observation]:
        """Every page of a list at the pinned height; one with trouble at the end where the list broke off."""
        request = rest_request(path, parameters)
        with self._one_at_a_time["list", request]:
            if request not in self._lists:
                self._lists[request] = tuple(self._pages(request, path, parameters, rows))
        return self._lists[request]

    def block(self, height: int) -> Observation:
        """The block's header."""
        return self._for_good(block_request(height), height, self._chain.block)

    def block_results(self, height: int) -> Observation:
        """The results of the block's transactions in order."""
        return self._for_good(block_results_request(height), height, self._chain.block_results)

    def first_block_from(self, moment: Moment) -> Sequence[Observation]:
        """The header of the first block not earlier than `moment` and of the one before it, up to the pinned block.

        One observation with trouble where that can't be found out.
        """
        with self._one_at_a_time[moment]:
            if moment not in self._moments:
                self._moments[moment] = tuple(self._around(moment))
        return self._moments[moment]

    def _around(self, moment: Moment) -> list[Observation]:
        request = f"GET first block from {moment}"
        try:
            before, after = self._between(moment)
            if before is None:
                before = after if after is not None and self._is_first(after) else self._earliest()
            high = self._point.height if after is None else after
            return blocks_around(moment, max(before, 1), high, self._look)
        except Trouble as trouble:
            return [self._troubled(request, None, trouble)]

    def _between(self, moment: Moment) -> tuple[int | None, int | None]:
        """The nearest known blocks before the moment and from it on: what lies between them is all that is open."""
        place = bisect_left(self._known_blocks, moment, key=self._time_of)
        before = self._known_blocks[place - 1] if place > 0 else None
        return before, self._known_blocks[place] if place < len(self._known_blocks) else None

    def _time_of(self, height: int) -> Moment:
        if height not in self._times:
            self._times[height] = decode_block(self._look(height).body).time
        return self._times[height]

    def _is_first(self, height: int) -> bool:
        return decode_block(self._look(height).body).is_first

    def _earliest(self) -> int:
        if self._earliest_height is None:
            self._earliest_height = self._chain.tip().earliest_height
        return self._earliest_height

    def _look(self, height: int) -> Observation:
        """As `block`, raising what kept us from looking."""
        observation = self.block(height)
        if observation.trouble is not None:
            raise self._troubles[observation.request]
        return observation

    def _for_good(self, request: str, height: int, ask: Callable[[int], Observation]) -> Observation:
        key = (request, None)
        with self._one_at_a_time[key]:
            if key not in self._seen:
                kept = self._kept(request, None)
                self._seen[key] = kept or self._attempt(request, height, lambda: ask(height))
        return self._seen[key]

    def _kept(self, request: str, height: int | None) -> Observation | None:
        kept = self._known(request, height)
        if kept is None or kept.trouble is not None or kept.chain_id != self._point.chain_id:
            return None
        return kept if height is None or kept.height == height else None

    def _pages(self, request: str, path: str, parameters: Mapping[str, str], rows: str) -> list[Observation]:
        found: list[Observation] = []
        try:
            for page in self._chain.pages(path, parameters, rows, self._point.height):
                # one by one, so that the pages before a trouble are kept
                found.append(self._checked(page))  # noqa: PERF401
        except Trouble as trouble:
            found.append(self._troubled(request, self._point.height, trouble))
        return found

    def _attempt(self, request: str, height: int | None, ask: Callable[[], Observation]) -> Observation:
        try:
            return self._checked(ask())
        except Trouble as trouble:
            return self._troubled(request, height, trouble)

    def _checked(self, observation: Observation) -> Observation:
        """The client may stand on another chain than the point, after a reset."""
        expected, found = self._point.chain_id, observation.chain_id or ""
        if found != expected:
            raise WrongChain(
                f"Reads are pinned to chain {expected!r}, the hosts answer for {found!r}.", expected, found
            )
        return observation

    def _troubled(self, request: str, height: int | None, trouble: Trouble) -> Observation:
        self._troubles[request] = trouble
        return Observation(
            source=Source.CHAIN,
            request=request,
            body=b"",
            host="",
            seen_at=self._chain.now(),
            chain_id=self._point.chain_id,
            height=height,
            trouble=trouble.name,
        )
