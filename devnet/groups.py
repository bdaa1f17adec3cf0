"""Group specs: what a deployment asks for, from an SDL or as the chain's JSON, and which provider can meet it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from devnet.acts import Attributes
from devnet.amounts import parse_decimal


@dataclass(frozen=True, slots=True)
class GroupSpec:
    """One group as the chain keeps it. `json` is its compact JSON (proto names), `document` the same as values,
    `price` the sum over its units in 10^-18 of `denom`."""

    name: str
    document: Mapping[str, Any]
    json: bytes
    price: int
    denom: str
    required: Attributes
    all_of: tuple[str, ...]
    any_of: tuple[str, ...]
    resources: tuple[Mapping[str, Any], ...]


def read_group(document: Mapping[str, Any], denom: str) -> GroupSpec:
    """A group spec from the chain's JSON; every price is put into `denom`, which SDLs of either generation need."""
    resources = [
        {**unit, "price": {"denom": denom, "amount": unit["price"]["amount"]}} for unit in document["resources"]
    ]
    whole = {**document, "resources": resources}
    requirements = document["requirements"]
    return GroupSpec(
        name=str(document["name"]),
        document=whole,
        json=compact(whole),
        price=sum(parse_decimal(unit["price"]["amount"]) * int(unit["count"]) for unit in resources),
        denom=denom,
        required=tuple((pair["key"], pair["value"]) for pair in requirements["attributes"]),
        all_of=tuple(requirements["signed_by"]["all_of"]),
        any_of=tuple(requirements["signed_by"]["any_of"]),
        resources=tuple(resources),
    )


def compact(value: object) -> bytes:
    """JSON without spaces, as the gateway writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def meets(spec: GroupSpec, offered: Attributes, signed: Mapping[str, Attributes]) -> bool:
    """Whether a provider may bid: its own attributes and those that auditors signed satisfy the placement.

    Source: akash-network/chain-sdk `go/node/deployment/v1beta4` (MatchRequirements, MatchResourcesRequirements).
    """
    if not _is_subset(spec.required, offered):
        return False
    for auditor in spec.all_of:
        if not _is_subset(spec.required, signed.get(auditor, ())):
            return False
    if spec.any_of and not any(_is_subset(spec.required, signed.get(auditor, ())) for auditor in spec.any_of):
        return False
    return all(_has_gpu(unit["resource"], offered) for unit in spec.resources)


def _is_subset(required: Attributes, offered: Attributes) -> bool:
    return all(
        any(fnmatchcase(have, key) and have_value == value for have, have_value in offered) for key, value in required
    )


def _has_gpu(resource: Mapping[str, Any], offered: Attributes) -> bool:
    """One of the alternatives asked for is among the provider's capabilities."""
    gpu = resource["gpu"]
    if int(gpu["units"]["val"]) == 0:
        return True
    keys = [f"capabilities/gpu/{pair['key']}" for pair in gpu["attributes"]]
    return not keys or any(fnmatchcase(have, key) for have, _ in offered for key in keys)


def offered_resources(spec: GroupSpec, gpu_models: Sequence[str]) -> list[dict[str, Any]]:
    """`resources_offer` of a bid: the units of the group, each GPU unit with the one model that is offered."""
    offers = []
    for place, unit in enumerate(spec.resources):
        resource = dict(unit["resource"])
        model = gpu_models[place] if place < len(gpu_models) else ""
        if model and int(resource["gpu"]["units"]["val"]):
            attributes = [{"key": f"vendor/nvidia/model/{model}", "value": "true"}]
            resource["gpu"] = {"units": resource["gpu"]["units"], "attributes": attributes}
        offers.append({"resources": resource, "count": unit["count"], "prices": None})
    return offers
