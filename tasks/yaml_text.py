"""YAML as text with positions: every scalar keeps the characters it was written with, its line and its column.

Amounts must never pass through a float and every mistake must name its line, so the file is read from the
parser's events into three small node types. The pure-Python parser is used because its positions and limits
don't depend on the machine. Aliases are read, and count as if written out; tags and a second document are refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn, Protocol

import yaml

from tasks.mistakes import CampaignErrors, Findings, Mistake

MOST_CHARACTERS = 500_000
MOST_NODES = 50_000
MOST_DEPTH = 24


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value as written. `plain` is False where it stood in quotes or in a block."""

    text: str
    plain: bool
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: list[Node]
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys and values, each key once; `keys` keeps where each key stands."""

    line: int
    column: int
    values: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Scalar] = field(default_factory=dict)


Node = Scalar | Sequence | Mapping


class _Mark(Protocol):
    """Where the parser stands; counts from 0."""

    line: int
    column: int


def _position(mark: _Mark | None) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


def _refuse(at: tuple[int, int], message: str, mend: str) -> NoReturn:
    raise CampaignErrors([Mistake(*at, "", message, mend)])


def parse(text: str, findings: Findings) -> Node:
    """Read one YAML document; keys that stand twice go to `findings`.

    Raises CampaignErrors with the position of the first thing that is no plain YAML.
    """
    if len(text) > MOST_CHARACTERS:
        _refuse((1, 1), f"the file is larger than {MOST_CHARACTERS:,} characters", "keep texts short or link to them")
    builder = _Builder(findings)
    try:
        for event in yaml.parse(text.removeprefix("\ufeff"), Loader=yaml.SafeLoader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(part for part in (error.context, error.problem) if part)
        _refuse(_position(mark), f"this is not YAML: {what}", "check quotes, colons and indentation here")
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        bad = Mistake(line, 1, "", f"a character that YAML does not allow ({error.reason})", "remove it")
        raise CampaignErrors([bad]) from error
    return builder.document()


class _Builder:
    """Builds the tree from events without recursion, so that depth costs nothing before it is refused."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._open: list[Sequence | Mapping] = []
        self._waiting_keys: list[Scalar | None] = []
        self._root: Node | None = None
        self._nodes = 0
        self._begun: list[tuple[str | None, int]] = []
        self._anchors: dict[str, tuple[Node, int]] = {}

    def document(self) -> Node:
        if self._root is None:
            _refuse((1, 1), "the file is empty", "write a campaign")
        return self._root

    def take(self, event: yaml.Event) -> None:
        at = _position(event.start_mark)
        if isinstance(event, yaml.NodeEvent) and getattr(event, "tag", None) is not None:
            _refuse(at, f"the tag {getattr(event, 'tag', '')} is not read in a campaign", "remove the tag")
        if isinstance(event, yaml.DocumentStartEvent) and self._root is not None:
            _refuse(at, "a second document begins here", "keep one campaign in one file")
        if isinstance(event, yaml.AliasEvent):
            self._place_again(event.anchor or "", at)
        elif isinstance(event, yaml.ScalarEvent):
            scalar = Scalar(event.value, event.style is None, *at)
            self._place(scalar, at)
            if event.anchor:
                self._anchors[event.anchor] = (scalar, 1)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._enter(Sequence([], *at), event.anchor, at)
        elif isinstance(event, yaml.MappingStartEvent):
            self._enter(Mapping(*at), event.anchor, at)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._leave()

    def _leave(self) -> None:
        node = self._open.pop()
        self._waiting_keys.pop()
        anchor, begun = self._begun.pop()
        if anchor:
            self._anchors[anchor] = (node, self._nodes - begun)

    def _place_again(self, anchor: str, at: tuple[int, int]) -> None:
        """An alias costs as many values as what it stands for, so a small file can't stand for a huge one."""
        if anchor not in self._anchors:
            _refuse(at, f"*{anchor} stands for nothing, or for what it stands in", "write the value out")
        node, size = self._anchors[anchor]
        self._nodes += size - 1
        self._place(node, at)

    def _enter(self, node: Sequence | Mapping, anchor: str | None, at: tuple[int, int]) -> None:
        self._begun.append((anchor, self._nodes))
        self._place(node, at)
        if len(self._open) >= MOST_DEPTH:
            _refuse(at, f"nested deeper than {MOST_DEPTH} levels", "a campaign needs no such depth")
        self._open.append(node)
        self._waiting_keys.append(None)

    def _place(self, node: Node, at: tuple[int, int]) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            _refuse(at, f"more than {MOST_NODES:,} values", "split the campaign")
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        if isinstance(parent, Sequence):
            parent.items.append(node)
            return
        key = self._waiting_keys[-1]
        if key is None:
            self._waiting_keys[-1] = self._key(parent, node, at)
            return
        parent.values[key.text] = node
        parent.keys[key.text] = key
        self._waiting_keys[-1] = None

    def _key(self, parent: Mapping, node: Node, at: tuple[int, int]) -> Scalar:
        if not isinstance(node, Scalar):
            _refuse(at, "a key must be one word", "write `key: value`")
        if node.text in parent.keys:
            first = parent.keys[node.text].line
            message = f"the key {node.text!r} stands twice, first on line {first}"
            self._findings.refuse(Mistake(node.line, node.column, node.text, message, "keep one of them"))
        return node


def locate(root: Node, path: str) -> Node:
    """Where to look for a path such as `tasks[2].reward.slots`: its scalar, or the key above a block; else the
    nearest that is there.
    """
    node, where = root, root
    for step in path.replace("[", ".[").split("."):
        if isinstance(node, Mapping) and step in node.values:
            key, node = node.keys[step], node.values[step]
            where = node if isinstance(node, Scalar) else key
        elif isinstance(node, Sequence) and step.startswith("[") and int(step[1:-1]) < len(node.items):
            node = where = node.items[int(step[1:-1])]
        elif step:
            break
    return where
