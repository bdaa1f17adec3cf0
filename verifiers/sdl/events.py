"""PyYAML's event stream with tabs where the network's YAML readers allow them."""

from __future__ import annotations

from typing import cast

from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

_BREAKS = "\r\n\x85\u2028\u2029"
_ENDS = "\0" + _BREAKS


class Events(Reader, Scanner, Parser):
    """The pure Python stream (the C loader dies on deep nesting).

    PyYAML forbids tabs between tokens; Go's yaml.v3 and js-yaml take them anywhere but in indentation, so that a tab
    after a colon, behind a value or on an empty line is no mistake (yaml.v3 `scannerc.go`, scan_to_next_token).
    """

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)

    def scan_to_next_token(self) -> None:
        """Skip spaces, tabs, comments and line breaks."""
        if self.index == 0 and self._at() == "\ufeff":
            self._forward()
        while True:
            self._skip_blanks()
            if self._at() == "#":
                while self._at() not in _ENDS:
                    self._forward()
            if not self.scan_line_break():  # type: ignore[no-untyped-call]
                return
            if not self.flow_level:
                self.allow_simple_key = True

    def scan_plain_spaces(self, indent: int, _start_mark: object) -> list[str]:
        """The white space inside or after a plain scalar; lines are folded. Empty where the scalar ends."""
        length = 0
        while self._at(length) in " \t":
            length += 1
        blanks = self.prefix(length)
        self._forward(length)
        if self._at() not in _BREAKS:
            return [blanks] if blanks else []
        first = cast("str", self.scan_line_break())  # type: ignore[no-untyped-call]
        self.allow_simple_key = True
        breaks: list[str] = []
        while not self._at_document_mark():
            if self._at() in _BREAKS:
                breaks.append(self.scan_line_break())  # type: ignore[no-untyped-call]
            elif self._at() == " " or (self._at() == "\t" and (self.flow_level or self.column >= indent)):
                self._forward()
            elif self._at() == "\t" and self._blank_until_break():
                self._skip_blanks()
            else:
                return [*([first] if first != "\n" else [] if breaks else [" "]), *breaks]
        return []

    def scan_block_scalar_ignored_line(self, start_mark: object) -> None:
        """The rest of the line after `|` or `>`."""
        while self._at() == "\t" or self._at() == " ":
            self._forward()
        super().scan_block_scalar_ignored_line(start_mark)

    def _at(self, index: int = 0) -> str:
        return cast("str", self.peek(index))

    def _forward(self, length: int = 1) -> None:
        self.forward(length)

    def _skip_blanks(self) -> None:
        allowed = self.flow_level or not self.allow_simple_key or self._blank_until_break()
        while self._at() == " " or (self._at() == "\t" and allowed):
            self._forward()

    def _blank_until_break(self) -> bool:
        """Whether nothing but a comment stands on the rest of this line."""
        index = 0
        while self._at(index) in " \t":
            index += 1
        return index > 0 and self._at(index) in "#" + _ENDS

    def _at_document_mark(self) -> bool:
        marks = ("---", "...")
        return self.column == 0 and self.prefix(3) in marks and self._at(3) in " \t" + _ENDS
