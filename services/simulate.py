"""`rewards simulate`: the awards of a table of completions by a campaign's files, without any database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from services.completion_rows import Table, read_table
from tasks.campaign import Campaign, CampaignErrors, load
from tasks.mistakes import Mistake
from tasks.revisions import Rules
from tasks.rewards.awards import Awards
from tasks.rewards.collector import collector_paused
from tasks.rewards.completion import CompletionErrors
from tasks.rewards.engine import compute


@dataclass(frozen=True, slots=True)
class FileMistake:
    """A mistake with the file it stands in."""

    file: str
    mistake: Mistake

    def to_json(self) -> dict[str, object]:
        """Keys `file, line, column, path, message, mend`."""
        return {"file": self.file, **self.mistake.to_json()}

    def __str__(self) -> str:
        mistake = self.mistake
        where = f"{self.file}:{mistake.line}:{mistake.column}"
        named = f"{mistake.path}: " if mistake.path else ""
        return f"{where}: {named}{mistake.message}; {mistake.mend}"


@dataclass(frozen=True, slots=True)
class Simulation:
    """The answer: awards, or what keeps them from being computed; never a part of them."""

    awards: Awards | None
    errors: tuple[FileMistake, ...]

    @property
    def is_done(self) -> bool:
        """Whether awards were computed."""
        return self.awards is not None

    @property
    def document(self) -> dict[str, object]:
        """The JSON document: simulate's keys, or `{"errors": […]}`."""
        if self.awards is not None:
            return self.awards.to_json()
        return {"errors": [error.to_json() for error in self.errors]}

    def write_json(self, stream: TextIO) -> None:
        """Write the document piece by piece: a large season never stands in memory twice."""
        if self.awards is None:
            stream.write(json.dumps(self.document, ensure_ascii=False, indent=2) + "\n")
            return
        with collector_paused():
            stream.writelines(self.awards.json_chunks())


class _Refused(Exception):
    """Carries mistakes, with their files, out of a step."""

    def __init__(self, errors: Sequence[FileMistake]) -> None:
        super().__init__("the files can't be worked")
        self.errors = tuple(errors)


def _refused(file: Path, mistakes: Sequence[Mistake]) -> _Refused:
    return _Refused([FileMistake(str(file), each) for each in mistakes])


def simulate(campaign: Path, completions: Path, earlier: Sequence[Path] = ()) -> Simulation:
    """Compute the awards of a CSV by a campaign file and its earlier revisions.

    Nothing raises for what stands in the files: mistakes come back with file, line, column and mend.
    """
    try:
        with collector_paused():
            return Simulation(_computed(campaign, completions, earlier), ())
    except _Refused as refused:
        return Simulation(None, refused.errors)


def _computed(campaign: Path, completions: Path, earlier: Sequence[Path]) -> Awards:
    rules = _rules(campaign, earlier)
    table = read_table(_text(completions))
    if table.mistakes:
        raise _refused(completions, table.mistakes)
    try:
        return compute(rules, table.completions)
    except CompletionErrors as error:
        raise _refused(completions, _located(error, table)) from error


def _rules(campaign: Path, earlier: Sequence[Path]) -> Rules:
    loaded: list[Campaign] = []
    errors: list[FileMistake] = []
    for path in (*earlier, campaign):
        try:
            loaded.append(load(_text(path)))
        except CampaignErrors as error:
            errors += [FileMistake(str(path), each) for each in error]
        except _Refused as refused:
            errors += refused.errors
    if errors:
        raise _Refused(errors)
    newest = loaded[-1]
    late = [each.revision for each in loaded[:-1] if each.revision >= newest.revision and each.slug == newest.slug]
    if late:
        message = f"revision {late[0]} is given as earlier than revision {newest.revision}"
        raise _refused(campaign, [Mistake(1, 1, "revision", message, "name the newest file first")])
    try:
        return Rules(loaded)
    except CampaignErrors as error:
        raise _refused(campaign, error.mistakes) from error


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        reason = error.strerror or "it can't be read"
        mistake = Mistake(1, 1, "", f"the file can't be read: {reason}", "check its name and who may read it")
        raise _refused(path, [mistake]) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        column = error.start - error.object.rfind(b"\n", 0, error.start)
        mistake = Mistake(line, column, "", "the file is not UTF-8 here", "save it as UTF-8")
        raise _refused(path, [mistake]) from error


def _located(error: CompletionErrors, table: Table) -> list[Mistake]:
    return [
        Mistake(table.lines[each.row], table.columns.get(each.column, 1), each.column, each.message, each.mend)
        for each in error.mistakes
    ]
