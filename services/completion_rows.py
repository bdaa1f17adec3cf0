"""Reading a table of completions from CSV: strict, every value checked, every mistake with line, column and mend."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TypeVar

from tasks.mistakes import MOST_MISTAKES, Mistake
from tasks.moment import SECOND, Moment, parse_moment
from tasks.rewards.completion import Completion

Value = TypeVar("Value")

FIRST_COLUMNS = ("claim", "participant", "task", "at", "height", "tx_index", "subject")
OPTIONAL_COLUMNS = ("eligible", "ineligible_reason", "registered_at")
MOST_CELL_CHARACTERS = 100_000
MOST_DIGITS = 18
PIECE = 1 << 20
_WRITE_TIME = "write a UTC time such as 2023-06-20T16:00:00Z"
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
    """Lines by line feeds alone: `splitlines` would cut at characters that may stand in a subject.

    In pieces, since a text stream keeps four bytes for each character.
    """
    start = 0
    while start < len(text):
        near = start + PIECE
        end = (text.rfind("\n", start, near) + 1) or (text.find("\n", near) + 1) or len(text)
        yield from io.StringIO(text[start:end], newline="\n")
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
        self._options_given = tuple(name for name in OPTIONAL_COLUMNS if name in own)
        self._attributes = tuple(name for name in header[len(FIRST_COLUMNS) :] if name not in OPTIONAL_COLUMNS)
        self._option_cells = _cells([own[name] for name in self._options_given])
        self._attribute_cells = _cells([own[name] for name in self._attributes])
        self._names: dict[str, str] = {}
        self._days: dict[str, Moment] = {}
        self._option_sets: dict[tuple[str, ...], tuple[bool, str, Moment | None]] = {}
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
        names = self._names
        if not claim or claim != claim.strip() or participant not in names or task not in names:
            self._take_names(row)
        at = self._moment(at_text)
        height = self._number("height", height_text) if height_text else None
        tx_index = self._number("tx_index", index_text) if index_text else None
        options = self._options(self._option_cells(row))
        if at is None or options is None or self._table.mistakes:
            return None
        attributes = self._attributes_of(self._attribute_cells(row))
        return Completion(claim, names[participant], names[task], at, height, tx_index, subject, attributes, *options)

    def _options(self, values: tuple[str, ...]) -> tuple[bool, str, Moment | None] | None:
        """The optional columns of a row; what repeats is read once."""
        known = self._option_sets.get(values)
        if known is not None:
            return known
        given = dict(zip(self._options_given, values, strict=True))
        word, registered_text = given.get("eligible", ""), given.get("registered_at", "")
        if word not in _WORDS:
            message = f"{word!r} is neither true nor false"
            self._table.refuse(self._line, "eligible", message, "write true, false or nothing")
        registered = None
        if registered_text:
            registered = self._read("registered_at", registered_text, parse_moment, _WRITE_TIME)
        if word not in _WORDS or (registered_text and registered is None):
            return None
        known = self._option_sets[values] = _WORDS[word], given.get("ineligible_reason", ""), registered
        return known

    def _take_names(self, row: list[str]) -> None:
        """Keep a participant and a task that no row before had, or refuse the names of this one."""
        self._refuse_names(row)
        for name in row[1:3]:
            if name and name == name.strip():
                self._names.setdefault(name, name)

    def _refuse_names(self, row: list[str]) -> None:
        for column, text in zip(FIRST_COLUMNS[:3], row, strict=False):
            if not text or text != text.strip():
                message = f"the {column} is empty or has spaces around it"
                self._table.refuse(self._line, column, message, "write it without spaces around")

    def _read(self, column: str, text: str, parse: Callable[[str], Value], mend: str) -> Value | None:
        try:
            return parse(text)
        except ValueError as error:
            self._table.refuse(self._line, column, str(error), mend)
            return None

    def _number(self, column: str, text: str) -> int | None:
        if text.isdecimal() and text.isascii() and len(text) <= MOST_DIGITS:
            return int(text)
        return self._read(column, text, _whole, "write digits such as 1204331, or leave it empty")

    def _moment(self, text: str) -> Moment | None:
        """A time; its day is parsed once, as most rows of a large table share theirs with others."""
        begins = self._days.get(text[:11])
        if begins is not None and len(text) == 30 and text[13::3][:2] == "::" and text[19] + text[29] == ".Z":
            hour, minute = text[11:13], text[14:16]
            digits = text[17:19] + text[20:29]  # seconds and nine decimals are nanoseconds
            whole = hour + minute + digits
            if whole.isdecimal() and whole.isascii() and hour < "24" and minute < "60" and digits < "6":
                return Moment(begins + (int(hour) * 3600 + int(minute) * 60) * SECOND + int(digits))
        moment = self._read("at", text, parse_moment, _WRITE_TIME)
        if moment is not None and begins is None:
            self._days[text[:11]] = parse_moment(f"{text[:11]}00:00:00Z")
        return moment

    def _attributes_of(self, values: tuple[str, ...]) -> Mapping[str, str]:
        known = self._attribute_sets.get(values)
        if known is None:
            pairs = zip(self._attributes, values, strict=True)
            known = {name: value for name, value in pairs if value}
            self._attribute_sets[values] = known
        return known


def _cells(indices: Sequence[int]) -> Callable[[list[str]], tuple[str, ...]]:
    """Takes these cells out of a row."""
    if len(indices) > 1:
        return itemgetter(*indices)
    return lambda row: tuple(row[index] for index in indices)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS):
        raise ValueError(f"{text!r} is not a whole number")
    return int(text)
