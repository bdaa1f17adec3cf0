"""Reads `profiles` and `deployment` of an SDL."""

from __future__ import annotations

import re
from collections.abc import Container

from verifiers.sdl.model import Compute, Deployed, GpuModel, Placement, Price, Volume
from verifiers.sdl.nodes import ListNode, MapNode
from verifiers.sdl.quantities import (
    GIB,
    MIB,
    TIB,
    console_cpu_thousandths,
    console_size_bytes,
    cpu_thousandths,
    gpu_units,
    size_bytes,
)
from verifiers.sdl.reading import Cursor

STORAGE_CLASSES = ("default", "beta1", "beta2", "beta3", "ram")
GPU_INTERFACES = ("pcie", "sxm")
MAX_GPU_UNITS = 24
MAX_COUNT = 50

_AMOUNT = re.compile(r"\d{1,30}(\.\d{1,18})?", re.ASCII)
_DENOM = re.compile(r"[a-zA-Z][a-zA-Z0-9/:._-]{2,127}")
_ATTRIBUTE_KEY = re.compile(r"[a-zA-Z][\w/.\-]{1,126}[\w*]?", re.ASCII)
_UNIFIED = {
    "True": "true",
    "TRUE": "true",
    "False": "false",
    "FALSE": "false",
    "true": "true",
    "on": "true",
    "yes": "true",
    "false": "false",
    "off": "false",
    "no": "false",
}
_UNREADABLE = -1
_CPU_MEND = "write CPUs such as 0.5, 2 or 500m"
_SIZE_MEND = "write a size such as 512Mi, 8Gi or 1G"


def read_computes(place: Cursor, deployed: Container[str]) -> dict[str, Compute]:
    """All compute profiles by name; their limits count where they are `deployed`."""
    return {name: _compute(name, cursor) for name, cursor in place.named(deployed)}


def _compute(name: str, place: Cursor) -> Compute:
    resources = place.at("resources")
    if resources.is_absent:
        resources.rule("name cpu, memory and storage")
    cpu, gpu = resources.at("cpu"), resources.at("gpu")
    cpu.only("units", "attributes")
    cpu.at("attributes").only("arch")
    units, models = _gpu(gpu)
    arch = cpu.at("attributes").at("arch")
    return Compute(
        name=name,
        cpu_thousandths=_cpu(cpu.at("units")),
        cpu_arch=None if arch.node is None else arch.text(),
        memory_bytes=_memory(resources.at("memory").at("size")),
        volumes=_volumes(resources.at("storage")),
        gpu_units=units,
        gpu_models=models,
        line=place.line,
        path=place.path,
    )


def _cpu(place: Cursor) -> int:
    if place.is_absent:
        place.rule(f"say how many: {_CPU_MEND}")
        return _UNREADABLE
    thousandths = place.parsed_somehow(cpu_thousandths, console_cpu_thousandths, _UNREADABLE, _CPU_MEND)
    if thousandths != _UNREADABLE and not 10 <= thousandths <= 384_000:
        place.rule("the network allows 0.01 to 384 CPUs for each unit")
    return thousandths


def _memory(place: Cursor) -> int:
    size = _size(place)
    if size != _UNREADABLE and not MIB <= size <= 2 * TIB:
        place.rule("the network allows 1Mi to 2Ti of memory for each unit")
    return size


def _size(place: Cursor) -> int:
    if place.is_absent:
        place.rule(f"say how much: {_SIZE_MEND}")
        return _UNREADABLE
    return place.parsed_somehow(size_bytes, console_size_bytes, _UNREADABLE, _SIZE_MEND)


def _volumes(place: Cursor) -> tuple[Volume, ...]:
    if place.is_absent:
        place.rule("name at least one volume: storage: {size: 1Gi}")
        return ()
    if isinstance(place.node, ListNode):
        volumes = tuple(_volume(cursor, cursor.at("name").text() or "default") for cursor in place.elements())
    elif isinstance(place.node, MapNode):
        volumes = (_volume(place, "default"),)
    else:
        place.rule("storage is one volume or a list of volumes, each with a size")
        return ()
    names = [volume.name for volume in volumes]
    for volume in volumes:
        if names.count(volume.name) > 1:
            place.console_only(f"two volumes are called {volume.name[:40]!r}; give each an own name")
            break
    if not volumes:
        place.rule("name at least one volume: storage: {size: 1Gi}")
    return volumes


def _volume(place: Cursor, name: str) -> Volume:
    place.items()
    size_place = place.at("size")
    size = _size(size_place)
    if size != _UNREADABLE and not 5 * MIB <= size <= 32 * TIB:
        size_place.rule("the network allows 5Mi to 32Ti for each volume")
    attributes = place.at("attributes")
    return Volume(name, size, None if attributes.is_absent else _storage_attributes(attributes), place.line)


def _storage_attributes(place: Cursor) -> dict[str, str]:
    """The attributes as the network stores them; the tests look at the raw text (reference akash-sdl 3.6)."""
    texts = {key: cursor.text() for key, cursor in place.items()}
    texts.setdefault("persistent", "false")
    persistent, storage_class = texts["persistent"], texts.get("class", "")
    if not storage_class and persistent == "true":
        texts["class"] = "default"
    elif storage_class == "ram" and persistent != "false":
        place.console_only("class ram is never persistent: write persistent: false")
    elif storage_class not in ("", "ram") and persistent == "false":
        place.console_only(f"class {storage_class[:40]} needs persistent: true")
    for key in texts:
        if key not in ("persistent", "class"):
            place.at(key).error("a volume has only the attributes persistent and class")
    if persistent not in ("true", "on", "yes", "false", "off", "no"):
        place.at("persistent").console_only("persistent is true or false")
    if "class" in texts and texts["class"] not in STORAGE_CLASSES:
        place.at("class").console_only(f"class is one of {', '.join(STORAGE_CLASSES)}")
    texts["persistent"] = _UNIFIED.get(persistent, persistent)
    return dict(sorted(texts.items()))


def _gpu(place: Cursor) -> tuple[int, tuple[GpuModel, ...]]:
    place.only("units", "attributes")
    if place.is_absent:
        return 0, ()
    units_place, attributes = place.at("units"), place.at("attributes")
    units = 0 if units_place.is_absent else units_place.parsed(gpu_units, 0, "write a whole number of GPUs")
    if units > MAX_GPU_UNITS:
        units_place.rule(f"the network allows at most {MAX_GPU_UNITS} GPUs for each unit")
    attributes.only("vendor")
    if attributes.is_absent:
        if units:
            place.error("name the vendor: attributes: {vendor: {nvidia: [{model: a100}]}}")
        return units, ()
    vendor = attributes.at("vendor")
    if vendor.is_absent:
        attributes.error("name the vendor: vendor: {nvidia: [{model: a100}]}")
        return units, ()
    for other, cursor in vendor.items():
        if other != "nvidia":
            cursor.warn(f"the network reads only nvidia here and ignores {other[:40]!r}")
    models = tuple(_gpu_model(cursor) for cursor in vendor.at("nvidia").elements()) or (GpuModel("*"),)
    if not units:
        attributes.rule("attributes stand only beside units above 0: remove them or ask for a GPU")
    _check_keys(vendor.at("nvidia"), [model.key for model in models])
    return units, models


def _check_keys(place: Cursor, keys: list[str]) -> None:
    """The keys as the network stores them (chain-sdk `attributes/v1`: a pattern, and no key twice)."""
    for index, key in enumerate(keys):
        if _ATTRIBUTE_KEY.fullmatch(key) is None:
            place.rule(f"{key[:80]!r} cannot be asked for: name a model such as a100, with ram such as 80Gi")
        elif key in keys[:index]:
            place.rule(f"{key[:80]!r} stands twice here; keep one")


def _gpu_model(place: Cursor) -> GpuModel:
    place.items()
    model = place.at("model").text()
    if not model:
        place.at("model").warn("without a model no GPU fits: name one such as a100, or '*' for any")
    ram, interface = place.at("ram"), place.at("interface")
    ram_text = None if ram.is_absent else _gpu_ram(ram)
    if not interface.is_absent and interface.text() not in GPU_INTERFACES:
        interface.error("interface is pcie or sxm")
    return GpuModel(model, ram_text, None if interface.is_absent else interface.text())


def _gpu_ram(place: Cursor) -> str:
    try:
        return f"{size_bytes(place.text(), binary_only=True) // GIB}Gi"
    except ValueError:
        place.console_only("write the GPU's memory such as 80Gi")
        return place.text()


def read_placements(place: Cursor) -> dict[str, Placement]:
    """All placement profiles by name."""
    return {name: _placement(name, cursor) for name, cursor in place.items()}


def _placement(name: str, place: Cursor) -> Placement:
    if not name:
        place.error("give the placement a name")
    signed_by = place.at("signedBy")
    signed_by.items()
    return Placement(
        name=name,
        attributes={key: cursor.text() for key, cursor in place.at("attributes").items()},
        all_of=signed_by.at("allOf").texts() or (),
        any_of=signed_by.at("anyOf").texts() or (),
        pricing={profile: _price(cursor) for profile, cursor in place.at("pricing").items()},
        line=place.line,
    )


def _price(place: Cursor) -> Price:
    denom, amount = place.at("denom").text(), place.at("amount").text()
    if _DENOM.fullmatch(denom) is None:
        place.at("denom").error("name the denom of the price, such as uakt or uact")
    if _AMOUNT.fullmatch(amount) is None or not amount.strip("0."):
        place.at("amount").error("the price is a positive amount such as 1000 or 25.5, with at most 18 decimals")
    return Price(denom, amount, place.line, place.path)


def read_deployed(place: Cursor) -> tuple[Deployed, ...]:
    """The (service, placement) pairs, by service and placement in byte order."""
    if place.is_absent:
        place.error("name under deployment which service runs at which placement")
    pairs = [
        _deployed(service, placement, cursor)
        for service, placements in place.items()
        for placement, cursor in placements.items()
    ]
    return tuple(sorted(pairs, key=lambda pair: (pair.service, pair.placement)))


def _deployed(service: str, placement: str, place: Cursor) -> Deployed:
    place.items()
    count = place.at("count").whole()
    if not 1 <= count <= MAX_COUNT:
        place.at("count").error(f"count lies between 1 and {MAX_COUNT}")
    return Deployed(service, placement, place.at("profile").text(), count, place.line, place.path)
