"""From verdicts to award lines: the engine's answer is compared with the ledger, and what differs gets a new line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ledger.awards import AwardLineRow, ProvisionalLineRow, RewardRunRow
from ledger.rows import replace_rows
from services import campaigns
from services.award_lines import Wanted, corrections, read_kept, wanted
from services.campaigns import Loaded
from services.completions import Worked, inputs_of, read_worked, with_held_sets
from services.house import House
from tasks.moment import Moment
from tasks.payouts import convert
from tasks.rewards.awards import Awards, make_awards
from tasks.rewards.engine import compute

CHUNK = 300
RACED = "raced"
"""In the place of what a run was made from, where another process wrote the same lines: the next run looks again."""


@dataclass(frozen=True, slots=True)
class Computed:
    """One computation: the whole run, the claims that only hold their place, and how many lines were added.

    `said`: what the ledger says of each claim now, where the results of some task are final; None where the run does.
    `is_whole`: false where another process was writing the same lines, so that the ledger may not be in step yet.
    """

    campaign: Loaded
    awards: Awards
    holding: frozenset[str]
    lines_added: int
    inputs: str
    said: Sequence[Wanted] | None = None
    is_whole: bool = True

    @property
    def passed(self) -> Awards:
        """The run without the lines of claims that only hold their place."""
        if not self.holding:
            return self.awards
        lines = [line for line in self.awards.lines if line.claim not in self.holding]
        paid = sum(line.amount_micro for line in lines)
        paid += sum(share.amount_micro for share in self.awards.pools)
        paid += sum(bonus.amount_micro for bonus in self.awards.bonuses)
        left = self.campaign.newest.budget_for_rules - paid
        return make_awards(self.awards.rules, self.awards.totals, lines, self.awards.pools, self.awards.bonuses, left)

    def document(self) -> dict[str, object]:
        """The ledger's awards in the form of `rewards simulate`."""
        document = self.passed.to_json()
        return document if self.said is None else self._as_said(document, self.said)

    def _as_said(self, document: dict[str, object], said: Sequence[Wanted]) -> dict[str, object]:
        """The document where results are final: the lines as the ledger has them, sums over these."""
        places = {line.claim: place for place, line in enumerate(self.awards.lines)}
        lines = sorted(
            (entry for entry in said if entry.kind == "claim"),
            key=lambda entry: (places.get(entry.key, len(places)), entry.key),
        )
        shares = [entry for entry in said if entry.kind != "claim"]
        totals = dict.fromkeys(sorted({*self.awards.totals, *(entry.participant for entry in said)}), 0)
        for entry in said:
            totals[entry.participant] += entry.amount_micro
        rate = self.campaign.newest.reward.rate
        return document | {
            "lines": [_line_document(entry) for entry in lines],
            "pools": [dict(entry.working) for entry in shares if entry.kind == "pool"],
            "bonuses": [dict(entry.working) for entry in shares if entry.kind == "bonus"],
            "totals": totals,
            "uakt": None if rate is None else dict(convert(totals, rate).parts),
            "budget_left_micro": self.campaign.newest.budget_for_rules - sum(totals.values()),
        }


def _line_document(entry: Wanted) -> dict[str, object]:
    return {
        "claim": entry.claim,
        "participant": entry.participant,
        "task": entry.task,
        "amount_micro": entry.amount_micro,
        "reason": str(entry.reason),
        "working": dict(entry.working),
    }


def compute_awards(house: House) -> Computed:
    """Work all completions and bring the ledger's award lines in step. Raises NotFound without a campaign."""
    loaded = campaigns.required(house)
    now = house.clock.now()
    with house.ledger.read() as session:
        inputs = inputs_of(session, loaded)
        worked = read_worked(session, loaded)
        kept = read_kept(session, loaded.slug, worked.final)
    awards = compute(loaded.rules, worked.completions)
    worked = replace(worked, holding=with_held_sets(loaded, awards.lines, worked.holding))
    with_shares = now >= loaded.newest.closes
    entries = {entry.key: entry for entry in wanted(awards, worked, kept, with_shares=with_shares)}
    rows = corrections(loaded, now, entries, kept)
    added = _add_all(house, rows)
    held = _held(awards, worked)
    is_whole = added == len(rows)
    made_from = inputs if is_whole else RACED
    house.ledger.transact(lambda session: _project(session, loaded.slug, held, made_from, now), durable=True)
    said = list(entries.values()) if worked.final else None
    return Computed(loaded, awards, worked.holding, added, inputs, said, is_whole)


def compute_if_changed(house: House) -> str:
    """A job: compute where a verdict, a registration, a revision or an entry of eligibility is new."""
    loaded = campaigns.current(house)
    if loaded is None:
        return "no campaign is loaded"
    with house.ledger.read() as session:
        if is_computed(session, loaded, house.clock.now()):
            return "nothing new"
    computed = compute_awards(house)
    return f"{len(computed.awards.lines)} completions worked, {computed.lines_added} lines added"


def is_computed(session: Session, loaded: Loaded, now: Moment) -> bool:
    """Whether the ledger's lines are made from all that is known; the close brings the pools and bonuses."""
    run = session.get(RewardRunRow, loaded.slug)
    if run is None or run.inputs != inputs_of(session, loaded):
        return False
    return not run.computed_ns < loaded.newest.closes <= now


def _add_all(house: House, rows: Sequence[dict[str, object]]) -> int:
    """Add lines. Another process that computes at the same time adds the same steps: its rows stand, ours are given
    up, and the next run looks again.
    """
    added = 0
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        try:
            house.ledger.transact(lambda session, chunk=chunk: _add(session, chunk), durable=True)  # type: ignore[misc]
        except IntegrityError:
            return added
        added += len(chunk)
    return added


def _add(session: Session, rows: Sequence[dict[str, object]]) -> None:
    session.execute(insert(AwardLineRow), list(rows))


def _held(awards: Awards, worked: Worked) -> list[Mapping[str, object]]:
    """What claims that hold their place would get; where results are final, only those that are still open."""
    return [
        {
            "claim": line.claim,
            "participant": line.participant,
            "task": line.task,
            "amount_micro": line.amount_micro,
            "reason": line.reason,
            "working": dict(line.working),
            "position": position,
        }
        for position, line in enumerate(awards.lines)
        if line.claim in worked.holding and not (line.task in worked.final and _is_decided(worked, line.claim))
    ]


def _is_decided(worked: Worked, claim: str) -> bool:
    now = worked.now.get(claim)
    return now is not None and now.outcome in {"passed", "failed"}


def _project(session: Session, slug: str, held: Sequence[Mapping[str, object]], inputs: str, now: Moment) -> None:
    """Replace what place-holding claims would get, and note what all this was computed from."""
    session.execute(delete(ProvisionalLineRow).where(ProvisionalLineRow.campaign == slug))
    if held:
        session.execute(insert(ProvisionalLineRow), [{"campaign": slug, **row} for row in held])
    replace_rows(session, RewardRunRow, [{"campaign": slug, "inputs": inputs, "computed_ns": now}])
