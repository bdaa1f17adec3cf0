"""Finds the first block from a moment on with few looks: interpolation, kept honest by halving (pure)."""

from __future__ import annotations

from collections.abc import Callable

from tasks.moment import Moment
from verifiers.chain.answers import Block, decode_block
from verifiers.chain.trouble import Pruned
from verifiers.evidence import Observation

TimeOf = Callable[[int], Moment]
"""The block time of a height; may raise what its source raises."""


def first_height_from(moment: Moment, low: int, high: int, time_of: TimeOf) -> int:
    """The lowest height in `[low, high]` whose block time is not earlier than `moment`; `high + 1` if none is.

    Block times only grow. Looks at both ends first, then guesses by the times seen; every third look halves, so the
    number of looks stays below three times that of a plain binary search whatever the times are.
    """
    if low > high:
        return high + 1
    high_time = time_of(high)
    if high_time < moment:
        return high + 1
    low_time = time_of(low)
    if low_time >= moment:
        return low
    looks = 0
    while high - low > 1:
        looks += 1
        guess = (low + high) // 2 if looks % 3 == 0 else _interpolate(moment, low, low_time, high, high_time)
        guess_time = time_of(guess)
        if guess_time < moment:
            low, low_time = guess, guess_time
        else:
            high, high_time = guess, guess_time
    return high


def _interpolate(moment: Moment, low: int, low_time: Moment, high: int, high_time: Moment) -> int:
    """Between the ends, never on them."""
    span = max(high_time - low_time, 1)
    return min(max(low + (high - low) * (moment - low_time) // span, low + 1), high - 1)


def blocks_around(moment: Moment, low: int, high: int, look: Callable[[int], Observation]) -> list[Observation]:
    """The header before `moment` and the first one not earlier, of the heights `[low, high]` (evidence.ChainSource).

    Only one of them at the chain's ends. Raises Pruned where the node forgot what would prove it, and what `look`
    raises.
    """
    seen: dict[int, tuple[Observation, Block]] = {}

    def block(height: int) -> Block:
        if height not in seen:
            observation = look(height)
            seen[height] = (observation, decode_block(observation.body))
        return seen[height][1]

    low = _lowest_kept(low, high, block)
    first = first_height_from(moment, low, high, lambda height: block(height).time)
    if first == low and not block(low).is_first:
        raise Pruned(f"Blocks below height {low} are not kept, so nothing proves which came first.", low)
    for height in (first - 1, first):
        if low <= height <= high:
            block(height)
    return [seen[height][0] for height in (first - 1, first) if low <= height <= high]


def _lowest_kept(low: int, high: int, block: Callable[[int], Block]) -> int:
    """REST and RPC may stand on nodes that keep different heights: go up to what this one says it keeps."""
    while low <= high:
        try:
            block(low)
        except Pruned as pruned:
            if pruned.lowest is None or pruned.lowest <= low:
                raise
            low = pruned.lowest
        else:
            return low
    raise Pruned(f"No block up to height {high} is kept.", low)
