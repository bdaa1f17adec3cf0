"""A result fetched from the lease's address: only from the provider's own hosts, and never silently lost."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from sqlalchemy import delete

from ledger.benchmarks import BenchmarkRunRow
from ledger.chain import ProviderRow
from services import benchmarks, campaigns, claims
from services.benchmark_fetch import fetched, is_at
from services.benchmark_source import KeptBenchmarks
from services.errors import Refused
from services.house import House
from tests.benchmark_town import PARTICIPANT, PROVIDER, make, result_for
from tests.provider_certificates import public_certificate
from verifiers.benchmark.record import find_record
from verifiers.evidence import EnteredRun, Entry
from verifiers.guard import named_host, named_url
from verifiers.kinds import benchmark_run


class Lease(ThreadingHTTPServer):
    """What a lease serves over TLS with a certificate that `localhost` proves."""

    daemon_threads = True
    body = b""
    status = 200

    def __init__(self) -> None:
        lease = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(lease.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(lease.body)))
                self.end_headers()
                self.wfile.write(lease.body)

            def log_message(self, *args: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(public_certificate().file)
        self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def address(self) -> str:
        return f"https://localhost:{self.server_port}/result.json"


@pytest.fixture
def lease() -> Iterator[Lease]:
    with Lease() as served:
        threading.Thread(target=served.serve_forever, args=(0.01,), daemon=True).start()
        yield served
        served.shutdown()


def town(folder: Path, host_uri: str = "https://localhost:8443", **settings: object) -> House:
    house = make(folder, **settings)
    with house.ledger.write() as session:
        session.add(
            ProviderRow(
                chain_id="local-v2",
                owner=PROVIDER,
                host_uri=host_uri,
                attributes=[],
                created_at=1,
                not_later_than=1,
                read_height=1,
            )
        )
    return house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = town(tmp_path, allow_private_hosts=("127.0.0.0/8",))
    yield made
    made.ledger.close()


def entered(house: House, address: str) -> Entry:
    """Ask for a challenge, enter the address; gives the entry with what was fetched."""
    name = benchmarks.issue(house, PARTICIPANT.address, PROVIDER).challenge.id
    entry = benchmark_run.enter({"challenge": name, "result": address}, {}, [PARTICIPANT.address])
    return fetched(house, entry, public_certificate().ca_file)


def test_fetch__address_of_the_lease__becomes_the_result_with_its_host(house: House, lease: Lease) -> None:
    lease.body = b"whatever it serves"
    entry = entered(house, lease.address)
    assert entry.run is not None
    assert (entry.run.result, entry.run.host) == ("whatever it serves", f"localhost:{lease.server_port}")


def test_take_in__fetched_result__is_told_in_the_record(house: House) -> None:
    name = benchmarks.issue(house, PARTICIPANT.address, PROVIDER).challenge.id
    loaded, now, text = campaigns.required(house), house.clock.now(), json.dumps(result_for(name))
    run = EnteredRun(name, text, "https://localhost/result.json", "localhost:443")
    claim = claims.submit(house, PARTICIPANT.address, "benchmark", {"challenge": name, "result": text}).claim
    with house.ledger.write() as session:
        session.execute(delete(BenchmarkRunRow))
        benchmarks.take_in(house, session, loaded, PARTICIPANT.address, run, claim, now)
    kept = KeptBenchmarks(house).record(name)
    assert kept is not None
    record, _ = find_record([kept], name)
    assert record is not None
    assert record.delivered_by == "lease"


def test_submit__certificate_that_nobody_vouches_for__is_refused(house: House, lease: Lease) -> None:
    name = benchmarks.issue(house, PARTICIPANT.address, PROVIDER).challenge.id
    with pytest.raises(Refused, match="no certificate that can be trusted"):
        claims.submit(house, PARTICIPANT.address, "benchmark", {"challenge": name, "result": lease.address})


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("https://elsewhere.example/result.json", "no address of this provider"),
        ("https://localhost.elsewhere.example/result.json", "no address of this provider"),
        ("https://user@localhost/result.json", "credentials"),
        ("https://127.1/result.json", "could not be read"),
        ("https://localhost:1/result.json", "could not be read"),
    ],
)
def test_submit__address_of_somebody_else_or_of_nobody__is_refused(house: House, address: str, words: str) -> None:
    with pytest.raises(Refused, match=words) as refused:
        entered(house, address)
    assert refused.value.field == "result"


def test_submit__runner_not_done__says_so(house: House, lease: Lease) -> None:
    lease.status = 503
    with pytest.raises(Refused, match="wait until the runner is done"):
        entered(house, lease.address)


def test_fetch__endless_answer__is_refused(house: House, lease: Lease) -> None:
    lease.body = b"x" * 200_000
    with pytest.raises(Refused, match="could not be read"):
        entered(house, lease.address)


def test_submit__private_address__is_never_asked(tmp_path: Path, lease: Lease) -> None:
    house = town(tmp_path)
    with pytest.raises(Refused, match="no public address"):
        entered(house, lease.address)
    house.ledger.close()


@pytest.mark.parametrize(
    ("address", "provider", "belongs"),
    [
        ("https://provider.gpus.example/", "https://provider.gpus.example:8443", True),
        ("https://x.ingress.gpus.example/", "https://provider.gpus.example:8443", True),
        ("https://PROVIDER.gpus.example:30123/", "https://provider.gpus.example:8443", True),
        ("https://gpus.example/", "https://provider.gpus.example:8443", False),
        ("https://xgpus.example/", "https://provider.gpus.example:8443", False),
        ("https://gpus.example.org/", "https://provider.gpus.example:8443", False),
        ("https://elsewhere.example/", "https://provider.example:8443", False),
        ("https://9.8.8.8/", "https://8.8.8.8:8443", False),
    ],
)
def test_is_at__address_and_provider__belong_together_or_not(address: str, provider: str, belongs: bool) -> None:
    assert is_at(named_url(address), named_host(provider)) is belongs
