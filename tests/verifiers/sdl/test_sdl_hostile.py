"""Whatever is uploaded ends in a report, soon and without an exception."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from verifiers.sdl import check, report_json, report_text

RECORDED = Path(__file__).parents[2] / "fixtures" / "sdl-recorded"
TEXTS = [path.read_text() for path in sorted(RECORDED.glob("*/*.yaml"))]
HOSTILE = settings(max_examples=700, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)

LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + step)}: &{chr(98 + step)} [{','.join(['*' + chr(97 + step)] * 9)}]\n" for step in range(9)
)
MERGES = "m0: &m0 {" + ",".join(f"k{key}: 1" for key in range(1500)) + "}\n"
MERGES += "".join(f"m{step}: &m{step} {{<<: *m{step - 1}}}\n" for step in range(1, 40))
TIED = 'version: "2.0"\nservices:\n  a:\n    image: x\n    expose:\n' + "".join(
    f"    - {{port: 9, as: {number}, to: [{{global: true}}]}}\n" for number in range(1, 900)
)
TIED += "profiles:\n  compute: {a: {resources: {cpu: {units: 1}, memory: {size: 1Gi}, storage: {size: 1Gi}}}}\n"
TIED += "  placement: {p: {pricing: {a: {denom: uakt, amount: 1}}}}\ndeployment: {a: {p: {profile: a, count: 1}}}\n"

BOMBS = [
    ("billion laughs", LAUGHS),
    ("merge keys", MERGES),
    ("flow lists", "[" * 65_000),
    ("flow mappings", "{" * 65_000),
    ("flow both", "[{" * 32_000),
    ("dashes", "- " * 32_000),
    ("questions", "? " * 32_000),
    ("indentation", "".join(" " * level + "a:\n" for level in range(350))),
    ("many values", "[" + "a," * 32_000 + "]"),
    ("many keys", "".join(f"k{number}: 1\n" for number in range(6_000))),
    ("anchors", "[" + "".join(f"&a{number} x, " for number in range(6_000)) + "]"),
    ("one long word", "a" * 65_000),
    ("quotes", "'" * 65_000),
    ("spaces", "a" + " " * 65_000 + "b"),
    ("newlines", "\n" * 65_000),
    ("documents", "---\n" * 16_000),
    ("shallow lists", ("[" * 30 + "]" * 30 + "\n") * 1_000),
    ("many tied exposes", TIED),
]


@pytest.mark.parametrize("bomb", [pytest.param(text, id=name) for name, text in BOMBS])
def test_check__bomb__ends_in_a_report_within_bounded_work(bomb: str) -> None:
    started = time.process_time()
    report = check(bomb)
    # at most 0.3 s on a quiet machine; the bound leaves room for a busy one and still catches growth without end
    assert time.process_time() - started < 5
    assert report.errors or report.warnings


@HOSTILE
@given(st.binary(max_size=400))
def test_check__any_bytes__never_raises(source: bytes) -> None:
    report = check(source)
    assert report.errors


@HOSTILE
@given(st.text(alphabet=st.sampled_from("ab:-[]{}&*!|>'\"%@`#,?~ \n\t<0\\x\u2028\ufeff"), max_size=200))
def test_check__yaml_like_text__never_raises(source: str) -> None:
    assert report_text(check(source))


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A recorded SDL with some pieces cut out, doubled, moved or replaced."""
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 60)))
        piece = draw(
            st.sampled_from(
                ["", text[start:end] * 2, "~", "[]", "{}", "-1", "9" * 30, "1e999", "\x00", ": ", "*x", "&x ", "é"]
            )
        )
        text = text[:start] + piece + text[end:]
    return text


@HOSTILE
@given(damaged())
def test_check__damaged_sdl__reports_lines_or_hashes(source: str) -> None:
    report = check(source)
    document = report_json(report)
    assert document["valid"] == bool(document["manifest_hashes"])
    lines = source.count("\n") + source.count("\r") + 2
    assert all(1 <= problem.line <= lines for problem in (*report.errors, *report.warnings))


VALUES = st.recursive(
    st.sampled_from(
        ["~", "1", "-1", "0x1F", "true", "yes", '"x"', "web", "1Gi", "99999999999999999999", ".inf", "''"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]")
        | st.dictionaries(
            st.sampled_from(["units", "size", "web", "a", "name", "port", "to"]), inner, max_size=3
        ).map(lambda entries: "{" + ", ".join(f"{key}: {value}" for key, value in entries.items()) + "}")
    ),
    max_leaves=6,
)
PLACES = [
    "image",
    "command",
    "env",
    "expose",
    "params",
    "credentials",
    "cpu",
    "memory",
    "gpu",
    "storage",
    "pricing",
    "attributes",
    "signedBy",
    "count",
    "profile",
    "accept",
    "http_options",
    "to",
    "version",
    "endpoints",
]


@HOSTILE
@given(st.lists(st.tuples(st.sampled_from(PLACES), VALUES), min_size=1, max_size=3), st.sampled_from(TEXTS))
def test_check__values_of_the_wrong_sort__never_raise(changes: list[tuple[str, str]], source: str) -> None:
    for place, value in changes:
        source = source.replace(f"{place}: ", f"{place}: {value} #", 1)
    report = check(source)
    assert report.valid or report.errors
