"""Any value in the place of any other: the verifier answers, and never with an exception."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.archive.format import MEMBERS
from services.archive.verify import verify_archive
from services.eligibility import Entered, set_eligibility
from tests.archives import exported, line_of, lived_in_house, mended_manifest, packed, unpacked
from tests.reviewing import BEN

ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    7,
    2**62,
    2**63,
    -(2**63),
    10**30,
    "",
    "x",
    "\x00",
    "\ud7ff",
    [],
    [None],
    {},
    {"a": {}},
]
MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, bytes]]:
    house = lived_in_house(tmp_path_factory.mktemp("house"))
    set_eligibility(house, "an organizer", Entered(BEN.address, "ineligible", "so"))
    yield unpacked(exported(house, tmp_path_factory.mktemp("archive") / "archive.tar.zst"))
    house.ledger.close()


def paths(value: Any) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(), *((key, *path) for key, each in inner for path in paths(each))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


@MANY
@given(data=st.data())
def test_verify__any_value_replaced__answers(members: dict[str, bytes], tmp_path: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([member.name for member in MEMBERS if members[member.name]]))
    lines = members[name].splitlines()
    place = data.draw(st.integers(0, len(lines) - 1))
    line = json.loads(lines[place])
    new = replaced(line, data.draw(st.sampled_from(paths(line))), data.draw(st.sampled_from(ODD)))
    changed = members | {name: b"".join([*(each + b"\n" for each in lines[:place]), line_of(new),
                                         *(each + b"\n" for each in lines[place + 1:])])}  # fmt: skip
    report = verify_archive(packed(changed | {"manifest.json": mended_manifest(changed)}, tmp_path / "x"))
    assert report.sha256
    assert json.dumps(report.document())


@MANY
@given(data=st.data())
def test_verify__any_value_of_the_manifest_replaced__answers(
    members: dict[str, bytes], tmp_path: Path, data: st.DataObject
) -> None:
    manifest = json.loads(members["manifest.json"])
    new = replaced(manifest, data.draw(st.sampled_from(paths(manifest))), data.draw(st.sampled_from(ODD)))
    report = verify_archive(packed(members | {"manifest.json": line_of(new)}, tmp_path / "x"))
    assert json.dumps(report.document())
