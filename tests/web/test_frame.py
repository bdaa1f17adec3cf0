"""What surrounds the pages: static files, compression, errors, lists and what operators ask."""

from __future__ import annotations

import gzip
import re
import sqlite3
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from ledger.errors import LedgerBusy, LedgerFull
from services.errors import TooMany
from tests.web.town import LINKED, PARTICIPANT, STRANGER, Town, make_house
from web.factory import create_web


def test_static__file_named_by_its_content__is_kept_for_good(pages: FlaskClient) -> None:
    html = pages.get("/").get_data(as_text=True)
    addresses = re.findall(r'(?:href|src)="((?:/static|/bootstrap)[^"]+)"', html)
    assert len(addresses) >= 4
    for address in addresses:
        response = pages.get(address, buffered=True)
        assert response.status_code == 200, address
        assert "immutable" in response.headers["Cache-Control"], address
    other = pages.get(addresses[0].split("?")[0] + "?v=000000000000", buffered=True)
    assert "immutable" not in other.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/", "/static/css/waymark.css", "/api/v1/openapi.json"])
def test_answer__caller_takes_gzip__is_compressed_and_equal(pages: FlaskClient, path: str) -> None:
    plain = pages.get(path, buffered=True)
    packed = pages.get(path, headers={"Accept-Encoding": "gzip"})
    again = pages.get(path, headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert len(packed.data) < len(plain.data)
    assert len(gzip.decompress(packed.data)) == len(plain.data)
    assert packed.data == again.data


def test_page__transferred__stays_below_300_kb(pages: FlaskClient) -> None:
    html = pages.get("/leaderboard", headers={"Accept-Encoding": "gzip"})
    addresses = re.findall(r'(?:href|src)="((?:/static|/bootstrap)[^"]+)"', gzip.decompress(html.data).decode())
    total = len(html.data) + sum(
        len(pages.get(address, headers={"Accept-Encoding": "gzip"}, buffered=True).data) for address in addresses
    )
    assert total < 100_000


@pytest.mark.parametrize(
    ("path", "kind"), [("/nowhere", "text/html"), ("/api/v1/nowhere", "application/problem+json")]
)
def test_error__page_or_program__is_answered_in_its_kind(pages: FlaskClient, path: str, kind: str) -> None:
    response = pages.get(path)
    assert response.status_code == 404
    assert response.mimetype == kind


def test_error__wrong_method__names_the_right_ones(pages: FlaskClient) -> None:
    response = pages.delete("/api/v1/stats")
    assert response.status_code == 405
    assert "GET" in response.headers["Allow"]
    assert response.json == response.json | {"status": 405}


def test_error__body_too_large__says_how_much_we_take(pages: FlaskClient) -> None:
    response = pages.post("/api/v1/auth/challenge", data=b"{" * (1024 * 1024 + 1), content_type="application/json")
    assert response.status_code == 413
    assert "1 MiB" in response.get_data(as_text=True)


def test_database__without_tables__answers_503_that_says_what_to_do(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    house.ledger.close()
    with sqlite3.connect(tmp_path / "waymark.db") as connection:
        connection.execute("DROP TABLE claims")
    connection.close()
    client = create_web(house).test_client()
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert "db upgrade" in ready.get_data(as_text=True)
    house.ledger.close()


def test_database__gone__still_gives_a_page(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    house.ledger.close()
    for file in tmp_path.iterdir():
        file.write_bytes(b"this is no database" * 100)
    response = create_web(house).test_client().get("/leaderboard")
    assert response.status_code == 503
    assert "on our side" in response.get_data(as_text=True)
    house.ledger.close()


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (LedgerBusy("database is locked"), 503, "The database is busy"),
        (LedgerFull("the disk of the database is full: free some space"), 503, "the disk of the database is full"),
        (TooMany("That was often. Wait a minute.", 42), 429, "Wait a minute."),
        (RuntimeError("a secret detail"), 500, "This is our mistake, not yours."),
    ],
    ids=["busy", "full", "too-many", "our-mistake"],
)
@pytest.mark.parametrize("prefix", ["", "/api/v1"], ids=["page", "program"])
def test_error__raised_in_a_view__helps_and_gives_nothing_away(
    tmp_path: Path, error: Exception, status: int, words: str, prefix: str
) -> None:
    house = make_house(tmp_path)
    app = create_web(house)

    def view() -> str:
        raise error

    app.add_url_rule(f"{prefix}/trouble", view_func=view)
    response = app.test_client().get(f"{prefix}/trouble")
    text = response.get_data(as_text=True)
    assert response.status_code == status
    assert words in text
    assert "a secret detail" not in text
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers.get("Retry-After") == {503: response.headers.get("Retry-After"), 429: "42"}.get(status)
    house.ledger.close()


def test_allowlist__registered_and_linked__one_a_line_with_an_etag(pages: FlaskClient) -> None:
    response = pages.get("/allowlist.txt")
    lines = response.get_data(as_text=True).splitlines()
    assert lines == sorted(lines)
    assert {PARTICIPANT.address, LINKED.address} <= set(lines)
    assert STRANGER.address not in lines
    assert response.mimetype == "text/plain"
    again = pages.get("/api/v1/allowlist.txt", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304
    assert pages.get("/blocklist.txt").data == b""


def test_metrics__every_number__comes_from_the_ledger(pages: FlaskClient) -> None:
    text = pages.get("/metrics").get_data(as_text=True)
    for line in (
        'waymark_chain_height{chain_id="waymark-test-1"} 400000.0',
        'waymark_chain_state{state="following"} 1.0',
        'waymark_job_last_run_failed{job="follow"} 1.0',
        'waymark_job_lag_seconds{job="verify"} 5.0',
        'waymark_claims{outcome="passed"} 1.0',
        "waymark_participants 123.0",
    ):
        assert line in text


def test_ready__with_a_chain__says_its_state(pages: FlaskClient, town: Town) -> None:
    assert pages.get("/readyz").json == {"ready": True, "chain": "following"}


def test_two_applications__in_one_process__keep_apart(pages: FlaskClient, empty_pages: FlaskClient) -> None:
    assert "Spring GPU Testnet" in pages.get("/").get_data(as_text=True)
    assert "Spring GPU Testnet" not in empty_pages.get("/").get_data(as_text=True)
