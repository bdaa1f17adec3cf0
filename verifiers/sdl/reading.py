"""Walks the YAML tree with a path, reads typed values the way Go does and collects what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, field, replace
from typing import TypeVar

from verifiers.sdl import quantities
from verifiers.sdl.nodes import ListNode, MapNode, Node, ScalarNode

T = TypeVar("T")

_HIGHEST = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong or worth knowing: the line (from 1), the path and a message that says how to mend it."""

    line: int
    path: str
    message: str


@dataclass(slots=True)
class Problems:
    """What was found so far. `console`: what the command line refuses and the Console may read nevertheless."""

    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    console: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Cursor:
    """One place in the tree; `node` is None where nothing was written there.

    `unused`: nothing that is deployed needs this part; the network reads it and does not look at its rules.
    """

    node: Node | None
    path: str
    line: int
    problems: Problems
    unused: bool = False

    @property
    def is_absent(self) -> bool:
        """Nothing was written, or null: it never reaches Go's decoders."""
        return self.node is None or (isinstance(self.node, ScalarNode) and self.node.is_null)

    def error(self, message: str) -> None:
        """Note a mistake of the SDL."""
        self.problems.errors.append(Problem(self.line, self.path, message))

    def rule(self, message: str) -> None:
        """Note a broken rule, which only matters where the part is used."""
        (self.warn if self.unused else self.error)(message)

    def console_only(self, message: str) -> None:
        """Note what the network's Go parser refuses although the Console may deploy it."""
        self.problems.console.append(Problem(self.line, self.path, message))

    def warn(self, message: str) -> None:
        """Note something that the author should know."""
        self.problems.warnings.append(Problem(self.line, self.path, message))

    def at(self, key: str) -> Cursor:
        """The value under `key`; absent where there is none or this is no mapping."""
        path = f"{self.path}.{key}" if self.path else key
        if isinstance(self.node, MapNode) and key in self.node.entries:
            entry = self.node.entries[key]
            return Cursor(entry.node, path, entry.line, self.problems, self.unused)
        return Cursor(None, path, self.line, self.problems, self.unused)

    def named(self, used: Container[str]) -> list[tuple[str, Cursor]]:
        """The entries of a mapping; those that are not in `used` are unused."""
        return [(key, place if key in used else replace(place, unused=True)) for key, place in self.items()]

    def items(self) -> list[tuple[str, Cursor]]:
        """The entries of a mapping in the order written; an error where it is anything else."""
        if self.is_absent:
            return []
        if not isinstance(self.node, MapNode):
            self.error("this must be a mapping (key: value)")
            return []
        return [(key, self.at(key)) for key in self.node.entries]

    def elements(self) -> list[Cursor]:
        """The elements of a list without null ones, which Go drops; an error where it is anything else."""
        if self.is_absent:
            return []
        if not isinstance(self.node, ListNode):
            self.error("this must be a list; put each entry on its own line after a dash")
            return []
        places = [
            Cursor(item, f"{self.path}[{index}]", item.line, self.problems, self.unused)
            for index, item in enumerate(self.node.items)
        ]
        return [place for place in places if not place.is_absent]

    def text(self) -> str:
        """The raw text of a scalar; empty where absent."""
        if self.is_absent:
            return ""
        if not isinstance(self.node, ScalarNode):
            self.error("this must be one value, not a list or a mapping")
            return ""
        return self.node.text

    def texts(self) -> tuple[str, ...] | None:
        """A list of raw texts; None where absent."""
        if self.is_absent:
            return None
        return tuple(element.text() for element in self.elements())

    def whole(self, highest: int = _HIGHEST) -> int:
        """An unsigned integer written without quotes; 0 where absent."""
        text = self.text()
        if self.is_absent or not isinstance(self.node, ScalarNode):
            return 0
        if not self.node.plain:
            self.error(f"write the number {text[:40]!r} without quotes")
            return 0
        value = self.parsed(quantities.whole_number, 0, "write a whole number that is not negative")
        if value > _HIGHEST:
            self.error(f"{value} is too large; at most {highest}")
            return 0
        if value > highest:
            self.rule(f"{value} is too large; at most {highest}")
        return value

    def flag(self) -> bool:
        """A yes or no; False where absent."""
        text = self.text()
        if self.is_absent or not isinstance(self.node, ScalarNode):
            return False
        if text in quantities.YES and (self.node.plain or text.lower() != "true"):
            return True
        if not (text in quantities.NO and (self.node.plain or text.lower() != "false")):
            self.error(f"write true or false, without quotes, instead of {text[:40]!r}")
        return False

    def parsed(self, parser: Callable[[str], T], default: T, mend: str) -> T:
        """The text read by `parser`; an error that says `mend` where it raises ValueError."""
        text = self.text()
        try:
            return parser(text)
        except ValueError:
            self.error(f"{text[:40]!r} cannot be read: {mend}")
            return default

    def parsed_somehow(self, parser: Callable[[str], T], console: Callable[[str], T], default: T, mend: str) -> T:
        """The text read by `parser`, else by the Console's reader, which is noted; an error where neither can."""
        text = self.text()
        for read in (parser, console):
            try:
                value = read(text)
            except ValueError:
                continue
            if read is console:
                self.console_only(f"{text[:40]!r} cannot be read: {mend}")
            return value
        self.error(f"{text[:40]!r} cannot be read: {mend}")
        return default

    def only(self, *known: str) -> None:
        """An error for each key that is not among `known`."""
        for key, place in self.items():
            if key not in known:
                place.error(f"remove {key[:40]!r}: only {', '.join(known)} may stand here")
        if isinstance(self.node, MapNode) and self.node.merged:
            self.error("write the values out: the network's parser reads no << at this place")
