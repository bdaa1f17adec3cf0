"""From the quoted unit to what is paid: one plan's sums converted at its rate, exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.rewards.money import Rate, Uakt, share_out


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a plan pays: the parts (address → uakt) sum to the total exactly."""

    total_uakt: Uakt
    parts: Mapping[str, int]


def convert(sums: Mapping[str, int], rate: Rate) -> Conversion:
    """Convert sums in micro of the unit (address → micro) to uakt; only positive sums take part.

    The total is `floor(sum / rate)`; each gets its share rounded down, the units left go one each to the largest
    remainders, ties by address (CAMPAIGN_FORMAT, "Conversion").
    """
    positive = {address: amount for address, amount in sums.items() if amount > 0}
    total = rate.uakt(sum(positive.values()))
    return Conversion(total, share_out(total, positive))
