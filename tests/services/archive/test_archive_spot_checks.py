"""Spot checks in the archive: what is to come is not in it, and what came is worked again once the seed is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from ledger.people import RegistrationRow
from ledger.probes import keep_days
from services import campaigns, spot_checks
from services.archive.report import Report
from services.archive.verify import verify_archive
from services.house import House
from services.spot_draws import hold
from tasks.moment import Moment, format_moment
from tests.archives import changed, exported, on_lines, unpacked
from tests.onboarding_town import TownNode, verified
from tests.onboarding_worlds import PROVIDER, probed
from tests.spot_town import (
    CLOSES,
    MINUTE,
    UP,
    drawn,
    leased_at_once,
    moved,
    opened,
    result_text,
    spot_town,
)
from verifiers.onboarding.draws import OPEN_FOR


def _settled(house: House) -> None:
    digest = campaigns.required(house).newest.rules_digest
    with house.ledger.write() as session:
        session.execute(update(RegistrationRow).values(rules_digest=digest))


def _run(house: House, node_: TownNode) -> House:
    now = opened(house, node_)
    check = spot_checks.own(now, PROVIDER)[0]
    spot_checks.prepare(now, PROVIDER, check.id)
    later = moved(now, node_, now.clock.now() + 60 * MINUTE)
    leased_at_once(node_)
    spot_checks.enter(later, PROVIDER, check.id, [result_text("two", ["GPU-a", "GPU-b"])])
    soon = moved(later, node_, later.clock.now() + MINUTE)
    verified(soon, node_)
    return soon


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """From the draw to the close."""
    with spot_town(tmp_path_factory.mktemp("town")) as (house, node_, _):
        _settled(house)
        now = _run(house, node_)
        with now.ledger.write() as session:
            keep_days(session, probed(Moment(node_.world.time(500)), CLOSES, lambda _: UP))
        over = moved(now, node_, now.clock.now() + OPEN_FOR)
        hold(over)
        closed = moved(over, node_, CLOSES + MINUTE)
        hold(closed)
        rows = verified(closed, node_)
        assert {row.outcome for row in rows.values()} == {"passed"}
        yield exported(closed, tmp_path_factory.mktemp("archive") / "archive.tar.zst")


def test_verify__from_draw_to_close__all_is_worked_again(whole: Path) -> None:
    report = verify_archive(whole)
    assert report.differences == []
    assert report.not_recomputable == []
    assert report.counts["spot checks"] == 1


def test_export__drawn_and_not_open__tells_neither_moment_nor_seed(tmp_path: Path) -> None:
    with spot_town(tmp_path) as (house, node_, _):
        _settled(house)
        row = drawn(house, node_)
        members = unpacked(exported(house, tmp_path / "archive.tar.zst"))
        with house.ledger.read() as session:
            seed = spot_checks.SpotSeedRow
            told = session.query(seed).one()
    assert members["spot_checks.jsonl"] == b""
    assert told.commitment.encode() in members["spot_seeds.jsonl"]
    moment = Moment(row.moment_ns)
    for secret in (told.seed, str(moment), format_moment(moment), row.id):
        assert all(secret.encode() not in content for content in members.values())


def test_export__open__tells_its_moment_and_still_no_seed(tmp_path: Path) -> None:
    with spot_town(tmp_path) as (house, node_, _):
        _settled(house)
        now = _run(house, node_)
        path = exported(now, tmp_path / "archive.tar.zst")
        with house.ledger.read() as session:
            seed = session.query(spot_checks.SpotSeedRow).one().seed
    assert all(seed.encode() not in content for content in unpacked(path).values())
    report = verify_archive(path)
    assert report.differences == []
    assert any("once the seed is published" in each.message for each in report.not_recomputable)


def _set(**values: Any) -> Callable[[list[dict[str, Any]]], Any]:
    def edit(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**line, **values} for line in lines]

    return edit


def _later(name: str, by: int) -> Callable[[list[dict[str, Any]]], Any]:
    return lambda lines: [{**line, name: line[name] + by} for line in lines]


CHANGES = {
    "another moment": ("spot_checks.jsonl", _later("moment_ns", -MINUTE), "drawn again it is"),
    "another block": ("spot_checks.jsonl", _set(block_hash="CD" * 32), "drawn again it is"),
    "another height": ("spot_checks.jsonl", _later("height", 1), "drawn again it is"),
    "opened before its moment": ("spot_checks.jsonl", _set(opens_ns=1), "opened before its moment"),
    "over too soon": ("spot_checks.jsonl", _later("over_ns", -2 * MINUTE), "over before its 24 hours"),
    "for more GPUs": ("spot_checks.jsonl", _set(gpus=3), "is not as in spot_checks.jsonl"),
    "left out": ("spot_checks.jsonl", lambda _: [], "is not as in spot_checks.jsonl"),
    "another number": ("spot_checks.jsonl", _set(number=2), "its id is not the digest"),
    "another seed": ("spot_seeds.jsonl", _set(seed="ab" * 32), "not the one that was committed to"),
    "committed later": ("spot_seeds.jsonl", _later("made_ns", 10**15), "a time before the commitment"),
    "another commitment": ("spot_seeds.jsonl", _set(commitment="ab" * 32), "its commitment is not in"),
}


@pytest.mark.parametrize(("member", "edit", "said"), CHANGES.values(), ids=CHANGES)
def test_verify__something_of_a_draw_was_changed__is_named(
    whole: Path, tmp_path: Path, member: str, edit: Callable[[list[dict[str, Any]]], Any], said: str
) -> None:
    path = changed(whole, tmp_path / "changed.tar.zst", {member: on_lines(edit)}, mended=True)
    report: Report = verify_archive(path)
    assert any(said in each.message for each in report.differences), report.differences
