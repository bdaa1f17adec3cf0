"""`eligibility import`: an identity provider's list, taken whole or not at all."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ledger.awards import AwardLineRow
from ledger.eligibility import EligibilityRow
from services import campaigns
from services.campaigns import Loaded
from services.eligibility import Entered, Weighed, enter, weigh
from services.errors import Refused, UseCaseError
from services.house import House
from tasks.moment import parse_moment

COLUMNS = ("address", "eligibility", "reason", "starts")
NEEDED = COLUMNS[:3]
SHOWN = 20
MOST_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class Imported:
    """How many rows were new, and how many said what holds already."""

    added: int
    unchanged: int


class ImportRefused(Refused):
    """The file can't be taken; `mistakes` names each line."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        shown = "\n".join(mistakes[:SHOWN])
        more = f"\n… and {len(mistakes) - SHOWN} more" if len(mistakes) > SHOWN else ""
        super().__init__(f"Nothing was imported:\n{shown}{more}")
        self.mistakes = tuple(mistakes)


@dataclass(frozen=True, slots=True)
class Change:
    """What one row of a list would change: the entry that holds now (None: nothing was decided) and the new one.

    `awarded_micro`: what the ledger holds for the participant now.
    """

    line: int
    participant: str
    before: EligibilityRow | None
    entered: Entered
    awarded_micro: int


@dataclass(frozen=True)
class ImportPreview:
    """What an import would do. `mistakes`: each line that is wrong, one sentence each; with any, nothing is taken."""

    changes: Sequence[Change]
    unchanged: int
    mistakes: Sequence[str]
    unit: str

    @property
    def digest(self) -> str:
        """Names what was seen: another one means that somebody decided in between, or that the text is another."""
        seen = [
            [each.participant, each.before.number if each.before else 0, *_words(each.entered)]
            for each in self.changes
        ]
        return hashlib.sha256(json.dumps(seen).encode()).hexdigest()


def preview_import(house: House, actor: str, text: str) -> ImportPreview:
    """What `import_eligibility` would do with this text; nothing is written. Raises NotFound without a campaign."""
    loaded = campaigns.required(house)
    rows, mistakes = _read(text)
    with house.ledger.read() as session:
        weighed, wrong = _weighed(session, loaded, actor, rows)
        sums = _awarded(session, loaded.slug)
    changes = [
        Change(line, each.participant, each.before, entered, sums.get(each.participant, 0))
        for line, entered, each in weighed
        if each.is_new
    ]
    unit = loaded.newest.reward.unit
    return ImportPreview(changes, len(weighed) - len(changes), [*mistakes, *wrong], unit)


def import_eligibility(house: House, actor: str, text: str) -> Imported:
    """Enter every row of a CSV `address,eligibility,reason[,starts]` (RFC 3339); the same file again adds nothing.

    Raises ImportRefused with every line that is wrong, NotFound without a campaign; nothing is half done.
    """
    loaded, now = campaigns.required(house), house.clock.now()
    rows, mistakes = _read(text)
    if mistakes:
        raise ImportRefused(mistakes)

    def store(session: Session) -> Imported:
        weighed, wrong = _weighed(session, loaded, actor, rows)
        if wrong:
            raise ImportRefused(wrong)
        added = sum(enter(session, loaded, actor, now, entered)[1] for _, entered, each in weighed if each.is_new)
        return Imported(added, len(rows) - added)

    return house.ledger.transact(store, durable=True)


def _weighed(
    session: Session, loaded: Loaded, actor: str, rows: Sequence[tuple[int, Entered]]
) -> tuple[list[tuple[int, Entered, Weighed]], list[str]]:
    """Each row held against what is decided, and what is wrong with the others."""
    weighed: list[tuple[int, Entered, Weighed]] = []
    wrong: list[str] = []
    seen: dict[str, int] = {}
    for line, entered in rows:
        try:
            found = weigh(session, loaded, actor, entered)
        except UseCaseError as error:
            wrong.append(f"line {line}: {error.message}")
            continue
        if found.participant in seen:
            other = seen[found.participant]
            wrong.append(f"line {line}: {entered.address} is the participant of line {other} too: keep one of them")
            continue
        seen[found.participant] = line
        weighed.append((line, entered, found))
    return weighed, wrong


def _words(entered: Entered) -> tuple[object, ...]:
    return entered.eligibility, " ".join(entered.reason.split()), entered.starts


def _awarded(session: Session, campaign: str) -> dict[str, int]:
    statement = (
        select(AwardLineRow.participant, func.sum(AwardLineRow.amount_micro))
        .where(AwardLineRow.campaign == campaign)
        .group_by(AwardLineRow.participant)
    )
    return {participant: int(micro) for participant, micro in session.execute(statement)}


def _read(text: str) -> tuple[list[tuple[int, Entered]], list[str]]:
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    rows: list[tuple[int, Entered]] = []
    mistakes: list[str] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        if set(header) - set(COLUMNS) or len(set(header)) != len(header) or set(NEEDED) - set(header):
            return [], [f"line 1: the columns must be {','.join(NEEDED)}, and starts if you like; they are {header}"]
        seen: dict[str, int] = {}
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            try:
                entered = _entered(header, cells)
            except ValueError as error:
                mistakes.append(f"line {reader.line_num}: {error}")
                continue
            if entered.address in seen:
                mistakes.append(
                    f"line {reader.line_num}: {entered.address} stands on line {seen[entered.address]} too"
                )
            seen[entered.address] = reader.line_num
            rows.append((reader.line_num, entered))
            if len(rows) > MOST_ROWS:
                return [], [f"more than {MOST_ROWS:,} rows: give the file in parts"]
    except csv.Error as error:
        mistakes.append(f"line {reader.line_num}: {error}")
    if not rows and not mistakes:
        mistakes.append("line 1: no row follows the header")
    return rows, mistakes


def _entered(header: Sequence[str], cells: Sequence[str]) -> Entered:
    """One row. Raises ValueError that says what is wrong."""
    if len(cells) != len(header):
        raise ValueError(f"{len(cells)} values for {len(header)} columns")
    values = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    starts = values.get("starts", "")
    return Entered(
        address=values["address"].lower(),
        eligibility=values["eligibility"].lower(),
        reason=values["reason"],
        starts=parse_moment(starts) if starts else None,
    )
