from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from verifiers.guard import Guard, HostRefused, is_public, named_host, named_url
from verifiers.http import Door, Limits
from verifiers.sockets import ConnectChecked, Deadline
from verifiers.trouble import Timeout, Trouble, Unreachable

PUBLIC_V4, PUBLIC_V6 = "93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        pytest.param("https://provider.example:8443", "provider.example", 8443, id="name-and-port"),
        pytest.param("https://provider.example", "provider.example", 443, id="no-port"),
        pytest.param("HTTPS://Provider.Example:8443/", "provider.example", 8443, id="capitals"),
        pytest.param("https://provider.example.:8443", "provider.example", 8443, id="full-stop"),
        pytest.param("https://93.184.215.14:8443", "93.184.215.14", 8443, id="ipv4"),
        pytest.param("https://[2606:2800:21F::8b2c]:8443", "2606:2800:21f::8b2c", 8443, id="ipv6"),
        pytest.param("https://xn--bcher-kva.example:8443", "xn--bcher-kva.example", 8443, id="punycode"),
        pytest.param("https://a_b.example:8443", "a_b.example", 8443, id="underscore"),
    ],
)
def test_named_host__plain_address__is_read(url: str, host: str, port: int) -> None:
    found = named_host(url)
    assert (found.host, found.port) == (host, port)


FORMS = [
    pytest.param(url, id=name)
    for name, url in {
        "decimal": "https://2130706433:{port}",
        "hex": "https://0x7f000001:{port}",
        "hex-parts": "https://0x7f.0.0.1:{port}",
        "octal": "https://0177.0.0.1:{port}",
        "octal-whole": "https://017700000001:{port}",
        "two-parts": "https://127.1:{port}",
        "three-parts": "https://127.0.1:{port}",
        "plain-loopback": "https://127.0.0.1:{port}",
        "zero": "https://0.0.0.0:{port}",
        "zero-short": "https://0:{port}",
        "localhost": "https://localhost:{port}",
        "v4-mapped": "https://[::ffff:127.0.0.1]:{port}",
        "v4-mapped-hex": "https://[::ffff:7f00:1]:{port}",
        "v4-compatible": "https://[::127.0.0.1]:{port}",
        "nat64": "https://[64:ff9b::7f00:1]:{port}",
        "6to4": "https://[2002:7f00:1::]:{port}",
        "v6-loopback": "https://[::1]:{port}",
        "v6-unspecified": "https://[::]:{port}",
        "metadata": "https://169.254.169.254:{port}",
        "cgnat": "https://100.64.0.1:{port}",
        "ula": "https://[fd00::1]:{port}",
        "link-local": "https://[fe80::1]:{port}",
        "zone-id": "https://[fe80::1%25lo]:{port}",
        "zone-id-bare": "https://[fe80::1%lo]:{port}",
        "multicast": "https://224.0.0.1:{port}",
        "multicast-v6": "https://[ff02::1]:{port}",
        "userinfo": "https://public.example@127.0.0.1:{port}",
        "userinfo-password": "https://a:b@127.0.0.1:{port}",
        "backslash": "https://public.example\\@127.0.0.1:{port}",
        "circled-digits": "https://①②⑦.⓪.⓪.①:{port}",
        "fullwidth": "https://１２７.0.0.1:{port}",
        "ideographic-stop": "https://127。0。0。1:{port}",
        "crlf": "https://127.0.0.1:{port}\r\nHost: evil",
        "tab": "https://127.0.0\t.1:{port}",
        "blank": "https:// 127.0.0.1:{port}",
        "null": "https://127.0.0.1\0.example:{port}",
        "percent": "https://127%2e0%2e0%2e1:{port}",
        "http": "http://127.0.0.1:{port}",
        "file": "file:///etc/passwd",
        "gopher": "gopher://127.0.0.1:{port}/_x",
        "no-scheme": "//127.0.0.1:{port}",
        "empty": "",
        "no-host": "https://:{port}",
        "port-0": "https://provider.example:0",
        "port-too-high": "https://provider.example:65536",
        "path": "https://127.0.0.1:{port}/status",
        "query": "https://127.0.0.1:{port}?x=1",
    }.items()
]


class Listener:
    """Counts who comes."""

    def __init__(self) -> None:
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.met = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                one, _ = self.sock.accept()
            except OSError:
                return
            self.met += 1
            one.close()

    def close(self) -> None:
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


def _ask(url: str) -> None:
    Door(named_host(url).url, Limits(deadline_seconds=2), connect=ConnectChecked(Guard())).get("/status")


@pytest.mark.parametrize("form", FORMS)
def test_guard__address_in_disguise__never_reaches_the_server(listener: Listener, form: str) -> None:
    url = form.replace("{port}", str(listener.port))
    with pytest.raises(HostRefused):
        _ask(url)
    assert listener.met == 0


@pytest.mark.parametrize(
    "address",
    [
        "0.1.2.3", "10.0.0.1", "100.127.255.254", "127.255.0.1", "169.254.0.1", "172.16.0.1", "172.31.255.255",
        "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.1", "198.51.100.1",
        "203.0.113.1", "224.0.0.251", "239.255.255.250", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1", "2001:10::1",
        "2001:db8::1", "2002:808:808::1", "3fff::1", "fc00::1", "fdff::1", "fe80::1", "fec0::1", "ff0e::1",
    ],
)  # fmt: skip
def test_is_public__address_of_special_use__is_not(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "100.63.255.255", "100.128.0.1", "172.32.0.1", "2606:4700::1111", PUBLIC_V6]
)
def test_is_public__address_of_the_internet__is(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    ("port", "addresses"),
    [
        pytest.param(8443, ["10.0.0.1"], id="private"),
        pytest.param(8443, [PUBLIC_V4, "10.0.0.1"], id="public-first"),
        pytest.param(8443, ["10.0.0.1", PUBLIC_V4], id="private-first"),
        pytest.param(8443, [PUBLIC_V4, "fe80::1%eth0"], id="zone-id"),
        pytest.param(8443, [PUBLIC_V4, "::1"], id="loopback-v6"),
        pytest.param(8080, [PUBLIC_V4], id="other-port"),
        pytest.param(22, [PUBLIC_V4], id="ssh"),
        pytest.param(8443, [], id="no-address"),
        pytest.param(9000, ["192.168.7.7", PUBLIC_V4], id="any-port-only-where-all-are-allowed"),
    ],
)
def test_guard__any_answer_not_allowed__refuses_the_name(port: int, addresses: list[str]) -> None:
    with pytest.raises(HostRefused):
        Guard(["192.168.7.0/24"]).check("provider.example", port, addresses)


@pytest.mark.parametrize(
    ("port", "addresses", "used"),
    [
        pytest.param(8443, [PUBLIC_V4, PUBLIC_V6], (PUBLIC_V4, PUBLIC_V6), id="public"),
        pytest.param(443, [PUBLIC_V4], (PUBLIC_V4,), id="443"),
        pytest.param(8444, [PUBLIC_V4], (PUBLIC_V4,), id="8444"),
        pytest.param(31000, ["192.168.7.7"], ("192.168.7.7",), id="allowed-at-any-port"),
        pytest.param(8443, ["192.168.7.7", PUBLIC_V4], ("192.168.7.7", PUBLIC_V4), id="allowed-and-public"),
        pytest.param(31000, ["::1", "127.0.0.1"], ("127.0.0.1",), id="the-same-machine-by-its-other-name"),
    ],
)
def test_guard__all_allowed__gives_the_addresses(port: int, addresses: list[str], used: tuple[str, ...]) -> None:
    assert Guard(["192.168.7.0/24", "127.0.0.1"]).check("provider.example", port, addresses) == used


def test_guard__forwarded_port_of_a_lease__is_asked_too() -> None:
    host = named_url("https://provider.example:31234/result.json?x=1#y")
    assert host.target == "/result.json?x=1"
    assert Guard(ports={443, 31234}).check(host.host, host.port, [PUBLIC_V4]) == (PUBLIC_V4,)


class Names:
    """A resolver that gives the next answer each time it is asked."""

    def __init__(self, *answers: list[str] | OSError) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, host: str, port: int, deadline: Deadline) -> list[tuple[object, ...]]:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        if isinstance(answer, OSError):
            raise answer
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answer]


def _deadline() -> Deadline:
    deadline = Deadline(1)
    deadline.start(2)
    return deadline


def test_connect_checked__name_that_changes_its_address__is_looked_up_once(listener: Listener) -> None:
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    connect = ConnectChecked(Guard(["127.0.0.1"]), names)
    for _ in range(3):
        connect("rebinding.example", listener.port, _deadline()).close()
    assert names.asked == 1


def test_connect_checked__public_then_loopback__never_meets_loopback(listener: Listener) -> None:
    names = Names([PUBLIC_V4, "127.0.0.1"])
    with pytest.raises(HostRefused):
        ConnectChecked(Guard(), names)("rebinding.example", listener.port, _deadline())
    assert (names.asked, listener.met) == (1, 0)


def test_connect_checked__name_without_an_address__is_not_looked_up_again() -> None:
    names = Names(socket.gaierror(socket.EAI_NONAME, "unknown"))
    connect = ConnectChecked(Guard(), names)
    for _ in range(2):
        with pytest.raises(socket.gaierror):
            connect("nowhere.example", 8443, _deadline())
    assert names.asked == 1


def test_connect_checked__slow_resolver__ends_at_the_deadline() -> None:
    slow = Names(TimeoutError("looking up took too long"))
    door = Door("https://slow.example:8443", Limits(deadline_seconds=1), connect=ConnectChecked(Guard(), slow))
    with pytest.raises((Timeout, Unreachable)) as caught:
        door.get("/status")
    assert isinstance(caught.value, Trouble)


def test_door__proxy_in_the_environment__is_ignored(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Listener()
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    names = Names(["127.0.0.1"])
    door = Door(
        f"https://provider.example:{listener.port}",
        Limits(deadline_seconds=2),
        connect=ConnectChecked(Guard(["127.0.0.1"]), names),
    )
    with pytest.raises(Trouble):
        door.get("/status")
    proxy.close()
    assert (listener.met, proxy.met) == (1, 0)
