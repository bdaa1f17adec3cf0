"""Small chains in the real wire format, as a `gather` sees them: built by hand or from recorded answers."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tasks.moment import SECOND, Moment, format_moment
from tests.recordings import recordings
from verifiers.chain.questions import block_request, block_results_request, rest_request
from verifiers.evidence import ChainPoint, ClaimFacts, Observation, Source

CHAIN = "world-1"
START = Moment(1_700_000_000 * SECOND)
BLOCK_NS = 6 * SECOND
OWNER = "akash1owner"
PROVIDERS = tuple(f"akash1provider{number}" for number in range(1, 6))
APP_HASH = "aa" * 32
OTHER_HASH = "bb" * 32
RATE = 1000


def coin(amount: float | str, denom: str = "uact") -> dict[str, str]:
    return {"denom": denom, "amount": amount if isinstance(amount, str) else f"{amount:.18f}"}


def group_json(owner: str, dseq: int, gseq: int, models: Sequence[str], units: int) -> dict[str, object]:
    attributes = [{"key": f"vendor/nvidia/model/{model}", "value": "true"} for model in models]
    resource = {
        "id": 1,
        "cpu": {"units": {"val": "1000"}, "attributes": []},
        "memory": {"quantity": {"val": "1073741824"}, "attributes": []},
        "storage": [{"name": "default", "quantity": {"val": "1073741824"}, "attributes": []}],
        "gpu": {"units": {"val": str(units)}, "attributes": attributes if units else []},
        "endpoints": [{"kind": "SHARED_HTTP", "sequence_number": 0}],
    }
    spec = {
        "name": f"group{gseq}",
        "requirements": {"signed_by": {"all_of": [], "any_of": []}, "attributes": []},
        "resources": [{"resource": resource, "count": 1, "price": coin(9000)}],
    }
    return {
        "id": {"owner": owner, "dseq": str(dseq), "gseq": gseq},
        "state": "open",
        "group_spec": spec,
        "created_at": "1",
    }


@dataclass
class World:
    """A chain at one height. Block h has the time START + h x 6 s; `troubles` maps parts of requests to troubles."""

    height: int = 1000
    chain_id: str = CHAIN
    block_ns: int = BLOCK_NS
    start: Moment = START
    deployments: dict[tuple[str, int], dict] = field(default_factory=dict)
    leases: list[dict] = field(default_factory=list)
    bids: dict[str, dict] = field(default_factory=dict)
    older: dict[tuple[int, int], dict] = field(default_factory=dict)
    creations: dict[int, list[dict]] = field(default_factory=dict)
    given: list[Observation] = field(default_factory=list)
    troubles: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    page_size: int = 1000

    # building

    def deploy(
        self, dseq: int, created_at: int = 100, *, hash_hex: str = APP_HASH, models: Sequence[str] = ("a100",),
        units: int = 1, groups: int = 1, funds: float = 10**9, settled_at: int | None = None,
        state: str = "active", account: str = "open", owner: str = OWNER, more_funds: Sequence[dict] = (),
    ) -> World:  # fmt: skip
        self.deployments[owner, dseq] = {
            "deployment": {
                "id": {"owner": owner, "dseq": str(dseq)},
                "state": state,
                "hash": base64.b64encode(bytes.fromhex(hash_hex)).decode(),
                "created_at": str(created_at),
                "reclamation": None,
            },
            "groups": [group_json(owner, dseq, gseq, models, units) for gseq in range(1, groups + 1)],
            "escrow_account": {
                "id": {"scope": "deployment", "xid": f"{owner}/{dseq}"},
                "state": {
                    "owner": owner,
                    "state": account,
                    "transferred": [coin(0)],
                    "settled_at": str(created_at if settled_at is None else settled_at),
                    "funds": [*more_funds, coin(funds)],
                    "deposits": [],
                },
            },
        }
        return self

    def lease(
        self, dseq: int, provider: str = PROVIDERS[0], created_at: int = 110, closed_on: int = 0, *, gseq: int = 1,
        oseq: int = 1, state: str | None = None, payment: str | None = None, rate: float = RATE,
        withdrawn: int | None = None, balance: float = 0, unsettled: float = 0, offered: Sequence[str] = (),
        owner: str = OWNER, denom: str = "uact",
    ) -> World:  # fmt: skip
        name = {"owner": owner, "dseq": str(dseq), "gseq": gseq, "oseq": oseq, "provider": provider, "bseq": 0}
        paid = int(rate * (closed_on - created_at)) if closed_on else 0
        self.leases.append(
            {
                "lease": {
                    "id": name,
                    "state": state or ("closed" if closed_on else "active"),
                    "price": coin(rate, denom),
                    "created_at": str(created_at),
                    "closed_on": str(closed_on),
                    "reason": "lease_closed_owner" if closed_on else "lease_closed_invalid",
                    "reclamation": None,
                },
                "escrow_payment": {
                    "id": {
                        "aid": {"scope": "deployment", "xid": f"{owner}/{dseq}"},
                        "xid": f"{gseq}/{oseq}/{provider}",
                    },
                    "state": {
                        "owner": provider,
                        "state": payment or ("closed" if closed_on else "open"),
                        "rate": coin(rate, denom),
                        "balance": coin(balance, denom),
                        "unsettled": coin(unsettled, denom),
                        "withdrawn": {"denom": denom, "amount": str(paid if withdrawn is None else withdrawn)},
                    },
                },
            }
        )
        gpu = [{"key": f"vendor/nvidia/model/{model}", "value": "true"} for model in offered]
        resources = group_json(owner, dseq, 1, (), 1)["group_spec"]["resources"][0]["resource"]
        offer = {
            "resources": {**resources, "gpu": {"units": {"val": "1"}, "attributes": gpu}},
            "count": 1,
            "prices": None,
        }
        self.bids[json.dumps(name, sort_keys=True)] = {
            "bid": {
                "id": name,
                "state": "active",
                "price": coin(rate, denom),
                "created_at": str(created_at - 1),
                "resources_offer": [offer] if offered else [],
                "reclamation_window": None,
            },
            "escrow_account": self.deployments[owner, dseq]["escrow_account"],
        }
        self.creations.setdefault(created_at, []).append(name)
        return self

    def sdl(self, dseq: int, image: str = "example/falcon7b:2", *, hashes: Sequence[str] = (APP_HASH,), app: str = "",
            gpu: bool = True, owner: str = OWNER) -> World:  # fmt: skip
        service = {
            "name": "web",
            "image": image,
            "count": 1,
            "gpu": {"units": 1, "models": ["a100"]} if gpu else None,
        }
        reduced = {"hashes": list(hashes), "version": 1, "services": [service], "findings": []}
        body = json.dumps(reduced | ({"app": app} if app else {})).encode()
        self.given.append(Observation(Source.ENTERED, f"SDL {owner}/{dseq}", body, "entered", START))
        return self

    def was(self, dseq: int, height: int, hash_hex: str) -> World:
        """The deployment's hash at an earlier height."""
        now = self.deployments[OWNER, dseq]
        packed = base64.b64encode(bytes.fromhex(hash_hex)).decode()
        self.older[dseq, height] = {**now, "deployment": {**now["deployment"], "hash": packed}}
        return self

    def trouble(self, request: str, name: str) -> World:
        self.troubles[request] = name
        return self

    # evidence.Sources, ChainSource and EnteredSource

    @property
    def chain(self) -> World:
        return self

    @property
    def entered(self) -> World:
        return self

    @property
    def point(self) -> ChainPoint:
        return ChainPoint(self.chain_id, self.height, self.time(self.height))

    def time(self, height: int) -> Moment:
        return Moment(self.start + height * self.block_ns)

    def sdls(self, owner: str) -> Sequence[Observation]:
        return [each for each in self.given if each.request.startswith(f"SDL {owner}/")]

    def pages(self, path: str, parameters: Mapping[str, str], rows: str) -> Sequence[Observation]:
        owner = parameters["filters.owner"]
        if rows == "deployments":
            every = [row for (of, _), row in self.deployments.items() if of == owner]
        else:
            every = [row for row in self.leases if row["lease"]["id"]["owner"] == owner]
        found = []
        parts = [every[at : at + self.page_size] for at in range(0, len(every), self.page_size)] or [[]]
        for number, part in enumerate(parts):
            key = {"pagination.key": f"k+{number}="} if number else {}
            following = f"k+{number + 1}=" if number + 1 < len(parts) else None
            body = {rows: part, "pagination": {"next_key": following, "total": str(len(part))}}
            found.append(self._answer(rest_request(path, {**parameters, **key, "pagination.limit": "1000"}), body))
        return found

    def state(self, path: str, parameters: Mapping[str, str]) -> Observation:
        return self.state_at(self.height, path, parameters)

    def state_at(self, height: int, path: str, parameters: Mapping[str, str]) -> Observation:
        request = rest_request(path, parameters)
        if path.endswith("/bids/info"):
            name = {key.removeprefix("id."): value for key, value in parameters.items()}
            for number in ("gseq", "oseq", "bseq"):
                name[number] = int(name[number])
            return self._answer(request, self.bids[json.dumps(name, sort_keys=True)], height)
        dseq = int(parameters["id.dseq"])
        body = self.older.get((dseq, height), self.deployments[parameters["id.owner"], dseq])
        return self._answer(request, body, height)

    def block(self, height: int) -> Observation:
        block_id = {"hash": base64.b64encode(height.to_bytes(32, "big")).decode()}
        header = {
            "chain_id": self.chain_id,
            "height": str(height),
            "time": format_moment(self.time(height)),
            "last_block_id": block_id,
        }
        body = {"block_id": block_id, "block": {"header": header, "data": {"txs": []}}}
        return self._answer(block_request(height), body, height)

    def block_results(self, height: int) -> Observation:
        results = [{"code": 5, "events": []}]  # a failed transaction goes before: positions count it
        for name in self.creations.get(height, ()):
            attributes = [{"key": "id", "value": json.dumps(name)}, {"key": "price", "value": json.dumps(coin(1))}]
            results.append(
                {"code": 0, "events": [{"type": "akash.market.v1.EventLeaseCreated", "attributes": attributes}]}
            )
        body = {"jsonrpc": "2.0", "id": -1, "result": {"height": str(height), "txs_results": results}}
        return self._answer(block_results_request(height), body, height)

    def first_block_from(self, moment: Moment) -> Sequence[Observation]:
        height = max(-(-(moment - self.start) // self.block_ns), 1)
        return [self.block(each) for each in (height - 1, height) if 1 <= each <= self.height]

    def _answer(self, request: str, body: object, height: int | None = None) -> Observation:
        self.asked.append(request)
        trouble = next((name for start, name in self.troubles.items() if start in request), None)
        return Observation(
            source=Source.CHAIN,
            request=request,
            body=b"" if trouble else json.dumps(body).encode(),
            host="node.example",
            seen_at=START,
            status=None if trouble else 200,
            chain_id=self.chain_id,
            height=self.height if height is None else height,
            trouble=trouble,
        )


def claim(subject: str = f"{OWNER}/falcon7b", **changes: object) -> ClaimFacts:
    """A claim whose task is open for blocks 50 to 5000."""
    facts = ClaimFacts(
        id="0" * 32,
        campaign="demo",
        chain_id=CHAIN,
        task="deploy",
        kind="ai_deployment",
        participant=OWNER,
        addresses=(OWNER,),
        subject=subject,
        fields={"owner": OWNER},
        received_at=Moment(START + 200 * BLOCK_NS),
        opens=Moment(START + 50 * BLOCK_NS),
        closes=Moment(START + 5000 * BLOCK_NS),
    )
    return replace(facts, **changes)


APPS = (
    {"slug": "falcon7b", "title": "Falcon 7B", "images": ("example/falcon7b",), "hashes": ()},
    {"slug": "llama", "title": "LLaMA", "images": ("example/llama",), "hashes": ("cc" * 32,)},
)


def params(**changes: object) -> dict[str, object]:
    """Params as the campaign's loading gives them: one provider, ten minutes."""
    return {
        "group_by": "app",
        "providers": 1,
        "active_ns": 600 * SECOND,
        "gpu_models": "any",
        "own_provider": "refused",
        "apps": APPS,
        **changes,
    }


def recorded_world(folder: str) -> World:
    """All deployments and leases of a recorded node, as one chain with half a second a block."""
    world = World(height=0, block_ns=SECOND // 2)
    for line in recordings(f"{folder}/rest-deployments"):
        if line.route.endswith("/deployments/info") and line.status == 200 and not line.request_headers:
            body = json.loads(line.body)
            world.deployments[body["deployment"]["id"]["owner"], int(body["deployment"]["id"]["dseq"])] = body
            world.height = max(world.height, int(line.headers.get("x-cosmos-block-height", "0")))
    seen = set()
    for line in recordings(f"{folder}/rest-market"):
        if line.status != 200 or line.request_headers:
            continue
        if line.route.endswith("/leases/info"):
            body = json.loads(line.body)
            name = json.dumps(body["lease"]["id"], sort_keys=True)
            if name not in seen:
                seen.add(name)
                world.leases.append(body)
                world.creations.setdefault(int(body["lease"]["created_at"]), []).append(body["lease"]["id"])
        elif line.route.endswith("/bids/info"):
            body = json.loads(line.body)
            world.bids[json.dumps(body["bid"]["id"], sort_keys=True)] = body
    return world
