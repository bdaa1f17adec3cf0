"""`eligibility import`: an identity provider's list, taken whole or not at all."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from services import campaigns
from services.eligibility import Entered, enter
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


def import_eligibility(house: House, actor: str, text: str) -> Imported:
    """Enter every row of a CSV `address,eligibility,reason[,starts]` (RFC 3339); the same file again adds nothing.

    Raises ImportRefused with every line that is wrong, NotFound without a campaign; nothing is half done.
    """
    loaded, now = campaigns.required(house), house.clock.now()
    rows, mistakes = _read(text)
    if mistakes:
        raise ImportRefused(mistakes)

    def store(session: Session) -> Imported:
        added, wrong = 0, []
        for line, entered in rows:
            try:
                added += enter(session, loaded, actor, now, entered)[1]
            except UseCaseError as error:
                wrong.append(f"line {line}: {error.message}")
        if wrong:
            raise ImportRefused(wrong)
        return Imported(added, len(rows) - added)

    return house.ledger.transact(store, durable=True)


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
