"""A made-up season of each preset with awkward people, every line with its amount, its reason and why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tasks.campaign import load, preset, presets
from tasks.moment import parse_moment
from tasks.revisions import Rules
from tasks.rewards.awards import Awards
from tasks.rewards.completion import Completion
from tasks.rewards.engine import compute
from tasks.rewards.money import format_micro
from tasks.rewards.working import amount_from_working

SEASONS = sorted((Path(__file__).parent / "seasons").glob("*.season"))
_MANY = re.compile(r"\{(\d+)\.\.(\d+)\}")


@dataclass(frozen=True)
class Season:
    """A campaign's revisions, completions, and what must come out, in the order worked."""

    rules: Rules
    completions: tuple[Completion, ...]
    expected: tuple[str, ...]


def _rows(text: str) -> Iterator[str]:
    """Rows of a season; one with `{01..50}` in its claim is fifty rows, `{n}` the number."""
    for line in text.splitlines():
        row = line.strip()
        many = _MANY.search(row)
        if not row or row.startswith(("#", "+")):
            continue
        if many is None:
            yield row
            continue
        for number in range(int(many[1]), int(many[2]) + 1):
            digits = str(number).zfill(len(many[1]))
            yield row.replace(many[0], digits).replace("{n}", digits)


def _completion(cells: list[str]) -> Completion:
    claim, who, task, when, subject, attributes = cells
    clock, _, place = when.partition("@")
    height, _, index = place.partition(".")
    pairs = dict(each.split("=", 1) for each in attributes.split())
    registered, barred = pairs.pop("reg", None), pairs.pop("not", None)
    since = None if registered is None else parse_moment(registered)
    at = parse_moment(clock)
    numbers = [int(each) if each else None for each in (height, index)]
    return Completion(claim, who, task, at, *numbers, subject, pairs, barred is None, barred or "", since)


def _season(path: Path) -> Season:
    """Cells are separated by ` | `; rows of two or three cells are what the engine makes itself."""
    text = path.read_text(encoding="utf-8")
    added = "\n".join(line[2:] for line in text.splitlines() if line.startswith("+ "))
    if path.stem in presets():
        rules = Rules([load(f"{preset(path.stem)}\n{added}")])
    else:
        files = sorted(path.parent.glob(f"{path.stem}.*.yaml"))
        rules = Rules(load(each.read_text(encoding="utf-8")) for each in files)
    completions, expected = [], []
    for row in _rows(text):
        cells = [cell.strip() for cell in row.split("|")]
        if len(cells) == 8:
            completions.append(_completion(cells[:6]))
        expected.append(f"{cells[0]} {cells[-2]}")
        assert cells[-1], f"say why: {row}"
    return Season(rules, tuple(completions), tuple(expected))


def written(awards: Awards) -> list[str]:
    """Lines, pools and bonuses as the season writes them."""
    lines = [f"{line.claim} {format_micro(line.amount_micro)} {line.reason}" for line in awards.lines]
    lines += [f"pool {each.slug} {each.participant} {format_micro(each.amount_micro)}" for each in awards.pools]
    return lines + [
        f"bonus {each.slug} {each.place} {each.participant} {format_micro(each.amount_micro)}"
        for each in awards.bonuses
    ]


@pytest.mark.parametrize("path", SEASONS, ids=[path.stem for path in SEASONS])
def test_season__of_a_campaign__pays_what_its_golden_file_says(path: Path) -> None:
    season = _season(path)
    awards = compute(season.rules, reversed(season.completions))
    assert written(awards) == list(season.expected)
    for line in awards.lines:
        assert amount_from_working(line.working) == line.amount_micro
    assert sum(awards.totals.values()) + awards.budget_left_micro == season.rules.newest.budget_for_rules


def test_seasons__of_the_presets__are_all_there() -> None:
    assert set(presets()) < {path.stem for path in SEASONS}
