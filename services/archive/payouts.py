"""The archived payouts worked again: rows from award lines, uakt from the rate, batches, digests, signatures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from services.archive.campaigns import People
from services.archive.format import AWARD_LINES
from services.archive.payout_members import PAYOUT_BATCHES, PAYOUT_ROWS, PAYOUT_SIGNATURES, PAYOUTS
from services.archive.reading import Contents, Line
from tasks.moment import Moment
from tasks.payout.approval import Approvals
from tasks.payout.batches import Batch, batch_name
from tasks.payout.lifecycle import HOLDING, BatchState
from tasks.payout.lines import NotPaid
from tasks.payout.plan import Plan, PlanRow, Terms, Unpaid
from tasks.payout.sealing import Part, Paying, seal
from tasks.payouts import convert
from tasks.rewards.money import parse_rate
from verifiers.payout.export import Fee, export

UNSIGNED = frozenset({BatchState.PLANNED, BatchState.DISCARDED})
"""States that a batch may have without enough signatures."""

PAID = frozenset({BatchState.PAID, BatchState.PARTLY_PAID})


@dataclass(slots=True)
class _Payout:
    """One payout as it is read: its line, rows, batches and signatures, each with its place."""

    place: str
    line: Line
    rows: list[Line] = field(default_factory=list)
    batches: list[tuple[str, Line]] = field(default_factory=list)
    signatures: list[tuple[str, Line]] = field(default_factory=list)


def check_payouts(contents: Contents, campaign: str, people: People) -> None:
    """Check every payout by itself, then that no award line is held by two batches."""
    payouts = _read(contents)
    wanted = {number for payout in payouts for row in payout.rows for number in row["lines"]}
    wanted |= {n for payout in payouts for each in payout.line["unpaid"] for n in _numbers(each.get("lines"))}
    lines = _award_lines(contents, wanted)
    holders: dict[int, str] = {}
    hashes: dict[str, str] = {}
    for payout in payouts:
        contents.report.counts["payouts"] += 1
        try:
            found = list(_wrong(payout, campaign, people, lines))
        except (ValueError, KeyError, TypeError, ArithmeticError) as error:
            found = [(payout.place, f"it can't be worked again: {error}")]
        for place, message in found:
            contents.report.differ(place, message)
        for place, message in _held(payout, holders, hashes):
            contents.report.differ(place, message)
        paid = sum(batch["state"] in PAID for _, batch in payout.batches)
        if paid:
            contents.report.trusted["transactions of payouts, as the payout chain showed them"] += paid


def _read(contents: Contents) -> list[_Payout]:
    known = {line["number"]: _Payout(place, line) for place, line in contents.lines(PAYOUTS)}
    for member in (PAYOUT_ROWS, PAYOUT_BATCHES, PAYOUT_SIGNATURES):
        for place, line in contents.lines(member):
            payout = known.get(line["payout"])
            if payout is None:
                contents.report.differ(place, f"payout {line['payout']} is missing")
            elif member is PAYOUT_ROWS:
                if line["place"] != len(payout.rows):
                    contents.report.differ(place, f"row {len(payout.rows)} must come here: one is missing")
                payout.rows.append(line)
            else:
                (payout.batches if member is PAYOUT_BATCHES else payout.signatures).append((place, line))
    return list(known.values())


def _award_lines(contents: Contents, wanted: set[int]) -> dict[int, tuple[str, int]]:
    return {
        line["id"]: (line["participant"], line["amount_micro"])
        for _, line in contents.lines(AWARD_LINES)
        if line["id"] in wanted
    }


def _wrong(
    payout: _Payout, campaign: str, people: People, lines: dict[int, tuple[str, int]]
) -> Iterator[tuple[str, str]]:
    """(place, message) of everything that differs in one payout. Raises for values that no payout can have."""
    plan, paying = _plan(payout, campaign), _paying(payout.line)
    for place, row in enumerate(plan.rows):
        for message in _wrong_row(row, people, lines):
            yield f"{PAYOUT_ROWS.name} (payout {payout.line['number']}, place {place})", message
    for each in plan.unpaid:
        if _sum(each.participant, each.lines, lines) != each.amount_micro:
            yield payout.place, f"what {each.participant} was not paid is not the sum of its award lines"
    parts = convert({row.participant: row.amount_micro for row in plan.rows}, plan.terms.rate).parts
    for row in plan.rows:
        if parts.get(row.participant) != row.amount_uakt:
            given = parts.get(row.participant)
            yield payout.place, f"{row.participant} gets {given} uakt at its rate, not {row.amount_uakt}"
    if (plan.total_micro, plan.total_uakt) != (payout.line["total_micro"], payout.line["total_uakt"]):
        yield payout.place, f"its rows sum to {plan.total_micro} micro and {plan.total_uakt} uakt"
    yield from _wrong_batches(payout, plan, paying)
    yield from _wrong_signatures(payout, plan, paying)


def _wrong_row(row: PlanRow, people: People, lines: dict[int, tuple[str, int]]) -> Iterator[str]:
    if row.participant not in people.registered:
        yield f"its participant {row.participant} is missing among the registrations"
    if row.recipient not in people.addresses.get(row.participant, ()):
        yield f"it pays {row.recipient}, which is no address of {row.participant}"
    found = _sum(row.participant, row.lines, lines)
    if found != row.amount_micro:
        yield f"its award lines add up to {found} micro, not {row.amount_micro}"


def _sum(participant: str, numbers: tuple[int, ...], lines: dict[int, tuple[str, int]]) -> int | None:
    """The sum of a participant's lines, None where one is missing, somebody else's, or there twice."""
    found = [lines.get(number) for number in numbers]
    if len(set(numbers)) != len(numbers) or any(each is None or each[0] != participant for each in found):
        return None
    return sum(each[1] for each in found if each is not None)


def _wrong_batches(payout: _Payout, plan: Plan, paying: Paying) -> Iterator[tuple[str, str]]:
    next_place = 0
    first: dict[int, tuple[int, int]] = {}
    for place, line in payout.batches:
        start, size, number, attempt = line["first_place"], line["size"], line["number"], line["attempt"]
        if number not in first:
            first[number] = (start, size)
            if start != next_place or size < 1:
                yield place, f"its rows begin at {start}, and {next_place} must come: one is in no batch, or in two"
            next_place = start + size
        elif first[number] != (start, size):
            yield place, "it has other rows than the batch whose place it takes"
        made = Batch(plan.terms.campaign, batch_name(paying.number, number, attempt), plan.rows[start : start + size])
        if (line["name"], line["rows_hash"], line["memo"]) != (made.name, made.rows_hash, made.memo):
            yield place, "its name, hash or memo are not those of its rows"
        yield from ((place, message) for message in _wrong_file(line, made, paying))
    if next_place != len(plan.rows):
        yield payout.place, f"its batches hold {next_place} of its {len(plan.rows)} rows"


def _wrong_file(line: Line, made: Batch, paying: Paying) -> Iterator[str]:
    """Does the exported file follow from the rows?"""
    frozen = [line[name] for name in ("timeout_height", "fee_uakt", "gas_limit", "sha256", "exported_height")]
    if all(value is None for value in frozen):
        if line["state"] not in {BatchState.PLANNED, BatchState.APPROVED, BatchState.DISCARDED}:
            yield f"it is {line['state']} and was never exported"
        return
    try:
        fee = Fee(line["fee_uakt"], line["gas_limit"])
        file = export(paying.payer, made.transfers, made.memo, line["timeout_height"], fee, as_sends=paying.as_sends)
    except (ValueError, TypeError) as error:
        yield f"its transaction can't be made again: {error}"
        return
    if file.sha256 != line["sha256"]:
        yield "its exported file is not the transaction that follows from its rows"


def _wrong_signatures(payout: _Payout, plan: Plan, paying: Paying) -> Iterator[tuple[str, str]]:
    hashes: dict[int, list[str]] = defaultdict(list)
    states: dict[int, set[str]] = defaultdict(set)
    for _, line in payout.batches:
        hashes[line["attempt"]].append(line["rows_hash"])
        states[line["attempt"]].add(line["state"])
    signed: dict[int, list[Line]] = defaultdict(list)
    for place, line in payout.signatures:
        signed[line["attempt"]].append(line)
        if line["digest"] != _digest(plan, hashes[line["attempt"]], paying, line["attempt"]):
            yield place, "another digest was signed than that of this plan"
    if _digest(plan, hashes[paying.attempt], paying, paying.attempt) != payout.line["digest"]:
        yield payout.place, "its digest is not that of its terms and rows"
    for attempt, found in states.items():
        planners = [each["person"] for each in signed[attempt] if each["part"] == Part.PLANNER]
        others = tuple(str(each["person"]) for each in signed[attempt] if each["part"] == Part.APPROVER)
        planner = str(planners[0]) if len(planners) == 1 else ""
        enough = Approvals(planner, others, plan.total_uakt, paying.third_above_uakt).is_enough
        if found - UNSIGNED and not (planner and enough and planner not in others):
            yield payout.place, f"attempt {attempt} was not signed by its planner and enough others"


def _digest(plan: Plan, hashes: list[str], paying: Paying, attempt: int) -> str:
    told = Paying(
        paying.number, paying.nonce, attempt, paying.payer, paying.chain_id, paying.has_ledger, paying.as_sends,
        paying.third_above_uakt,
    )  # fmt: skip
    return seal(plan, hashes, told)


def _held(payout: _Payout, holders: dict[int, str], hashes: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Lines that two batches hold; a paid batch without its own transaction."""
    for place, line in payout.batches:
        rows, released = payout.rows[line["first_place"] :][: line["size"]], set(line["released"])
        if line["state"] not in HOLDING and released != {row["place"] for row in rows}:
            yield place, f"it is {line['state']} and still holds award lines"
        if line["state"] in HOLDING - {BatchState.PARTLY_PAID} and released:
            yield place, f"it is {line['state']} and does not hold all its award lines"
        for row in rows:
            for number in row["lines"] if row["place"] not in released else ():
                other = holders.setdefault(number, place)
                if other != place:
                    yield place, f"award line {number} is held by {other} too: it could be paid twice"
        if line["state"] in PAID:
            if None in (line["tx_hash"], line["tx_height"]):
                yield place, "it is paid and names no transaction"
            elif hashes.setdefault(line["tx_hash"], place) != place:
                yield place, f"its transaction paid {hashes[line['tx_hash']]} already"


def _plan(payout: _Payout, campaign: str) -> Plan:
    line = payout.line
    terms = Terms(
        campaign, line["task"], line["unit"], parse_rate(line["rate"]), line["rate_source"],
        Moment(line["rate_at_ns"]), line["minimum_micro"],
    )  # fmt: skip
    rows = tuple(
        PlanRow(row["participant"], row["recipient"], row["amount_micro"], row["amount_uakt"], tuple(row["lines"]))
        for row in payout.rows
    )
    unpaid = tuple(
        Unpaid(
            str(each["participant"]), int(each["amount_micro"]), NotPaid(each["reason"]), "",
            tuple(_numbers(each["lines"])),
        )
        for each in line["unpaid"]
    )  # fmt: skip
    return Plan(terms, rows, unpaid)


def _paying(line: Line) -> Paying:
    return Paying(
        line["number"], line["nonce"], line["attempt"], line["payer"], line["chain_id"], line["has_ledger"],
        line["as_sends"], line["third_above_uakt"],
    )  # fmt: skip


def _numbers(value: object) -> list[int]:
    return [each for each in value if type(each) is int] if isinstance(value, list) else []
