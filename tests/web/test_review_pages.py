"""The pages of reviews and appeals, by everybody who may and may not use them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from ledger.people import SessionRow
from services import appeals, profiles, reviews
from services.claims import submit
from services.house import House
from services.reviews import Ballot
from services.sessions import hash_token
from tasks.moment import SECOND
from tests.houses import NOON
from tests.reviewing import (
    ADA,
    BEN,
    LINKED_REVIEWER,
    ORGANIZER,
    REVIEWER,
    SECOND_REVIEWER,
    STRANGER,
    claim_of,
    look,
    make_house,
    token_in,
)
from tests.wallets import Keyholder
from web.factory import create_web

SECRET = "The words of the bug, not for everybody."
HOSTILE = "<script>alert(1)</script> and a reason"
CAST: dict[str, Keyholder | None] = {
    "nobody": None, "stranger": STRANGER, "participant": ADA, "other": BEN, "linked reviewer": LINKED_REVIEWER,
    "reviewer": REVIEWER, "organizer": ORGANIZER,
}  # fmt: skip
Browser = Callable[[Keyholder | None], FlaskClient]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make_house(tmp_path)
    yield made
    made.ledger.close()


@pytest.fixture
def app(house: House) -> Flask:
    return create_web(house)


@pytest.fixture
def browser(house: House, app: Flask) -> Browser:
    def opened(who: Keyholder | None) -> FlaskClient:
        client = app.test_client()
        if who is not None:
            token = f"token-of-{who.address}"
            with house.ledger.write() as session:
                session.merge(
                    SessionRow(
                        token_hash=hash_token(token),
                        address=who.address,
                        created_ns=NOON,
                        seen_ns=NOON,
                        expires_ns=NOON + 3600 * SECOND,
                        csrf_token="a-token",
                    )
                )
            client.set_cookie("waymark-session", token)
        return client

    return opened


@pytest.fixture
def bug(house: House) -> str:
    made = submit(house, ADA.address, "bug", {"words": SECRET})
    look(house)
    return made.claim


@pytest.fixture
def video(house: House) -> str:
    made = submit(house, ADA.address, "video", {"url": "https://video.example/1"})
    look(house)
    return made.claim


def shown(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def sent(client: FlaskClient, page: str, to: str = "", **values: str) -> tuple[int, str]:
    """Send a form of a page; the status, and the page or where it leads."""
    token = token_in(client.get(page).get_data(as_text=True))
    response = client.post(to or page, data={"csrf_token": token} | values)
    return response.status_code, response.headers.get("Location") or response.get_data(as_text=True)


STAFF_ONLY = {"nobody": 302, "stranger": 403, "participant": 403, "other": 403, "linked reviewer": 200,
              "reviewer": 200, "organizer": 200}  # fmt: skip
ORGANIZER_ONLY = STAFF_ONLY | {"linked reviewer": 403, "reviewer": 403}
OWN = {"nobody": 302, "stranger": 403, "participant": 200, "other": 403, "linked reviewer": 403,
       "reviewer": 403, "organizer": 403}  # fmt: skip
EVERYBODY = dict.fromkeys(CAST, 200)
GETS = {
    "/review": STAFF_ONLY,
    "/review?for=participants": STAFF_ONLY,
    "/review/{claim}": STAFF_ONLY,
    "/review/log": STAFF_ONLY,
    "/review/appeals": ORGANIZER_ONLY,
    "/review/appeals?all=1": ORGANIZER_ONLY,
    "/review/appeals/{appeal}": ORGANIZER_ONLY,
    "/claims/{claim}": EVERYBODY,
    "/claims/{claim}/answer": OWN,
    "/claims/{claim}/appeal": OWN,
}


@pytest.mark.parametrize("who", CAST)
def test_pages__of_each_of_the_cast(house: House, browser: Browser, video: str, who: str) -> None:
    reviews.decide(house, SECOND_REVIEWER.address, video, Ballot("reject", HOSTILE, {}))
    look(house)
    appeal = appeals.make(house, ADA.address, video, appeals.RESULT, HOSTILE)[0].row.id
    client = browser(CAST[who])
    for path, allowed in GETS.items():
        response = client.get(path.format(claim=video, appeal=appeal))
        assert response.status_code == allowed[who], path
        assert "<script>alert" not in response.get_data(as_text=True)


@pytest.mark.parametrize("who", CAST)
@pytest.mark.parametrize("path", [f"/review/{{claim}}{act}" for act in ("", "/take", "/reopen", "/release")])
def test_posts__without_a_token_or_role__change_nothing(
    house: House, browser: Browser, video: str, who: str, path: str
) -> None:
    client = browser(CAST[who])
    data = {"act": "accept", "reason": "It shows what was asked."}
    assert client.post(path.format(claim=video), data=data).status_code in {400, 401, 403}
    if STAFF_ONLY[who] != 200:
        client.get("/sign-in")
        token = token_in(client.get("/account").get_data(as_text=True)) if CAST[who] else ""
        assert client.post(path.format(claim=video), data=data | {"csrf_token": token}).status_code in {400, 401, 403}
    look(house)
    assert claim_of(house, video).outcome == "pending"
    assert profiles.claim(house, video)[0].steps == ()


def test_navigation__review__is_for_staff_only(browser: Browser) -> None:
    for who, holder in CAST.items():
        html = browser(holder).get("/tasks").get_data(as_text=True)
        assert ('href="/review"' in html) == (STAFF_ONLY[who] == 200), who


def test_decision__from_the_queue__reaches_the_claims_page(house: House, browser: Browser, bug: str) -> None:
    client = browser(REVIEWER)
    assert f"/review/{bug}" in client.get("/review").get_data(as_text=True)
    page = client.get(f"/review/{bug}").get_data(as_text=True)
    assert SECRET in page
    assert "2 reviewers must agree" in shown(page)
    status, _ = sent(client, f"/review/{bug}", act="accept", decided_severity="high", reason="We could reproduce it.")
    assert status == 302
    sent(
        browser(SECOND_REVIEWER), f"/review/{bug}", act="accept", decided_severity="high", reason="So could I, twice."
    )
    look(house)
    words = shown(browser(None).get(f"/claims/{bug}").get_data(as_text=True))
    assert "We could reproduce it." in words
    assert "Decided: severity high" in words
    assert REVIEWER.address not in words


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"reason": "We could reproduce it."}, "Choose one of accept"),
        ({"act": "accept", "decided_severity": "high", "reason": "ok"}, "at least 10 characters"),
        ({"act": "accept", "reason": "We could reproduce it."}, "Severity is missing."),
        (
            {"act": "accept", "decided_severity": "awful", "reason": "We could reproduce it."},
            "must be one of low, high",
        ),
    ],
)
def test_decision__not_whole__is_marked_and_kept(
    browser: Browser, bug: str, values: dict[str, str], message: str
) -> None:
    status, html = sent(browser(REVIEWER), f"/review/{bug}", **values)
    assert status == 422
    assert message in shown(html)
    assert values["reason"] in html


def test_own_claim__of_a_linked_reviewer__offers_no_form_and_refuses(
    house: House, browser: Browser, video: str
) -> None:
    client = browser(LINKED_REVIEWER)
    html = client.get(f"/review/{video}").get_data(as_text=True)
    assert "somebody else decides it" in shown(html)
    assert 'name="act"' not in html
    status, page = sent(client, "/account", f"/review/{video}", act="accept", reason="It shows what was asked.")
    assert (status, "your own" in page) == (403, True)
    look(house)
    assert claim_of(house, video).outcome == "pending"


def test_take_and_release__by_their_buttons(browser: Browser, video: str) -> None:
    first, second = browser(REVIEWER), browser(SECOND_REVIEWER)
    assert sent(first, f"/review/{video}", f"/review/{video}/take")[0] == 302
    assert "Another reviewer looks at this claim" in shown(second.get(f"/review/{video}").get_data(as_text=True))
    assert sent(second, "/account", f"/review/{video}/take")[0] == 409
    assert "You look at it" in shown(first.get("/review").get_data(as_text=True))
    assert sent(first, f"/review/{video}", f"/review/{video}/release")[0] == 302
    assert sent(second, f"/review/{video}", f"/review/{video}/take")[0] == 302


def test_answer__to_a_request__by_its_form(house: House, browser: Browser, bug: str) -> None:
    sent(browser(REVIEWER), f"/review/{bug}", act="needs_work", reason="Which version was it?")
    look(house)
    client = browser(ADA)
    words = shown(client.get(f"/claims/{bug}").get_data(as_text=True))
    assert "A reviewer asks for a change: Which version was it?" in words
    assert "Answer the reviewer" in words
    assert f"/claims/{bug}/answer" in client.get("/me").get_data(as_text=True)
    assert "Answer the reviewer" not in browser(BEN).get(f"/claims/{bug}").get_data(as_text=True)
    form = client.get(f"/claims/{bug}/answer").get_data(as_text=True)
    assert SECRET in form
    status, html = sent(client, f"/claims/{bug}/answer", words="")
    assert (status, "What happens is missing." in shown(html)) == (422, True)
    assert sent(client, f"/claims/{bug}/answer", words="Version two of the secret.", note="See the end.")[0] == 302
    look(house)
    assert "Version two" in shown(browser(REVIEWER).get(f"/review/{bug}").get_data(as_text=True))
    public = shown(browser(None).get(f"/claims/{bug}").get_data(as_text=True))
    assert "Version two" not in public
    assert "See the end." not in public
    assert SECRET not in public
    assert "for the participant and the reviewers only" in public
    assert sent(client, f"/claims/{bug}/appeal", f"/claims/{bug}/answer", words="Once more.")[0] == 409


def test_answer__asked_for_by_one_and_accepted_by_another__is_still_asked_for(
    house: House, browser: Browser, bug: str
) -> None:
    reviews.decide(house, REVIEWER.address, bug, Ballot("needs_work", "Which version was it?", {}))
    reviews.decide(house, SECOND_REVIEWER.address, bug, Ballot("accept", "I could see it.", {"severity": "low"}))
    look(house)
    assert f"/claims/{bug}/answer" in browser(ADA).get(f"/claims/{bug}").get_data(as_text=True)
    reviews.decide(house, REVIEWER.address, bug, Ballot("accept", "So could I, now.", {"severity": "high"}))
    look(house)
    assert f"/claims/{bug}/answer" not in browser(ADA).get(f"/claims/{bug}").get_data(as_text=True)


def test_reopen__by_its_form__needs_a_reason(house: House, browser: Browser, video: str) -> None:
    client = browser(REVIEWER)
    sent(client, f"/review/{video}", act="accept", reason="It shows what was asked.")
    look(house)
    status, html = sent(client, f"/review/{video}", f"/review/{video}/reopen", reason="no")
    assert (status, "at least 10 characters" in shown(html)) == (422, True)
    assert sent(client, f"/review/{video}", f"/review/{video}/reopen", reason="It was taken down.")[0] == 302
    look(house)
    assert claim_of(house, video).outcome == "pending"


def test_appeal__from_the_claims_page_to_its_public_outcome(house: House, browser: Browser, video: str) -> None:
    sent(browser(REVIEWER), f"/review/{video}", act="reject", reason="It shows something else.")
    look(house)
    client = browser(ADA)
    assert f"/claims/{video}/appeal" in client.get(f"/claims/{video}").get_data(as_text=True)
    assert f"/claims/{video}/appeal" not in browser(BEN).get(f"/claims/{video}").get_data(as_text=True)
    status, html = sent(client, f"/claims/{video}/appeal", about="result", text="no")
    assert (status, "at least 10 characters" in shown(html)) == (422, True)
    assert sent(client, f"/claims/{video}/appeal", about="result", text="Look at minute three of it.")[0] == 302
    organizer = browser(ORGANIZER)
    appeal = re.findall(
        r'href="(/review/appeals/[0-9a-f]{32})"', organizer.get("/review/appeals").get_data(as_text=True)
    )[0]
    assert "Look at minute three" in shown(organizer.get(appeal).get_data(as_text=True))
    status, html = sent(organizer, appeal, outcome="won", reason="")
    assert status == 422
    assert sent(organizer, appeal, outcome="won", reason="Minute three shows it.")[0] == 302
    look(house)
    public = shown(browser(None).get(f"/claims/{video}").get_data(as_text=True))
    assert "Minute three shows it." in public
    assert "Look at minute three" not in public
    assert sent(organizer, "/account", appeal, outcome="lost", reason="Changed our mind.")[0] == 409
    assert claim_of(house, video).outcome == "pending"
    log = shown(organizer.get("/review/log").get_data(as_text=True))
    assert "Whole" in log
    assert "appeal: won" not in log or "claim: appeal won" in log


def test_task__set__shows_its_parts_with_the_readers_own_state(house: House, browser: Browser, video: str) -> None:
    words = shown(browser(ADA).get("/tasks/both").get_data(as_text=True))
    assert "Make a video" in words
    assert "complete by itself" in words
    assert "Enter it by hand" not in words
    sent(browser(REVIEWER), f"/review/{video}", act="accept", reason="It shows what was asked.")
    look(house)
    words = shown(browser(ADA).get("/tasks/both").get_data(as_text=True))
    assert "Make a video Passed" in words
    assert "Find a bug not begun" in words
