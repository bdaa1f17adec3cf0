"""Reading a mapping field by field: each value typed and bounded, unknown keys named, every mistake with its line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from tasks.mistakes import Findings, Mistake
from tasks.moment import Duration, Moment, parse_duration, parse_moment
from tasks.rewards.money import Micro, Rate, parse_micro, parse_rate
from tasks.yaml_text import Mapping, Node, Scalar
from tasks.yaml_text import Sequence as NodeList

Value = TypeVar("Value")

SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_WHOLE = re.compile(r"[0-9]{1,12}")
_NOTHING = ("", "~", "null", "Null", "NULL")
LONGEST_TEXT = 200_000


class Fields:
    """One mapping of the file while it is being read.

    Every reader returns the value or, where it is missing or wrong, the default (None without one) and notes the
    mistake, so that reading goes on and all mistakes come together. Call `done()` at the end: what nobody asked
    for is an unknown key.
    """

    def __init__(self, node: Mapping, path: str, findings: Findings) -> None:
        self.node = node
        self.path = path
        self.findings = findings
        self._asked: list[str] = []

    def at(self, key: str) -> str:
        """The path of a key, for messages."""
        return f"{self.path}.{key}" if self.path else key

    def has(self, key: str) -> bool:
        """Whether the key stands there."""
        return key in self.node.values

    def is_list(self, key: str) -> bool:
        """Whether the key's value is a list, where one word would do as well."""
        return isinstance(self.node.values.get(key), NodeList)

    def is_empty_list(self, key: str) -> bool:
        """Whether the key's value is a list without entries; one whose entries are all wrong is none."""
        node = self.node.values.get(key)
        return isinstance(node, NodeList) and not node.items

    def refuse(self, key: str, message: str, mend: str) -> None:
        """Note a mistake at a key's value, or at the mapping where the key is not there."""
        self.refuse_at(self._where(key), self.at(key), message, mend)

    def _where(self, key: str) -> Node:
        """Where a key's value is to be looked for: at the key itself where the value is a block below it."""
        node = self.node.values.get(key, self.node)
        return node if isinstance(node, Scalar) else self.node.keys.get(key, node)

    def refuse_at(self, node: Node, path: str, message: str, mend: str) -> None:
        """Note a mistake at a node."""
        self.findings.refuse(Mistake(node.line, node.column, path, message, mend))

    def warn(self, key: str, message: str, mend: str) -> None:
        """Note what is allowed but likely not meant."""
        node = self._where(key)
        self.findings.warn(Mistake(node.line, node.column, self.at(key), message, mend))

    def _node(self, key: str, mend: str | None) -> Node | None:
        """The node of a key. `mend` given: the key is required, and that is what to write."""
        self._asked.append(key)
        node = self.node.values.get(key)
        if node is None and mend is not None:
            missing = Mistake(self.node.line, self.node.column, self.at(key), f"{key} is missing", mend)
            self.findings.refuse(missing)
        if isinstance(node, Scalar) and node.plain and node.text in _NOTHING:
            self.refuse(key, f"{key} has no value", mend or "write one, or leave the key out")
            return None
        return node

    def read(self, key: str, parse: Callable[[str], Value], what: str, *, required: bool = False) -> Value | None:
        """A scalar through `parse`, whose ValueError becomes the message; `what` is an example of a good one."""
        mend = f"write {what}"
        node = self._node(key, mend if required else None)
        if node is None:
            return None
        if not isinstance(node, Scalar):
            self.refuse(key, f"{key} must be one value", mend)
            return None
        try:
            return parse(node.text)
        except ValueError as error:
            self.refuse(key, str(error), mend)
            return None

    def text(self, key: str, default: str = "", *, longest: int = LONGEST_TEXT) -> str:
        """Any text, as written."""

        def parse(text: str) -> str:
            if len(text) > longest:
                raise ValueError(f"{key} is longer than {longest:,} characters")
            return text

        value = self.read(key, parse, f"a text of at most {longest:,} characters")
        return default if value is None else value

    def required_text(self, key: str, example: str) -> str | None:
        """A text that must be there and not be empty."""

        def parse(text: str) -> str:
            if not text.strip():
                raise ValueError(f"{key} is empty")
            return text

        return self.read(key, parse, example, required=True)

    def slug(self, key: str) -> str | None:
        """A required slug: lower-case letters, digits, `-` and `_`."""

        def parse(text: str) -> str:
            if SLUG.fullmatch(text) is None:
                raise ValueError(f"{text!r} is no slug")
            return text

        what = "a slug of lower-case letters, digits and dashes, such as deploy-ai"
        return self.read(key, parse, what, required=True)

    def choice(self, key: str, choices: Sequence[str], *, default: str | None = None) -> str | None:
        """One of some words; required where there is no default."""
        listed = " or ".join(choices)

        def parse(text: str) -> str:
            if text not in choices:
                raise ValueError(f"{text!r} is not known here")
            return text

        value = self.read(key, parse, listed, required=default is None)
        return default if value is None else value

    def whole(
        self, key: str, *, least: int = 0, most: int = 10**9, default: int | None = None, required: bool = False
    ) -> int | None:
        """A whole number within bounds."""

        def parse(text: str) -> int:
            if _WHOLE.fullmatch(text) is None or not least <= int(text) <= most:
                raise ValueError(f"{text!r} is not a whole number from {least} to {most}")
            return int(text)

        value = self.read(key, parse, f"a whole number from {least} to {most}", required=required)
        return default if value is None else value

    def flag(self, key: str, *, default: bool = False) -> bool:
        """`true` or `false`."""
        return self.choice(key, ("true", "false"), default="true" if default else "false") == "true"

    def moment(self, key: str, *, required: bool = False) -> Moment | None:
        """A time in UTC."""
        return self.read(key, parse_moment, "a UTC time such as 2023-06-20T16:00:00Z", required=required)

    def duration(self, key: str, default: str | None = None, *, required: bool = False) -> Duration | None:
        """A duration above zero."""

        def parse(text: str) -> Duration:
            value = parse_duration(text)
            if value <= 0:
                raise ValueError("a duration must be longer than nothing")
            return value

        value = self.read(key, parse, "a duration such as 30s, 10m, 24h or 7d", required=required)
        return parse_duration(default) if value is None and default is not None else value

    def micro(self, key: str, *, required: bool = False) -> Micro | None:
        """An amount, exactly, at most six decimals."""
        return self.read(key, parse_micro, "an amount such as 40 or 12.5 (at most six decimals)", required=required)

    def rate(self, key: str) -> Rate | None:
        """A rate above zero."""
        return self.read(key, parse_rate, "units per one AKT, above zero, such as 0.85")

    def mapping(self, key: str, *, required: bool = False) -> Fields | None:
        """A mapping, as Fields of its own."""
        mend = "write its keys below it, indented"
        node = self._node(key, mend if required else None)
        if node is None:
            return None
        if not isinstance(node, Mapping):
            self.refuse(key, f"{key} must be a mapping", mend)
            return None
        return Fields(node, self.at(key), self.findings)

    def items(self, key: str, *, required: bool = False) -> list[Node] | None:
        """The nodes of a list."""
        mend = "write a list: [ … ] or lines beginning with a dash"
        node = self._node(key, mend if required else None)
        if node is None:
            return None
        if not isinstance(node, NodeList):
            self.refuse(key, f"{key} must be a list", mend)
            return None
        return node.items

    def mappings(self, key: str, *, required: bool = False) -> Iterator[Fields]:
        """A list of mappings."""
        for index, node in enumerate(self.items(key, required=required) or ()):
            path = f"{self.at(key)}[{index}]"
            if isinstance(node, Mapping):
                yield Fields(node, path, self.findings)
            else:
                self.refuse_at(node, path, "this entry must be a mapping", "write {key: value, …}")

    def listed(
        self, key: str, parse: Callable[[str], Value], what: str, *, required: bool = False
    ) -> list[Value] | None:
        """A list of scalars, each through `parse`. None where the key is missing; wrong entries are left out."""
        nodes = self.items(key, required=required)
        if nodes is None:
            return None
        values: list[Value] = []
        for index, node in enumerate(nodes):
            path = f"{self.at(key)}[{index}]"
            if not isinstance(node, Scalar):
                self.refuse_at(node, path, "this entry must be one value", f"write {what}")
                continue
            try:
                values.append(parse(node.text))
            except ValueError as error:
                self.refuse_at(node, path, str(error), f"write {what}")
        return values

    def texts(self, key: str, *, required: bool = False) -> tuple[str, ...]:
        """A list of texts, none empty, none twice."""
        seen: set[str] = set()

        def parse(text: str) -> str:
            if not text.strip():
                raise ValueError("this entry is empty")
            if text in seen:
                raise ValueError(f"{text!r} stands twice")
            seen.add(text)
            return text

        return tuple(self.listed(key, parse, "each text once", required=required) or ())

    def scalars(self) -> Iterator[tuple[str, str, Node]]:
        """Every key with its scalar's text, for mappings whose keys are data; others are noted as mistakes."""
        for key, node in self.node.values.items():
            self._asked.append(key)
            if isinstance(node, Scalar):
                yield key, node.text, node
            else:
                self.refuse_at(node, self.at(key), f"{key} must be one value", "write one value")

    def done(self) -> None:
        """Name every key that nobody asked for, with the nearest one that is known."""
        for key, node in self.node.keys.items():
            if key in self._asked:
                continue
            near = difflib.get_close_matches(key, self._asked, n=1)
            known = ", ".join(sorted(set(self._asked)))
            mend = f"did you mean {near[0]}?" if near else f"known here: {known}"
            self.refuse_at(node, self.at(key), f"unknown key {key!r}", mend)
