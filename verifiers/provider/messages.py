"""The messages of `GetStatus` by their field numbers, trimmed to what is read (pure).

Numbers and types are those of chain-sdk's proto files (akash-provider.md 3.1): proto/provider/akash/provider/v1 and
proto/node/akash/inventory/v1.
"""

from __future__ import annotations

from verifiers.provider.wire import Field, Kind, Message


def _text(name: str, *, repeated: bool = False) -> Field:
    return Field(name, Kind.TEXT, repeated)


def _count(name: str) -> Field:
    return Field(name, Kind.UNSIGNED)


def _one(name: str, of: Message) -> Field:
    return Field(name, Kind.MESSAGE, of=of)


def _many(name: str, of: Message) -> Field:
    return Field(name, Kind.MESSAGE, is_repeated=True, of=of)


TIMESTAMP: Message = {1: Field("seconds", Kind.SIGNED), 2: Field("nanos", Kind.SIGNED)}
QUANTITY: Message = {1: _text("string")}
ATTRIBUTE: Message = {1: _text("key"), 2: _text("value")}
RESOURCE_PAIR: Message = {
    1: _one("allocatable", QUANTITY),
    2: _one("allocated", QUANTITY),
    3: _many("attributes", ATTRIBUTE),
    4: _one("capacity", QUANTITY),
}
CPU_INFO: Message = {1: _text("id"), 2: _text("vendor"), 3: _text("model"), 4: _count("vcores")}
MEMORY_INFO: Message = {1: _text("vendor"), 2: _text("type"), 3: _text("total_size"), 4: _text("speed")}
GPU_INFO: Message = {
    1: _text("vendor"),
    2: _text("vendor_id"),
    3: _text("name"),
    4: _text("modelid"),
    5: _text("interface"),
    6: _text("memory_size"),
}
NODE_RESOURCES: Message = {
    1: _one("cpu", {1: _one("quantity", RESOURCE_PAIR), 2: _many("info", CPU_INFO)}),
    2: _one("memory", {1: _one("quantity", RESOURCE_PAIR), 2: _many("info", MEMORY_INFO)}),
    3: _one("gpu", {1: _one("quantity", RESOURCE_PAIR), 2: _many("info", GPU_INFO)}),
    4: _one("ephemeral_storage", RESOURCE_PAIR),
    5: _one("volumes_attached", RESOURCE_PAIR),
    6: _one("volumes_mounted", RESOURCE_PAIR),
}
NODE: Message = {
    1: _text("name"),
    2: _one("resources", NODE_RESOURCES),
    3: _one("capabilities", {1: _text("storage_classes", repeated=True)}),
}
STORAGE: Message = {
    1: _one("quantity", RESOURCE_PAIR),
    2: _one("info", {1: _text("class"), 2: _text("iops")}),
}
RESERVED: Message = {
    1: _one("cpu", QUANTITY),
    2: _one("memory", QUANTITY),
    3: _one("gpu", QUANTITY),
    4: _one("ephemeral_storage", QUANTITY),
    5: Field("storage", Kind.MAP, of=QUANTITY),
}
RESERVATIONS_METRIC: Message = {1: _count("count"), 2: _one("resources", RESERVED)}
INVENTORY: Message = {
    1: _one("cluster", {1: _many("nodes", NODE), 2: _many("storage", STORAGE)}),
    2: _one("reservations", {1: _one("pending", RESERVATIONS_METRIC), 2: _one("active", RESERVATIONS_METRIC)}),
    3: _one("leased_ip", RESOURCE_PAIR),
}
STATUS: Message = {
    1: _text("errors", repeated=True),
    2: _one("cluster", {1: _one("leases", {1: _count("active")}), 2: _one("inventory", INVENTORY)}),
    3: _one("bid_engine", {1: _count("orders")}),
    4: _one("manifest", {1: _count("deployments")}),
    5: _text("public_hostnames", repeated=True),
    6: _one("timestamp", TIMESTAMP),
    7: _one("reclamation_window", TIMESTAMP),
}
