"""One GPU model, many spellings: which model of a campaign's list a name means (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_BRANDS = frozenset(
    {"nvidia", "amd", "intel", "tesla", "geforce", "quadro", "radeon", "instinct", "gpu", "graphics", "generation"}
)
_VARIANT = re.compile(r"[0-9]+gi?b?|gi?b|sxm[0-9]*|pcie?|nvl[0-9]*|hbm[0-9]e?|gddr[0-9]x?")

PCI_IDS = {
    "102d": "k80", "15f7": "p100", "15f8": "p100", "15f9": "p100", "1bb3": "p4", "1eb8": "t4",
    "1db1": "v100", "1db4": "v100", "1db5": "v100", "1db6": "v100", "1db8": "v100",
    "20b0": "a100", "20b2": "a100", "20b5": "a100", "20f1": "a100", "20f3": "a100",
    "2235": "a40", "2236": "a10", "2237": "a10g", "2330": "h100", "2331": "h100", "2339": "h100", "2321": "h100",
    "2335": "h200", "26b5": "l40", "26b9": "l40s", "27b8": "l4",
    "2684": "rtx4090", "2704": "rtx4080", "2203": "rtx3090ti", "2204": "rtx3090", "2208": "rtx3080ti",
    "2206": "rtx3080", "2216": "rtx3080", "220a": "rtx3080", "2486": "rtx3060ti", "2489": "rtx3060ti",
    "2414": "rtx3060ti", "24c9": "rtx3060ti",
}  # fmt: skip
"""PCI device ids of NVIDIA's cards (the PCI ID repository), for the models that campaigns list."""


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A GPU model that counts: its id in the campaign, other spellings, its memory where it has one size."""

    id: str
    aliases: tuple[str, ...] = ()
    vram_gib: int | None = None


class ModelNames:
    """From a name in an attribute or an inventory to the campaign's id.

    `listed` None: every model counts; `is_open`: so does every other one beside those, under its plain name.
    """

    def __init__(self, listed: Iterable[ListedModel] | None, *, is_open: bool = False) -> None:
        self.listed = None if listed is None else tuple(listed)
        self.is_open = is_open or listed is None
        self._by_name: dict[str, ListedModel] = {}
        for model in self.listed or ():
            for name in (model.id, *model.aliases):
                self._by_name.setdefault(plain_name(name), model)

    def id_of(self, name: str) -> str | None:
        """The campaign's id; None where it does not count. An open list gives other names in plain spelling."""
        plain = plain_name(name)
        found = self._by_name.get(plain)
        if found is not None:
            return found.id
        return plain or None if self.is_open else None

    def lists(self, name: str) -> bool:
        """Whether the campaign's list has this spelling; an open list takes names that it does not have."""
        return plain_name(name) in self._by_name

    def is_model(self, name: str, model: str) -> bool:
        """Whether a name is that of a model, also of one that the list has no more."""
        return plain_name(self.shown(name)) == plain_name(self.shown(model))

    def shown(self, name: str) -> str:
        """The id where the model is listed, else the name as it is."""
        return self.id_of(name) or name

    def vram_gib(self, model_id: str) -> int | None:
        """The model's memory where the campaign says one size."""
        return next((model.vram_gib for model in self.listed or () if model.id == model_id), None)

    def pci_label(self, modelid: str) -> str | None:
        """The model that a PCI device id belongs to, as `id_of` writes it; None where the id is not known here."""
        known = PCI_IDS.get(modelid.lower().removeprefix("0x"))
        return self.id_of(known) or known if known else None


def names_of(params: Mapping[str, object]) -> ModelNames:
    """The models that a task asks for, from its params as a judge gets them.

    `gpu_models`: `any`, or ids (`listed` written out); `campaign_gpu_models`: the campaign's list, as mappings of
    `id, aliases, vram_gib`; absent where the campaign lists none, then every model counts unless the task names some.
    """
    wanted = params.get("gpu_models", "any")
    ids = {str(each) for each in wanted} if isinstance(wanted, list | tuple) else None
    rows = params.get("campaign_gpu_models")
    listed = [_listed(row) for row in rows] if isinstance(rows, list | tuple) else None
    if listed is None:
        return ModelNames([ListedModel(each) for each in sorted(ids)]) if ids else ModelNames(None)
    known = {model.id for model in listed}
    chosen = [model for model in listed if ids is None or model.id in ids]
    others = [ListedModel(each) for each in sorted((ids or set()) - known)]
    return ModelNames([*chosen, *others], is_open=ids is None)


def _listed(row: object) -> ListedModel:
    if not isinstance(row, Mapping):
        return ListedModel(str(row))
    aliases, vram = row.get("aliases"), row.get("vram_gib")
    spellings = tuple(str(alias) for alias in aliases) if isinstance(aliases, list | tuple) else ()
    return ListedModel(str(row["id"]), spellings, vram if isinstance(vram, int) else None)


def plain_name(name: str) -> str:
    """A model's name without brand, memory size and interface: `NVIDIA A100-SXM4-80GB` and `a100` are `a100`.

    What remains is compared whole, so `A10G` is no `A10` and `RTX 3080 Ti` no `RTX 3080`.
    """
    words = re.findall(r"[a-z0-9]+", name.lower()[:200])
    kept = [word for word in words if word not in _BRANDS and not _VARIANT.fullmatch(word)]
    if kept and "gb" in words and kept[-1].isdigit() and words.index("gb") == words.index(kept[-1]) + 1:
        kept.pop()  # "80 GB" written apart
    return "".join(kept)
