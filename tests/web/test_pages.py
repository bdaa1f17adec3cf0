"""Every page, for every member of the cast, with a campaign and without."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from ledger.chain import CursorRow
from services import campaigns, task_board
from services.task_board import Phase
from tests.wallets import Keyholder
from tests.web.town import (
    HOSTILE,
    LINKED,
    ORGANIZER,
    OTHER,
    PARTICIPANT,
    PROVIDER,
    STRANGER,
    Town,
    fill_chain,
    make_house,
)
from web.factory import create_web
from web.pages.tasks_pages import task_html

OPEN_PAGES = (
    "/",
    "/tasks",
    "/leaderboard",
    "/leaderboard?page=2",
    "/leaderboard?search=ada",
    "/figures",
    "/providers",
    "/rules",
    "/how-we-check",
    "/jobs",
    "/payouts",
    "/sign-in",
)
CAMPAIGN_PAGES = (
    "/tasks/deploy",
    "/tasks/onboard",
    "/tasks/video",
    f"/participants/{PARTICIPANT.address}",
    f"/participants/{OTHER.address}",
    f"/participants/{ORGANIZER.address}",
    f"/providers/{PROVIDER.address}",
    *(f"/claims/{number:032x}" for number in range(4)),
)

Browser = Callable[[Keyholder], FlaskClient]


def text_of(client: FlaskClient, path: str, status: int = 200) -> str:
    """The page's HTML with entities of the tests' names resolved by nobody: as sent."""
    response = client.get(path)
    assert response.status_code == status, path
    return response.get_data(as_text=True)


def shown(html: str) -> str:
    """The words that a reader sees, in one line."""
    words = " ".join(re.sub(r"<[^>]+>", " ", html).replace("&#39;", "'").split())
    return re.sub(r" ([.,;)])", r"\1", words).replace("( ", "(")


@pytest.mark.parametrize("path", [*OPEN_PAGES, *CAMPAIGN_PAGES])
def test_page__with_a_campaign__is_whole_and_needs_no_inline_code(pages: FlaskClient, path: str) -> None:
    response = pages.get(path)
    html = response.get_data(as_text=True)
    assert response.status_code == 200
    assert html.count("<h1") == 1
    assert '<html lang="en">' in html
    assert "never@shown.example" not in html
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", html)
    assert not re.search(r'(?:src|srcset|action)="(?!/)[^"]', html), "only our own files are loaded"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", OPEN_PAGES)
def test_page__with_nothing_loaded__says_what_to_do(empty_pages: FlaskClient, path: str) -> None:
    html = text_of(empty_pages, path)
    assert html.count("<h1") == 1
    assert "None" not in shown(html)


def test_home__with_nothing_loaded__says_how_to_load_a_campaign(empty_pages: FlaskClient) -> None:
    words = shown(text_of(empty_pages, "/"))
    assert "python app.py campaign load FILE" in words
    assert "We have not reached a node yet." in words


def test_home__with_a_campaign__answers_what_when_and_how(pages: FlaskClient) -> None:
    words = shown(text_of(pages, "/"))
    assert "Spring GPU Testnet" in words
    assert "2026-03-01 00:00 UTC to 2026-03-31 00:00 UTC, closes in 10 d 12 h" in words
    assert "waymark-test-1, block 400,000 of 2026-03-20 11:59 UTC, up to date" in words
    assert "123 registered participants" in words.replace(
        "registered participants 123", "123 registered participants"
    )


@pytest.mark.parametrize("path", ["/leaderboard", f"/participants/{OTHER.address}", "/providers", "/rules"])
def test_page__with_hostile_texts__shows_them_as_text(pages: FlaskClient, path: str) -> None:
    html = text_of(pages, path)
    assert HOSTILE not in html
    assert "&lt;script&gt;" in html


def test_task__each_rule__is_in_words(pages: FlaskClient) -> None:
    words = shown(text_of(pages, "/tasks/deploy")).replace("\u00a0", " ")
    for sentence in (
        "Different providers needed 3",
        "Each lease active for at least 10 minutes",
        "Stable Diffusion (example/stable-diffusion)",
        "20 places.",
        "At most 2 awards for each participant.",
        "The amount changes every 7 days: 100 %, 90 %, 50 %, then 25 %.",
        "Now 50 % of the amount; 25 % from 2026-03-22 08:00 UTC",
        "1 place taken, 1 held, 18 left of 20",
    ):
        assert sentence in words


def test_task__of_a_kind_not_built__says_not_open_yet(town: Town, town_web: Flask) -> None:
    entry = replace(task_board.one(town.house, "deploy"), phase=Phase.NOT_BUILT)
    with town_web.test_request_context("/tasks/deploy"):
        words = shown(task_html(campaigns.required(town.house).newest, entry))
    assert "Not open yet." in words
    assert "40.00 USD" in words
    assert "18 left" not in words


def test_task__with_requirements__names_them(pages: FlaskClient) -> None:
    words = shown(text_of(pages, "/tasks/video"))
    assert "Needs one of these first: Bring a GPU to the network; Run an AI app on three providers." in words


def test_participant__linked_address__leads_to_the_registered_one(pages: FlaskClient) -> None:
    response = pages.get(f"/participants/{LINKED.address}")
    assert response.status_code == 302
    assert response.headers["Location"].endswith(f"/participants/{PARTICIPANT.address}")


def test_participant__each_claim__shows_result_next_look_and_sum(pages: FlaskClient) -> None:
    words = shown(text_of(pages, f"/participants/{PARTICIPANT.address}"))
    assert "Confirmed 20.00 USD" in words
    assert "Lease on the third provider: 4 minutes of 10 so far." in words
    assert "We look again in 7 min" in words
    assert "2026-03-20 12:07 UTC" in words
    assert "Amount of the task 40.00 times the share paid at that time 50" in words
    assert "2 entries in the ledger" in words


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (0, "It counts. Nobody needs to do anything."),
        (1, "It may still count."),
        (2, "It does not count."),
        (3, "This is on our side"),
    ],
    ids=["passed", "pending", "failed", "unknown"],
)
def test_claim__each_outcome__says_who_acts(pages: FlaskClient, number: int, sentence: str) -> None:
    assert sentence in shown(text_of(pages, f"/claims/{number:032x}"))


def test_observation__public__shows_the_answer_as_text(pages: FlaskClient, town: Town) -> None:
    html = text_of(pages, f"/observations/{town.observation}")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert HOSTILE not in html
    raw = pages.get(f"/observations/{town.observation}/raw")
    assert raw.mimetype == "application/octet-stream"
    assert raw.headers["Content-Disposition"].startswith("attachment")
    assert raw.data == b'{"deployments":[],"note":"<script>alert(1)</script>"}'


def test_observation__restricted__keeps_its_text(pages: FlaskClient, town: Town) -> None:
    html = text_of(pages, f"/observations/{town.restricted}")
    assert "This answer is restricted." in html
    assert "a secret note" not in html
    assert pages.get(f"/observations/{town.restricted}/raw").status_code == 403


def test_leaderboard__own_row__is_marked(pages_as: Browser) -> None:
    html = text_of(pages_as(PARTICIPANT), "/leaderboard")
    assert html.count('class="me"') == 1


def test_leaderboard__search_without_a_match__says_so(pages: FlaskClient) -> None:
    assert "Nobody found" in text_of(pages, "/leaderboard?search=zzzz%25_")


@pytest.mark.parametrize(
    "query", ["page=0", "page=x", "page=1e3", "per_page=201", "per_page=-1", "search=" + "a" * 81]
)
def test_leaderboard__query_out_of_bounds__names_it(pages: FlaskClient, query: str) -> None:
    html = text_of(pages, f"/leaderboard?{query}", status=422)
    assert query.partition("=")[0] in html


def test_mine__nobody_signed_in__leads_to_sign_in(pages: FlaskClient) -> None:
    response = pages.get("/me")
    assert response.status_code == 302
    assert "/sign-in" in response.headers["Location"]


def test_mine__stranger__is_told_to_register(pages_as: Browser) -> None:
    assert "You are signed in, but not registered yet" in text_of(pages_as(STRANGER), "/me")


@pytest.mark.parametrize("who", [PARTICIPANT, OTHER, ORGANIZER], ids=["participant", "other", "organizer"])
def test_mine__registered__lists_only_their_own(pages_as: Browser, who: Keyholder) -> None:
    html = text_of(pages_as(who), "/me")
    owners = {PARTICIPANT: {0, 1}, OTHER: {2, 3}, ORGANIZER: set()}[who]
    assert {number for number in range(4) if f"/claims/{number:032x}" in html} == owners


def test_mine__nothing_found__says_what_to_do(pages_as: Browser) -> None:
    assert "We have found nothing of yours yet" in text_of(pages_as(ORGANIZER), "/me")


def test_jobs__trouble__is_named_with_the_last_good_run(pages: FlaskClient) -> None:
    words = shown(text_of(pages, "/jobs"))
    assert "Trouble the node answered too late" in words
    assert "2026-03-20 11:50 UTC 10 min ago" in words


def test_rules__terms_of_the_campaign__render_without_html(pages: FlaskClient) -> None:
    html = text_of(pages, "/rules")
    assert "<em>fairly</em>" in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    loaded = pages.get("/rules/1.yaml")
    assert loaded.mimetype == "text/plain"
    assert b"campaign: spring-gpu" in loaded.data
    assert pages.get("/rules/2.yaml").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/tasks/none",
        "/participants/akash1nobody",
        "/claims/none",
        "/observations/none",
        "/providers/none",
        "/figures/none-light-wide.svg",
        "/figures/requests-pink-wide.svg",
        f"/participants/{STRANGER.address}",
    ],
)
def test_page__unknown_thing__helps_on(pages: FlaskClient, path: str) -> None:
    html = text_of(pages, path, status=404)
    assert "To the start page" in html


@pytest.mark.parametrize("name", ["requests", "leases", "deployers", "gpus"])
@pytest.mark.parametrize("look", ["light-wide", "light-narrow", "dark-wide", "dark-narrow"])
def test_chart__each_look__is_svg_that_loads_nothing(pages: FlaskClient, name: str, look: str) -> None:
    response = pages.get(f"/figures/{name}-{look}.svg")
    assert response.mimetype == "image/svg+xml"
    assert response.data.startswith(b"<svg")
    assert b"<script" not in response.data
    assert not re.search(rb'href="http|url\(http', response.data)


def test_chart__content_named_in_the_address__is_kept_for_good(pages: FlaskClient) -> None:
    address = re.search(r'src="(/figures/requests-light-wide.svg\?at=[0-9a-f]+)"', text_of(pages, "/figures"))
    assert address
    assert "immutable" in pages.get(address[1]).headers["Cache-Control"]
    assert "immutable" not in pages.get("/figures/requests-light-wide.svg?at=old").headers["Cache-Control"]


def test_home__chain_without_a_campaign__shows_its_figures(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    with house.ledger.write() as session:
        fill_chain(session)
    client = create_web(house).test_client()
    words = shown(text_of(client, "/"))
    assert "The network now" in words
    assert "GPU deployment requests 70" in words
    assert "registered participants" not in words
    assert "No campaign is loaded yet" in words
    assert shown(text_of(client, "/figures")).count("2026-03-") >= 20
    house.ledger.close()


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("bootstrapping", "We are reading the chain for the first time."),
        ("halted", "The chain stands still."),
        ("lagging", "The node we read is behind."),
        ("reset", "The chain was reset."),
        ("unreachable", "We can't reach a node just now."),
    ],
)
def test_home__chain_in_trouble__says_so_and_whose_it_is(tmp_path: Path, state: str, words: str) -> None:
    house = make_house(tmp_path)
    with house.ledger.write() as session:
        fill_chain(session)
        session.flush()
        session.execute(update(CursorRow).values(state=state, detail="Block 400,000 is ten minutes old."))
    html = shown(text_of(create_web(house).test_client(), "/"))
    assert words in html
    assert "Block 400,000 is ten minutes old." in html
    assert "up to date" not in html
    house.ledger.close()
