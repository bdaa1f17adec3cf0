"""Reading a table of completions from CSV: strict, every value checked, every mistake with line, column and mend."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from tasks.mistakes import MOST_MISTAKES, Mistake
from tasks.moment import SECOND, Moment, parse_moment
from tasks.rewards.completion import Completion

Value = TypeVar("Value")

FIRST_COLUMNS = ("claim", "participant", "task", "at", "height", "tx_index", "subject")
OPTIONAL_COLUMNS = ("eligible", "ineligible_reason", "registered_at")
MOST_CELL_CHARACTERS = 100_000
_FRACTION = re.compile(r"\.[0-9]{1,9}Z")
_WORDS = {"true": True, "": True, "false": False}


@dataclass(slots=True)
class Table:
    """The completions of a file, the line each stands on, and the columns' numbers (from 1) by name."""

    completions: list[Completion] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    columns: Mapping[str, int] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    def refuse(self, line: int, column: str, message: str, mend: str) -> None:
        """Note a mistake at a line and a column's name."""
        if len(self.mistakes) < MOST_MISTAKES:
            self.mistakes.append(Mistake(line, self.columns.get(column, 1), column, message, mend))


def read_table(text: str) -> Table:
    """Read CSV text (CAMPAIGN_FORMAT, `rewards simulate`). With mistakes in the table, its rows mean nothing."""
    table = Table()
    rows = _rows(text.removeprefix("\ufeff"), table)
    header = next(rows, None)
    if header is None:
        table.refuse(1, "", "the file is empty", f"begin with the header {','.join(FIRST_COLUMNS)}")
        return table
    if not _take_header(header[1], header[0], table):
        return table
    _Reader(header[1], table).read(rows)
    return table


def _rows(text: str, table: Table) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line it begins on; lines without anything on them are no rows."""
    csv.field_size_limit(MOST_CELL_CHARACTERS)
    reader = csv.reader(_physical_lines(text), strict=True)
    begins = 1
    try:
        for row in reader:
            if row:
                yield begins, row
            begins = reader.line_num + 1
    except csv.Error as error:
        table.refuse(begins, "", f"this row is not CSV: {error}", "check its quotes and commas")


def _physical_lines(text: str) -> Iterator[str]:
    """Lines by line feeds alone: `splitlines` would cut at characters that may stand in a subject."""
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


def _take_header(header: Sequence[str], line: int, table: Table) -> bool:
    table.columns = {name: number for number, name in reversed(list(enumerate(header, start=1)))}
    if tuple(header[: len(FIRST_COLUMNS)]) != FIRST_COLUMNS:
        wrong = next((name for name, want in zip(header, FIRST_COLUMNS, strict=False) if name != want), "")
        mend = f"begin the header with {','.join(FIRST_COLUMNS)}"
        table.refuse(line, wrong, "the first seven columns are not those of a table of completions", mend)
    for number, name in enumerate(header, start=1):
        if not name.strip() or name != name.strip():
            table.mistakes.append(
                Mistake(
                    line, number, name, f"the name of column {number} is empty or has spaces around it", "name it"
                )
            )
        elif table.columns[name] != number:
            table.mistakes.append(Mistake(line, number, name, f"the column {name} stands twice", "keep one of them"))
    return not table.mistakes


class _Reader:
    """Reads rows below a header. Values that repeat (times of registration, attributes) are kept once."""

    def __init__(self, header: Sequence[str], table: Table) -> None:
        self._table = table
        self._width = len(header)
        self._header = header
        own = {name: number - 1 for name, number in table.columns.items()}
        self._eligible = own.get("eligible")
        self._reason = own.get("ineligible_reason")
        self._registered = own.get("registered_at")
        self._attributes = [
            (index, name)
            for index, name in enumerate(header)
            if index >= len(FIRST_COLUMNS) and name not in OPTIONAL_COLUMNS
        ]
        self._names: dict[str, str] = {}
        self._moments: dict[str, Moment] = {}
        self._attribute_sets: dict[tuple[str, ...], Mapping[str, str]] = {}
        self._line = 0

    def read(self, rows: Iterator[tuple[int, list[str]]]) -> None:
        """Read every row into the table."""
        for line, row in rows:
            self._line = line
            if len(row) != self._width:
                message = f"{len(row)} values under {self._width} columns"
                column = self._header[min(len(row), self._width) - 1]
                self._table.refuse(line, column, message, "give one value for each column; quote values with commas")
                continue
            completion = self._completion(row)
            if completion is not None:
                self._table.completions.append(completion)
                self._table.lines.append(line)

    def _completion(self, row: list[str]) -> Completion | None:
        claim, participant, task, at_text, height_text, index_text, subject = row[:7]
        if not (claim and participant and task) or row[:3] != [claim.strip(), participant.strip(), task.strip()]:
            self._refuse_names(row)
        at = self._read("at", at_text, self._moment, "write a UTC time such as 2023-06-20T16:00:00Z")
        height = self._number("height", height_text) if height_text else None
        tx_index = self._number("tx_index", index_text) if index_text else None
        word = self._cell(row, self._eligible)
        if word not in _WORDS:
            message = f"{word!r} is neither true nor false"
            self._table.refuse(self._line, "eligible", message, "write true, false or nothing")
        registered_text = self._cell(row, self._registered)
        registered = self._moment_once(registered_text) if registered_text else None
        if at is None or self._table.mistakes:
            return None
        name, reason = self._names.setdefault, self._cell(row, self._reason)
        return Completion(
            claim,
            name(participant, participant),
            name(task, task),
            at,
            height,
            tx_index,
            subject,
            self._attributes_of(row),
            _WORDS[word],
            name(reason, reason),
            registered,
        )

    def _refuse_names(self, row: list[str]) -> None:
        for column, text in zip(FIRST_COLUMNS[:3], row, strict=False):
            if not text or text != text.strip():
                message = f"the {column} is empty or has spaces around it"
                self._table.refuse(self._line, column, message, "write it without spaces around")

    @staticmethod
    def _cell(row: list[str], index: int | None) -> str:
        return "" if index is None else row[index]

    def _read(self, column: str, text: str, parse: Callable[[str], Value], mend: str) -> Value | None:
        try:
            return parse(text)
        except ValueError as error:
            self._table.refuse(self._line, column, str(error), mend)
            return None

    def _number(self, column: str, text: str) -> int | None:
        return self._read(column, text, _whole, "write digits such as 1204331, or leave it empty")

    def _moment(self, text: str) -> Moment:
        """A time; its minute is parsed once, as most rows of a large table share theirs with others."""
        minute, rest = text[:17], text[17:]
        seconds, fraction = rest[:2], rest[3:-1]
        plain = seconds.isascii() and seconds.isdecimal() and seconds < "60" and len(seconds) == 2
        if not plain or not (rest[2:] == "Z" or _FRACTION.fullmatch(rest, 2)):
            return parse_moment(text)
        begins = self._moments.get(minute)
        if begins is None:
            begins = self._moments[minute] = parse_moment(f"{minute}00Z")
        return Moment(begins + int(seconds) * SECOND + int(fraction.ljust(9, "0")))

    def _moment_once(self, text: str) -> Moment | None:
        known = self._moments.get(text)
        if known is None:
            known = self._read("registered_at", text, parse_moment, "write a UTC time such as 2023-06-20T16:00:00Z")
            if known is not None:
                self._moments[text] = known
        return known

    def _attributes_of(self, row: list[str]) -> Mapping[str, str]:
        values = tuple(row[index] for index, _ in self._attributes)
        known = self._attribute_sets.get(values)
        if known is None:
            pairs = zip(self._attributes, values, strict=True)
            known = {name: value for (_, name), value in pairs if value}
            self._attribute_sets[values] = known
        return known


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise ValueError(f"{text!r} is not a whole number")
    return int(text)
