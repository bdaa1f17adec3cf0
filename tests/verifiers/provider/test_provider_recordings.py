from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tasks.moment import format_moment, parse_moment
from tests.nodes import StandingClock
from tests.provider_double import CERTIFICATES_PATH, ProviderDouble, StubChain, made
from verifiers.guard import Guard
from verifiers.provider.answers import decode_address, decode_status, decode_version, grpc_trouble, http_trouble
from verifiers.provider.client import Providers
from verifiers.provider.facts import provider_seen
from verifiers.provider.gpu_models import ModelNames
from verifiers.provider.identity import OnChain, Record, Shown, Standing, identify, on_chain
from verifiers.provider.inventory import decode_get_status, decode_message
from verifiers.trouble import Denied

FOLDER = Path(__file__).parents[2] / "fixtures" / "provider-recorded"
RELEASES = ("main", "v0.10.7")


def _read(release: str, file: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((FOLDER / release / f"{file}.json").read_text())
    return document


def _plain(message: dict[str, Any]) -> dict[str, Any]:
    """As protobuf's JSON writes it."""
    written = dict(message)
    if "timestamp" in written:
        stamp = written["timestamp"]
        written["timestamp"] = format_moment(stamp["seconds"] * 10**9 + stamp.get("nanos", 0))
    if "reclamation_window" in written:
        written["reclamation_window"] = f"{written['reclamation_window']['seconds']}s"
    return written


MESSAGES = [
    pytest.param(answer, id=f"{release}-{answer['what']}")
    for release in RELEASES
    for answer in _read(release, "grpc")["answers"]
    if answer["data_b64"]
]


@pytest.mark.parametrize("answer", MESSAGES)
def test_decode_message__recorded_bytes__give_what_the_official_types_print(answer: dict[str, Any]) -> None:
    decoded = decode_message(base64.b64decode(answer["data_b64"]))
    assert _plain(decoded) == answer["decoded"]["protojson"]


@pytest.mark.parametrize("release", RELEASES)
def test_decode_get_status__recorded_frame__is_the_inventory_that_was_fed_in(release: str) -> None:
    inventory = decode_get_status((FOLDER / release / "getstatus.frame.bin").read_bytes())
    fed = _read(release, "inventory")["nodes"][0]
    (node,) = inventory.nodes
    assert node.name == fed["name"]
    assert (node.cpu.capacity, node.cpu.allocatable) == (32_000, 31_800)
    assert (node.memory.capacity, node.memory.allocatable) == (135_089_127_424, 134_984_269_824)
    # what is allocated includes the pending reservation
    assert (node.gpu.capacity, node.gpu.allocated) == (2, 2)
    assert [(gpu.vendor, gpu.name, gpu.interface, gpu.ram) for gpu in node.gpus] == [
        ("nvidia", "a100", "pcie", "80gi")
    ] * 2
    assert inventory.counts(ModelNames(None).id_of) == {"a100": 2}
    assert inventory.leases == 1


@pytest.mark.parametrize("release", RELEASES)
def test_rest__recorded_public_answers__are_read(release: str) -> None:
    recorded = _read(release, "rest-public")
    bodies = {answer["request"]["path"]: answer["body"].encode() for answer in recorded["answers"]}
    version = decode_version(bodies["/version"])
    assert version.akash.version in {"0.14.1-main", "0.10.7"}
    assert version.kube is not None
    assert decode_address(bodies["/address"]) == recorded["address"]
    status = decode_status(bodies["/status"])
    assert status.address == recorded["address"]
    assert status.is_inventory_ready
    assert [(node.name, node.allocatable.gpu, node.available.gpu) for node in status.nodes] == [("node-a", 2, 0)]


@pytest.mark.parametrize("release", RELEASES)
def test_rest__recorded_errors__are_troubles(release: str) -> None:
    for answer in _read(release, "rest-errors")["answers"]:
        trouble = http_trouble(answer["status"], "provider")
        assert trouble is not None, answer["what"]
        assert isinstance(trouble, Denied) == (answer["status"] in {401, 403})


REFUSALS = [
    pytest.param(answer, id=f"{release}-{answer['what']}")
    for release in RELEASES
    for answer in _read(release, "grpc")["answers"]
    if "GetStatus" not in answer["what"] and not answer["data_b64"]
]


@pytest.mark.parametrize("answer", REFUSALS)
def test_grpc__recorded_refusals__are_troubles(answer: dict[str, Any]) -> None:
    fields = dict(answer["headers"]) | dict(answer["trailers"] or [])
    grpc = grpc_trouble(fields["grpc-status"], fields.get("grpc-message", "")) if "grpc-status" in fields else None
    assert grpc or http_trouble(int(fields[":status"]), "provider")


def _certificate(release: str) -> bytes:
    certificate = x509.load_pem_x509_certificate(_read(release, "tls")["certificate_pem"].encode())
    return certificate.public_bytes(Encoding.DER)


@pytest.mark.parametrize("release", RELEASES)
def test_identify__recorded_certificate__is_pinned_to_its_owner(release: str) -> None:
    recorded = _read(release, "tls")
    owner, serial = recorded["address"], int(recorded["serial"])
    record = Record("localhost", 8443, Shown((_certificate(release),), "mtls.localhost", "TLSv1.3"))
    row = {
        "certificate": {
            "state": "valid",
            "cert": base64.b64encode(recorded["certificate_pem"].encode()).decode(),
            "pubkey": "",
        },
        "serial": str(serial),
    }
    at = parse_moment("2026-11-24T12:00:00Z")
    chain = on_chain(StubChain(row)(owner, serial), owner, serial, CERTIFICATES_PATH)
    identity = identify(record, owner, at, chain)
    assert identity.standing is Standing.PINNED
    assert identity.sha256 == recorded["sha256"]
    other = _read(next(each for each in RELEASES if each != release), "tls")["address"]
    assert identify(record, other, at, OnChain()).standing is Standing.FOREIGN


REPLAYS = [
    pytest.param(release, answer["server_raw_b64"], trouble, id=f"{release}-{answer['what']}")
    for release in RELEASES
    for answer in _read(release, "grpc")["answers"]
    for what, trouble in (("GetStatus", None), ("BidScreening", "unimplemented"), ("wrong content type", "*"))
    if answer["what"].startswith(what)
]


@pytest.mark.parametrize(("release", "raw", "trouble"), REPLAYS)
def test_client__recorded_server_bytes__are_understood(release: str, raw: str, trouble: str | None) -> None:
    at = parse_moment("2026-11-24T12:00:00Z")
    with ProviderDouble(replayed=base64.b64decode(raw)) as double:
        providers = Providers(StandingClock(at), Guard(["127.0.0.0/8"]))
        seen = providers.look(double.owner, double.host_uri, StubChain(made().row()), routes=())
    facts = provider_seen(double.owner, seen, at)
    if trouble is None:
        assert facts.known_inventory is not None
        assert facts.known_inventory.counts(ModelNames(None).id_of) == {"a100": 2}
    else:
        assert facts.inventory.trouble in {trouble, "unimplemented", "server_error", "grpc_failed"}
