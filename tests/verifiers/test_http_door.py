"""The one door to the network: one deadline, one byte limit, no redirects, clear trouble."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.nodes import Answer, Node
from verifiers.http import Door, Limits
from verifiers.trouble import CutBody, Timeout, TooLarge, Trouble, Unreachable, WrongContentType


@pytest.fixture
def node() -> Iterator[Node]:
    with Node() as running:
        yield running


def ask(node: Node, answer: Answer, limits: Limits | None = None) -> bytes:
    node.routes["/x"] = lambda _: answer
    door = Door(node.url, limits or Limits(deadline_seconds=5))
    try:
        return door.get("/x").body
    finally:
        door.close()


def drip(head: bytes, *, seconds: float = 0.05) -> Callable[[socket.socket], None]:
    """Send one byte now and then, so that no single read ever waits long."""

    def send(connection: socket.socket) -> None:
        for byte in head:
            connection.sendall(bytes([byte]))
            time.sleep(seconds)

    return send


SLOW = [
    pytest.param(b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 1000, id="a header without end"),
    pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + b"b" * 900, id="a body byte by byte"),
]


@pytest.mark.parametrize("sent", SLOW)
def test_get__bytes_that_drip__end_at_the_total_deadline(node: Node, sent: bytes) -> None:
    begun = time.monotonic()
    with pytest.raises(Timeout):
        ask(node, Answer(raw=drip(sent)), Limits(deadline_seconds=0.4))
    assert time.monotonic() - begun < 5


CUT = [
    pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", id="shorter than announced"),
    pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n{}", id="inside a chunk"),
    pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", id="without the last chunk"),
    pytest.param(b"", id="before any byte"),
    pytest.param(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n" + gzip.compress(b"{}")[:9],
                 id="inside gzip"),
    pytest.param(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", id="no gzip at all"),
]  # fmt: skip


@pytest.mark.parametrize("sent", CUT)
def test_get__connection_that_ends_early__is_a_cut_body(node: Node, sent: bytes) -> None:
    with pytest.raises(CutBody):
        ask(node, Answer(raw=lambda connection: connection.sendall(sent)))


LARGE = [
    pytest.param(Answer(b"x" * 2000), id="announced"),
    pytest.param(Answer(raw=lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 2000)),
                 id="without a length"),
    pytest.param(Answer(gzip.compress(b"x" * 2000), headers={"content-encoding": "gzip"}), id="unpacked"),
]  # fmt: skip


@pytest.mark.parametrize("answer", LARGE)
def test_get__answer_above_the_limit__is_refused(node: Node, answer: Answer) -> None:
    with pytest.raises(TooLarge):
        ask(node, answer, Limits(deadline_seconds=5, body_bytes=1000))


def test_get__packed_answer__is_unpacked(node: Node) -> None:
    assert ask(node, Answer(gzip.compress(b"{}" * 300), headers={"content-encoding": "gzip"})) == b"{}" * 300


def test_get__encoding_not_asked_for__is_refused(node: Node) -> None:
    with pytest.raises(WrongContentType):
        ask(node, Answer(b"zz", headers={"content-encoding": "br"}))


def test_get__redirect__is_returned_and_not_followed(node: Node) -> None:
    node.routes["/x"] = lambda _: Answer(b"", 302, {"location": "/y"})
    door = Door(node.url)
    assert door.get("/x").status == 302
    assert [asked.route for asked in node.asked] == ["/x"]
    door.close()


def test_get__proxy_in_the_environment__is_ignored(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert ask(node, Answer(b"{}")) == b"{}"


def test_get__same_thread__keeps_the_connection(node: Node) -> None:
    node.routes["/x"] = lambda _: Answer(b"{}")
    door = Door(node.url)
    for _ in range(3):
        door.get("/x")
    door.close()
    assert len(node.asked) == 3
    assert len({asked.connection for asked in node.asked}) == 1


def test_get__kept_connection_closed_by_the_host__asks_again_on_a_new_one(node: Node) -> None:
    tries: list[int] = []

    def respond(_: object) -> Answer:
        tries.append(1)
        return Answer(raw=lambda connection: connection.close()) if len(tries) == 2 else Answer(b"{}")

    node.routes["/x"] = respond
    door = Door(node.url)
    assert [door.get("/x").body for _ in range(2)] == [b"{}", b"{}"]
    assert len(tries) == 3
    door.close()


def test_post__connection_closed_before_an_answer__is_not_sent_twice(node: Node) -> None:
    node.routes["/x"] = lambda _: Answer(raw=lambda connection: connection.close())
    door = Door(node.url)
    with pytest.raises(CutBody):
        door.post("/x", b"{}")
    door.close()
    assert node.count("/x") == 1


def test_get__nobody_listens__is_unreachable_and_says_why() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    door = Door(f"http://127.0.0.1:{port}")
    with pytest.raises(Unreachable, match="refused"):
        door.get("/")
    door.close()


def test_get__plain_host_asked_over_tls__is_unreachable(node: Node) -> None:
    door = Door(node.url.replace("http:", "https:"), Limits(deadline_seconds=3))
    with pytest.raises(Trouble) as caught:
        door.get("/x")
    door.close()
    assert caught.value.name in {"unreachable", "cut_body"}


def test_get__many_threads__each_has_its_own_connection(node: Node) -> None:
    node.routes["/x"] = lambda _: Answer(b"{}")
    door = Door(node.url)
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(door.get("/x").body)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    door.close()
    assert found == [b"{}"] * 5
    assert len({asked.connection for asked in node.asked}) == 5


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://node.example", "node.example:443"),
        ("http://user:secret@node.example:1317/rest/", "node.example:1317/rest"),
        ("http://[::1]:1317", "[::1]:1317"),
    ],
)
def test_door__name__shows_host_port_and_prefix_without_credentials(url: str, name: str) -> None:
    assert Door(url).name == name


@pytest.mark.parametrize(
    "url", ["ttps://node.example", "node.example", "https://", "https://u:secret@n.example/?a=1"]
)
def test_door__address_of_another_form__is_refused_without_its_credentials(url: str) -> None:
    with pytest.raises(ValueError, match="is not an address such as") as caught:
        Door(url)
    assert "secret" not in str(caught.value)
