"""What the observations of one look say of the chain: lists of an owner, block times, bids, older hashes (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Generic, TypeVar, cast
from urllib.parse import parse_qs

from tasks.moment import Moment
from verifiers.chain.answers import (
    BidInfo,
    BlockResults,
    DeploymentInfo,
    LeaseId,
    LeaseInfo,
    Rows,
    akash_events,
    decode_bid,
    decode_block,
    decode_block_results,
    decode_deployment,
    decode_deployments,
    decode_leases,
)
from verifiers.chain.apiset import CURRENT, KNOWN, ApiSet
from verifiers.evidence import ChainPoint, Observation, Source
from verifiers.trouble import Undecodable

T = TypeVar("T")

NOT_LOOKED = "not_looked"
WRONG_HEIGHT = "wrong_height"
WRONG_CHAIN = "wrong_chain"
INCOMPLETE = "cut_list"
UNDECODABLE = "undecodable"
FORGOTTEN = frozenset({"pruned", "not_indexed", "index_off"})
"""Troubles that mean that the host no longer has it: looking again later brings nothing."""

_DECODERS: Mapping[str, Callable[[bytes, ApiSet], object]] = {
    "deployments": decode_deployments,
    "leases": decode_leases,
    "bid": decode_bid,
    "deployment": decode_deployment,
    "results": decode_block_results,
}


@lru_cache(maxsize=256)
def decoded(kind: str, api_name: str, body: bytes) -> object:
    """The answer of a `kind` of question, decoded once: claims of one owner or provider share even large pages, which
    the decoders themselves do not hold on to. The bound keeps a long run small. Raises Undecodable."""
    api = next((known for known in KNOWN if known.name == api_name), CURRENT)
    return _DECODERS[kind](body, api)


def _api_name(path: str) -> str:
    for known in KNOWN:
        if path.startswith((f"/akash/deployment/{known.deployment}/", f"/akash/market/{known.market}/")):
            return known.name
    return CURRENT.name


@lru_cache(maxsize=4096)
def _block_point(body: bytes) -> tuple[int, Moment, str]:
    block = decode_block(body)
    return block.height, block.time, block.chain_id


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    """A fact or the reason why there is none. `value` None without trouble: the chain says that it does not exist."""

    value: T | None
    observations: tuple[str, ...] = ()
    trouble: str | None = None


@dataclass(slots=True)
class ChainFacts:
    """The facts of one look at `point`; observations may be added while more is asked."""

    point: ChainPoint
    times: dict[int, Seen[Moment]] = field(default_factory=dict)
    _lists: dict[tuple[str, str], dict[str, Observation]] = field(default_factory=dict)
    _others: dict[str, Observation] = field(default_factory=dict)
    _searches: list[str] = field(default_factory=list)
    _read: dict[tuple[str, str], Seen[list[object]]] = field(default_factory=dict)
    _sides: dict[tuple[int, Moment], Seen[bool]] = field(default_factory=dict)

    def add(self, observations: Iterable[Observation]) -> None:
        """Take in what was seen; what is not of a chain is passed over."""
        for observation in observations:
            if observation.source == Source.CHAIN:
                self._add(observation)

    def _add(self, observation: Observation) -> None:
        method, _, request = observation.request.partition(" ")
        path, _, query = request.partition("?")
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        if method == "RPC" and path == "block_results":
            self._others[f"results/{asked.get('height')}"] = observation
        elif "/blocks/" in path:
            self._add_block(path.rpartition("/")[2], observation)
        elif path.endswith(("/deployments/list", "/leases/list")):
            name = "deployments" if "/deployments/" in path else "leases"
            owner = asked.get("filters.owner", "")
            self._read.pop((name, owner), None)
            pages = self._lists.setdefault((name, owner), {})
            pages.setdefault(asked.get("pagination.key", "") if observation.trouble is None else "!", observation)
        elif path.endswith("/bids/info"):
            self._others[f"bid/{_bid_key(asked)}"] = observation
        elif path.endswith("/deployments/info"):
            key = f"deployment/{asked.get('id.owner')}/{asked.get('id.dseq')}/{observation.height}"
            self._others[key] = observation
        elif observation.trouble is not None:
            self._searches.append(observation.trouble)

    def _add_block(self, asked: str, observation: Observation) -> None:
        trouble = observation.trouble or self._strange(observation)
        if trouble is None:
            try:
                height, time, chain_id = _block_point(observation.body)
            except Undecodable:
                trouble = UNDECODABLE
            else:
                if chain_id == self.point.chain_id:
                    self.times[height] = Seen(time, (observation.id,))
                    return
                trouble = WRONG_CHAIN
        if asked.isdigit():
            self.times.setdefault(int(asked), Seen(None, (observation.id,), trouble))

    def _strange(self, observation: Observation) -> str | None:
        return None if observation.chain_id in (None, self.point.chain_id) else WRONG_CHAIN

    def deployments(self, owner: str) -> Seen[tuple[DeploymentInfo, ...]]:
        """All deployments of an owner at the point, by dseq."""
        rows = cast("Seen[list[DeploymentInfo]]", self._list("deployments", owner))
        if rows.value is None:
            return Seen(None, rows.observations, rows.trouble)
        mine = {row.id.dseq: row for row in rows.value if row.id.owner == owner}
        return Seen(tuple(mine[dseq] for dseq in sorted(mine)), rows.observations)

    def leases(self, owner: str) -> Seen[tuple[LeaseInfo, ...]]:
        """All leases of an owner at the point, by height of creation."""
        rows = cast("Seen[list[LeaseInfo]]", self._list("leases", owner))
        if rows.value is None:
            return Seen(None, rows.observations, rows.trouble)
        mine = {row.lease.id: row for row in rows.value if row.lease.id.owner == owner}
        return Seen(tuple(sorted(mine.values(), key=lease_order)), rows.observations)

    def _list(self, name: str, owner: str) -> Seen[list[object]]:
        if (name, owner) not in self._read:
            self._read[name, owner] = self._follow(name, owner)
        return self._read[name, owner]

    def _follow(self, name: str, owner: str) -> Seen[list[object]]:
        """Follow the pages from the first by their keys: a list that breaks off says nothing."""
        pages = self._lists.get((name, owner))
        if pages is None:
            return Seen(None, (), NOT_LOOKED)
        ids = tuple(page.id for page in pages.values())
        if "!" in pages:
            return Seen(None, ids, pages["!"].trouble)
        rows: list[object] = []
        key: str | None = ""
        followed: set[str] = set()
        while key is not None:
            page = pages.get(key)
            if page is None or key in followed:
                return Seen(None, ids, INCOMPLETE)
            followed.add(key)
            trouble = self._unusable(page)
            if trouble is not None:
                return Seen(None, ids, trouble)
            try:
                rows_read = cast("Rows[object]", decoded(name, _api_name(_path(page)), page.body))
            except Undecodable:
                return Seen(None, ids, UNDECODABLE)
            rows += rows_read.rows
            key = rows_read.next_key or None
        return Seen(rows, ids)

    def _unusable(self, page: Observation) -> str | None:
        if page.status != 200:
            return UNDECODABLE
        if page.height not in (None, self.point.height):
            return WRONG_HEIGHT
        return self._strange(page)

    def time_of(self, height: int) -> Seen[Moment]:
        """The block time of a height."""
        if height == self.point.height:
            return Seen(self.point.time)
        return self.times.get(height, Seen(None, (), NOT_LOOKED))

    def results(self, height: int) -> Seen[BlockResults]:
        """The results of a block's transactions."""
        return cast("Seen[BlockResults]", self._other(f"results/{height}"))

    def bid(self, lease: LeaseId) -> Seen[BidInfo]:
        """The bid that a lease came of."""
        return cast("Seen[BidInfo]", self._other(f"bid/{_bid_key(bid_parameters(lease))}"))

    def deployment_at(self, owner: str, dseq: int, height: int) -> Seen[DeploymentInfo]:
        """A deployment as it was at another height."""
        return cast("Seen[DeploymentInfo]", self._other(f"deployment/{owner}/{dseq}/{height}"))

    def _other(self, key: str) -> Seen[object]:
        observation = self._others.get(key)
        if observation is None:
            return Seen(None, (), NOT_LOOKED)
        trouble = observation.trouble or self._strange(observation)
        if trouble is not None:
            return Seen(None, (observation.id,), trouble)
        if observation.status == 404:
            return Seen(None, (observation.id,))
        try:
            kind = key.partition("/")[0]
            return Seen(decoded(kind, _api_name(_path(observation)), observation.body), (observation.id,))
        except Undecodable:
            return Seen(None, (observation.id,), UNDECODABLE)

    def is_from(self, height: int, moment: Moment) -> Seen[bool]:
        """Whether a block's time is not before `moment`, by its own header or by headers around it.

        Block times only grow, so a header at or below the height that is not before the moment proves yes, one at or
        above it that is before the moment proves no.
        """
        decided = self._sides.get((height, moment))
        if decided is None:
            decided = self._side(height, moment)
            if decided is not None:  # what headers have proved, no further header takes back
                self._sides[height, moment] = decided
        if decided is not None:
            return decided
        trouble = next((seen.trouble for seen in (self.time_of(height),) if seen.trouble), NOT_LOOKED)
        return Seen(None, (), self._searches[0] if self._searches else trouble)

    def _side(self, height: int, moment: Moment) -> Seen[bool] | None:
        if self.point.time < moment and height <= self.point.height:
            return Seen(value=False)
        for known, seen in self.times.items():
            if seen.value is None:
                continue
            if known <= height and seen.value >= moment:
                return Seen(value=True, observations=seen.observations)
            if known >= height and seen.value < moment:
                return Seen(value=False, observations=seen.observations)
        return None


def _path(observation: Observation) -> str:
    return observation.request.partition(" ")[2].partition("?")[0]


def lease_order(lease: LeaseInfo) -> tuple[int, int, int, int, str, int]:
    """By height of creation, then by name: the order of claims' leases before transactions are looked up."""
    name = lease.lease.id
    return lease.lease.created_at, name.dseq, name.gseq, name.oseq, name.provider, name.bseq


def bid_parameters(lease: LeaseId) -> Mapping[str, str]:
    """The parameters of `bids/info` for the bid of a lease."""
    return {
        "id.owner": lease.owner,
        "id.dseq": str(lease.dseq),
        "id.gseq": str(lease.gseq),
        "id.oseq": str(lease.oseq),
        "id.provider": lease.provider,
        "id.bseq": str(lease.bseq),
    }


def _bid_key(asked: Mapping[str, str]) -> str:
    names = ("owner", "dseq", "gseq", "oseq", "provider", "bseq")
    return "/".join(asked.get(f"id.{name}", "0") for name in names)


def lease_tx_index(results: BlockResults, lease: LeaseId) -> int | None:
    """The position in its block of the transaction that created a lease; None where no event names it.

    Raises Undecodable.
    """
    for event in akash_events(results):
        name = event.id
        if (
            event.name == "LeaseCreated"
            and name is not None
            and (name.owner, name.dseq, name.gseq, name.oseq, name.provider, name.bseq or 0)
            == (lease.owner, lease.dseq, lease.gseq, lease.oseq, lease.provider, lease.bseq)
        ):
            return event.tx_index
    return None
