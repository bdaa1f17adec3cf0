"""What the SDKs read since August 2026: durations, exact numbers, sorted GPU attributes.

Rules of akash-network/chain-sdk: `go/sdl` (http_timeout_test.go), `ts/src/sdl` (sizes.spec.ts, httpTimeout.ts,
manifestUtils.ts). Their digests are those of an SDL that says the same in the older way.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from verifiers.sdl import check

BASE = (Path(__file__).parents[2] / "fixtures" / "sdl-recorded" / "typescript" / "a-ex1.yaml").read_text()
AS = "        as: 80\n"
VOLUMES = "storage: [{name: b, size: 9Gi}, {name: a, size: 8Gi}]"

SAME = [
    ("cpu text", "units: 2", "units: '0.57'", "units: 570m"),
    ("cpu number", "units: 2", "units: 0.57", "units: 570m"),
    ("cpu rounded up", "units: 2", "units: '1.0001'", "units: 1001m"),
    ("size rounded up", "size: 3Gi", "size: 0.3Gi", "size: '322122548'"),
    ("size with many decimals", "size: 8Gi", "size: 1.234Gi", "size: '1324997411'"),
]


@pytest.mark.parametrize(("old", "new", "same"), [pytest.param(*case[1:], id=case[0]) for case in SAME])
def test_hashes__number_that_later_sdks_read_exactly__hold_the_exact_one(old: str, new: str, same: str) -> None:
    assert old in BASE
    exact = check(BASE.replace(old, same, 1)).manifest_hashes[0]
    assert exact in check(BASE.replace(old, new, 1)).manifest_hashes


def test_check__cpu_that_only_later_sdks_read__is_rounded_up() -> None:
    report = check(BASE.replace("units: 2", "units: 1500.5m"))
    assert report.errors == ()
    assert report.requests[0].cpu_thousandths == 1501
    assert check(BASE.replace("units: 2", "units: 1501m")).manifest_hashes[0] in report.manifest_hashes


def test_hashes__gpu_models_out_of_order__hold_the_sorted_ones_beside_volumes_as_written() -> None:
    text = BASE.replace("storage: {size: 8Gi}", VOLUMES)
    ordered = check(text.replace("[{model: t4}]", "[{model: a10}, {model: t4}]"))
    reverse = check(text.replace("[{model: t4}]", "[{model: t4}, {model: a10}]"))
    go, scripted = ordered.manifest_hashes
    assert set(reverse.manifest_hashes) > {go, scripted}
    assert len(reverse.manifest_hashes) == 3


TIMEOUTS = [
    ("seconds", "45s", "45000"),
    ("milliseconds", "500ms", "500"),
    ("quoted number", '"30000"', "30000"),
    ("minutes", "60m", "3600000"),
    ("hours", "1h", "3600000"),
]


@pytest.mark.parametrize(("written", "plain"), [pytest.param(*case[1:], id=case[0]) for case in TIMEOUTS])
def test_check__timeout_as_a_duration__is_the_number_of_milliseconds(written: str, plain: str) -> None:
    texts = [f"{AS}        http_options: {{read_timeout: {each}}}\n" for each in (written, plain)]
    reports = [check(BASE.replace(AS, text)) for text in texts]
    assert reports[0].errors == ()
    assert reports[0].manifest_hashes == reports[1].manifest_hashes
    assert any("August 2026" in warning.message for warning in reports[0].warnings)


@pytest.mark.parametrize("written", ["1194h", "soon", "1.5s", "-1", "4294967296"])
def test_check__timeout_that_no_tool_reads__is_an_error(written: str) -> None:
    report = check(BASE.replace(AS, f"{AS}        http_options: {{send_timeout: {written}}}\n"))
    assert [error.path for error in report.errors] == ["services.web.expose[0].http_options.send_timeout"]
