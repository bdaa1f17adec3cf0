"""A small Akash chain on loopback whose state at each height is plain to see: the follower's oracle in tests."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from tests.nodes import Answer, Asked, Node

Key = tuple[Any, ...]
KINDS = ("deployments", "orders", "bids", "leases", "providers")
ORDER = {"active": 0, "open": 0, "reclaiming": 1, "lost": 2, "closed": 3}
LISTS = {
    "/akash/deployment/v1beta4/deployments/list": "deployments",
    "/akash/market/v1beta5/orders/list": "orders",
    "/akash/market/v1beta5/bids/list": "bids",
    "/akash/market/v1beta5/leases/list": "leases",
    "/akash/provider/v1beta4/providers": "providers",
}
PARTS = ("owner", "dseq", "gseq", "oseq", "provider", "bseq")


class SmallChain(Node):
    """Acts are told with their height, in order; `states_from` and `earliest` say what is still kept.

    `page_rows` caps pages as operators do. `before` is called ahead of each answer, so that time can pass in a list.
    """

    def __init__(self, chain_id: str = "local-v2", tip: int = 10, salt: str = "") -> None:
        self.salt = salt
        self.history: dict[str, dict[Key, list[tuple[int, dict[str, Any]]]]] = {kind: {} for kind in KINDS}
        self.events: dict[int, list[dict[str, Any]]] = defaultdict(list)
        self.states_from = 1
        self.page_rows = 3
        self.index_on = True
        self.before: Callable[[Asked], None] = lambda asked: None
        super().__init__(chain_id, tip)

    # ---------------------------------------------------------------- acts

    def provider(self, height: int, owner: str) -> None:
        created = (owner,) not in self.history["providers"]
        self._set("providers", (owner,), height, uri=f"https://{owner}.example:{height}")
        self._event(height, "provider.v1beta4.EventProvider" + ("Created" if created else "Updated"), owner=owner)

    def create(self, height: int, owner: str, dseq: int, *gpus: int) -> None:
        groups = dict(enumerate(gpus or (0,), 1))
        self._set("deployments", (owner, dseq), height, state="active", created=height, groups=groups, closed=0)
        self._event(height, "deployment.v1.EventDeploymentCreated", id=(owner, dseq))
        for gseq in groups:
            self._set("orders", (owner, dseq, gseq, 1), height, state="open", created=height)
            self._event(height, "market.v1.EventOrderCreated", id=(owner, dseq, gseq, 1))

    def bid(self, height: int, owner: str, dseq: int, gseq: int, provider: str) -> None:
        key = (owner, dseq, gseq, 1, provider, 0)
        self._set("bids", key, height, state="open", created=height)
        self._event(height, "market.v1.EventBidCreated", id=key)

    def lease(self, height: int, owner: str, dseq: int, gseq: int, provider: str) -> None:
        key = (owner, dseq, gseq, 1, provider, 0)
        for other in self._of("bids", height, owner, dseq):
            if other[2] == gseq:  # no event tells that a bid was lost
                self._set("bids", other, height, state="active" if other == key else "lost")
        self._set("orders", key[:4], height, state="active")
        self._set("leases", key, height, state="active", created=height, closed=0, reason="lease_closed_invalid")
        self._event(height, "market.v1.EventLeaseCreated", id=key)

    def close(self, height: int, owner: str, dseq: int) -> None:
        self._set("deployments", (owner, dseq), height, state="closed", closed=height)
        self._event(height, "deployment.v1.EventDeploymentClosed", id=(owner, dseq))
        for key in self._of("leases", height, owner, dseq):
            if self.at("leases", height)[key]["state"] == "active":
                self._set("leases", key, height, state="closed", closed=height, reason="lease_closed_owner")
                self._event(height, "market.v1.EventLeaseClosed", id=key)
        for kind in ("orders", "bids"):
            for key in self._of(kind, height, owner, dseq):
                if self.at(kind, height)[key]["state"] in {"open", "active"}:
                    self._set(kind, key, height, state="closed")

    def _set(self, kind: str, key: Key, height: int, **fields: Any) -> None:
        versions = self.history[kind].setdefault(key, [])
        versions.append((height, (versions[-1][1] if versions else {}) | fields))

    def _event(self, height: int, name: str, **fields: Any) -> None:
        if "id" in fields:
            fields["id"] = _named(fields["id"])
        attributes = [{"key": key, "value": json.dumps(value), "index": True} for key, value in fields.items()]
        self.events[height].append({"type": f"akash.{name}", "attributes": attributes})

    # ---------------------------------------------------------------- the state, plainly

    def at(self, kind: str, height: int) -> dict[Key, dict[str, Any]]:
        """Every object of a kind as it is at a height."""
        found = {}
        for key, versions in self.history[kind].items():
            known = [fields for since, fields in versions if since <= height]
            if known:
                found[key] = known[-1]
        return found

    def _of(self, kind: str, height: int, owner: str, dseq: int) -> list[Key]:
        return [key for key in self.at(kind, height) if key[:2] == (owner, dseq)]

    # ---------------------------------------------------------------- the wire

    def answer(self, asked: Asked) -> Answer:
        self.before(asked)
        height = asked.height or self.tip
        if asked.route == "/block_results":
            return self._results(int(asked.parameters["height"]))
        if asked.route == "/tx_search":
            return self._search()
        if asked.route.startswith("/akash/"):
            if height > self.tip:
                return _error(500, f"codespace sdk code 26: cannot query with height in the future; at {self.tip}")
            if height < self.states_from:
                return _error(500, f"codespace sdk code 38: not found: failed to load state at height {height}")
            return self._state(asked, height)
        return super().answer(asked)

    def _state(self, asked: Asked, height: int) -> Answer:
        if asked.route in LISTS:
            return self.state(asked, self._page(LISTS[asked.route], asked, height))
        if asked.route.startswith("/akash/provider/v1beta4/providers/"):
            kind, key = "providers", (asked.route.rpartition("/")[2],)
        else:
            kind, key = "deployments", (asked.parameters["id.owner"], int(asked.parameters["id.dseq"]))
        found = self.at(kind, height).get(key)
        if found is None:
            return Answer(_body(5, "not found"), 404, {"grpc-metadata-x-cosmos-block-height": str(height)})
        shown = _shown(kind, key, found)
        return self.state(asked, {"provider": shown} if kind == "providers" else shown)

    def _page(self, kind: str, asked: Asked, height: int) -> dict[str, Any]:
        wanted = {name[8:]: value for name, value in asked.parameters.items() if name.startswith("filters.")}
        rows = sorted(
            (ORDER.get(fields.get("state", ""), 0), [str(part).rjust(20) for part in key], key, fields)
            for key, fields in self.at(kind, height).items()
            if all(str(dict(zip(PARTS, key, strict=False)).get(name)) == value for name, value in wanted.items())
        )
        start = asked.parameters.get("pagination.key")
        if start is not None:
            after = json.loads(base64.b64decode(start))
            rows = [row for row in rows if [row[0], row[1]] >= after]
        limit = min(int(asked.parameters.get("pagination.limit", 100)), self.page_rows)
        rest = rows[limit:]
        key = base64.b64encode(json.dumps(rest[0][:2]).encode()).decode() if rest else None
        shown = [_shown(kind, row[2], row[3]) for row in rows[:limit]]
        return {kind: shown, "pagination": {"next_key": key, "total": str(len(shown))}}

    def _results(self, height: int) -> Answer:
        if height < self.earliest:
            return _rpc_error(f"height {height} is not available, lowest height is {self.earliest}")
        if height > self.tip:
            return _rpc_error(
                f"height {height} must be less than or equal to the current blockchain height {self.tip}"
            )
        results = [{"code": 0, "events": self.events[height]}] if height in self.events else None
        return Answer({"jsonrpc": "2.0", "id": -1, "result": {"height": str(height), "txs_results": results,
                       "finalize_block_events": []}})  # fmt: skip

    def _search(self) -> Answer:
        if not self.index_on:
            return _rpc_error("transaction indexing is disabled")
        txs = [
            {"hash": "AA", "height": str(height), "index": 0, "tx": "", "tx_result": {"code": 0, "events": events}}
            for height, events in sorted(self.events.items())
            if height >= self.earliest and any("EventProviderCreated" in event["type"] for event in events)
        ]
        return Answer({"jsonrpc": "2.0", "id": -1, "result": {"txs": txs, "total_count": str(len(txs))}})

    def hash_of(self, height: int) -> str:
        return hashlib.sha256(f"{self.chain_id}{self.salt}{height}".encode()).hexdigest().upper()

    def _block(self, height: int) -> Answer:
        answer = super()._block(height)
        if answer.status == 200:
            previous = self.hash_of(height - 1) if height > self.first else None
            answer.body["block_id"]["hash"] = self.hash_of(height)
            answer.body["block"]["header"]["last_block_id"]["hash"] = previous
        return answer

    def _status(self) -> dict[str, Any]:
        status = super()._status()
        status["result"]["sync_info"]["latest_block_hash"] = self.hash_of(self.tip)
        status["result"]["node_info"]["other"]["tx_index"] = "on" if self.index_on else "off"
        return status


def _named(key: Key) -> dict[str, Any]:
    named = dict(zip(PARTS, key, strict=False))
    return named | {"dseq": str(named["dseq"])}


def _body(code: int, text: str) -> dict[str, Any]:
    return {"code": code, "message": text, "details": []}


def _error(status: int, text: str) -> Answer:
    return Answer(_body(2, text), status)


def _rpc_error(text: str) -> Answer:
    error = {"code": -32603, "message": "Internal error", "data": text}
    return Answer({"jsonrpc": "2.0", "id": -1, "error": error}, 500)


def _coin(amount: str = "1.000000000000000000") -> dict[str, str]:
    return {"denom": "uact", "amount": amount}


def _account(owner: str, state: str, settled: int) -> dict[str, Any]:
    return {"id": {"scope": "deployment", "xid": owner}, "state": {"owner": owner, "state": state, "transferred": [],
            "settled_at": str(settled), "funds": [_coin()], "deposits": []}}  # fmt: skip


def _spec(units: int) -> dict[str, Any]:
    gpu = {"units": {"val": str(units)}, "attributes": [{"key": "vendor/nvidia/model/a100", "value": "true"}]}
    resource = {"id": 1, "cpu": {"units": {"val": "1000"}, "attributes": []}, "gpu": gpu, "endpoints": [],
                "memory": {"quantity": {"val": "1024"}, "attributes": []}, "storage": []}  # fmt: skip
    return {"name": "g", "requirements": {"signed_by": {"all_of": [], "any_of": []}, "attributes": []},
            "resources": [{"resource": resource, "count": 1, "price": _coin()}]}  # fmt: skip


def _shown(kind: str, key: Key, fields: dict[str, Any]) -> dict[str, Any]:
    if kind == "providers":
        return {"owner": key[0], "host_uri": fields["uri"], "attributes": [], "info": {"email": "", "website": ""}}
    common = {"id": _named(key), "state": fields["state"], "created_at": str(fields["created"])}
    if kind == "deployments":
        account = _account(key[0], "closed" if fields["closed"] else "open", fields["closed"] or fields["created"])
        groups = [{"id": _named((*key, gseq)), "state": "open", "group_spec": _spec(units),
                   "created_at": str(fields["created"])} for gseq, units in fields["groups"].items()]  # fmt: skip
        common["hash"] = base64.b64encode(b"\1" * 32).decode()
        return {"deployment": common | {"reclamation": None}, "groups": groups, "escrow_account": account}
    if kind == "orders":
        return common | {"spec": _spec(0), "reclamation": None}
    if kind == "bids":
        bid = common | {"price": _coin(), "resources_offer": [], "reclamation_window": None}
        return {"bid": bid, "escrow_account": _account(key[0], "open", 1)}
    lease = common | {
        "price": _coin(),
        "closed_on": str(fields["closed"]),
        "reason": fields["reason"],
        "reclamation": None,
    }
    paid = {"owner": key[4], "state": "open", "rate": _coin(), "balance": _coin(), "unsettled": _coin(),
            "withdrawn": {"denom": "uact", "amount": "1"}}  # fmt: skip
    payment = {"id": {"aid": {"scope": "deployment", "xid": key[0]}, "xid": "1/1/p"}, "state": paid}
    return {"lease": lease, "escrow_payment": payment}
