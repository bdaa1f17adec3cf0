"""Planning a payout: from what is owed to a draft that holds its lines; giving it up; planning dead batches again."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ledger.audit import append_act
from ledger.payouts import PayoutRow
from ledger.people import AddressRow
from services import campaigns
from services.campaigns import Loaded
from services.errors import Conflict, Refused
from services.house import House
from services.payout_moves import move, subject_of
from services.payout_records import payments, payout_in, plan_of
from services.payout_storing import store_batches, store_plan, written
from services.payout_views import BatchView, PayoutView, unpaid_document
from services.payouts import Due, due_lines, held_lines
from tasks.moment import Moment
from tasks.payout.batches import Batch, BatchError, batch, batch_name, cut
from tasks.payout.lifecycle import Act, BatchState
from tasks.payout.lines import LineState, OwedLine, Payee
from tasks.payout.plan import Plan, PlanRow, Terms, plan
from tasks.payout.sealing import Paying, seal
from tasks.rewards.money import format_micro, parse_rate
from verifiers.chain.answers import BlockLimits
from verifiers.payout.facts import PayerFacts
from verifiers.payout.gas import fee_uakt, gas_limit, rows_that_fit
from verifiers.payout.recipients import refusals
from verifiers.wallet.addresses import AddressError, parse_address
from verifiers.wallet.multisig import MultisigKey

GAS_PRICE = Fraction(25, 10_000)
"""uakt for a unit of gas where the node does not name its price (Akash's usual one)."""

LONGEST_SOURCE = 200
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be planned. `rate`: units for one AKT, as text; `rate_at`: when it was that; `task` None: all."""

    payer: str
    rate: str
    rate_source: str
    rate_at: Moment
    task: str | None = None
    minimum_micro: int = 0
    has_ledger: bool = False
    as_sends: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """What a plan would be now. `key` changes with anything in it; `warnings` say what will be in the way later."""

    number: int
    plan: Plan
    batches: tuple[Batch, ...]
    key: str
    fee_uakt: int
    balance_uakt: int | None
    warnings: tuple[str, ...]

    def document(self) -> dict[str, object]:
        """The plan as JSON."""
        return {
            "stored": False,
            "key": self.key,
            "payees": len(self.plan.rows),
            "amount_micro": self.plan.total_micro,
            "total_uakt": str(self.plan.total_uakt),
            "fee_uakt": str(self.fee_uakt),
            "balance_uakt": None if self.balance_uakt is None else str(self.balance_uakt),
            "warnings": list(self.warnings),
            "batches": [{"batch": each.name, "payees": len(each.rows)} for each in self.batches],
            "rows": [
                {
                    "participant": row.participant,
                    "recipient": row.recipient,
                    "amount_micro": row.amount_micro,
                    "amount_uakt": str(row.amount_uakt),
                }
                for row in self.plan.rows
            ],
            "unpaid": [unpaid_document(each) for each in self.plan.unpaid],
        }


def preview(house: House, wanted: Wanted, facts: PayerFacts, block: BlockLimits) -> Preview:
    """The plan that `draft` would store, writing nothing. Raises as `draft` does."""
    with house.ledger.read() as session:
        loaded = campaigns.required_in(session, house.settings.campaign)
        return _preview(session, house, loaded, wanted, facts, block)


def draft(
    house: House,
    actor: str,
    wanted: Wanted,
    facts: PayerFacts,
    block: BlockLimits,
    expected: str | None = None,
) -> PayoutView:
    """Store a plan: from now on it holds its lines, and waits for its planner's and approvers' signatures.

    `facts` are those of `wanted.payer` on the payout chain. `expected` is a preview's key. Raises Refused with the
    field, NotFound for a task, Conflict where nobody can be paid or the plan is not the expected one any more.
    """

    def store(session: Session) -> PayoutView:
        loaded = campaigns.required_in(session, house.settings.campaign)
        made = _preview(session, house, loaded, wanted, facts, block)
        if expected is not None and made.key != expected:
            raise Conflict("What is owed changed since you looked: look at the new plan first.")
        if not made.plan.rows:
            raise Conflict(_nobody(made.plan))
        paying = Paying(
            made.number, secrets.token_hex(16), 1, facts.address, facts.chain_id, wanted.has_ledger, wanted.as_sends,
            house.settings.payout_third_above_uakt,
        )  # fmt: skip
        return store_plan(session, house.clock.now(), actor, made.plan, made.batches, paying)

    return written(house, store)


def discard(house: House, actor: str, number: int) -> PayoutView:
    """Give up the batches of a payout that were never exported: their lines are owed again.

    Raises NotFound, Conflict where every batch was exported: a file of it exists, so it may still be paid.
    """

    def store(session: Session) -> PayoutView:
        loaded = campaigns.required_in(session, house.settings.campaign)
        view, at = payout_in(session, loaded.slug, number), house.clock.now()
        mine = [each for each in view.current if each.state in {BatchState.PLANNED, BatchState.APPROVED}]
        if not mine:
            raise Conflict(
                f"No batch of payout {number} can be given up: it is {view.state}. Once exported, a batch is free "
                "again only when it is provably dead (payout reconcile)."
            )
        for each in mine:
            move(session, at, each.id, Act.DISCARD, actor, is_news=False)
        names = [each.name for each in mine]
        append_act(session, at, actor, "payout.discard", subject_of(loaded.slug, number), {"batches": names})
        return payout_in(session, loaded.slug, number)

    return written(house, store)


def plan_again(house: House, actor: str, number: int) -> PayoutView:
    """Plan a payout's dead batches again, same rows, new names, to be signed anew by planner and approvers.

    Raises NotFound, Conflict where none is dead, another waits for its export, or what its people are owed changed
    since: then a new payout is planned, for the lines of a dead batch are owed again.
    """

    def store(session: Session) -> PayoutView:
        loaded = campaigns.required_in(session, house.settings.campaign)
        view, at = payout_in(session, loaded.slug, number), house.clock.now()
        dead = [each for each in view.current if each.state is BatchState.DEAD]
        if not dead:
            raise Conflict(f"No batch of payout {number} is dead: it is {view.state}.")
        if any(each.state in {BatchState.PLANNED, BatchState.APPROVED} for each in view.current):
            raise Conflict(f"Export or discard the batches of payout {number} that wait for that first.")
        made, attempt = plan_of(session, view), view.paying.attempt + 1
        _refuse_changed(session, view, [row for each in dead for row in _rows_of(made, each)])
        batches = [
            batch(loaded.slug, batch_name(number, each.number, attempt), _rows_of(made, each)) for each in dead
        ]
        paying = replace(view.paying, attempt=attempt)
        digest = seal(made, [each.rows_hash for each in batches], paying)
        row = session.get_one(PayoutRow, view.id)
        row.attempt, row.digest = attempt, digest
        numbered = [(old.number, old.first_place, new) for old, new in zip(dead, batches, strict=True)]
        store_batches(session, view.id, attempt, numbered, at)
        detail = {"batches": [each.name for each in batches], "digest": digest, "attempt": attempt}
        append_act(session, at, actor, "payout.plan_again", subject_of(loaded.slug, number), detail)
        session.flush()
        return payout_in(session, loaded.slug, number)

    return written(house, store)


def refuse_outdated(session: Session, view: PayoutView) -> None:
    """Raise Conflict where a row of a batch that was not exported yet may not be paid as it was planned.

    Somebody was withheld, or a correction that is to be set off came, after the plan.
    """
    held = held_lines(session, view.campaign, view.id)
    people = {line.participant for line in held}
    stopped = {who for (who, _, state), micro in _groups(held).items() if state != LineState.PAYABLE and micro >= 0}
    corrected = {who for (who, *_), micro in _groups(due_lines(session, view.campaign)).items() if micro < 0}
    found = sorted(stopped | corrected & people)
    if found:
        raise Conflict(
            f"What is owed to {_shown(found)} changed after payout {view.number} was planned: discard it "
            f"(payout discard {view.number}) and plan anew."
        )


def payees(session: Session) -> dict[str, Payee]:
    """Where each participant is paid: to the registered address, once a proof of it is kept."""
    proved = select(AddressRow.address).where(AddressRow.address == AddressRow.participant)
    return {address: Payee(address, address) for address in session.scalars(proved)}


def _preview(
    session: Session, house: House, loaded: Loaded, wanted: Wanted, facts: PayerFacts, block: BlockLimits
) -> Preview:
    terms = _terms(house, loaded, wanted)
    payer = _payer(wanted.payer)
    if facts.address != payer:
        raise Refused("These facts are of another account.", "payer")
    lines = [_owed(line) for line in due_lines(session, loaded.slug)]
    made = plan(lines, payees(session), terms, refusals(payer, facts.module_accounts))
    most = rows_that_fit(block, has_ledger=wanted.has_ledger, members=_members(facts), as_sends=wanted.as_sends)
    number = (session.scalar(select(func.max(PayoutRow.number)).where(PayoutRow.campaign == loaded.slug)) or 0) + 1
    try:
        batches = cut(loaded.slug, number, made.rows, most)
    except BatchError as error:
        raise Conflict(f"This can't be cut into batches: {error}.") from error
    fee = sum(fee_of(len(each.rows), facts, as_sends=wanted.as_sends)[0] for each in batches)
    warnings = tuple(_warnings(made, fee, facts))
    return Preview(number, made, batches, made.digest([]), fee, facts.balance_uakt, warnings)


def fee_of(rows: int, facts: PayerFacts, *, as_sends: bool) -> tuple[int, int]:
    """(fee in uakt, gas limit) of a batch of `rows` at the node's price."""
    gas = gas_limit(rows, as_sends=as_sends)
    return fee_uakt(gas, facts.gas_price if facts.gas_price is not None else GAS_PRICE), gas


def _terms(house: House, loaded: Loaded, wanted: Wanted) -> Terms:
    if wanted.task is not None:
        loaded.task(wanted.task)
    try:
        rate = parse_rate(wanted.rate)
    except ValueError as error:
        raise Refused(f"{error}.", "rate") from error
    source = " ".join(wanted.rate_source.split())
    if not source or len(source) > LONGEST_SOURCE or not source.isprintable():
        raise Refused(f"Say where the rate is from in at most {LONGEST_SOURCE} characters.", "rate_source")
    if wanted.rate_at > house.clock.now():
        raise Refused("The rate's time lies in the future.", "rate_at")
    if wanted.minimum_micro < 0:
        raise Refused("The minimum can't be below zero.", "minimum")
    unit = loaded.newest.reward.unit
    return Terms(loaded.slug, wanted.task, unit, rate, source, wanted.rate_at, wanted.minimum_micro)


def _payer(text: str) -> str:
    try:
        return parse_address(text)
    except AddressError as error:
        raise Refused(f"We can't pay from this account: {error}.", "payer") from error


def _members(facts: PayerFacts) -> int:
    if facts.key is None:
        return facts.signature_limit
    return len(facts.key.members) if isinstance(facts.key, MultisigKey) else 1


def _owed(line: Due) -> OwedLine:
    return OwedLine(line.line, line.participant, line.task, line.amount_micro, LineState(line.state), line.reason)


def _warnings(made: Plan, fee: int, facts: PayerFacts) -> Iterable[str]:
    needed = made.total_uakt + fee
    if facts.balance_uakt is not None and facts.balance_uakt < needed:
        yield (
            f"the paying account holds {format_micro(facts.balance_uakt)} AKT; this needs {format_micro(needed)} AKT "
            "with fees: fund it before the export"
        )
    if isinstance(facts.key, MultisigKey) and len(facts.key.members) > facts.signature_limit:
        yield f"the chain takes at most {facts.signature_limit} members of a multisig key; this one can't send"


def _nobody(made: Plan) -> str:
    reasons: dict[str, int] = {}
    for each in made.unpaid:
        reasons[str(each.reason)] = reasons.get(str(each.reason), 0) + 1
    said = "; ".join(f"{reason} ({count})" for reason, count in sorted(reasons.items()))
    return f"Nobody can be paid now: {said or 'nothing is owed that no payout holds'}."


def _rows_of(made: Plan, view: BatchView) -> tuple[PlanRow, ...]:
    return made.rows[view.first_place : view.first_place + view.size]


def _refuse_changed(session: Session, view: PayoutView, rows: Sequence[PlanRow]) -> None:
    """Raise Conflict unless exactly these lines would be planned for exactly these people again."""
    held = payments(session, [line for row in rows for line in row.lines])
    if held:
        other = next(iter(held.values()))
        raise Conflict(f"What the dead batches were to pay is in payout {other.payout} already ({other.batch}).")
    lines = [_owed(line) for line in due_lines(session, view.campaign)]
    now = {row.participant: row.lines for row in plan(lines, payees(session), view.terms, lambda _: None).rows}
    changed = [row.participant for row in rows if now.get(row.participant) != row.lines]
    if changed:
        raise Conflict(
            f"What is owed to {_shown(changed)} changed since payout {view.number} was planned: plan a new payout, "
            "which takes up what the dead batches did not pay."
        )


def _shown(people: Sequence[str]) -> str:
    more = f" and {len(people) - SHOWN} more" if len(people) > SHOWN else ""
    return ", ".join(people[:SHOWN]) + more


def _groups(lines: Iterable[Due]) -> dict[tuple[str, str | None, str], int]:
    groups: dict[tuple[str, str | None, str], int] = {}
    for line in lines:
        key = (line.participant, line.task, line.state)
        groups[key] = groups.get(key, 0) + line.amount_micro
    return groups
