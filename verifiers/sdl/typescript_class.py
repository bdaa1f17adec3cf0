"""The manifest as the TypeScript SDK's class `SDL` builds it, which the Console used until March 2026."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from verifiers.sdl.manifest import Json
from verifiers.sdl.nodes import Node
from verifiers.sdl.scripted import JsValue, NotScripted
from verifiers.sdl.typescript import Builder, Map, as_list, as_map, as_text, document_of, mounts_of, targets


def groups(root: Node) -> list[list[Json]]:
    """The manifest groups as its versions build them. Raises NotScripted where the class refuses the SDL.

    Rules of npm `@akashnetwork/chain-sdk` 1.0.0-alpha.22 (`params.storage` empty) and alpha.25 (`null` instead).
    """
    document = document_of(root)
    built = [ClassBuilder(document).groups(), OlderClassBuilder(document).groups()]
    return built[:1] if built[0] == built[1] else built


class ClassBuilder(Builder):
    """Where the class differs from `generateManifest`: order of groups, ids, IP numbers, empty lists, zeros."""

    def __init__(self, document: Map) -> None:
        super().__init__(document)
        self._placements = list(as_map(as_map(document.get("profiles")).get("placement")))

    def groups(self) -> list[Json]:
        """Groups in the order of the placements, services by name, each service with its own id."""
        if any("expose" not in service for service in self._services.values()):
            raise NotScripted("expose")
        units = self._units()
        used = sorted(units)
        built: list[Json] = []
        for index, placement in enumerate(self._placements):
            names = [name for name in sorted(self._deployment) if placement in self._deployment[name]]
            if names and (index >= len(used) or len(names) > units[used[index]]):
                raise NotScripted("the class finds no resource for a service")
            services = [self._deployed(name, placement, unit) for unit, name in enumerate(names, start=1)]
            built.append({"name": placement, "services": services})
        return built

    def _deployed(self, name: str, placement: str, unit: int) -> Json:
        pair = self._deployment[name][placement]
        return self._service(name, pair, as_text(pair.get("profile")), unit)

    def _units(self) -> dict[str, int]:
        """How many resources each group gets: the class means to share them by profile and holds index 0 for none."""
        counts: dict[str, int] = {}
        places: dict[tuple[str, str], int] = {}
        for name in sorted(self._services):
            for placement, pair in self._deployment[name].items():
                profile = as_text(pair.get("profile"))
                if places.get((placement, profile)):
                    raise NotScripted("the class fails where services share a profile")
                places[placement, profile] = counts.get(placement, 0)
                counts[placement] = counts.get(placement, 0) + 1
        return counts

    def _ip_numbers(self) -> dict[str, int]:
        """Numbered anew in each expose; the last one wins."""
        numbers: dict[str, int] = {}
        for service in self._services.values():
            for expose in map(as_map, as_list(service.get("expose"))):
                pairs = targets({"expose": [expose]})
                names = sorted(as_text(to["ip"]) for _, to in pairs if to.get("global") and to.get("ip"))
                numbers |= {name: number for number, name in enumerate(names, start=1)}
        return numbers

    def _texts(self, value: JsValue) -> list[str] | None:
        return None if value is None else [as_text(item) for item in as_list(value)]

    def _with_attributes(
        self, written: Mapping[str, object], given: Map, pairs_of: Callable[[JsValue], list[dict[str, str]]]
    ) -> Json:
        return {**written, "attributes": pairs_of(given["attributes"])} if "attributes" in given else written

    def _gpu_units(self, gpu: Map) -> str:
        units = gpu.get("units")
        return units if isinstance(units, str) and units else super()._gpu_units(gpu)

    def _http_value(self, given: JsValue, default: JsValue) -> JsValue:
        return default if given == 0 else given

    def _params(self, params: Map) -> Json | None:
        if not params:
            return None
        written: dict[str, object] = {"storage": mounts_of(params) or None}
        if "permissions" in params:
            written["permissions"] = as_map(params["permissions"])
        return written


class OlderClassBuilder(ClassBuilder):
    """Before 1.0.0-alpha.25: no mounts are an empty list, as `generateManifest` writes them."""

    def _params(self, params: Map) -> Json | None:
        return Builder._params(self, params)
