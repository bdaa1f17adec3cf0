"""An archive as exported passes; whatever is changed in it is found and named, also where the manifest is mended."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from services.archive.verify import verify_archive
from services.house import House
from tests.archives import (
    SECRET_NAME,
    SECRET_WORDS,
    Edit,
    changed,
    exported,
    line_of,
    lived_in_house,
    on_lines,
    packed,
    unpacked,
)
from tests.reviewing import ADA, REVIEWER, SECOND_REVIEWER


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = lived_in_house(tmp_path_factory.mktemp("house"))
    yield made
    made.ledger.close()


@pytest.fixture(scope="module")
def archive(house: House, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(house, tmp_path_factory.mktemp("archive") / "archive.tar.zst")


def test_export__twice__byte_for_byte_the_same(house: House, archive: Path, tmp_path: Path) -> None:
    assert exported(house, tmp_path / "again.tar.zst").read_bytes() == archive.read_bytes()


def test_verify__as_exported__everything_is_worked_again(archive: Path) -> None:
    report = verify_archive(archive)
    assert report.differences == []
    assert report.not_recomputable == []
    assert report.is_sealed
    assert report.counts["verdicts judged again"] == report.counts["verdicts"] > 5
    assert report.counts["completions worked again"] >= 3
    assert report.counts["award lines"] == 3
    assert report.counts["review steps"] == 5


def test_verify__packed_again_unchanged__passes_without_the_seal(archive: Path, tmp_path: Path) -> None:
    report = verify_archive(packed(unpacked(archive), tmp_path / "again.tar.zst"))
    assert report.differences == []
    assert not report.is_sealed


def test_export__personal_fields_and_texts__stay_with_the_platform(archive: Path) -> None:
    whole = b"".join(unpacked(archive).values())
    for secret in (SECRET_NAME, SECRET_WORDS, "ada@example.org", REVIEWER.address, SECOND_REVIEWER.address):
        assert secret.encode() not in whole
    assert ADA.address.encode() in whole


def set_first(name: str, value: Any) -> Edit:
    def edit(lines: list[dict[str, Any]]) -> None:
        lines[0][name] = value(lines[0][name]) if callable(value) else value

    return on_lines(edit)


def in_last(name: str, value: Any) -> Edit:
    def edit(lines: list[dict[str, Any]]) -> None:
        lines[-1][name] = value

    return on_lines(edit)


def without(index: int) -> Edit:
    def edit(lines: list[dict[str, Any]]) -> None:
        del lines[index]

    return on_lines(edit)


def swapped(content: bytes) -> bytes:
    first, second, *rest = content.splitlines(keepends=True)
    return b"".join([second, first, *rest])


def in_check(name: str, value: str) -> Edit:
    def edit(lines: list[dict[str, Any]]) -> None:
        lines[-1]["checks"][0][name] = value

    return on_lines(edit)


def last_passed_fails(lines: list[dict[str, Any]]) -> None:
    passed = [line for line in lines if line["outcome"] == "passed"]
    passed[-1]["outcome"] = "failed"


def accepted_less(content: bytes) -> bytes:
    return content.replace(b"amount: 60", b"amount: 61")


TAMPERINGS: dict[str, tuple[str, Edit, str, str]] = {
    "one amount": ("award_lines.jsonl", set_first("amount_micro", lambda was: was + 1), "award of", "the rules give"),
    "one amount with its working": (
        "award_lines.jsonl",
        on_lines(
            lambda lines: [
                {**lines[0], "amount_micro": 99, "working": {"base_micro": 99, "percent": 100}},
                *lines[1:],
            ]
        ),
        "award of",
        "the ledger says 99 micro",
    ),
    "an award's reason": ("award_lines.jsonl", set_first("reason", "slots_full"), "award of", "slots_full"),
    "an award's participant": ("award_lines.jsonl", set_first("participant", ADA.address[:-1]), "line 1", "missing"),
    "an award line removed": ("award_lines.jsonl", without(0), "award of", "the ledger has no line"),
    "award lines swapped": ("award_lines.jsonl", swapped, "award_lines.jsonl line 2", "swapped"),
    "an answer's byte": ("bodies.jsonl", lambda was: was.replace(b"accept", b"Accept", 1), "bodies", "was changed"),
    "an answer removed": ("bodies.jsonl", without(0), "observations.jsonl", "is missing in bodies.jsonl"),
    "answers swapped": ("bodies.jsonl", swapped, "bodies.jsonl line 2", "swapped"),
    "a question": ("observations.jsonl", set_first("request", "REVIEW 0/1"), "observations.jsonl line 1", "its id"),
    # which member refers to the first one is a matter of its id
    "an observation removed": ("observations.jsonl", without(0), ".jsonl", "refers to observation"),
    "an outcome": (
        "verdicts.jsonl",
        on_lines(last_passed_fails),
        "verdicts.jsonl",
        'outcome: the archive says "failed"',
    ),
    "what a check saw": ("verdicts.jsonl", in_check("seen", "nothing"), "verdicts.jsonl", "check entered: seen"),
    "what a check expected": ("verdicts.jsonl", in_check("expected", "less"), "verdicts.jsonl", "expected"),
    "the newest verdict removed": ("verdicts.jsonl", without(-1), "claim ", "its newest verdict is"),
    "verdicts swapped": ("verdicts.jsonl", swapped, "verdicts.jsonl line 2", "swapped"),
    "a claim removed": ("claims.jsonl", without(0), "verdicts.jsonl", "its claim"),
    "a claim's subject": (
        "claims.jsonl",
        set_first("subject", "https://video.example/9"),
        "claims.jsonl line 1",
        "its id",
    ),
    "a claim's receipt": ("claims.jsonl", set_first("received_ns", lambda was: was - 1), "verdicts.jsonl", "at_ns"),
    "a registration removed": ("registrations.jsonl", without(0), "addresses.jsonl", "is missing"),
    "an address removed": ("addresses.jsonl", without(0), "addresses.jsonl", "is missing"),
    "a review step removed": ("review_steps.jsonl", without(0), "observations.jsonl", "has no step of it"),
    "a review step's act": (
        "review_steps.jsonl",
        set_first("act", "reopen"),
        "review_steps.jsonl line 1",
        "act is not",
    ),
    "an appeal's outcome": ("appeals.jsonl", set_first("outcome", "maybe"), "appeals.jsonl line 1", "outcome is not"),
    "an appeal's reason": ("appeals.jsonl", set_first("reason", "So."), "appeals.jsonl line 1", "reason is not"),
    "an appeal's verdict": (
        "appeals.jsonl",
        in_last("verdict_id", 999),
        "appeals.jsonl line 2",
        "has no verdict 999",
    ),
    "half a ruling": ("appeals.jsonl", set_first("ruled_ns", None), "appeals.jsonl line 1", "half decided"),
    "an appeal removed": ("appeals.jsonl", without(0), "observations.jsonl", "nothing refers to it"),
    "a total": ("totals.jsonl", set_first("amount_micro", 1), "totals.jsonl line 1", "the lines add up to"),
    "a total's uakt": ("totals.jsonl", set_first("uakt", 1), "totals.jsonl line 1", "uakt at the campaign's rate"),
    "a total removed": ("totals.jsonl", without(0), "totals.jsonl", "it is missing"),
    "the campaign file": ("campaign/1.yaml", accepted_less, "campaign/1.yaml", "the campaign file was edited"),
    "a column added": ("totals.jsonl", set_first("uakt", "one"), "totals.jsonl line 1", "uakt is no int"),
    "a fraction": ("totals.jsonl", set_first("amount_micro", 1.5), "totals.jsonl line 1", "no whole number"),
}


@pytest.mark.parametrize("mended", [True, False], ids=["manifest mended", "manifest as it was"])
@pytest.mark.parametrize(("member", "edit", "place", "words"), TAMPERINGS.values(), ids=TAMPERINGS)
def test_verify__one_thing_changed__is_named(
    archive: Path, tmp_path: Path, member: str, edit: Edit, place: str, words: str, mended: bool
) -> None:
    report = verify_archive(changed(archive, tmp_path / "changed", {member: edit}, mended=mended))
    said = [str(finding) for finding in report.differences]
    assert any(place in finding and words in finding for finding in said), said
    if not mended:
        assert any(finding.startswith(f"{member}: it is not what was exported") for finding in said), said


def test_verify__a_member_taken_out__is_named(archive: Path, tmp_path: Path) -> None:
    report = verify_archive(changed(archive, tmp_path / "x", {"review_steps.jsonl": lambda _: None}, mended=True))
    assert any(str(finding) == "review_steps.jsonl: it is missing" for finding in report.differences)


def test_verify__a_newer_judge__is_told_apart_from_differences(archive: Path, tmp_path: Path) -> None:
    def newer(lines: list[dict[str, Any]]) -> None:
        lines[-1]["version"] += 1

    report = verify_archive(changed(archive, tmp_path / "x", {"verdicts.jsonl": on_lines(newer)}, mended=True))
    assert report.differences == []
    assert [finding.message for finding in report.not_recomputable] == [
        "it was judged by reviewed version 2, this program has 1"
    ]


def test_verify__restricted_observation__its_verdicts_are_told_apart(archive: Path, tmp_path: Path) -> None:
    hidden: list[str] = []
    verdicts = [json.loads(line) for line in unpacked(archive)["verdicts.jsonl"].splitlines()]
    judged = {name for verdict in verdicts for name in verdict["observations"]}

    def restrict(lines: list[dict[str, Any]]) -> None:
        line = next(line for line in lines if line["id"] in judged)
        hidden.append(line["body_digest"])
        line |= {"restricted": True, "request": None, "host": None}

    def drop(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [line for line in lines if line["digest"] not in hidden]

    edits: dict[str, Edit] = {"observations.jsonl": on_lines(restrict), "bodies.jsonl": on_lines(drop)}
    report = verify_archive(changed(archive, tmp_path / "x", edits, mended=True))
    assert report.differences == []
    assert len(report.not_recomputable) >= 2
    assert any("is restricted" in finding.message for finding in report.not_recomputable)


def test_verify__hostile_text__is_quoted_without_control_characters(archive: Path, tmp_path: Path) -> None:
    edit = set_first("task", "\x1b[2Jvideo")
    report = verify_archive(changed(archive, tmp_path / "x", {"claims.jsonl": edit}, mended=True))
    assert not report.is_ok
    assert "\x1b" not in json.dumps(report.document(), ensure_ascii=False)


def test_verify__half_a_surrogate_pair__is_no_text(archive: Path, tmp_path: Path) -> None:
    edit: Edit = lambda was: was.replace(b'"subject":"', b'"subject":"\\ud800', 1)  # noqa: E731
    report = verify_archive(changed(archive, tmp_path / "x", {"claims.jsonl": edit}, mended=True))
    assert any("claims.jsonl line 1: it cannot be used" in str(finding) for finding in report.differences)


ODD_LINES: dict[str, bytes] = {
    "no JSON": b"{\n",
    "nested deep": b"[" * 100_000 + b"\n",
    "a list": b"[]\n",
    "no UTF-8": b"\xff\xfe\n",
    "half a pair": b'{"a":"\\ud800"}\n',
    "many digits": b'{"a":' + b"9" * 5000 + b"}\n",
    "no end": b"{}",
    "nothing": b"\n",
}


@pytest.mark.parametrize("member", ["bodies.jsonl", "observations.jsonl", "verdicts.jsonl", "award_lines.jsonl"])
@pytest.mark.parametrize("odd", ODD_LINES.values(), ids=ODD_LINES)
def test_verify__odd_line__is_a_difference_not_a_crash(
    archive: Path, tmp_path: Path, member: str, odd: bytes
) -> None:
    report = verify_archive(changed(archive, tmp_path / "x", {member: lambda was: was + odd}, mended=True))
    assert any(finding.place.startswith(f"{member} line") for finding in report.differences)


def nested_odd(path: str, value: object) -> Edit:
    def edit(lines: list[dict[str, Any]]) -> None:
        at: Any = lines[-1]
        *outer, last = path.split(".")
        for name in outer:
            at = at[int(name)] if isinstance(at, list) else at[name]
        at[last] = value

    return on_lines(edit)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("as_of", {}),
        ("as_of.height", "high"),
        ("as_of.time_ns", None),
        ("addresses", []),
        ("addresses", ["akash1somebody"]),
        ("revision", 7),
        ("revision", True),
        ("checks", [{}]),
        ("checks", [{"name": 1}]),
        ("attributes", {"severity": 3}),
        ("at_ns", -(2**70)),
        ("height", -5),
        ("judge", "../x"),
        ("judge", "all_of"),
    ],
)
def test_verify__odd_value_in_a_verdict__never_crashes(
    archive: Path, tmp_path: Path, path: str, value: object
) -> None:
    edits = {"verdicts.jsonl": nested_odd(path, value)}
    report = verify_archive(changed(archive, tmp_path / "x", edits, mended=True))
    assert not report.is_ok or report.not_recomputable


def test_verify__manifest_that_is_none__says_so(archive: Path, tmp_path: Path) -> None:
    edit: Callable[[bytes], bytes] = lambda _: line_of({"format": "something else"})  # noqa: E731
    report = verify_archive(changed(archive, tmp_path / "x", {"manifest.json": edit}, mended=False))
    assert [str(finding) for finding in report.differences] == ["the file: manifest.json is none of this platform's"]
