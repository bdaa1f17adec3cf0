"""Lines as text are the lines as values, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tasks.moment import Moment, format_moment, parse_moment
from tasks.rewards import line_text
from tasks.rewards.awards import Awards

CASES = [
    case
    for path in sorted((Path(__file__).parents[1] / "cases").glob("*.yaml"))
    for case in yaml.safe_load(path.read_text(encoding="utf-8"))
]


def plainly(awards: Awards) -> str:
    """The document written in one go."""
    encode = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": ")).encode
    document = awards.to_json()
    lines = document.pop("lines")
    assert isinstance(lines, list)
    written = ",".join("\n" + encode(line) for line in lines)
    head = {key: document.pop(key) for key in ("campaign", "revision", "digest", "unit")}
    return f'{encode(head)[:-1]}, "lines": [{written}], {encode(document)[1:]}\n'


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_json_chunks__of_a_case__are_the_document(
    case: dict[str, str | list[str]], season: Callable[..., Awards]
) -> None:
    revisions = case["tasks"] if isinstance(case["tasks"], list) else [case["tasks"]]
    awards = season(case["rows"], *revisions, budget=case.get("budget", "1000"))
    assert "".join(awards.json_chunks()) == plainly(awards)


def test_json_chunks__more_limits_than_are_kept__are_the_document(
    season: Callable[..., Awards], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_text, "KEPT", 2)
    rows = "".join(f"c{n} p{n % 3} a 02 s{n} gpu_model=m{n % 5}\n" for n in range(40))
    reward = "{amount: 1, budget: 99, per_participant: 3, slots: [{max: 2, per: gpu_model}, {max: 9}]}"
    tasks = f"tasks: [{{slug: a, kind: benchmark_run, reward: {reward}}}]\n"
    awards = season(rows, tasks)
    assert "".join(awards.json_chunks()) == plainly(awards)


@pytest.mark.parametrize(
    "text",
    [
        "1970-01-01T00:00:00Z", "1969-12-31T23:59:59.999999999Z", "2024-02-29T23:59:59.5Z", "2023-06-20T16:00:00Z",
        "2023-06-20T16:00:59.000000001Z", "1000-01-01T01:02:03Z", "9999-12-31T23:59:59Z",
    ],
)  # fmt: skip
def test_format_moment__of_what_was_read__is_the_text(text: str) -> None:
    assert format_moment(Moment(parse_moment(text))) == text
