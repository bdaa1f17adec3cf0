from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import app
from services.clock import StoppedClock
from services.errors import Refused, Unavailable
from services.provider_check import ProviderReport, check_provider, wanted
from tests.houses import NOON, SEASON, TWO_GPUS, make_house
from tests.nodes import Answer, Asked, Node
from tests.provider_double import CERTIFICATES_PATH, OWNER, STRANGER, ProviderDouble, made, node
from verifiers.chain.client import Chain
from verifiers.evidence import Outcome

RECORD_PATH = "/akash/provider/v1beta4/providers/"

CAMPAIGN = f"""\
{SEASON}{TWO_GPUS}tasks:
  - slug: onboard
    kind: provider_onboarding
    title: Bring a GPU
    summary: Bring one.
    params: {{min_cpu: 4, gpu_models: [a100]}}
    reward: {{amount: 10, slots: [{{max: 5}}]}}
"""


class ProviderChain(Node):
    """A node that knows one provider and its certificates."""

    def __init__(self, double: ProviderDouble) -> None:
        super().__init__()
        self.rows = [made().row()]
        self.models = ["a100", "a100/ram/80Gi"]
        self.owner = OWNER
        self.double = double
        self.routes[RECORD_PATH + OWNER] = self._record
        self.routes[CERTIFICATES_PATH] = self._certificates

    def answer(self, asked: Asked) -> Answer:
        if asked.route.startswith(RECORD_PATH) and asked.route not in self.routes:
            at = {"grpc-metadata-x-cosmos-block-height": str(asked.height or self.tip)}
            return Answer({"code": 5, "message": "invalid provider: address not found", "details": []}, 404, at)
        return super().answer(asked)

    def _record(self, asked: Asked) -> Answer:
        attributes = [{"key": f"capabilities/gpu/vendor/nvidia/model/{key}", "value": "true"} for key in self.models]
        info = {"email": "", "website": ""}
        provider = {"owner": self.owner, "host_uri": self.double.host_uri, "attributes": attributes, "info": info}
        return self.state(asked, {"provider": provider})

    def _certificates(self, asked: Asked) -> Answer:
        given = asked.parameters
        rows = [
            row
            for row in self.rows
            if row["serial"] == given["filter.serial"] and row["certificate"]["state"] == given["filter.state"]
        ]
        return self.state(asked, {"certificates": rows, "pagination": {"next_key": None, "total": "0"}})


@pytest.fixture
def double() -> Iterator[ProviderDouble]:
    with ProviderDouble() as made_one:
        yield made_one


@pytest.fixture
def chain(double: ProviderDouble) -> Iterator[ProviderChain]:
    with ProviderChain(double) as made_one:
        yield made_one


def _check(
    tmp_path: Path, chain: Node, address: str = OWNER, campaign: str = CAMPAIGN, **settings: Any
) -> ProviderReport:
    given = {"allow_private_hosts": ("127.0.0.0/8",), **settings}
    house = make_house(
        tmp_path, campaign=campaign, chain=Chain([chain.url], [chain.url], StoppedClock(NOON)), **given
    )
    return check_provider(house, address)


def _outcomes(report: ProviderReport) -> dict[str, str]:
    return {check.name: check.outcome.value for check in report.checks}


def test_check_provider__in_order__passes_every_check(tmp_path: Path, chain: ProviderChain) -> None:
    report = _check(tmp_path, chain)
    assert set(_outcomes(report).values()) == {"passed"}
    document = report.document()
    assert (document["outcome"], document["provider"]) == ("passed", OWNER)
    assert document["as_of"] == {"chain_id": "local-v2", "height": "100", "time": document["as_of"]["time"]}  # type: ignore[index]
    assert json.loads(json.dumps(document)) == document


def test_check_provider__no_record__fails_and_asks_nobody(
    tmp_path: Path, chain: ProviderChain, double: ProviderDouble
) -> None:
    report = _check(tmp_path, chain, STRANGER)
    assert _outcomes(report) == {"provider": "failed"}
    assert report.host_uri is None
    assert double.asked == []


def test_check_provider__record_of_somebody_else__is_a_lying_node(tmp_path: Path, chain: ProviderChain) -> None:
    chain.owner = STRANGER
    assert _outcomes(_check(tmp_path, chain)) == {"provider": "unknown"}


def test_check_provider__certificate_not_on_the_chain__fails(tmp_path: Path, chain: ProviderChain) -> None:
    chain.rows = []
    report = _check(tmp_path, chain)
    assert report.outcome is Outcome.FAILED
    assert _outcomes(report)["certificate"] == "failed"
    assert _outcomes(report)["inventory"] == "unknown"


def test_check_provider__certificate_revoked__is_told(tmp_path: Path, chain: ProviderChain) -> None:
    chain.rows = [made().row("revoked")]
    seen = {check.name: check.seen for check in _check(tmp_path, chain).checks}
    assert "revoked" in seen["certificate"]


def test_check_provider__private_address_not_allowed__is_not_asked(
    tmp_path: Path, chain: ProviderChain, double: ProviderDouble
) -> None:
    report = _check(tmp_path, chain, allow_private_hosts=())
    assert _outcomes(report)["certificate"] == "failed"
    assert double.asked == []


def test_check_provider__campaign_asks_more__fails_its_checks(
    tmp_path: Path, chain: ProviderChain, double: ProviderDouble
) -> None:
    double.nodes = [node(cpu="3", gpus=[("t4", "16Gi")])]
    outcomes = _outcomes(_check(tmp_path, chain))
    assert {name for name, outcome in outcomes.items() if outcome == "failed"} == {"cpu", "gpu_listed", "attributes"}


@pytest.mark.parametrize(("signed", "outcome"), [("a100", "passed"), ("t4", "failed"), (None, "failed")])
def test_check_provider__campaign_with_auditors__asks_what_they_signed(
    tmp_path: Path, chain: ProviderChain, signed: str | None, outcome: str
) -> None:
    pair = {"key": f"capabilities/gpu/vendor/nvidia/model/{signed}", "value": "true"}
    row = {"owner": OWNER, "auditor": STRANGER, "attributes": [pair]}

    def audits(asked: Asked) -> Answer:
        if signed is None:
            at = {"grpc-metadata-x-cosmos-block-height": str(asked.height or 0)}
            return Answer({"code": 5, "message": "not found", "details": []}, 404, at)
        return chain.state(asked, {"providers": [row], "pagination": None})

    chain.routes[f"/akash/audit/v1/audit/attributes/{STRANGER}/{OWNER}"] = audits
    campaign = CAMPAIGN.replace("min_cpu: 4,", f"min_cpu: 4, auditors: [{STRANGER}],")
    assert _outcomes(_check(tmp_path, chain, campaign=campaign))["audited"] == outcome


def test_check_provider__silent_provider__is_unknown(tmp_path: Path, chain: ProviderChain) -> None:
    chain.double = _gone()
    outcomes = _outcomes(_check(tmp_path, chain))
    assert outcomes.pop("provider") == "passed"
    assert set(outcomes.values()) == {"unknown"}


def _gone() -> ProviderDouble:
    with ProviderDouble() as gone:
        pass
    return gone


def test_check_provider__no_address__is_refused(tmp_path: Path, chain: ProviderChain) -> None:
    with pytest.raises(Refused) as caught:
        _check(tmp_path, chain, "akash1nobody")
    assert caught.value.field == "address"


def test_check_provider__no_chain__is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="WAYMARK_CHAIN_REST"):
        check_provider(make_house(tmp_path), OWNER)


def test_check_provider__chain_down__is_unavailable(tmp_path: Path) -> None:
    with Node() as gone:
        pass
    chain = Chain([gone.url], [gone.url], StoppedClock(NOON), patience_seconds=0.1)
    with pytest.raises(Unavailable, match="can't be asked"):
        check_provider(make_house(tmp_path, chain=chain), OWNER)


def test_wanted__no_campaign__takes_the_usual_demands(tmp_path: Path) -> None:
    wants = wanted(make_house(tmp_path, campaign=None))
    assert (wants.min_cpu, wants.names.listed) == (2, None)


def test_command__json__prints_one_document_and_tells_by_its_code(
    tmp_path: Path, chain: ProviderChain, double: ProviderDouble, capsys: pytest.CaptureFixture[str]
) -> None:
    # the command goes by the machine's clock
    double.certificate = made(begins=-9000, ends=9000)
    chain.rows = [double.certificate.row()]
    env = tmp_path / ".env"
    env.write_text(
        f"WAYMARK_CHAIN_REST={chain.url}\nWAYMARK_CHAIN_RPC={chain.url}\n"
        f"WAYMARK_DATABASE_URL=sqlite:///{tmp_path}/w.db\nWAYMARK_ALLOW_PRIVATE_HOSTS=127.0.0.1\n"
    )
    assert app.main(["--env-file", str(env), "provider", "check", OWNER, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "passed"
    double.nodes = []
    assert app.main(["--env-file", str(env), "provider", "check", OWNER]) == 1
    shown = capsys.readouterr().out
    assert "no  inventory" in shown
