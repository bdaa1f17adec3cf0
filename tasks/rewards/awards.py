"""The whole result of a computation, and its JSON: what `rewards compute` and `rewards simulate` print."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tasks.payouts import convert
from tasks.revisions import Rules
from tasks.rewards.line_text import LineText
from tasks.rewards.lines import AwardLine
from tasks.rewards.pools import Bonus, PoolShare


@dataclass(frozen=True, slots=True)
class Awards:
    """Lines in the order worked, pools and bonuses in file order, sums in micro, the conversion in uakt.

    `uakt` is None where the campaign states no rate; it holds those with a positive total. `budget_left_micro` is
    what is left of the budget without the grants.
    """

    rules: Rules = field(repr=False)
    lines: Sequence[AwardLine]
    pools: tuple[PoolShare, ...]
    bonuses: tuple[Bonus, ...]
    totals: Mapping[str, int]
    uakt: Mapping[str, int] | None
    budget_left_micro: int

    def _head(self) -> dict[str, object]:
        newest = self.rules.newest
        return {
            "campaign": newest.slug,
            "revision": newest.revision,
            "digest": newest.digest,
            "unit": newest.reward.unit,
        }

    def _tail(self) -> dict[str, object]:
        return {
            "pools": [share.to_json() for share in self.pools],
            "bonuses": [bonus.to_json() for bonus in self.bonuses],
            "totals": dict(self.totals),
            "uakt": None if self.uakt is None else dict(self.uakt),
            "budget_left_micro": self.budget_left_micro,
        }

    def to_json(self) -> dict[str, object]:
        """The document, exactly the keys of CAMPAIGN_FORMAT."""
        return {**self._head(), "lines": [line.to_json() for line in self.lines], **self._tail()}

    def json_chunks(self) -> Iterator[str]:
        """The same document as JSON text in pieces, so that a large season never stands in memory twice."""
        encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(", ", ": ")).encode
        yield encode(self._head())[:-1] + ', "lines": ['
        separator, text = "\n", LineText(encode)
        for line in self.lines:
            yield separator + text.of(line)
            separator = ",\n"
        yield "], " + encode(self._tail())[1:] + "\n"


def make_awards(
    rules: Rules,
    participants: Iterable[str],
    lines: Sequence[AwardLine],
    pools: tuple[PoolShare, ...],
    bonuses: tuple[Bonus, ...],
    left: int,
) -> Awards:
    """Add everything up, check that it adds up to the budget, convert. Raises ArithmeticError where it does not."""
    totals = dict.fromkeys(sorted(participants), 0)
    for line in lines:
        if line.amount_micro:
            totals[line.participant] += line.amount_micro
    for share in pools:
        totals[share.participant] += share.amount_micro
    for bonus in bonuses:
        totals[bonus.participant] += bonus.amount_micro
    if sum(totals.values()) + left != rules.newest.budget_for_rules:
        raise ArithmeticError("what was paid and what is left do not add up to the budget")
    rate = rules.newest.reward.rate
    uakt = None if rate is None else convert(totals, rate).parts
    return Awards(rules, lines, pools, bonuses, totals, uakt, left)
