"""A tiny node on loopback for the client's tests: says what it is told to, and misbehaves on request."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tasks.moment import SECOND, Moment, format_moment, parse_moment

BIRTH = parse_moment("2026-01-01T00:00:00Z")
HASH = "AB" * 32


@dataclass(frozen=True)
class Asked:
    """One request as it came in; `connection` tells connections apart."""

    route: str
    parameters: Mapping[str, str]
    height: int | None
    path: str
    connection: int = 0
    method: str = "GET"
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What to send. `raw` takes over the socket instead."""

    body: Any = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: Callable[[socket.socket], None] | None = None

    def bytes(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Respond = Callable[[Asked], Answer]


class Node:
    """REST and RPC of one small chain on one port. `routes` replaces what a route answers; `asked` keeps requests.

    Block h comes `block_seconds` after block h - 1; the first has height `first`.
    """

    def __init__(self, chain_id: str = "local-v2", tip: int = 100, *, block_seconds: float = 6.0) -> None:
        self.chain_id = chain_id
        self.tip = tip
        self.first = 1
        self.earliest = 1
        self.catching_up = False
        self.block_seconds = block_seconds
        self.routes: dict[str, Respond] = {}
        self.asked: list[Asked] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def time_of(self, height: int) -> Moment:
        return Moment(BIRTH + int((height - self.first) * self.block_seconds * SECOND))

    def count(self, route: str) -> int:
        return sum(asked.route.startswith(route) for asked in self.asked)

    def answer(self, asked: Asked) -> Answer:
        respond = self.routes.get(asked.route) or self.routes.get("*")
        if respond is not None and asked.route not in {"/status", NODE_INFO_ROUTE}:
            return respond(asked)
        if asked.route in self.routes:
            return self.routes[asked.route](asked)
        if asked.route == "/status":
            return Answer(self._status())
        if asked.route == NODE_INFO_ROUTE:
            return Answer({"default_node_info": {"network": self.chain_id, "other": {"tx_index": "on"}},
                           "application_version": {"version": "v2.1.0"}})  # fmt: skip
        if asked.route.startswith(BLOCKS_ROUTE):
            return self._block(int(asked.route.removeprefix(BLOCKS_ROUTE)))
        return Answer({"code": 12, "message": "Not Implemented", "details": []}, 501)

    def state(self, asked: Asked, body: Any) -> Answer:
        """A 200 at the height asked for, else at the tip."""
        return Answer(body, headers={"x-cosmos-block-height": str(asked.height or self.tip)})

    def _block(self, height: int) -> Answer:
        at = {"grpc-metadata-x-cosmos-block-height": str(self.tip)}
        if height > self.tip:
            return Answer({"code": 3, "message": "requested block height is bigger then the chain length"}, 400, at)
        if height < self.earliest:
            text = f"height {height} is not available, lowest height is {self.earliest}"
            return Answer({"code": 2, "message": text}, 500, at)
        return Answer({"block_id": {"hash": HASH}, "block": {"header": {
            "chain_id": self.chain_id, "height": str(height), "time": format_moment(self.time_of(height)),
            "last_block_id": {"hash": None if height == self.first else HASH}}, "data": {"txs": []}}})  # fmt: skip

    def _status(self) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": -1, "result": {
            "node_info": {"network": self.chain_id, "other": {"tx_index": "on"}},
            "sync_info": {"latest_block_hash": HASH, "latest_block_height": str(self.tip),
                          "latest_block_time": format_moment(self.time_of(self.tip)),
                          "earliest_block_height": str(self.earliest), "catching_up": self.catching_up}}}  # fmt: skip

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        node = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = 1 << 16

            def do_GET(self) -> None:
                self._reply(b"")

            def do_POST(self) -> None:
                self._reply(self.rfile.read(int(self.headers.get("content-length", 0))))

            def _reply(self, body: bytes) -> None:
                parts = urlsplit(self.path)
                height = self.headers.get("x-cosmos-block-height")
                asked = Asked(
                    parts.path,
                    dict(parse_qsl(parts.query)),
                    int(height) if height else None,
                    self.path,
                    self.client_address[1],
                    self.command,
                    body,
                )
                node.asked.append(asked)
                answer = node.answer(asked)
                if answer.raw is not None:
                    self.close_connection = True
                    try:
                        answer.raw(self.connection)
                    except OSError:
                        # the client had enough, as it should
                        return
                    return
                said = answer.bytes()
                self.send_response(answer.status)
                for name, value in {"content-type": "application/json", **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: object) -> None:
                """Stay quiet."""

        return Handler


NODE_INFO_ROUTE = "/cosmos/base/tendermint/v1beta1/node_info"
BLOCKS_ROUTE = "/cosmos/base/tendermint/v1beta1/blocks/"


class StandingClock:
    """A clock that shows what it is set to."""

    def __init__(self, now: Moment) -> None:
        self.moment = now

    def now(self) -> Moment:
        return self.moment


class Stopwatch:
    """Seconds that pass only when somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds
