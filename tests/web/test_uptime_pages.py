"""The uptime of claimed GPUs on the pages and in the API, and the look that anybody signed in may ask for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from ledger.people import SessionRow
from ledger.probes import keep_days
from services.claims import submit
from services.house import House
from services.sessions import hash_token
from tasks.moment import SECOND, Moment
from tests.houses import NOON
from tests.onboarding_town import TownNode, at, town, verified
from tests.onboarding_worlds import PROVIDER, STRANGER_TENANT, TENANT, probed
from tests.provider_double import ProviderDouble
from verifiers.probes import State
from web.factory import create_web

DAY = 86_400 * SECOND


@dataclass
class Place:
    """A provider with one claimed GPU, probed for two days, down for two hours in the second."""

    house: House
    node: TownNode
    double: ProviderDouble
    claim: str

    def browser(self, who: str | None = None) -> FlaskClient:
        client = create_web(self.house).test_client()
        if who is not None:
            with self.house.ledger.write() as session:
                session.merge(
                    SessionRow(
                        token_hash=hash_token(who),
                        address=who,
                        created_ns=NOON,
                        seen_ns=self.house.clock.now(),
                        expires_ns=NOON + 30 * DAY,
                        csrf_token="token-for-forms",
                    )
                )
            client.set_cookie("waymark-session", who)
        return client


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with town(tmp_path) as (house, node, double):
        made = submit(house, PROVIDER, "onboard", {"provider": PROVIDER, "gpu_model": "a100", "count": "1"})
        row = verified(house, node)["1"]
        outage = NOON + DAY, NOON + DAY + 7200 * SECOND
        states = (State.up({"nvidia/a100": 1}), State.down("refused"))
        days = probed(
            Moment(row.at_ns or 0), Moment(NOON + 2 * DAY), lambda each: states[outage[0] <= each < outage[1]]
        )
        with house.ledger.write() as session:
            keep_days(session, days)
        yield Place(at(house, node, Moment(NOON + 2 * DAY)), node, double, made.claim)


def text(client: FlaskClient, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", response.get_data(as_text=True)).split())


def test_provider_page__claimed_gpu__shows_its_uptime_and_each_outage(place: Place) -> None:
    page = text(place.browser(), f"/providers/{PROVIDER}")
    assert "up 95.9 %" in page
    assert "2026-11-25 12:00 UTC 2026-11-25 14:00 UTC 2 h It refused the connection." in page
    assert "Day (UTC)" in page


def test_claim_page__strip_and_tables__say_the_same(place: Place) -> None:
    html = place.browser().get(f"/claims/{place.claim}").get_data(as_text=True)
    assert html.count('<rect class="up"') == 3
    assert html.count('<rect class="down"') == 1
    assert 'role="img"' in html
    assert "style=" not in html.partition("uptime-strip")[2].partition("</svg>")[0]


def test_task_page__onboarding__announces_the_latest_useful_start(place: Place) -> None:
    assert "Latest useful start" in text(place.browser(), "/tasks/onboard")
    assert "2026-11-30 00:00 UTC" in text(place.browser(), "/tasks/onboard")


def test_api__provider__tells_uptime_and_incidents(place: Place) -> None:
    answer = place.browser().get(f"/api/v1/providers/{PROVIDER}").json
    claimed = answer["onboarding"][0]
    assert (claimed["gpu_model"], claimed["number"], claimed["uptime_permille"]) == ("a100", 1, 959)
    assert claimed["incidents"] == [
        {"begins": "2026-11-25T12:00:00Z", "ends": "2026-11-25T14:00:00Z", "causes": ["refused"]}
    ]
    listed = place.browser().get("/api/v1/providers").json["items"]
    assert listed == [answer]


@pytest.mark.parametrize("who", [PROVIDER, TENANT, STRANGER_TENANT], ids=["owner", "participant", "stranger"])
def test_check_now__signed_in__shows_the_checks_and_keeps_nothing(place: Place, who: str) -> None:
    client = place.browser(who)
    page = client.get(f"/providers/{PROVIDER}").get_data(as_text=True)
    token = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', page)[-1]
    place.double.asked.clear()
    response = client.post(f"/providers/{PROVIDER}/check", data={"csrf_token": token})
    assert response.status_code == 200
    assert "What we see now" in response.get_data(as_text=True)
    assert len(place.double.asked) == 3


def test_check_now__api__answers_the_checks_and_bounds_how_often(place: Place) -> None:
    client = place.browser(TENANT)
    headers = {"X-CSRF-Token": "token-for-forms"}
    answers = [client.post(f"/api/v1/providers/{PROVIDER}/check", headers=headers) for _ in range(7)]
    assert answers[0].status_code == 200, answers[0].get_data(as_text=True)
    assert answers[0].json["outcome"] == "passed"
    assert {check["outcome"] for check in answers[0].json["checks"]} == {"passed"}
    assert answers[-1].status_code == 429


@pytest.mark.parametrize("path", [f"/providers/{PROVIDER}/check", f"/api/v1/providers/{PROVIDER}/check"])
def test_check_now__nobody_or_no_token__is_refused_and_nobody_is_asked(place: Place, path: str) -> None:
    place.double.asked.clear()
    assert place.browser().post(path).status_code in {302, 303, 400, 401, 403}
    assert place.browser(TENANT).post(path).status_code == 400
    assert place.double.asked == []
