"""Mistakes in a text from outside: where each stands, what is wrong and how to mend it, all of them at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

MOST_MISTAKES = 100
"""A text with more mistakes than this is another kind of text: the rest is not listed."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake. `line` and `column` count from 1; `path` is e.g. `tasks[2].reward.amount`, or a CSV column's name.

    `message` says what is wrong, `mend` what to write instead. A `warning` stops nothing.
    """

    line: int
    column: int
    path: str
    message: str
    mend: str

    def to_json(self) -> dict[str, object]:
        """The keys that `--json` answers print."""
        return {
            "line": self.line,
            "column": self.column,
            "path": self.path,
            "message": self.message,
            "mend": self.mend,
        }

    def __str__(self) -> str:
        where = f"line {self.line}" + (f", {self.path}" if self.path else "")
        return f"{where}: {self.message}; {self.mend}" if self.mend else f"{where}: {self.message}"


class CampaignErrors(Exception):
    """A campaign file that can't be taken; `mistakes` in the order of their lines."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(mistakes, key=lambda each: (each.line, each.column)))
        super().__init__("\n".join(str(each) for each in self.mistakes))

    def __iter__(self) -> Iterator[Mistake]:
        return iter(self.mistakes)


@dataclass(slots=True)
class Findings:
    """What a reading of one file has found so far; reading goes on after a mistake, to find them all."""

    mistakes: list[Mistake] = field(default_factory=list)
    warnings: list[Mistake] = field(default_factory=list)

    def refuse(self, mistake: Mistake) -> None:
        """Note a mistake that keeps the file from being taken."""
        if len(self.mistakes) < MOST_MISTAKES:
            self.mistakes.append(mistake)

    def warn(self, warning: Mistake) -> None:
        """Note what is allowed but likely not meant."""
        if len(self.warnings) < MOST_MISTAKES:
            self.warnings.append(warning)

    def raise_if_any(self) -> None:
        """Raise CampaignErrors where a mistake was found."""
        if self.mistakes:
            raise CampaignErrors(self.mistakes)
