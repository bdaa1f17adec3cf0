"""Reads the YAML of an SDL safely: bounded while composing, raw texts kept, a line in every message."""

from __future__ import annotations

import re
from dataclasses import dataclass

import yaml

from verifiers.sdl.events import Events
from verifiers.sdl.nodes import Entry, ListNode, MapNode, Node, ScalarNode

MAX_BYTES = 64 * 1024
MAX_DEPTH = 32
MAX_NODES = 10_000

_CORE_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq", "merge")
)
_SURROGATES = re.compile("[\ud800-\udfff]")


class SdlSyntaxError(ValueError):
    """The text is no YAML that an SDL may be; `line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line
        self.message = message


@dataclass(frozen=True, slots=True)
class SdlDocument:
    """The first document of the file; `has_more` where others follow, which the network never reads."""

    root: Node
    has_more: bool


def parse(source: str | bytes) -> SdlDocument:
    """Compose the first document of `source` (UTF-8, at most 64 KiB) within the bounds of reference akash-sdl 8.

    Raises SdlSyntaxError for everything that is no such document; never anything else.
    """
    text = _decoded(source)
    try:
        return _Composer(text).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise SdlSyntaxError(line, f"this is not valid YAML: {_sentence(error)}") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, int(error.position)) + 1
        raise SdlSyntaxError(line, "remove the character that cannot be printed") from error
    except (ValueError, OverflowError, IndexError) as error:
        if isinstance(error, SdlSyntaxError):
            raise
        raise SdlSyntaxError(
            1, "an escape or a number in this file cannot be read; write it as plain text"
        ) from error


def _sentence(error: yaml.MarkedYAMLError) -> str:
    parts = [part for part in (error.context, error.problem) if part]
    return "; ".join(" ".join(str(part).split()) for part in parts) or "check quotes, colons and indentation"


def _decoded(source: str | bytes) -> str:
    if isinstance(source, str):
        match = _SURROGATES.search(source)
        if match is not None:
            line = source.count("\n", 0, match.start()) + 1
            raise SdlSyntaxError(line, "this text holds half a character; save the file as UTF-8")
        if len(source.encode()) > MAX_BYTES:
            raise SdlSyntaxError(1, f"the file is larger than {MAX_BYTES // 1024} KiB; an SDL never needs that much")
        return source.removeprefix("\ufeff")
    if len(source) > MAX_BYTES:
        raise SdlSyntaxError(1, f"the file is larger than {MAX_BYTES // 1024} KiB; an SDL never needs that much")
    try:
        return source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        raise SdlSyntaxError(line, "this is not UTF-8; save the file as UTF-8") from error


class _Composer:
    """Builds the tree from events and counts nodes and levels before they exist, so that a bomb ends at once."""

    def __init__(self, text: str) -> None:
        self._events = Events(text)
        self._anchors: dict[str, Node | None] = {}
        self._count = 0

    def document(self) -> SdlDocument:
        self._next()  # the start of the stream
        if isinstance(self._peek(), yaml.StreamEndEvent):
            raise SdlSyntaxError(1, 'the file is empty; start with version: "2.0"')
        self._next()  # the start of the document
        root = self._node(1)
        self._next()  # the end of the document
        return SdlDocument(root, not isinstance(self._peek(), yaml.StreamEndEvent))

    def _peek(self) -> yaml.Event:
        event: yaml.Event = self._events.peek_event()  # type: ignore[no-untyped-call]
        return event

    def _next(self) -> yaml.Event:
        event: yaml.Event = self._events.get_event()  # type: ignore[no-untyped-call]
        return event

    def _node(self, depth: int) -> Node:
        event = self._next()
        line = event.start_mark.line + 1 if event.start_mark else 1
        if depth > MAX_DEPTH:
            raise SdlSyntaxError(line, f"this is nested deeper than {MAX_DEPTH} levels; flatten it")
        anchor = getattr(event, "anchor", None)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(str(anchor), depth, line)
        self._counted(1, line)
        self._check_tag(event, line)
        if anchor is not None:
            self._anchors[anchor] = None
        node = self._composed(event, depth, line)
        if anchor is not None:
            self._anchors[anchor] = node
        return node

    def _composed(self, event: yaml.Event, depth: int, line: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event, line)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(depth, line)
        return self._map(depth, line)

    def _counted(self, nodes: int, line: int) -> None:
        self._count += nodes
        if self._count > MAX_NODES:
            raise SdlSyntaxError(
                line, f"aliases expand this file to more than {MAX_NODES} values; write it out smaller"
            )

    def _check_tag(self, event: yaml.Event, line: int) -> None:
        tag = getattr(event, "tag", None)
        if tag is not None and tag != "!" and tag not in _CORE_TAGS:
            raise SdlSyntaxError(line, f"remove the tag {tag[:60]!r}; an SDL has none")

    def _alias(self, name: str, depth: int, line: int) -> Node:
        if name not in self._anchors:
            raise SdlSyntaxError(line, f"*{name[:60]} names no anchor above it; write &{name[:60]} first")
        node = self._anchors[name]
        if node is None:
            raise SdlSyntaxError(line, f"*{name[:60]} stands inside its own anchor; write the value out")
        if depth + node.height - 1 > MAX_DEPTH:
            raise SdlSyntaxError(line, f"*{name[:60]} nests deeper than {MAX_DEPTH} levels; flatten it")
        self._counted(node.size, line)
        return node

    def _list(self, depth: int, line: int) -> ListNode:
        items = []
        while not isinstance(self._peek(), yaml.SequenceEndEvent):
            items.append(self._node(depth + 1))
        self._next()
        size = 1 + sum(item.size for item in items)
        return ListNode(tuple(items), line, size, 1 + max((item.height for item in items), default=0))

    def _map(self, depth: int, line: int) -> MapNode:
        own: dict[str, Entry] = {}
        merges: list[Node] = []
        size, height = 1, 1
        while not isinstance(self._peek(), yaml.MappingEndEvent):
            key = self._node(depth + 1)
            if not isinstance(key, ScalarNode):
                raise SdlSyntaxError(key.line, "a key must be a plain word, not a list or a mapping")
            value = self._node(depth + 1)
            size, height = size + 1 + value.size, max(height, 1 + value.height)
            if key.text in own or (key.text == "<<" and merges):
                raise SdlSyntaxError(key.line, f"the key {key.text[:60]!r} stands twice here; keep one")
            if key.text == "<<" and key.plain:
                merges.append(value)
            else:
                own[key.text] = Entry(value, key.line)
        self._next()
        return MapNode(_merged(own, merges), line, size, height, bool(merges))


def _scalar(event: yaml.ScalarEvent, line: int) -> ScalarNode:
    if _SURROGATES.search(event.value):
        raise SdlSyntaxError(line, "this escape is half a character; write the character itself")
    forced_null = event.tag == "tag:yaml.org,2002:null"
    plain = event.style is None and event.tag is None
    return ScalarNode(event.value, plain, line, forced_null)


def _merged(own: dict[str, Entry], merges: list[Node]) -> dict[str, Entry]:
    """Own keys win over merged ones, earlier merged mappings over later ones (YAML merge key, yaml.v3)."""
    entries = dict(own)
    for value in merges:
        sources = value.items if isinstance(value, ListNode) else (value,)
        for source in sources:
            if not isinstance(source, MapNode):
                raise SdlSyntaxError(value.line, "<< takes an alias of a mapping or a list of such aliases")
            for key, entry in source.entries.items():
                entries.setdefault(key, entry)
    return entries
