"""Puts one question to one node and says what came of it: an Observation, or a member of the error family."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable, Mapping

from tasks.moment import Clock
from verifiers.chain.answers import decode_block, decode_discovery, decode_node_info, decode_status
from verifiers.chain.apiset import ApiSet
from verifiers.chain.hosts import Host
from verifiers.chain.questions import DISCOVERY, NODE_INFO, TXS, block_path, broadcast_request
from verifiers.chain.refusals import refusal
from verifiers.chain.trouble import DoesNotExist, NotImplementedThere, UnknownApiSet, WrongChain, WrongHeight
from verifiers.evidence import Observation, Source
from verifiers.http import Reply
from verifiers.trouble import CutBody, Trouble, WrongContentType

IDENTIFY_SECONDS = 60.0
"""How long a node is believed to stand on the chain it named."""

HEIGHT_HEADER = "x-cosmos-block-height"
_ERROR_HEIGHT_HEADER = "grpc-metadata-x-cosmos-block-height"
_RESULT_HEIGHT = re.compile(rb'"height"\s*:\s*"?(\d+)')


class Asker:
    """Knows which chain every answer must come from, and checks each host for it. Thread safe."""

    def __init__(self, chain_id: str | None, api: ApiSet, clock: Clock, monotonic: Callable[[], float]) -> None:
        self._chain_id = chain_id
        self._api = api
        self._clock = clock
        self._monotonic = monotonic
        self._lock = threading.Lock()

    @property
    def chain_id(self) -> str | None:
        """The configured chain id, else the one of the first host that answered; `None` before."""
        return self._chain_id

    def state(self, host: Host, target: str, height: int | None) -> Observation:
        """One REST read of the state, at `height` or at the node's newest. Raises Trouble.

        200 and 404 with code 5 are answers. The answer must state its height, and that must be the one asked for.
        """
        self.identify_rest(host)
        headers = {HEIGHT_HEADER: str(height)} if height is not None else None
        reply = host.door.get(target, headers)
        self._refuse(host, target, reply)
        answered = _height_of(reply)
        if height is not None and answered != height:
            said = "no height" if answered is None else f"height {answered}"
            raise WrongHeight(f"{host.name} was asked at height {height} and answered at {said}. Ask another host.")
        return self._observation(f"GET {target}", host, reply, answered)

    def block(self, host: Host, height: int) -> Observation:
        """One block over REST; its own header must name chain and height. Raises Trouble."""
        self.identify_rest(host)
        target = block_path(height)
        reply = host.door.get(target)
        self._refuse(host, target, reply, existing=True)
        block = decode_block(reply.body, self._api)
        self._same_chain(host, block.chain_id)
        if block.height != height:
            raise WrongHeight(f"{host.name} was asked for block {height} and gave {block.height}. Ask another host.")
        return self._observation(f"GET {target}", host, reply, height)

    def rpc(self, host: Host, target: str, height: int | None = None) -> Observation:
        """One RPC read by GET. With `height` the result must name it. Raises Trouble."""
        self.identify_rpc(host)
        reply = host.door.get(f"/{target}")
        self._refuse(host, target, reply, existing=True)
        found = _RESULT_HEIGHT.search(reply.body, 0, 400)
        answered = int(found[1]) if found else None
        if height is not None and answered != height:
            raise WrongHeight(f"{host.name} was asked for height {height} and gave {answered}. Ask another host.")
        return self._observation(f"RPC {target}", host, reply, answered if height is not None else None)

    def broadcast(self, host: Host, tx: bytes) -> Observation:
        """Hand a signed transaction to one node, which answers once it has looked at it. Raises Trouble.

        The only POST of this client, and to one path. The same transaction again changes nothing (code 19).
        """
        self.identify_rest(host)
        body = {"tx_bytes": base64.b64encode(tx).decode(), "mode": "BROADCAST_MODE_SYNC"}
        reply = host.door.post(TXS, json.dumps(body).encode(), {"Content-Type": "application/json"})
        self._refuse(host, TXS, reply, existing=True)
        return self._observation(broadcast_request(tx), host, reply, None)

    def status(self, host: Host) -> Observation:
        """RPC `status`, which identifies the host anew. Raises Trouble."""
        reply = host.door.get("/status")
        self._refuse(host, "status", reply, existing=True)
        status = decode_status(reply.body, self._api)
        self._identified(host, status.chain_id)
        return self._observation("RPC status", host, reply, status.height)

    def identify_rest(self, host: Host) -> None:
        """Ask a REST host for its chain id, at first contact and again every minute. Raises Trouble."""
        if self._is_known(host):
            return
        reply = host.door.get(NODE_INFO)
        self._refuse(host, NODE_INFO, reply, existing=True)
        self._identified(host, decode_node_info(reply.body, self._api).chain_id)

    def identify_rpc(self, host: Host) -> None:
        """The same for an RPC host."""
        if not self._is_known(host):
            self.status(host)

    def _is_known(self, host: Host) -> bool:
        return host.chain_id is not None and self._monotonic() - host.identified_at < IDENTIFY_SECONDS

    def _identified(self, host: Host, found: str) -> None:
        host.chain_id = None
        self._same_chain(host, found)
        host.chain_id = found
        host.identified_at = self._monotonic()

    def _same_chain(self, host: Host, found: str) -> None:
        with self._lock:
            if self._chain_id is None:
                self._chain_id = found
            expected = self._chain_id
        if found != expected:
            host.chain_id = None
            raise WrongChain(
                f"{host.name} stands on chain {found!r}, expected is {expected!r}. "
                "Correct the address or CHAIN_ID; if the chain was reset, nothing is judged until you say so.",
                expected,
                found,
            )

    def _refuse(self, host: Host, target: str, reply: Reply, *, existing: bool = False) -> None:
        trouble = refusal(reply.status, reply.headers, reply.body)
        if isinstance(trouble, DoesNotExist) and not existing:
            return
        if isinstance(trouble, NotImplementedThere):
            raise self._unknown_set(host, target) or trouble
        if trouble is not None:
            raise trouble
        ends = reply.body.strip()
        if not ends.startswith((b"{", b"[")):
            raise WrongContentType(f"{host.name} answers with something that is no JSON. Check its address.")
        if not ends.endswith((b"}", b"]")):
            raise CutBody(f"{host.name} cut its answer. Waymark asks again.")

    def _unknown_set(self, host: Host, target: str) -> Trouble | None:
        """Where a path of the set in use is not served: which set the node speaks instead, as far as it says."""
        served = [f"{name} {version}" for name, version in self._api.modules.items()
                  if target.startswith(f"/akash/{name}/{version}/")]  # fmt: skip
        if not served:
            return None
        found = self._named_set(host)
        return UnknownApiSet(
            f"{host.name} does not serve {served[0]}; it says it serves: {found or 'nothing it names'}. "
            f"Waymark speaks {self._api.name}: ask a node of that generation, or add a mapping for this set.",
            found,
        )

    def _named_set(self, host: Host) -> str:
        try:
            reply = host.door.get(DISCOVERY)
            if reply.status == 200:
                return decode_discovery(reply.body, self._api).names()
            info = host.door.get(NODE_INFO)
            version = decode_node_info(info.body, self._api).version if info.status == 200 else ""
        except Trouble:
            # it is asked only to make the message better
            return ""
        return f"node version {version}" if version else ""

    def _observation(self, request: str, host: Host, reply: Reply, height: int | None) -> Observation:
        return Observation(
            source=Source.CHAIN,
            request=request,
            body=reply.body,
            host=host.name,
            seen_at=self._clock.now(),
            status=reply.status,
            chain_id=self._chain_id,
            height=height,
        )


def _height_of(reply: Reply) -> int | None:
    """The height that a REST answer says it holds at; errors say it in another header than answers."""
    headers: Mapping[str, str] = reply.headers
    text = headers.get(HEIGHT_HEADER) or headers.get(_ERROR_HEIGHT_HEADER) or ""
    return int(text) if text.isascii() and text.isdigit() else None
