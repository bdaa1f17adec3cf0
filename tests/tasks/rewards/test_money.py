"""Money: exact reading and writing, sharing out, and no float anywhere."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.rewards.money import NotWhole, format_micro, parse_micro, parse_rate, share_out, whole

ROOM = Path(__file__).parents[3] / "tasks"


@pytest.mark.parametrize(
    ("text", "micro"),
    [("0", 0), ("40", 40_000_000), ("0.000001", 1), ("12.5", 12_500_000), ("999999999999.999999", 10**18 - 1)],
)
def test_amount__as_text__is_read_exactly(text: str, micro: int) -> None:
    assert parse_micro(text) == micro
    assert format_micro(micro) == text


@pytest.mark.parametrize("text", ["", "1.", ".5", "1.0000001", "-1", "+1", "1e3", "1,5", "١", "1 ", "0x1", "nan"])
def test_amount__in_another_form__is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"amount|decimals"):
        parse_micro(text)


@pytest.mark.parametrize("value", [1.0, True, "1", None])
def test_whole__of_what_is_no_integer__is_refused(value: object) -> None:
    with pytest.raises(NotWhole):
        whole(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rate", "micro", "uakt"),
    [("0.85", 1_000_000, 1_176_470), ("1", 7, 7), ("3", 2, 0), ("0.000000000000000001", 1, 10**18)],
)
def test_rate__as_text__converts_exactly_and_rounds_down(rate: str, micro: int, uakt: int) -> None:
    assert parse_rate(rate).uakt(micro) == uakt


@pytest.mark.parametrize("text", ["0", "0.0", "-1", "x", "0.0000000000000000001"])
def test_rate__that_is_none__is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="rate"):
        parse_rate(text)


def test_share_out__with_equal_remainders__goes_by_name() -> None:
    assert share_out(5, {"b": 1, "a": 1, "c": 1}) == {"a": 2, "b": 2, "c": 1}


def test_share_out__without_weight__gives_nothing() -> None:
    assert share_out(5, {"a": 0}) == {"a": 0}
    assert share_out(5, {}) == {}


@given(st.integers(0, 10**12), st.dictionaries(st.text(max_size=3), st.integers(0, 10**9), max_size=8))
def test_share_out__of_anything__adds_up_and_is_at_most_one_unit_off(total: int, weights: dict[str, int]) -> None:
    shares = share_out(total, weights)
    everything = sum(weights.values())
    assert sum(shares.values()) == (total if everything else 0)
    for name, share in shares.items():
        if everything:
            assert 0 <= share * everything - total * weights[name] + everything < 2 * everything
            assert share == 0 or weights[name] > 0


def test_room__that_reckons_money__has_no_float_and_no_true_division() -> None:
    found = []
    for path in sorted(ROOM.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_float = isinstance(node, ast.Constant) and isinstance(node.value, float)
            is_named = isinstance(node, ast.Name) and node.id in {"float", "Decimal", "Fraction", "round"}
            divides = isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.Div)
            if is_float or is_named or (divides and path.name != "campaign.py"):
                found.append(f"{path.name}:{getattr(node, 'lineno', 0)}")
    assert found == []
