"""The form of a claim: made from the kind's fields, filled in from the address, mistakes at their field."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.web.town import LINKED, ORGANIZER, OTHER, PARTICIPANT, STRANGER, Town, fill, make_house, sign_in
from web.factory import create_web

SDL = """\
version: "2.0"
services:
  app:
    image: example/whisper:1
    expose: [{port: 80, to: [{global: true}]}]
profiles:
  compute:
    app:
      resources:
        cpu: {units: 1}
        memory: {size: 1Gi}
        storage: {size: 1Gi}
        gpu: {units: 1, attributes: {vendor: {nvidia: [{model: h100}]}}}
  placement:
    where:
      pricing: {app: {denom: uakt, amount: 1000}}
deployment:
  app: {where: {profile: app, count: 1}}
"""


@pytest.fixture
def own_town(tmp_path: Path) -> Iterator[Town]:
    """A town that may be changed."""
    filled = fill(make_house(tmp_path))
    yield filled
    filled.house.ledger.close()


@pytest.fixture
def participant(own_town: Town) -> FlaskClient:
    client = create_web(own_town.house).test_client()
    client.set_cookie("waymark-session", sign_in(own_town.house, PARTICIPANT))
    return client


def opened(client: FlaskClient, path: str = "/tasks/deploy/claim") -> tuple[str, str]:
    """The form's HTML and its token."""
    html = client.get(path).get_data(as_text=True)
    token = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', html)
    return html, token[-1]


def sent(client: FlaskClient, **values: object) -> tuple[int, str]:
    """Send the form; the status, and the page or where it leads."""
    _, token = opened(client)
    data = {"csrf_token": token, "owner": PARTICIPANT.address, "dseq": "100001", "app": "", "sdl": ""} | values
    response = client.post("/tasks/deploy/claim", data=data)
    return response.status_code, response.headers.get("Location") or response.get_data(as_text=True)


def test_form__address_names_the_deployment__is_filled_in(participant: FlaskClient) -> None:
    html, _ = opened(participant, f"/tasks/deploy/claim?owner={LINKED.address}&dseq=115001")
    assert f'<option selected value="{LINKED.address}">' in html
    assert 'value="115001"' in html
    assert OTHER.address not in html
    assert '<option value="falcon">Falcon 7B</option>' in html


@pytest.mark.parametrize("where", ["sdl", "sdl_file"], ids=["pasted", "as a file"])
def test_form__a_good_sdl__becomes_a_claim(participant: FlaskClient, where: str) -> None:
    given = SDL if where == "sdl" else (io.BytesIO(SDL.encode()), "deploy.yaml")
    status, location = sent(participant, app="whisper", **{where: given})
    assert status == 302, location
    page = participant.get(location).get_data(as_text=True)
    assert "We have it. The next round checks it" in page
    assert "Nobody has looked yet" in page
    assert "whisper" in page
    assert sent(participant, app="whisper", sdl=SDL) == (302, location)
    assert "We had this one already." in participant.get(location).get_data(as_text=True)


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({}, "sdl", ""),
        ({"sdl": "a: [1"}, "sdl", "line"),
        ({"sdl": "version: '2.0'\n"}, "sdl", "not valid"),
        ({"sdl_file": (io.BytesIO(b"\xff\xfe\x00"), "x.bin")}, "sdl", "no text"),
        ({"sdl_file": (io.BytesIO(b"a" * 70_000), "x.yaml")}, "sdl", "64 KiB"),
        ({"sdl": SDL, "owner": OTHER.address}, "owner", ""),
        ({"sdl": SDL, "dseq": "twelve"}, "dseq", ""),
    ],
    ids=["no-sdl", "broken-yaml", "half-an-sdl", "binary-file", "large-file", "foreign-owner", "dseq-no-number"],
)
def test_form__a_mistake__stands_at_its_field_and_the_rest_is_kept(
    participant: FlaskClient, values: dict[str, object], field: str, words: str
) -> None:
    status, html = sent(participant, **values)
    assert status == 422
    error = re.search(rf'id="error-{field}">([^<]+)</p>', html)
    assert error, html
    assert words in error[1]
    assert f'aria-describedby="error-{field}' in html
    if "sdl" in values:
        assert str(values["sdl"]).splitlines()[0].replace('"', "&#34;").replace("'", "&#39;") in html


def test_form__without_the_token__is_refused(participant: FlaskClient) -> None:
    response = participant.post("/tasks/deploy/claim", data={"owner": PARTICIPANT.address, "dseq": "1", "sdl": SDL})
    assert response.status_code == 400


def test_form__fields_by_the_campaign__are_asked_and_their_hosts_named(participant: FlaskClient) -> None:
    html = participant.get("/tasks/video/claim").get_data(as_text=True)
    assert 'name="url"' in html
    assert "At video.example." in html


def test_form__stranger__is_refused(own_town: Town) -> None:
    client = create_web(own_town.house).test_client()
    client.set_cookie("waymark-session", sign_in(own_town.house, STRANGER))
    assert client.get("/tasks/deploy/claim").status_code == 403


def test_mine__many_finds__come_in_pages_with_a_link_to_the_form(participant: FlaskClient) -> None:
    html = participant.get("/me").get_data(as_text=True)
    assert html.count("Add your SDL") >= 20
    assert "1 to 20 of 4" in html
    assert f"/tasks/deploy/claim?owner={PARTICIPANT.address}&amp;dseq=" in html


def test_mine__organizer_without_finds__sees_none(own_town: Town) -> None:
    client = create_web(own_town.house).test_client()
    client.set_cookie("waymark-session", sign_in(own_town.house, ORGANIZER))
    assert "Found on the chain" not in client.get("/me").get_data(as_text=True)
