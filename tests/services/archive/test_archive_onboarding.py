"""Claimed GPUs over several looks, days of probes and the close: worked again from the archive."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from ledger.people import RegistrationRow
from ledger.probes import keep_days
from services import campaigns
from services.archive.report import Report
from services.archive.verify import verify_archive
from services.claims import submit
from services.house import House
from tasks.moment import SECOND, Moment, parse_moment
from tests.archives import changed, exported, on_lines
from tests.houses import NOON
from tests.onboarding_town import at, town, verified
from tests.onboarding_worlds import PROVIDER, probed
from tests.provider_double import node
from verifiers.probes import State

CLOSES = parse_moment("2026-12-01T00:00:00Z")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with town(tmp_path_factory.mktemp("town")) as (house, node_, double):
        submit(house, PROVIDER, "onboard", {"provider": PROVIDER, "gpu_model": "a100", "count": "2"})
        verified(house, node_)
        verified(at(house, node_, Moment(NOON + 600 * SECOND)), node_)
        double.nodes = [node(gpus=[("a100", "80Gi")] * 2)]
        rows = verified(at(house, node_, Moment(NOON + 900 * SECOND)), node_)
        with house.ledger.write() as session:
            keep_days(session, probed(Moment(rows["1"].at_ns), CLOSES, lambda _: State.up({"nvidia/a100": 2})))
            session.execute(update(RegistrationRow).values(rules_digest=rules_digest(house)))
        closed = at(house, node_, Moment(CLOSES + 60 * SECOND))
        verified(closed, node_)
        yield exported(closed, tmp_path_factory.mktemp("archive") / "archive.tar.zst")


def rules_digest(house: House) -> str:
    return campaigns.required(house).newest.rules_digest


def test_verify__looks_probes_and_close__all_is_worked_again(archive: Path) -> None:
    report = verify_archive(archive)
    assert report.differences == []
    assert report.not_recomputable == []
    assert report.counts["verdicts judged again"] == report.counts["verdicts"] == 4
    assert report.counts["sealed days"] >= 5
    assert not [what for what in report.trusted if "record" in what]


def drop(name: str, value: object) -> Callable[[list[dict[str, Any]]], Any]:
    return lambda lines: [line for line in lines if line[name] != value]


def first_slot(lines: list[dict[str, Any]]) -> None:
    lines[1]["slots"] = "A" + ("B" if lines[1]["slots"][1] == "A" else "A") + lines[1]["slots"][2:]


TAMPERINGS: dict[str, tuple[str, Callable[[list[dict[str, Any]]], Any], str, str]] = {
    "an earlier verdict removed": ("verdicts.jsonl", drop("id", 2), "verdicts.jsonl", "record of earlier looks"),
    "a slot of a day": (
        "uptime_days.jsonl",
        first_slot,
        "uptime_days.jsonl line 2",
        "was changed after it was sealed",
    ),
    "a day removed": (
        "uptime_days.jsonl",
        lambda lines: lines[:2] + lines[3:],
        "observation",
        "is not the sealed day",
    ),
}


@pytest.mark.parametrize(("member", "edit", "place", "words"), TAMPERINGS.values(), ids=TAMPERINGS)
def test_verify__look_or_day_changed__is_named(
    archive: Path, tmp_path: Path, member: str, edit: Callable[[list[dict[str, Any]]], Any], place: str, words: str
) -> None:
    report: Report = verify_archive(changed(archive, tmp_path / "x", {member: on_lines(edit)}, mended=True))
    said = [str(finding) for finding in report.differences]
    assert any(finding.startswith(place) and words in finding for finding in said), said
