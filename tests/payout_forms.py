"""The pages of payouts as people use them: forms sent, files handed in, words read."""

from __future__ import annotations

import json
import re
from html import unescape

from flask import Flask
from flask.testing import FlaskClient

from services.payout_records import batch, exported_file, payout
from tasks.payout.sealing import Part
from tests.payout_houses import APPROVER, TREASURER, proof
from tests.payout_sites import TREASURY, Site, signed_by_two
from tests.reviewing import token_in
from tests.wallets import Keyholder

HOSTILE = "<script>alert(1)</script>"
PLAN = {
    "task": "", "rate": "0.5", "rate_source": f"noon {HOSTILE}", "rate_at": "2026-12-10T11:00:00Z", "minimum": "",
    "payer": TREASURY.address,
}  # fmt: skip


def shown(html: str) -> str:
    words = " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())
    return re.sub(r" ([.,;:)])", r"\1", words)


def read(client: FlaskClient, path: str, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status, path
    html = response.get_data(as_text=True)
    assert HOSTILE not in html
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", html)
    return shown(html)


def sent(client: FlaskClient, page: str, to: str = "", **values: object) -> tuple[int, str]:
    token = token_in(client.get(page).get_data(as_text=True))
    response = client.post(to or page, data={"csrf_token": token} | values)
    return response.status_code, response.get_data(as_text=True)


def planned(client: FlaskClient, **more: str) -> None:
    """Preview a plan and store it."""
    status, html = sent(client, "/organize/payouts/plan", **PLAN | more | {"look": "1"})
    assert status == 200, shown(html)
    found = re.search(r'name="expected"[^>]*value="([0-9a-f]{64})"', html)
    assert found
    status, html = sent(client, "/organize/payouts/plan", **PLAN | more | {"store": "1", "expected": found[1]})
    assert status == 302, shown(html)


def signed(site: Site, client: FlaskClient, part: Part, holder: Keyholder) -> tuple[int, str]:
    """Paste what the command line signed."""
    text = json.dumps(proof(payout(site.house, 1), part, holder))
    return sent(client, "/organize/payouts/1", "/organize/payouts/1/sign", proof=text)


def exported(site: Site, app: Flask, **plan: str) -> FlaskClient:
    """A payout planned, approved and exported by the pages; the treasurer's browser."""
    treasurer, approver = site.client(app, "treasurer"), site.client(app, "approver")
    planned(treasurer, **plan)
    assert signed(site, treasurer, Part.PLANNER, TREASURER)[0] == 302
    assert signed(site, approver, Part.APPROVER, APPROVER)[0] == 302
    assert sent(treasurer, "/organize/payouts/1", "/organize/payouts/1/export")[0] == 302
    return treasurer


def handed_in(site: Site, client: FlaskClient, content: bytes | str) -> tuple[int, str]:
    """Upload a file for the first batch, as a browser sends it."""
    token = token_in(client.get("/organize/batches/p1-0001").get_data(as_text=True))
    file = content.encode() if isinstance(content, str) else content
    parts = [
        b'--end\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n', token.encode(),
        b'\r\n--end\r\nContent-Disposition: form-data; name="file"; filename="signed.json"\r\n',
        b"Content-Type: application/json\r\n\r\n", file, b"\r\n--end--\r\n",
    ]  # fmt: skip
    kind = "multipart/form-data; boundary=end"
    response = client.post("/organize/batches/p1-0001/signed", data=b"".join(parts), content_type=kind)
    return response.status_code, response.get_data(as_text=True)


def good_file(site: Site, sequence: int = 0, name: str = "p1-0001") -> str:
    with site.house.ledger.read() as session:
        return signed_by_two(exported_file(session, batch(site.house, name).id) or b"", sequence)
