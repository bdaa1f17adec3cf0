"""`campaign check`: what is wrong with a file, line by line, and the most that its rules could pay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console
from rich.table import Table

from tasks.campaign import Checked, check
from tasks.exposure import Exposure
from tasks.rewards.money import Micro, format_micro


@dataclass(frozen=True, slots=True)
class Report:
    """What `campaign check` prints; `exposure` also where the worst case is all that is wrong."""

    file: str
    checked: Checked
    exposure: Exposure | None

    @property
    def valid(self) -> bool:
        """Whether the file can be loaded."""
        return self.checked.campaign is not None

    def document(self) -> dict[str, object]:
        """The one JSON document, also where the answer is no."""
        campaign = self.checked.campaign
        return {
            "valid": self.valid,
            "campaign": campaign.slug if campaign else None,
            "revision": campaign.revision if campaign else None,
            "digest": campaign.digest if campaign else None,
            "errors": [mistake.to_json() for mistake in self.checked.mistakes],
            "warnings": [mistake.to_json() for mistake in self.checked.warnings],
            "exposure": self.exposure.to_json() if self.exposure else None,
        }

    def print_to(self, stream: TextIO) -> None:
        """For people: mistakes first, then warnings, then the table."""
        console = Console(file=stream, highlight=False, soft_wrap=True)
        for word, found in (("error", self.checked.mistakes), ("warning", self.checked.warnings)):
            for mistake in found:
                console.print(f"{self.file}: {word}: {mistake}", markup=False)
        campaign = self.checked.campaign
        if self.exposure is not None:
            console.print(_table(self.exposure))
        if campaign is None or self.exposure is None:
            count = len(self.checked.mistakes)
            what = "the error" if count == 1 else f"the {count} errors"
            console.print(f"{self.file} can't be loaded: mend {what}.", markup=False)
            return
        console.print(f"{campaign.slug} revision {campaign.revision} is right; {self.exposure.sentence()}.")
        console.print(f"digest {campaign.digest}")


def check_text(file: str, text: str) -> Report:
    """Check a campaign file's text. Raises nothing: what is wrong is in the report."""
    checked = check(text)
    return Report(file, checked, checked.exposure)


def _table(table: Exposure) -> Table:
    shown = Table(title=f"The most that the rules could pay, in {table.unit}")
    shown.add_column("What")
    for title in ("each", "places", "budget", "overflow", "worst case"):
        shown.add_column(title, justify="right")
    for row in table.rows:
        cells: Sequence[str] = (
            format_micro(row.each_micro),
            "" if row.places is None else f"{row.places:,}",
            _amount(row.budget_micro),
            _amount(row.overflow_micro or None),
            "no bound" if row.worst_micro is None else format_micro(row.worst_micro),
        )
        shown.add_row(row.slug if row.what in {"task", "grants"} else f"{row.slug} ({row.what})", *cells)
    shown.add_section()
    total = "no bound" if table.total_micro is None else format_micro(table.total_micro)
    shown.add_row("in all", "", "", format_micro(table.budget_micro), "", total)
    return shown


def _amount(micro: Micro | None) -> str:
    return "" if micro is None else format_micro(micro)
