"""What is shared out of the rest of the budget when a campaign closes: pools, then ranking bonuses, in file order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tasks.parts import Campaign, Pool, RankingBonus
from tasks.rewards.completion import parse_weight
from tasks.rewards.lines import HOLDS_AWARD, PASSED_FOUR, AwardLine, Reason
from tasks.rewards.money import share_out

_COUNTS_AS_AWARD = HOLDS_AWARD - {Reason.NO_REWARD}


@dataclass(frozen=True, slots=True)
class PoolShare:
    """What a participant gets of a pool."""

    slug: str
    participant: str
    amount_micro: int

    def to_json(self) -> dict[str, object]:
        """The entry as simulate prints it."""
        return {"slug": self.slug, "participant": self.participant, "amount_micro": self.amount_micro}


@dataclass(frozen=True, slots=True)
class Bonus:
    """What the holder of a place in a ranking gets."""

    slug: str
    place: int
    participant: str
    amount_micro: int

    def to_json(self) -> dict[str, object]:
        """The entry as simulate prints it."""
        return {
            "slug": self.slug,
            "place": self.place,
            "participant": self.participant,
            "amount_micro": self.amount_micro,
        }


def share_rest(
    newest: Campaign, lines: Sequence[AwardLine], left: int
) -> tuple[tuple[PoolShare, ...], tuple[Bonus, ...], int]:
    """Pools and bonuses out of what is left (micro), entries of 0 left out; and what is left then."""
    pools: list[PoolShare] = []
    for pool in newest.pools:
        shares = _pool_shares(pool, lines, min(pool.amount, left))
        pools += [PoolShare(pool.slug, name, amount) for name, amount in shares.items() if amount > 0]
        left -= sum(shares.values())
    bonuses: list[Bonus] = []
    for bonus in newest.ranking_bonuses:
        ranked = ranking(newest, bonus, lines)
        for place, (amount, participant) in enumerate(zip(bonus.amounts, ranked, strict=False), start=1):
            paid = min(amount, left)
            left -= paid
            if paid > 0:
                bonuses.append(Bonus(bonus.slug, place, participant, paid))
    if left < 0:
        raise ArithmeticError("pools and bonuses paid more than was left")
    return tuple(pools), tuple(bonuses), left


def _pool_shares(pool: Pool, lines: Iterable[AwardLine], amount: int) -> dict[str, int]:
    among = set(pool.among)
    holding = [line for line in lines if line.reason in HOLDS_AWARD and line.task in among]
    if pool.split_by is None:
        return share_out(amount, dict.fromkeys((line.participant for line in holding), 1))
    parsed = [
        (line.participant, *parse_weight(line.completion.attributes.get(pool.split_by, ""))) for line in holding
    ]
    most_decimals = max((decimals for _, _, decimals in parsed), default=0)
    weights: dict[str, int] = {}
    for participant, digits, decimals in parsed:
        weights[participant] = weights.get(participant, 0) + digits * 10 ** (most_decimals - decimals)
    return share_out(amount, weights)


def ranking(newest: Campaign, bonus: RankingBonus, lines: Iterable[AwardLine]) -> list[str]:
    """Participants by how many of the named tasks they did, ties to whose count was reached first."""
    every = (task.slug for task in newest.tasks if task.kind != "all_of")
    among = set(every if bonus.among is None else bonus.among)
    counting = PASSED_FOUR if bonus.rank_by == "completions" else _COUNTS_AS_AWARD
    done: set[tuple[str, str]] = set()
    counts: dict[str, tuple[int, int]] = {}  # participant -> (minus the count, the line that reached it)
    for index, line in enumerate(lines):
        if line.task not in among or line.reason not in counting or (line.participant, line.task) in done:
            continue
        done.add((line.participant, line.task))
        counts[line.participant] = (counts.get(line.participant, (0, 0))[0] - 1, index)
    return sorted(counts, key=counts.__getitem__)
