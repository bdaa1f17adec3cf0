"""What observations were made of and the archive holds as well: texts of submitted SDLs, sealed days of probes."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from services.archive.evidence import Evidence, NotThere
from services.archive.format import SUBMITTED_SDLS, UPTIME_DAYS
from services.archive.judging import Verdicts
from services.archive.reading import Contents, Line
from tasks.moment import Moment, format_moment
from verifiers.evidence import Source
from verifiers.probes import ProbeDay, read_day
from verifiers.sdl.report import SDL_RULES_VERSION, SdlRefused
from verifiers.sdl.submission import reduce_submission
from verifiers.submitted.record import REQUEST as SUBMISSION
from verifiers.trouble import Undecodable

_DAY_KEYS = ("provider", "day", "every_seconds", "capacities", "slots")


def check_submissions(contents: Contents, evidence: Evidence, verdicts: Verdicts) -> None:
    """Each text is reduced again and compared with what judges read."""
    report, kept = contents.report, set()
    for place, line in contents.lines(SUBMITTED_SDLS):
        report.counts["submitted SDLs"] += 1
        kept.add(line["observation"])
        evidence.use([line["observation"]], place)
        if line["claim"] not in verdicts.claims:
            report.differ(place, "its claim is missing")
        if hashlib.sha256(line["text"].encode("utf-8", "replace")).hexdigest() != line["digest"]:
            report.differ(place, "its text was changed: it has another SHA-256")
        said = _body(evidence, line["observation"])
        if said is None:
            continue  # noted where the observation was read
        named = {
            "number": line["number"],
            "pull_request": line["pull_request"],
            "received_at": format_moment(Moment(line["received_ns"])),
        }
        for name, value in named.items():
            if said.get(name) != value:
                report.differ(place, f"{name} is not what its observation says")
        _check_reduction(contents, place, line["text"], said.get("sdl"))
    for name in evidence.names(Source.ENTERED, SUBMISSION):
        if name not in kept:
            report.differ(f"observation {name}", f"{SUBMITTED_SDLS.name} lacks the text it was made of")


def _check_reduction(contents: Contents, place: str, text: str, said: Any) -> None:
    version = said.get("version") if isinstance(said, dict) else None
    if version != SDL_RULES_VERSION:
        why = f"the SDL was reduced by version {version} of the rules, this program has {SDL_RULES_VERSION}"
        contents.report.skip(place, why)
        return
    try:
        again = json.loads(json.dumps(reduce_submission(text)))
    except SdlRefused as refused:
        contents.report.differ(place, f"its text is no valid SDL: {refused}")
        return
    if again != said:
        contents.report.differ(place, "its text, reduced again, is not what its observation says")


def check_days(contents: Contents, evidence: Evidence) -> None:
    """Each sealed day's digest, and the days that judges were given against these."""
    report = contents.report
    seals: dict[tuple[str, int], str] = {}
    for place, line in contents.lines(UPTIME_DAYS):
        report.counts["sealed days"] += 1
        seals[line["provider"], line["day"]] = line["digest"]
        day = _day(line)
        if day is None:
            report.differ(place, "it is no day of probes")
        elif day.digest != line["digest"]:
            report.differ(place, f"the day was changed after it was sealed: its digest is {day.digest}")
    for name in evidence.names(Source.PROBES):
        said = _body(evidence, name)
        days = said.get("days") if said is not None else None
        for row in days if isinstance(days, list) else ():
            _check_given(contents, f"observation {name}", row, seals)


def _check_given(contents: Contents, place: str, row: Any, seals: dict[tuple[str, int], str]) -> None:
    if not isinstance(row, dict) or row.get("sealed") is None:
        return  # a day that was not over: no judge decides by it
    key = str(row.get("provider")), row.get("day")
    if type(key[1]) is not int or seals.get((key[0], key[1])) != row["sealed"]:
        contents.report.differ(place, f"day {key[1]} of {key[0]} is not the sealed day in {UPTIME_DAYS.name}")


def _day(line: Line) -> ProbeDay | None:
    try:
        base64.b64decode(line["slots"], validate=True)
        day = read_day({name: line[name] for name in _DAY_KEYS})
    except (Undecodable, ValueError, OverflowError, MemoryError):
        return None
    return day if day.document() == {name: line[name] for name in _DAY_KEYS} else None


def _body(evidence: Evidence, name: str) -> Line | None:
    try:
        said = json.loads(evidence.observation(name).body)
    except (NotThere, ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None
