"""The SDL texts of a story: the files of its folder and their variants by GPU model, number and private setting."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from devnet.story.parameters import ANY

_VENDOR = "              nvidia:\n"
_UNITS = "        gpu:\n          units: 1\n"
_SETTINGS = "    env:\n"


@dataclass(frozen=True, slots=True)
class Sdl:
    """One text by its name in `Scenario.sdls`: `file@model*units#setting`, each part only where it says something.

    `groups`: how many groups the file has; `units`, `model`: what each group asks for (0 units: no GPU).
    """

    file: str
    model: str = ANY
    units: int = 1
    setting: int = 0
    groups: int = 1

    @property
    def key(self) -> str:
        """The name."""
        model = f"@{self.model}" if self.model != ANY else ""
        units = f"*{self.units}" if self.units > 1 else ""
        return f"{self.file}{model}{units}{f'#{self.setting}' if self.setting else ''}"


@dataclass
class Library:
    """Reads files once and keeps the text of every variant that was asked for."""

    folder: Path
    _files: dict[str, str] = field(default_factory=dict)
    _texts: dict[str, str] = field(default_factory=dict)

    def sdl(self, file: str, model: str = ANY, units: int = 1, setting: int = 0) -> Sdl:
        """A variant of a file; model and units are left aside where the file asks for no GPU."""
        text = self._file(file)
        groups = text.count("      profile: ")
        if _UNITS not in text:
            return self._keep(Sdl(file, ANY, 0, setting, groups))
        return self._keep(Sdl(file, model, units, setting, groups))

    def parse(self, key: str) -> Sdl:
        """The variant that a name means."""
        rest, _, setting = key.partition("#")
        rest, _, units = rest.partition("*")
        file, _, model = rest.partition("@")
        return self.sdl(file, model or ANY, int(units or 1), int(setting or 0))

    def text(self, sdl: Sdl) -> str:
        """The text of a variant."""
        return self._texts[sdl.key]

    def texts(self, used: set[str]) -> dict[str, str]:
        """The texts of these names, sorted by name."""
        return {key: self._texts[key] for key in sorted(used)}

    def _keep(self, sdl: Sdl) -> Sdl:
        if sdl.key not in self._texts:
            text = self._file(sdl.file)
            if sdl.units and sdl.model != ANY:
                text = text.replace(_VENDOR, f"{_VENDOR}                - model: {sdl.model}\n")
            if sdl.units > 1:
                text = text.replace(_UNITS, _UNITS.replace("1", str(sdl.units)))
            if sdl.setting:
                text = text.replace(_SETTINGS, f"{_SETTINGS}      - SESSION={1000 + 37 * sdl.setting}\n")
            self._texts[sdl.key] = text
        return sdl

    def _file(self, name: str) -> str:
        if name not in self._files:
            self._files[name] = (self.folder / f"{name}.yaml").read_text(encoding="utf-8")
        return self._files[name]
