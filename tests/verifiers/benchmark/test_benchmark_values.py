"""Challenges, hostile results, ceilings and medians."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.moment import SECOND, Moment
from tests.benchmark_runs import cpu_result
from tests.benchmark_worlds import measurements, result
from verifiers.benchmark.answers import MAX_BYTES, Result, ResultRefused, decode_result
from verifiers.benchmark.ceilings import BESIDES_NS, CEILINGS, bytes_limit, flops_limit, proof_limit_ns
from verifiers.benchmark.challenge import (
    Challenge,
    fresh_draw,
    fresh_seed,
    is_genuine,
    is_runner,
    issue,
    runner_token,
    sdl_text,
    server_keys,
)
from verifiers.benchmark.plausible import Median, doubts, median_low, short
from verifiers.sdl import check

KEYS = server_keys(["new secret", "old secret"])
GIVEN = issue(KEYS[0], "demo", "akash1a", "akash1p", Moment(0), Moment(7200 * SECOND))


def test_challenge__made_with_an_older_key__is_genuine_still() -> None:
    assert is_genuine(KEYS, GIVEN)
    assert is_genuine(KEYS, issue(KEYS[1], "demo", "akash1a", "akash1p", Moment(0), Moment(1)))
    assert not is_genuine(KEYS[1:], GIVEN)


@pytest.mark.parametrize(
    "changed",
    [
        replace(GIVEN, participant="akash1b"),
        replace(GIVEN, provider="akash1q"),
        replace(GIVEN, campaign="other"),
        replace(GIVEN, issued_at=Moment(1)),
        replace(GIVEN, expires_at=Moment(7201 * SECOND)),
        replace(GIVEN, id="0" * 32),
        replace(GIVEN, participant="akash1a\nakash1p", provider=""),
    ],
    ids=["participant", "provider", "campaign", "issued", "expiry", "id", "moved border"],
)
def test_challenge__anything_changed__is_not_genuine(changed: Challenge) -> None:
    assert not is_genuine(KEYS, changed)


def test_challenge__secrets_for_each_use__are_all_different() -> None:
    token = runner_token(KEYS[0], GIVEN.id)
    seeds = {fresh_seed(KEYS[0], GIVEN.id, Moment(at)) for at in range(3)}
    made = {token, *seeds, fresh_draw(KEYS[0], GIVEN.id, "ab" * 32), GIVEN.id}
    assert len(made) == 6
    assert is_runner(KEYS, GIVEN.id, token)
    assert not is_runner(KEYS, "0" * 32, token)


def test_sdl__two_challenges__have_two_manifests() -> None:
    other = issue(KEYS[0], "demo", "akash1a", "akash1p", Moment(1), Moment(7200 * SECOND))
    texts = [sdl_text(each, runner_token(KEYS[0], each.id), "", "a100") for each in (GIVEN, other)]
    hashes = [check(text).manifest_hashes for text in texts]
    assert not set(hashes[0]) & set(hashes[1])
    assert all(check(text).valid and not check(text).findings for text in texts)


# ---- hostile results ----


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda each: st.lists(each) | st.dictionaries(st.text(), each),
    max_leaves=20,
)


@given(ANYTHING)
@settings(max_examples=60, deadline=None)
def test_decode__any_json__is_refused_in_words(value: Any) -> None:
    with pytest.raises(ResultRefused):
        decode_result(json.dumps(value))


@given(st.text(max_size=300))
@settings(max_examples=60, deadline=None)
def test_decode__any_text__is_refused_in_words(text: str) -> None:
    with pytest.raises(ResultRefused):
        decode_result(text)


def _with(path: str, value: Any) -> str:
    whole = json.loads(cpu_result())
    *parents, last = path.split(".")
    here: Any = whole
    for parent in parents:
        here = here[int(parent)] if isinstance(here, list) else here[parent]
    here[int(last) if isinstance(here, list) else last] = value
    return json.dumps(whole)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("schema", "waymark-benchmark/2"),
        ("challenge", "0123456789ABCDEF0123456789ABCDEF"),
        ("challenge", "0" * 33),
        ("suite", "1"),
        ("suite", True),
        ("runner.torch", "<script>\u0000"),
        ("runner.torch", "a\nb"),
        ("runner.torch", "x" * 129),
        ("measurements", [1] * 65),
        ("measurements.0.median_ns", 0),
        ("measurements.0.median_ns", -1),
        ("measurements.0.median_ns", 1.5),
        ("measurements.0.median_ns", float("nan")),
        ("measurements.0.median_ns", 10**15),
        ("measurements.0.work", 10**19),
        ("measurements.0.unit", "flops"),
        ("measurements.0.name", "gemm; drop"),
        ("proof.n", 1 << 20),
        ("proof.root", "zz" * 32),
        ("proof.openings", []),
        ("proof.openings.0.path", ["00" * 32] * 14),
        ("proof.products", ["00" * 32]),
        ("gpu", {"name": "NVIDIA"}),
        ("device.type", "tpu"),
    ],
)
def test_decode__one_value_out_of_bounds__is_refused(path: str, value: Any) -> None:
    with pytest.raises(ResultRefused):
        decode_result(_with(path, value))


def test_decode__too_large_or_too_deep__is_refused() -> None:
    with pytest.raises(ResultRefused):
        decode_result(cpu_result() + " " * MAX_BYTES)
    with pytest.raises(ResultRefused):
        decode_result("[" * (MAX_BYTES - 1))
    with pytest.raises(ResultRefused):
        decode_result('{"suite": ' + "9" * 5000 + "}")


# ---- what can be true ----


def _result(**changes: int) -> Result:
    return decode_result(json.dumps(result(measurements=measurements(**changes))))


def test_doubts__values_that_can_be_true__are_none() -> None:
    assert doubts(_result(), "a100", {}, 3000) == []


def test_doubts__model_without_ceiling__compares_what_it_can() -> None:
    fast = _result(gemm_fp32=1, hf_Bert_large_fp16=1)
    assert doubts(fast, "gpu-of-tomorrow", {}, 3000) == [
        "hf_Bert_large fp16 is faster than hf_Bert: 32 G sample/s and 5.33 k sample/s"
    ]


@pytest.mark.parametrize(
    ("median", "runs", "wanted"),
    [(3, 3, 0), (1, 3, 0), (9, 3, 0), (10, 3, 1), (10, 2, 0), (30, 3, 1)],
    ids=["same", "three times", "a third", "less than a third", "too few runs", "a tenth"],
)
def test_doubts__factor_of_the_median__holds_on_both_sides(median: int, runs: int, wanted: int) -> None:
    mine = 32 * 10**12 // 5_333_333  # 6,000,000: divisible by three
    medians = {"hf_Bert fp16 batch=32": Median(mine * median // 3, runs)}
    assert len(doubts(_result(hf_Bert_fp16=5_333_333), "a100", medians, 3000)) == wanted


def test_doubts__order_of_runs__does_not_matter_to_the_median() -> None:
    assert median_low([5, 1, 3]) == median_low([1, 3, 5]) == 3
    assert median_low([4, 1, 3, 2]) == 2


@pytest.mark.parametrize("model", sorted(CEILINGS))
def test_ceilings__each_model__rises_with_lower_precision(model: str) -> None:
    limits = [flops_limit(model, precision) or 0 for precision in ("fp32", "tf32", "fp16")]
    assert limits == sorted(limits)
    assert flops_limit(model, "bf16") == limits[2]
    assert bytes_limit(model)


def test_proof_limit__faster_model_or_smaller_order__has_less_time() -> None:
    assert BESIDES_NS < proof_limit_ns("h100", 4096) < proof_limit_ns("k80", 4096) < proof_limit_ns("k80", 8192)
    assert proof_limit_ns("unheard-of", 4096) == proof_limit_ns("k80", 4096)


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (999, "999"), (5_333, "5.33 k"), (61_200_000_000_000, "61.2 T")]
)
def test_short__number__has_three_digits_and_a_prefix(value: int, text: str) -> None:
    assert short(value) == text
