"""The coin and the amount of the price in an SDL that we issue."""

from __future__ import annotations

import pytest
import yaml

from tasks.moment import SECOND, Moment
from verifiers.benchmark.challenge import issue, sdl_text
from verifiers.benchmark.price import price_denom
from verifiers.benchmark.spot_sdl import Container, spot_sdl
from verifiers.sdl import check

DOLLARS_AN_HOUR = 600 / 10**6
CHALLENGE = issue(b"key", "demo", "akash1a", "akash1p", Moment(0), Moment(SECOND))


@pytest.mark.parametrize(
    ("accepted", "denom"),
    [
        (["uakt"], "uakt"),
        (["uakt", "uact"], "uact"),
        (["uact", "uakt"], "uact"),
        (["ibc/170C677610AC31DF0904FFE09CD3B5C657492170E7E52372E48756B71E56F2F1", "uakt"], "uakt"),
        (["ibc/170C", "ibc/180D"], "ibc/170C"),
        (["uakt, amount: 1}\n  x: {"], ""),
        ([], ""),
    ],
)
def test_denom__of_what_a_chain_takes__is_the_one_for_prices(accepted: list[str], denom: str) -> None:
    assert price_denom(accepted) == denom


@pytest.mark.parametrize(
    "denom", ["uakt", "uact", "ibc/170C677610AC31DF0904FFE09CD3B5C657492170E7E52372E48756B71E56"]
)
def test_sdl__coin_of_the_price__changes_no_hash(denom: str) -> None:
    usual, text = sdl_text(CHALLENGE, "token", "", "h100"), sdl_text(CHALLENGE, "token", "", "h100", denom)
    report = check(text)
    assert report.valid
    assert report.manifest_hashes == check(usual).manifest_hashes
    assert yaml.safe_load(text)["profiles"]["placement"]["anywhere"]["pricing"]["benchmark"]["denom"] == denom


def test_sdl__price_in_act__is_dollars_an_hour_for_a_gpu() -> None:
    written = yaml.safe_load(sdl_text(CHALLENGE, "token", "", "h100", "uact"))
    offered = written["profiles"]["placement"]["anywhere"]["pricing"]["benchmark"]["amount"] * DOLLARS_AN_HOUR
    assert 4 <= offered <= 10


def test_spot_sdl__containers_of_several_gpus__are_priced_by_the_gpu() -> None:
    text = spot_sdl([Container("0" * 32, "a", 8), Container("1" * 32, "b", 1)], "", "a100", "A test.", "uact")
    assert check(text).valid
    prices = yaml.safe_load(text)["profiles"]["placement"]["anywhere"]["pricing"]
    assert {each["denom"] for each in prices.values()} == {"uact"}
    assert prices["benchmark-1"]["amount"] == 8 * prices["benchmark-2"]["amount"]
