"""The door over TLS: certificates are checked, and the deadline holds below the encryption too."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from verifiers.http import Door, Limits
from verifiers.trouble import CutBody, Timeout, Unreachable

Serve = Callable[[Callable[[ssl.SSLSocket], None]], str]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "node.example")])
    begins = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(begins + datetime.timedelta(days=36_500))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "node.pem"
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    path.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(pem))
    return path


@pytest.fixture
def serve(certificate: Path) -> Iterator[Serve]:
    """Starts a TLS host that hands its one connection to a function."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def start(talk: Callable[[ssl.SSLSocket], None]) -> str:
        def run() -> None:
            try:
                plain, _ = listener.accept()
                with plain, context.wrap_socket(plain, server_side=True) as connection:
                    connection.recv(4096)
                    talk(connection)
            except OSError:
                # the client refused the certificate or had enough
                return

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return f"https://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for thread in threads:
        thread.join()
    listener.close()


def answer(connection: ssl.SSLSocket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


def test_get__trusted_certificate__is_answered(serve: Serve, certificate: Path) -> None:
    door = Door(serve(answer), ca_file=str(certificate))
    assert door.get("/").body == b"{}"
    door.close()


def test_get__certificate_nobody_vouches_for__is_unreachable_and_says_why(serve: Serve) -> None:
    door = Door(serve(answer))
    with pytest.raises(Unreachable, match="certificate"):
        door.get("/")
    door.close()


def test_get__bytes_that_drip_over_tls__end_at_the_total_deadline(serve: Serve, certificate: Path) -> None:
    def drip(connection: ssl.SSLSocket) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 1000:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)

    door = Door(serve(drip), Limits(deadline_seconds=0.5), ca_file=str(certificate))
    begun = time.monotonic()
    with pytest.raises(Timeout):
        door.get("/")
    door.close()
    assert time.monotonic() - begun < 5


def test_get__connection_cut_over_tls__is_a_cut_body(serve: Serve, certificate: Path) -> None:
    door = Door(
        serve(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}")),
        ca_file=str(certificate),
    )
    with pytest.raises(CutBody):
        door.get("/")
    door.close()
