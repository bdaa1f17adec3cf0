"""Asks an Akash chain's nodes over REST and RPC; what they answer becomes an Observation."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tasks.moment import SECOND, Clock, Moment
from verifiers.chain.answers import Listing, NodeStatus, decode_block, decode_status, listing_at
from verifiers.chain.apiset import CURRENT, ApiSet
from verifiers.chain.asking import Asker
from verifiers.chain.hosts import Host, Hosts, Reached, most_telling
from verifiers.chain.questions import LATEST_BLOCK, NODE_CONFIG, NODE_INFO, SYNCING, block_results_request, query
from verifiers.chain.search import blocks_around
from verifiers.chain.trouble import BadPage, BadRequest, Disagree, DoesNotExist, NotConnected, Syncing, WrongChain
from verifiers.evidence import ChainPoint, Observation
from verifiers.http import Limits
from verifiers.trouble import CutBody, RateLimited, ServerError, Trouble

T = TypeVar("T")
Ask = Callable[[Host, int | None], tuple[Observation, T]]

STALLED = 5 * 60 * SECOND
"""A tip older than this is a halted chain or a node left behind (akash-chain.md 2.3)."""

_JITTER_BLOCKS = 2
_ROUNDS = 3
_ROUND_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class TipStatus:
    """Where a node stands. An old `time` means a halted chain or a node left behind; the caller decides."""

    chain_id: str
    height: int
    time: Moment
    hash: str
    earliest_height: int
    catching_up: bool
    tx_index_on: bool
    host: str

    @property
    def point(self) -> ChainPoint:
        """The tip as a point to pin reads to."""
        return ChainPoint(self.chain_id, self.height, self.time)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list: the raw answer, and its rows that satisfy the filters and were not on an earlier page.

    `strangers` counts rows that the filters did not ask for: real nodes ignore filters once a page key is sent.
    """

    observation: Observation
    rows: tuple[T, ...]
    strangers: int


class Chain:
    """One chain behind several hosts. Thread safe.

    Each question goes to the hosts in turn until one answers (with `agree` > 1: until so many give the same JSON at
    the same height). A host that is sick rests, longer each time; one that asks for a pause gets it. Where all fail,
    the most telling trouble is raised. Every answer comes from the expected chain id, and a state read asked at a
    height is an answer at that height.
    """

    def __init__(
        self,
        rest_hosts: Sequence[str],
        rpc_hosts: Sequence[str],
        clock: Clock,
        *,
        chain_id: str | None = None,
        agree: int = 1,
        api: ApiSet = CURRENT,
        limits: Limits | None = None,
        patience_seconds: float = 20.0,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.api = api
        self.agree = agree
        self._clock = clock
        self._patience_seconds = patience_seconds
        self._monotonic = monotonic
        self._sleep = sleep
        self._asker = Asker(chain_id, api, clock, monotonic)
        self._rest = Hosts(rest_hosts, limits or Limits(), monotonic)
        self._rpc = Hosts(rpc_hosts, limits or Limits(), monotonic)
        self._highest = 0

    @property
    def chain_id(self) -> str | None:
        """The expected chain id: the configured one, else the first host's; `None` before the first contact."""
        return self._asker.chain_id

    def now(self) -> Moment:
        """The client's clock, for the time of an attempt."""
        return self._clock.now()

    def close(self) -> None:
        """Close all connections."""
        self._rest.close()
        self._rpc.close()

    # ------------------------------------------------------------------ reads

    def get(self, path: str, parameters: Mapping[str, str] | None = None, height: int | None = None) -> Observation:
        """One REST read, at `height` or at the newest. 404 with code 5 is an answer too. Raises Trouble."""
        target = f"{path}{query(parameters)}"

        def ask(host: Host, at: int | None) -> tuple[Observation, None]:
            return self._asker.state(host, target, at), None

        return self._ask(self._rest, ask, height)[0]

    def rpc(self, method: str, parameters: Mapping[str, str] | None = None) -> Observation:
        """One RPC read by GET; text parameters carry their own double quotes. Raises Trouble."""
        target = f"{method}{query(parameters)}"

        def ask(host: Host, _: int | None) -> tuple[Observation, None]:
            return self._asker.rpc(host, target), None

        return self._ask(self._rpc, ask, None)[0]

    def block(self, height: int) -> Observation:
        """A block over REST, at its own height. Raises Trouble (Pruned, Lagging)."""

        def ask(host: Host, _: int | None) -> tuple[Observation, None]:
            return self._asker.block(host, height), None

        return self._ask(self._rest, ask, None)[0]

    def block_results(self, height: int) -> Observation:
        """The results of a block's transactions over RPC, at its own height. Raises Trouble (Pruned, Lagging)."""
        target = block_results_request(height).removeprefix("RPC ")

        def ask(host: Host, _: int | None) -> tuple[Observation, None]:
            return self._asker.rpc(host, target, height), None

        return self._ask(self._rpc, ask, None)[0]

    def latest_block(self) -> Observation:
        """The newest block of one REST host; other hosts are not compared. Raises Trouble."""
        return self._own(LATEST_BLOCK)

    def node_info(self) -> Observation:
        """What one REST host says of itself. Raises Trouble."""
        return self._own(NODE_INFO)

    def syncing(self) -> Observation:
        """Whether one REST host still catches up. Raises Trouble."""
        return self._own(SYNCING)

    def node_config(self) -> Observation:
        """One REST host's own rules, such as its price of gas. Raises Trouble."""
        return self._own(NODE_CONFIG)

    def broadcast(self, tx: bytes) -> Observation:
        """Hand a signed transaction to a REST host; where one gives trouble, to the next: again is harmless.

        The answer's `tx_response.code` 0 means "taken into the mempool" and proves no payment. Raises Trouble.
        """

        def ask(host: Host, _: int | None) -> tuple[Observation, None]:
            return self._asker.broadcast(host, tx), None

        return self._ask(self._rest, ask, None, agree=1)[0]

    def _own(self, target: str) -> Observation:
        def ask(host: Host, _: int | None) -> tuple[Observation, None]:
            return self._asker.state(host, target, None), None

        return self._ask(self._rest, ask, None, agree=1)[0]

    # ------------------------------------------------------------------ lists

    def walk(
        self,
        listing: Listing[T],
        filters: Mapping[str, str] | None = None,
        height: int | None = None,
        limit: int = 1000,
    ) -> Iterator[Page[T]]:
        """Every page of a list, decoded once. All pages hold at one height: `height`, else that of the first page.

        Filters go with every page and each row is checked against them; a row comes once. Raises Trouble, BadPage
        where the pages run in a circle.
        """
        return self._walk(listing, listing.path(self.api), filters or {}, height, limit)

    def pages(
        self, path: str, parameters: Mapping[str, str], rows: str, height: int | None = None, limit: int = 1000
    ) -> Iterator[Observation]:
        """Every page of the list at `path` as raw answers; as `walk`.

        The raw bodies may hold rows that the filters did not ask for: read them with `answers.rows_in`.
        """
        listing = listing_at(path, rows, self.api)
        return (page.observation for page in self._walk(listing, path, parameters, height, limit))

    def _walk(
        self, listing: Listing[T], path: str, filters: Mapping[str, str], height: int | None, limit: int
    ) -> Iterator[Page[T]]:
        seen: set[Hashable] = set()
        keys: set[str] = set()
        parameters = {**filters, "pagination.limit": str(limit)}
        while True:
            observation, page = self._read_list(listing, f"{path}{query(parameters)}", height)
            height = observation.height if height is None else height
            fresh = [row for row in page.rows if listing.identity(row) not in seen]
            seen.update(listing.identity(row) for row in fresh)
            rows = tuple(row for row in fresh if listing.satisfies(row, filters))
            yield Page(observation, rows, len(fresh) - len(rows))
            if not page.next_key:
                return
            if page.next_key in keys or not fresh:
                raise BadPage(f"The pages of {path} run in a circle. Ask another host.")
            keys.add(page.next_key)
            parameters["pagination.key"] = page.next_key

    def _read_list(self, listing: Listing[T], target: str, height: int | None) -> tuple[Observation, Any]:
        def ask(host: Host, at: int | None) -> tuple[Observation, Any]:
            observation = self._asker.state(host, target, at)
            if observation.status != 200:
                raise DoesNotExist(f"{host.name} has no list at {target.partition('?')[0]}.")
            return observation, listing.decode(observation.body, self.api)

        return self._ask(self._rest, ask, height)

    # ------------------------------------------------------------------ where the chain stands

    def tip(self) -> TipStatus:
        """The newest block that the hosts know of (with `agree` > 1: that so many of them have reached).

        Asks one RPC host where it keeps up, the others too where it lags, catches up or looks stalled. Raises
        Trouble.
        """
        found: list[TipStatus] = []
        troubles: list[Trouble] = []
        for host in self._rpc.in_turn():
            held = self._rpc.held(host)
            if held is not None:
                troubles.append(held)
                continue
            try:
                status = self._tip_of(host)
            except Trouble as trouble:
                self._rpc.failed(host, trouble)
                troubles.append(trouble)
                continue
            self._rpc.succeeded(host)
            found.append(status)
            if self.agree == 1 and self._keeps_up(status):
                break
        if len(found) < self.agree:
            raise self._too_few(troubles, self._rpc)
        found.sort(key=lambda status: (not status.catching_up, status.height), reverse=True)
        tip = found[self.agree - 1]
        self._highest = max(self._highest, tip.height)
        return tip

    def _tip_of(self, host: Host) -> TipStatus:
        status: NodeStatus = decode_status(self._asker.status(host).body, self.api)
        return TipStatus(
            status.chain_id, status.height, status.time, status.hash, status.earliest_height,
            status.catching_up, status.tx_index_on, host.name,
        )  # fmt: skip

    def _keeps_up(self, status: TipStatus) -> bool:
        fresh = self._clock.now() - status.time <= STALLED
        return fresh and not status.catching_up and status.height >= self._highest - _JITTER_BLOCKS

    def reached(self) -> list[Reached]:
        """The newest height that each host tells, RPC by its status, REST by its newest block; silent ones left out.

        Nobody's word is taken for another's: a caller that needs two reads counts them. Raises nothing.
        """
        found: list[Reached] = []
        for hosts, ask in ((self._rpc, self._reached_rpc), (self._rest, self._reached_rest)):
            for host in hosts.in_turn():
                try:
                    found.append(ask(host))
                except Trouble as trouble:
                    hosts.failed(host, trouble)
                else:
                    hosts.succeeded(host)
        return found

    def _reached_rpc(self, host: Host) -> Reached:
        status = self._tip_of(host)
        if status.catching_up:
            raise Syncing(f"{host.name} is still catching up with its chain.")
        return Reached("rpc", host.name, status.height)

    def _reached_rest(self, host: Host) -> Reached:
        block = decode_block(self._asker.state(host, LATEST_BLOCK, None).body, self.api)
        if block.chain_id != self._asker.chain_id:
            text = f"{host.name} shows a block of {block.chain_id!r}"
            raise WrongChain(text, str(self._asker.chain_id), block.chain_id)
        return Reached("rest", host.name, block.height)

    @property
    def host_counts(self) -> Mapping[str, int]:
        """How many hosts are configured of each kind: `rpc`, `rest`."""
        return {"rpc": len(self._rpc), "rest": len(self._rest)}

    def first_block_from(
        self, moment: Moment, earliest: int | None = None, tip: int | None = None
    ) -> list[Observation]:
        """The header before `moment` and the first one not earlier, between `earliest` and `tip`. Raises Trouble.

        See `evidence.ChainSource.first_block_from`.
        """
        if earliest is None or tip is None:
            status = self.tip()
            earliest, tip = earliest or status.earliest_height, tip or status.height
        return blocks_around(moment, max(earliest, 1), tip, self.block)

    # ------------------------------------------------------------------ hosts in turn

    def _ask(self, hosts: Hosts, ask: Ask[T], height: int | None, agree: int | None = None) -> tuple[Observation, T]:
        """One question to the hosts in turn, a few rounds long where a short wait can help. Raises Trouble."""
        ends = self._monotonic() + self._patience_seconds
        for turn in range(_ROUNDS):
            try:
                return self._round(hosts, ask, height, agree or self.agree)
            except (RateLimited, CutBody, ServerError) as trouble:
                wait = _ROUND_SECONDS * 2**turn
                if isinstance(trouble, RateLimited):
                    wait = max(wait, trouble.retry_after or 0.0)
                if turn == _ROUNDS - 1 or self._monotonic() + wait > ends or hosts.are_given_up():
                    raise
                self._sleep(wait)
        raise AssertionError("the last round returns or raises")

    def _round(self, hosts: Hosts, ask: Ask[T], height: int | None, agree: int) -> tuple[Observation, T]:
        troubles: list[Trouble] = []
        alike: dict[Hashable, list[tuple[Observation, T]]] = {}
        for host in hosts.in_turn():
            held = hosts.held(host)
            if held is not None:
                troubles.append(held)
                continue
            try:
                answer = ask(host, height)
            except BadRequest:
                raise
            except Trouble as trouble:
                hosts.failed(host, trouble)
                troubles.append(trouble)
                continue
            hosts.succeeded(host)
            if agree <= 1:
                return answer
            height = answer[0].height if height is None else height
            same = alike.setdefault(likeness(answer[0]), [])
            same.append(answer)
            if len(same) >= agree:
                return same[0]
        if len(alike) > 1:
            raise Disagree(
                "Two hosts give different answers to the same question at the same height: nothing counts."
            )
        raise self._too_few(troubles, hosts)

    def _too_few(self, troubles: Sequence[Trouble], hosts: Hosts) -> Trouble:
        if troubles:
            return most_telling(troubles)
        if len(hosts) == 0:
            return NotConnected("No host is configured: set WAYMARK_CHAIN_REST and WAYMARK_CHAIN_RPC.")
        return Disagree(
            f"{self.agree} hosts must agree and only {len(hosts)} are configured. Add hosts, or lower CHAIN_AGREE."
        )


def likeness(observation: Observation) -> Hashable:
    """What two hosts' answers to one question must share: the JSON whatever its spaces and order of keys.

    The text of a clear "does not exist" may differ (spaces vary on purpose), and an RPC envelope's id means nothing.
    """
    if observation.status == 404:
        return 404
    try:
        read = json.loads(observation.body)
    except (ValueError, RecursionError):
        return observation.body_digest
    if isinstance(read, dict) and "jsonrpc" in read:
        read = read.get("result")
    return json.dumps(read, sort_keys=True, separators=(",", ":"))


__all__ = ["Chain", "Page", "Reached", "TipStatus", "likeness"]
