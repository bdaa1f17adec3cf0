"""Our own way out: what the control targets say of it, and what the operator is told."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from services import probing
from services.probe_controls import ADVICE, WayOut, are_near_by_name, is_asked_through, way_out
from services.settings import described
from tests.houses import make_house
from tests.probing import CAMPAIGN
from verifiers.sockets import Deadline
from web.factory import create_web

NOBODY = "http://127.0.0.1:9"
"""Port 9 of the loopback, where nobody listens."""


@pytest.fixture
def own_node() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_way_out__own_node_answers__shows_our_own_network_only(own_node: str) -> None:
    assert way_out([own_node]) is WayOut.NEAR
    assert way_out([own_node, own_node.replace("127.0.0.1", "localhost")]) is WayOut.NEAR
    assert way_out([own_node, NOBODY]) is WayOut.NEAR
    assert way_out([own_node, NOBODY, NOBODY]) is WayOut.CLOSED
    assert way_out([NOBODY]) is WayOut.CLOSED
    assert way_out([]) is WayOut.CLOSED


@pytest.mark.parametrize(
    ("addresses", "found"),
    [
        (["8.8.8.8"], WayOut.OPEN),
        (["2606:4700::1"], WayOut.OPEN),
        (["8.8.8.8", "10.0.0.7"], WayOut.NEAR),
        (["fe80::1%lo"], WayOut.NEAR),
        ([], WayOut.NEAR),
    ],
    ids=["public", "public v6", "public and private", "link-local", "no address any more"],
)
def test_way_out__node_answers__counts_by_all_its_addresses(
    own_node: str, addresses: list[str], found: WayOut
) -> None:
    def look_up(host: str, port: int, deadline: Deadline) -> list[tuple[object, ...]]:
        return [(None, None, None, "", (address, port)) for address in addresses]

    assert way_out([own_node], look_up) is found


@pytest.mark.parametrize(
    ("targets", "near"),
    [
        pytest.param(["http://127.0.0.1:1317"], True, id="loopback"),
        pytest.param(["http://localhost:1317", "http://[::1]:26657"], True, id="loopback by name"),
        pytest.param(["http://192.168.1.4:1317", "http://10.0.0.2:26657"], True, id="private"),
        pytest.param(["http://node:26657"], True, id="a name without a dot"),
        pytest.param(["http://akash.lan:26657"], True, id="a name of a home network"),
        pytest.param(["http://127.0.0.1:1317", "https://rest.example:443"], False, id="one outside"),
        pytest.param(["https://8.8.8.8"], False, id="public"),
        pytest.param([], False, id="none"),
    ],
)
def test_targets__by_their_names__stand_near_or_not(targets: list[str], *, near: bool) -> None:
    assert are_near_by_name(targets) is near


@pytest.mark.parametrize(
    ("host_uri", "looks_up", "through"),
    [
        pytest.param("https://127.0.0.1:8443", True, False, id="loopback"),
        pytest.param("https://192.168.1.7:8443", True, False, id="private"),
        pytest.param("https://8.8.8.8:8443", True, True, id="public"),
        pytest.param("https://[2606:4700::1]:8443", False, True, id="public v6"),
        pytest.param("https://localhost:8443", True, False, id="a name with a private address"),
        pytest.param("https://provider.invalid:8443", True, True, id="a name without an address"),
        pytest.param("https://provider.invalid:8443", False, True, id="a name that needs no look-up"),
        pytest.param("rubbish", False, False, id="no address at all"),
    ],
)
def test_provider__by_its_address__is_asked_through_our_way_out(
    host_uri: str, *, looks_up: bool, through: bool
) -> None:
    assert is_asked_through(host_uri, looks_up=looks_up) is through


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        pytest.param({"chain_rest": ("http://127.0.0.1:1317",)}, True, id="own node"),
        pytest.param({"chain_rest": ("https://rest.example",)}, False, id="somebody's node"),
        pytest.param(
            {"chain_rest": ("http://127.0.0.1:1317",), "control_probes": ("https://one.example",)}, False, id="mended"
        ),
        pytest.param({"control_probes": ("http://10.0.0.2",)}, True, id="named, and near"),
        pytest.param(
            {"chain_rest": ("http://127.0.0.1:1317",), "allow_private_hosts": ("127.0.0.0/8",)}, False, id="demo"
        ),
        pytest.param({}, False, id="no chain"),
    ],
)
def test_advice__operator__is_told_where_it_matters(tmp_path: Path, settings: dict, *, told: bool) -> None:
    house = make_house(tmp_path, campaign=CAMPAIGN, **settings)
    assert (probing.advice(house) == ADVICE) is told
    pages = create_web(house).test_client()
    assert pages.get("/readyz").json.get("advice") == (ADVICE if told else None)
    assert (ADVICE in pages.get("/jobs").get_data(as_text=True)) is told
    house.ledger.close()


def test_advice__no_task_that_probes__is_none(tmp_path: Path) -> None:
    house = make_house(tmp_path, chain_rest=("http://127.0.0.1:1317",))
    assert probing.advice(house) is None
    house.ledger.close()


def test_settings__control_probes__say_what_to_name(tmp_path: Path) -> None:
    house = make_house(tmp_path)
    texts = {name: text for name, _, text in described(house.settings)}
    assert "two or three public addresses" in texts["WAYMARK_CONTROL_PROBES"]
    house.ledger.close()
