"""devnet's provider gateways answer as the recorded real ones do: same lines, headers, keys, frames, messages."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from devnet.acts import CreateProvider, Person, Scenario
from devnet.network import Devnet, serve
from devnet.providers import answers, messages
from devnet.providers.fleet import Provider
from devnet.providers.hosted import Card, Hosted, Machine
from devnet.providers.usage import Amounts, Usage
from tests.devnet.providers.asking import ask_grpc, ask_rest, open_tls
from verifiers.provider.inventory import decode_get_status

FIXTURES = Path(__file__).parents[2] / "fixtures" / "provider-recorded"
START = 1_790_000_000 * 10**9
CARD = Card("a100", "80Gi", "PCIe", "20b5")
MACHINE = Machine("node-a", 32, 135_089_127_424, (CARD, CARD))
RELEASES = {"main": "0.14.0", "v0.10.7": "0.10.7"}


@dataclass(frozen=True)
class Standing:
    at: int

    def now(self) -> int:
        return self.at


def recorded(version: str, name: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((FIXTURES / version / f"{name}.json").read_text())
    return told


def hosted(version: str) -> Hosted:
    return Hosted(recorded(version, "tls")["address"], "gpu.example.org", (MACHINE,), release=RELEASES[version])


@pytest.fixture(scope="module")
def network() -> Iterator[Devnet]:
    hosts = [hosted(version) for version in RELEASES]
    acts = [CreateProvider(height=1, owner=one.owner, host_uri="", attributes=()) for one in hosts]
    people = [Person(one.hostname, one.owner) for one in hosts]
    scenario = Scenario("recorded", "waymark-recorded-1", acts, people, hosts=hosts)
    with serve(scenario, start=START, clock=Standing(START + 10**10), provider_port=0) as net:
        yield net


@pytest.fixture(params=list(RELEASES))
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def provider(network: Devnet, version: str) -> Provider:
    return network.providers[hosted(version).owner]


def shape(value: Any) -> Any:
    """Keys in order and types; a list is the shape of its first element."""
    if isinstance(value, dict):
        return [(key, shape(one)) for key, one in value.items()]
    if isinstance(value, list):
        return [shape(one) for one in value[:1]]
    return type(value).__name__


def test_rest__every_recorded_question__same_line_headers_and_keys(provider: Provider, version: str) -> None:
    told = [*recorded(version, "rest-public")["answers"], *recorded(version, "rest-errors")["answers"]]
    assert len(told) == 9
    for one in told:
        asked = one["request"]
        got = ask_rest(provider.rest_port, asked["method"], asked["path"], asked["headers"], asked["body"])
        assert got.status_line == one["status_line"], one
        assert [name for name, _ in got.headers] == [name for name, _ in one["headers"]], one
        same = {"Content-Type", "Connection", "Transfer-Encoding", "X-Content-Type-Options"}
        assert [pair for pair in got.headers if pair[0] in same] == [
            tuple(pair) for pair in one["headers"] if pair[0] in same
        ]
        if one["body"][:1] != "{":
            assert got.body.decode() == one["body"]
        elif asked["path"] != "/status" or one["status"] != 200:
            assert shape(json.loads(got.body)) == shape(json.loads(one["body"]))


def used() -> Usage:
    """What the recorded inventory was fed: one lease of a GPU, one reservation of another."""
    active = Amounts(8000, 17_179_869_184, 53_687_091_200, 1)
    pending = Amounts(4000, 8_589_934_592, 10_737_418_240, 1)
    whole = Amounts(650, 1446 * 2**20)
    whole.add(active)
    whole.add(pending)
    return Usage([active], [pending], [whole])


def test_status__the_recorded_inventory__is_the_recorded_answer(version: str) -> None:
    told = json.loads(recorded(version, "rest-public")["answers"][2]["body"])
    got = json.loads(answers.status(hosted(version), used()))
    told["manifest"]["deployments"] = 1  # the recorder's lease had no manifest
    assert json.dumps(got) == json.dumps(told)


def test_get_status__the_recorded_inventory__is_the_recorded_message(version: str) -> None:
    told = (FIXTURES / version / "getstatus.frame.bin").read_bytes()[5:]
    told = told.replace(b"\x1a\x00\x22\x00", b"\x1a\x00\x22\x02\x08\x01")  # the recorder's lease had no manifest
    stamp = recorded(version, "grpc")["answers"][0]["decoded"]["protojson"]["timestamp"]
    seconds = int(datetime.fromisoformat(stamp[:19] + "Z").timestamp())
    assert messages.status(hosted(version), used(), seconds * 10**9 + int(stamp[20:29])) == told


@pytest.mark.parametrize("number", range(6))
def test_grpc__every_recorded_call__same_headers_trailers_and_frames(
    provider: Provider, version: str, number: int
) -> None:
    one = recorded(version, "grpc")["answers"][number]
    asked = dict(one["request"]["headers"])
    headers = [(name, value) for name, value in asked.items() if not name.startswith(":")]
    is_stream = asked[":path"].endswith("StreamStatus")
    body = base64.b64decode(one["request"]["body_b64"])
    got = ask_grpc(provider.grpc_port, asked[":path"], headers=headers, body=body, seconds=0.4 if is_stream else 5.0)
    assert got.headers == [tuple(pair) for pair in one["headers"]]
    assert got.trailers == (None if one["trailers"] is None else [tuple(pair) for pair in one["trailers"]])
    assert bool(got.data) == bool(one["data_len"])
    kinds = {"SETTINGS": "SettingsFrame", "WINDOWUPDATE": "WindowUpdateFrame", "PING": "PingFrame",
             "HEADERS": "HeadersFrame", "DATA": "DataFrame", "RSTSTREAM": "RstStreamFrame"}  # fmt: skip
    told = [(kinds[frame["type"]], frame["stream"]) for frame in one["server_frames"]]
    if not one["what"].startswith("content-type"):  # there the order depends on who is quicker
        assert [frame[:2] for frame in got.frames][: len(told)] == told
    lengths = [frame["length"] for frame in one["server_frames"] if frame["type"] == "HEADERS"]
    assert [frame[2] for frame in got.frames if frame[0] == "HeadersFrame"] == lengths


def test_grpc__a_lease_less_provider__decodes_as_empty(provider: Provider) -> None:
    got = ask_grpc(provider.grpc_port, "/akash.provider.v1.ProviderRPC/GetStatus")
    inventory = decode_get_status(got.data)
    assert inventory.leases == 0
    assert [(gpu.name, gpu.ram) for gpu in inventory.nodes[0].gpus] == [("a100", "80gi")] * 2


@pytest.mark.parametrize(
    ("method", "headers", "body", "status"),
    [
        pytest.param("GET", [("content-type", "application/grpc")], b"", "405", id="get"),
        pytest.param("POST", [("content-type", "text/plain")], b"\0\0\0\0\0", "415", id="wrong-type"),
        pytest.param("POST", [("content-type", "application/grpc")], b"\0\0\0\0\3abc", "200", id="extra-bytes"),
        pytest.param("POST", [("content-type", "application/grpc+proto")], b"\0\0\0\0\0", "200", id="no-te"),
    ],
)
def test_grpc__odd_calls__are_answered_like_grpc_go(
    provider: Provider, method: str, headers: list[tuple[str, str]], body: bytes, status: str
) -> None:
    path = "/akash.provider.v1.ProviderRPC/GetStatus"
    got = ask_grpc(provider.grpc_port, path, method=method, headers=headers, body=body)
    assert got.headers[0] == (":status", status)
    assert got.is_over


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        pytest.param([("content-type", "application/grpc")], b"", id="no-message"),
        pytest.param(
            [("content-type", "application/grpc"), ("authorization", "Bearer x")], b"\0\0\0\0\0", id="token"
        ),
    ],
)
def test_grpc__what_the_real_one_does_not_survive__gets_no_answer(
    provider: Provider, headers: list[tuple[str, str]], body: bytes
) -> None:
    path = "/akash.provider.v1.ProviderRPC/GetStatus"
    got = ask_grpc(provider.grpc_port, path, headers=headers, body=body, seconds=0.3)
    assert (got.headers, got.data) == ([], b"")


def test_tls__the_certificate__has_the_fields_of_the_recorded_one(provider: Provider, version: str) -> None:
    told = x509.load_pem_x509_certificate(recorded(version, "tls")["certificate_pem"].encode())
    for port in (provider.rest_port, provider.grpc_port):
        with open_tls(port, sni=None) as tls:
            got = x509.load_der_x509_certificate(tls.getpeercert(binary_form=True) or b"")
            assert (tls.version(), tls.selected_alpn_protocol()) == ("TLSv1.3", None)
        assert got.subject.public_bytes() == told.subject.public_bytes()
        assert got.issuer.public_bytes() == told.issuer.public_bytes()
        assert [(one.oid, one.critical) for one in got.extensions] == [
            (one.oid, one.critical) for one in told.extensions
        ]
        for oid in (0, 1, 2):
            assert got.extensions[oid].value == told.extensions[oid].value
        assert got.not_valid_after_utc - got.not_valid_before_utc == (
            told.not_valid_after_utc - told.not_valid_before_utc
        )
        assert got.serial_number // 10**9 == int(got.not_valid_before_utc.timestamp())


@pytest.mark.parametrize(
    ("protocols", "rest", "grpc"),
    [
        pytest.param(["h2"], None, "h2", id="h2"),
        pytest.param(["h2", "http/1.1"], None, "h2", id="both"),
        pytest.param(["http/1.1"], None, None, id="http11"),
        pytest.param([], None, None, id="none"),
    ],
)
def test_tls__protocols_offered__selected_as_recorded(
    provider: Provider, protocols: list[str], rest: str | None, grpc: str | None
) -> None:
    with open_tls(provider.rest_port, protocols) as tls:
        assert tls.selected_alpn_protocol() == rest
    with open_tls(provider.grpc_port, protocols) as tls:
        assert tls.selected_alpn_protocol() == grpc
        if grpc is None:
            assert tls.recv(1) == b""


def test_tls__version_1_2__refused(provider: Provider) -> None:
    for port in (provider.rest_port, provider.grpc_port):
        with pytest.raises(ssl.SSLError, match=r"(?i)protocol.version"):
            open_tls(port, version=ssl.TLSVersion.TLSv1_2)


def test_rest__a_double_slash_and_a_second_question__as_go_does(provider: Provider) -> None:
    assert ask_rest(provider.rest_port, "GET", "//status").status_line == "HTTP/1.1 301 Moved Permanently"
    assert ask_rest(provider.rest_port, "HEAD", "/status").status_line == "HTTP/1.1 405 Method Not Allowed"
    assert ask_rest(provider.rest_port, "POST", "/lease/1/1/1/status").status_line == "HTTP/1.1 404 Not Found"
    with open_tls(provider.rest_port) as tls:
        for _ in range(2):
            tls.sendall(b"GET /address HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"Connection" not in tls.recv(65536)
