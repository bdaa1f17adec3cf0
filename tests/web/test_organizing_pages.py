"""The organizers' pages: who sees them, what they do, what everybody else reads."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from ledger.campaigns import CampaignRevisionRow
from ledger.people import RoleRow
from services import appeals
from services.campaigns import required
from services.clock import StoppedClock
from services.eligibility import history
from services.ending import publish_results
from services.house import House
from services.results import all_results
from services.rewards import compute_awards
from tasks.campaign import load
from tasks.moment import parse_moment
from tests.endings import ANN, BOB, CAMPAIGN, CID, amounts, claimed, make_house
from tests.reviewing import token_in
from tests.web_signing import opened, shown
from web.factory import create_web

ORGANIZER, REVIEWER = f"akash1{'l' * 38}", f"akash1{'m' * 38}"
CAST = {"nobody": None, "participant": ANN, "reviewer": REVIEWER, "organizer": ORGANIZER}
SECRET = "the list of the identity provider says so"


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = make_house(tmp_path, parse_moment("2026-12-03T00:00:00Z"))
    with house.ledger.write() as session:
        session.add_all([RoleRow(address=ORGANIZER, role="organizer"), RoleRow(address=REVIEWER, role="reviewer")])
    return house


@pytest.fixture
def browser(house: House) -> Callable[[str], FlaskClient]:
    return lambda who: opened(house, create_web(house), who, CAST[who])


def sent(client: FlaskClient, page: str, to: str = "", **values: str) -> tuple[int, str]:
    token = token_in(client.get(page).get_data(as_text=True))
    response = client.post(to or page, data={"csrf_token": token} | values)
    return response.status_code, shown(response.get_data(as_text=True))


PAGES = (
    "/organize", "/organize/preview", "/organize/eligibility", "/organize/publish", "/organize/finalize",
    "/organize/grants", "/organize/eligibility/import",
)  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("who", "status"), [("nobody", 302), ("participant", 403), ("reviewer", 403), ("organizer", 200)]
)
def test_pages__each_of_the_cast__only_organizers_come_in(
    browser: Callable[[str], FlaskClient], path: str, who: str, status: int
) -> None:
    response = browser(who).get(path)
    assert response.status_code == status
    html = response.get_data(as_text=True)
    assert "style=" not in html
    assert "<script>" not in html


@pytest.mark.parametrize(
    "path",
    [*PAGES[1:], "/organize/load", "/organize/grants/1/take-back", "/organize/grants/proposals/1"],
)
@pytest.mark.parametrize(("who", "status"), [("nobody", 401), ("participant", 403), ("reviewer", 403)])
def test_acts__by_anybody_else__are_refused(
    house: House, browser: Callable[[str], FlaskClient], path: str, who: str, status: int
) -> None:
    assert browser(who).post(path, data={"address": CID}).status_code == status
    assert history(house) == []


def test_acts__without_the_token__are_refused(house: House, browser: Callable[[str], FlaskClient]) -> None:
    assert browser("organizer").post("/organize/publish").status_code == 400
    found = all_results(house)
    assert found is not None
    assert found.whole.stage == "closed"


def test_publish_and_finalize__by_the_page__the_task_page_says_it(
    house: House, browser: Callable[[str], FlaskClient]
) -> None:
    claim = claimed(house, ANN, "video", 1, "pending", holds=True)
    organizer = browser("organizer")
    assert "1 day late" in shown(organizer.get("/organize").get_data(as_text=True)).replace("1 d late", "1 day late")
    page = organizer.get("/organize/publish")
    assert f"/claims/{claim}" in page.get_data(as_text=True)
    assert "pending, holds its place" in shown(page.get_data(as_text=True))
    status, text = sent(organizer, "/organize/publish")
    assert (status, "1 open claim without a reason" in text) == (422, True)
    status, text = sent(organizer, "/organize/publish", **{f"reason-{claim}": " "})
    assert (status, "or decide it first" in text) == (422, True)
    assert sent(organizer, "/organize/publish", **{f"reason-{claim}": "its node is away"})[0] == 302
    assert "its node is away" in shown(organizer.get("/organize").get_data(as_text=True))
    page = shown(browser("nobody").get("/tasks/video").get_data(as_text=True))
    assert "Provisional results since" in page
    assert "Appeals end in 2 d" in page
    answer = browser("nobody").get("/api/v1/tasks/video").get_json()["results"]
    assert (answer["stage"], answer["appeals_until"], answer["late_seconds"]) == (
        "provisional", "2026-12-05T00:00:00Z", 86_400,
    )  # fmt: skip
    status, text = sent(organizer, "/organize/finalize", task="deploy")
    assert (status, "Appeals on deploy are taken until 2026-12-05 00:00 UTC" in text) == (409, True)
    assert "Make the results" not in shown(organizer.get("/organize/finalize").get_data(as_text=True))
    later = replace(house, clock=StoppedClock(parse_moment("2026-12-05T00:00:00Z")))
    evening = opened(later, create_web(later), "organizer", ORGANIZER)
    page = shown(evening.get("/organize/finalize").get_data(as_text=True))
    assert "Make the results of 3 tasks final" in page
    assert "Claims that stay open They were named when the results were published" in page
    assert sent(evening, "/organize/finalize")[0] == 302
    assert "Final since" in shown(evening.get("/leaderboard").get_data(as_text=True))


def test_publish__one_reason_for_the_rest__is_kept_with_each_by_name(
    house: House, browser: Callable[[str], FlaskClient]
) -> None:
    claims = [claimed(house, person, "video", 1, "pending") for person in (ANN, BOB, CID)]
    organizer = browser("organizer")
    assert "none of their own below" in organizer.get("/organize/publish").get_data(as_text=True)
    reasons = {f"reason-{claims[1]}": "its node is away", f"reason-{claims[2]}": " "}
    assert sent(organizer, "/organize/publish", for_the_rest="nothing was added in time", **reasons)[0] == 302
    found = all_results(house)
    assert found is not None
    assert found.tasks["video"].excepted == {
        claims[0]: "nothing was added in time",
        claims[1]: "its node is away",
        claims[2]: "nothing was added in time",
    }


def test_publish__task_is_open_or_unknown__says_what_to_wait_for(
    house: House, browser: Callable[[str], FlaskClient]
) -> None:
    early = replace(house, clock=StoppedClock(parse_moment("2026-11-21T00:00:00Z")))
    organizer = opened(early, create_web(early), "organizer", ORGANIZER)
    page = shown(organizer.get("/organize/publish?task=video").get_data(as_text=True))
    assert "video is open until 2026-12-01 00:00 UTC" in page
    assert "Publish the results" not in page
    assert sent(organizer, "/organize/publish", task="video")[0] == 409
    assert organizer.get("/organize/publish?task=nothing").status_code == 404
    assert sent(organizer, "/organize/publish", task="deploy")[0] == 302
    assert "were published" in shown(organizer.get("/organize/publish?task=deploy").get_data(as_text=True))


def test_finalize__an_appeal_is_open__is_listed_with_its_link_and_blocks(
    house: House, browser: Callable[[str], FlaskClient]
) -> None:
    claim = claimed(house, ANN, "deploy", 1, "failed")
    publish_results(house, ORGANIZER, "deploy")
    appeal = appeals.make(house, ANN, claim, appeals.RESULT, "It was up all the time.")[0].row.id
    later = replace(house, clock=StoppedClock(parse_moment("2026-12-05T00:00:00Z")))
    organizer = opened(later, create_web(later), "organizer", ORGANIZER)
    html = organizer.get("/organize/finalize?task=deploy").get_data(as_text=True)
    assert f"/review/appeals/{appeal}" in html
    assert "Make the results" not in shown(html)
    assert sent(organizer, "/organize/finalize", task="deploy")[0] == 409


def test_eligibility__by_the_page__everybody_reads_not_payable_only_some_why(
    house: House, browser: Callable[[str], FlaskClient]
) -> None:
    claim = claimed(house, ANN, "deploy", 1)
    page = f"/organize/eligibility?participant={ANN}"
    entered = {"address": ANN, "eligibility": "ineligible", "reason": SECRET}
    assert sent(browser("organizer"), page, **entered, after="0")[0] == 302
    assert sent(browser("organizer"), page, **entered | {"reason": "another"}, after="0")[0] == 409
    assert sent(browser("organizer"), page, address=ANN, eligibility="gone", reason="x")[0] == 422
    assert sent(browser("organizer"), page, **entered | {"starts": "soon"})[0] == 422
    compute_awards(house)
    for path in (f"/participants/{ANN}", f"/claims/{claim}"):
        for who, reads in (("nobody", False), ("participant", True), ("reviewer", True), ("organizer", True)):
            text = shown(browser(who).get(path).get_data(as_text=True))
            assert "Not payable" in text
            assert (SECRET in text) is reads, (path, who)
    public = browser("nobody")
    for path in (f"/api/v1/participants/{ANN}", f"/api/v1/claims/{claim}", "/api/v1/leaderboard"):
        assert SECRET not in public.get(path).get_data(as_text=True)
    assert public.get(f"/api/v1/participants/{ANN}").get_json()["payable"] is False
    assert public.get("/blocklist.txt").get_data(as_text=True) == f"{ANN}\n"
    assert ANN not in public.get("/allowlist.txt").get_data(as_text=True)


def test_preview__by_the_page__says_who_loses_and_changes_nothing(
    house: House, browser: Callable[[str], FlaskClient]
) -> None:
    claimed(house, ANN, "deploy", 1)
    compute_awards(house)
    change = 'revision: 2\nchange: {reason: "half of it", reaches_back: true}'
    text = CAMPAIGN.replace("revision: 1", change).replace("amount: 10", "amount: 4")
    status, page = sent(browser("organizer"), "/organize/preview", text=text)
    assert status == 200
    assert "half of it" in page
    assert "-6" in page.replace("\u2212", "-")
    fewer = CAMPAIGN.replace("revision: 1", change).replace("max: 2}", "max: 0}")
    assert "can't be loaded" in sent(browser("organizer"), "/organize/preview", text=fewer)[1]
    assert sent(browser("organizer"), "/organize/preview", text="nothing")[0] == 422
    assert compute_awards(house).lines_added == 0


def test_participant__a_set_and_a_full_task__are_explained(
    house: House, browser: Callable[[str], FlaskClient]
) -> None:
    for number, person in enumerate((BOB, CID, ANN)):
        claimed(house, person, "deploy", 1 + number)
    claimed(house, ANN, "video", 9)
    compute_awards(house)
    text = shown(browser("nobody").get(f"/participants/{ANN}").get_data(as_text=True))
    assert "3rd of 2: the last place went to a completion at block 102; yours is at block 103." in text
    assert "Sets of tasks Both" in text
    assert "5 USD. It took place 1 of 5." in text
    assert "Pools, bonuses and grants" in text


def revision_two() -> str:
    change = 'revision: 2\nchange: {reason: "half of it", reaches_back: true}'
    return CAMPAIGN.replace("revision: 1", change).replace("amount: 10", "amount: 4")


def hidden(html: str, name: str) -> str:
    found = re.search(rf'name="{name}"\s+value="([^"]*)"', html)
    assert found is not None
    return unescape(found[1])


def previewed(client: FlaskClient, text: str) -> str:
    token = token_in(client.get("/organize/preview").get_data(as_text=True))
    return client.post("/organize/preview", data={"csrf_token": token, "text": text}).get_data(as_text=True)


def test_load__after_the_preview__keeps_author_and_reason(
    house: House, browser: Callable[[str], FlaskClient]
) -> None:
    organizer = browser("organizer")
    html = previewed(organizer, revision_two())
    sending = {name: hidden(html, name) for name in ("digest", "in_force", "text")}
    assert sent(organizer, "/organize/preview", "/organize/load", **sending, reason=" ")[0] == 422
    wrong = sending | {"digest": "0" * 64}
    assert sent(organizer, "/organize/preview", "/organize/load", **wrong, reason="half")[0] == 409
    assert sent(organizer, "/organize/preview", "/organize/load", **sending, reason="We ran short.")[0] == 302
    with house.ledger.read() as session:
        row = session.get_one(CampaignRevisionRow, ("ending-test", 2))
        assert (row.author, row.reason) == (ORGANIZER, "We ran short.")
    again = shown(previewed(organizer, revision_two()))
    assert "loaded already" in again
    assert "Load revision" not in again


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("campaign: ending-test", "campaign: another", "the one in force is ending-test"),
        ("max: 2}", "max: 0}", "can't be loaded"),
    ],
)
def test_load__another_campaign_or_too_few_places__is_not_offered_and_refused(
    house: House, browser: Callable[[str], FlaskClient], old: str, new: str, words: str
) -> None:
    claimed(house, ANN, "deploy", 1)
    compute_awards(house)
    organizer, text = browser("organizer"), revision_two().replace(old, new)
    html = previewed(organizer, text)
    assert words in shown(html)
    assert "Load revision" not in shown(html)
    digest = load(text).digest
    entered = {"text": text, "digest": digest, "in_force": "1", "reason": "a reason"}
    assert sent(organizer, "/organize/preview", "/organize/load", **entered)[0] in (409, 422)
    assert required(house).newest.revision == 1


def test_eligibility__of_one_participant__offers_their_work_to_begin_from(
    house: House, browser: Callable[[str], FlaskClient]
) -> None:
    first, second = claimed(house, ANN, "deploy", 1), claimed(house, ANN, "video", 60)
    organizer = browser("organizer")
    html = organizer.get(f"/organize/eligibility?participant={ANN}").get_data(as_text=True)
    assert html.index(first[:12]) < html.index(second[:12])
    begin = f"/organize/eligibility?participant={ANN}&starts=2026-11-01T00:01:00Z"
    assert begin.replace("&", "&amp;").replace(":", "%3A") in html or begin.replace("&", "&amp;") in html
    filled = organizer.get(begin).get_data(as_text=True)
    assert 'value="2026-11-01T00:01:00Z"' in filled
    entered = {"address": ANN, "eligibility": "ineligible", "reason": SECRET, "starts": "2026-11-01T00:01:00Z"}
    assert sent(organizer, begin, **entered, after="0")[0] == 302
    compute_awards(house)
    assert (amounts(house)[first], amounts(house)[second]) == (10, 0)
