"""A benchmark run as its reviewer sees it: its numbers beside medians, limits and other runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from ledger.people import RoleRow
from services import benchmarks
from services.house import House
from tests.benchmark_town import OTHER, PARTICIPANT, PROVIDER, accept, accepted_run, enter, make, sign_in
from tests.benchmark_worlds import gpu, measurements
from tests.houses import later
from tests.wallets import Keyholder
from web.factory import create_web

REVIEWER = Keyholder("reviewer")
A100 = "NVIDIA A100-SXM4-80GB"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make(tmp_path)
    with made.ledger.write() as session:
        session.add(RoleRow(address=REVIEWER.address, role="reviewer"))
    yield made
    made.ledger.close()


def case_page(house: House, claim: str) -> str:
    browser = create_web(house).test_client()
    browser.set_cookie("waymark-session", sign_in(house, REVIEWER))
    response = browser.get(f"/review/{claim}")
    assert response.status_code == 200
    return response.get_data(as_text=True)


def words(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def run_of(house: House, who: Keyholder, hf_bert_ns: int = 6_000_000) -> str:
    issued = benchmarks.issue(house, who.address, PROVIDER)
    return enter(house, who, issued, gpu=gpu(A100, 80), measurements=measurements(hf_Bert_fp16=hf_bert_ns))


def test_case__same_numbers_as_another__stand_beside_them(house: House) -> None:
    first = run_of(house, OTHER)
    copy = run_of(later(house, 60), PARTICIPANT)
    html = case_page(later(house, 120), copy)
    assert "The numbers beside others" in words(html)
    assert f"/claims/{first}" in html
    assert "a run of somebody else with the same numbers" in words(html)
    rates = re.findall(
        r'data-label="(This run|Run \w{8}…)"><span>([\d,.]+(?: [kMGT])? (?:flop|byte|sample|token))</span>', html
    )
    mine = [rate for label, rate in rates if label == "This run"]
    assert len(mine) == len(measurements())
    assert mine == [rate for label, rate in rates if label != "This run"]
    assert "This run" not in words(case_page(later(house, 120), first)).partition("same numbers")[2]


def test_case__earlier_runs_of_the_variant__their_median_and_the_limit_stand_beside_it(house: House) -> None:
    for number in range(3):
        accepted_run(later(house, number), OTHER, A100, 80)
    accepted_run(house, OTHER, "NVIDIA A100-SXM4-40GB", 40, hf_bert_ns=1)
    html = case_page(later(house, 120), run_of(later(house, 60), PARTICIPANT, hf_bert_ns=1_000_000))
    assert "Median of a100 sxm 80GB" in words(html)
    bert = re.search(r"hf_Bert fp16.*?</tr>", html, re.DOTALL)
    assert bert
    assert re.search(r"32 k sample.*5\.33 k sample \(3 runs\)", words(bert[0]))
    gemm = re.search(r"gemm fp16.*?</tr>", html, re.DOTALL)
    assert gemm
    assert "359 T flop" in words(gemm[0])


def test_case__first_of_its_kind__has_no_median_and_nobody_beside_it(house: House) -> None:
    claim = run_of(house, PARTICIPANT)
    accept(house, claim)
    html = case_page(house, claim)
    assert "Run " not in words(html).partition("The numbers beside others")[2].partition("Other claims")[0][:60]
    assert "(3 runs)" not in html
