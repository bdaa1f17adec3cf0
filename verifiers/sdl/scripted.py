"""The values of an SDL as JavaScript sees them (js-yaml 4 with its default schema), for the TypeScript rules."""

from __future__ import annotations

import math
import re

from verifiers.sdl.nodes import ListNode, Node, ScalarNode

JsValue = None | bool | int | float | str | list["JsValue"] | dict[str, "JsValue"]

_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?(\d+)", re.ASCII)
_HEX = re.compile(r"[-+]?0x([0-9a-fA-F]+)")
_BINARY = re.compile(r"[-+]?0b([01]+)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d|\d{4}-\d\d?-\d\d?([Tt]|[ \t]+)\d\d?:\d\d:\d\d.*", re.ASCII)
_OCTAL = re.compile(r"[-+]?0o([0-7]+)")
_FLOAT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_INDEX = re.compile(r"0|[1-9]\d{0,8}", re.ASCII)
_SAFE = 2**53
_LONGEST_NUMBER = 40


class NotScripted(ValueError):
    """The TypeScript SDK refuses this SDL, so no hash of its making can be on the chain."""


def js_value(node: Node) -> JsValue:
    """The tree as plain values. Raises NotScripted where a number leaves what JavaScript holds exactly."""
    if isinstance(node, ScalarNode):
        return _scalar(node)
    if isinstance(node, ListNode):
        return [js_value(item) for item in node.items]
    # an object of JavaScript holds keys that are whole numbers first, in their order
    keys = sorted(node.entries, key=lambda key: int(key) if _INDEX.fullmatch(key) else math.inf)
    return {key: js_value(node.entries[key].node) for key in keys}


def _scalar(node: ScalarNode) -> JsValue:
    if node.is_null:
        return None
    if not node.plain:
        return node.text
    if node.text in _BOOLS:
        return _BOOLS[node.text]
    return _number(node.text) if len(node.text) <= _LONGEST_NUMBER else node.text


def _number(text: str) -> JsValue:
    if _NOT_FINITE.fullmatch(text) or _DATE.fullmatch(text):  # a Date is no text for the SDK
        raise NotScripted(text)
    for pattern, base in ((_HEX, 16), (_OCTAL, 8), (_BINARY, 2), (_INTEGER, 10)):
        match = pattern.fullmatch(text)
        if match is not None:
            return _safe(int(match[1], base) * (-1 if text.startswith("-") else 1))
    if _FLOAT.fullmatch(text):
        value = float(text)
        return _safe(int(value)) if value.is_integer() else value
    return text


def _safe(value: int) -> int:
    if not -_SAFE < value < _SAFE:
        raise NotScripted(str(value))
    return value


def number_text(value: float) -> str:
    """A number as JavaScript writes it."""
    if isinstance(value, int) or value.is_integer():
        return str(int(value))
    mantissa, _, exponent = repr(float(value)).partition("e")
    return f"{mantissa}e{int(exponent):+d}" if exponent else mantissa
