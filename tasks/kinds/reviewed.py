"""Work that people look at (a video, a post, a bug report): what is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tasks.fields import Fields
from tasks.kinds import ClaimField

KIND = "reviewed"
ATTRIBUTES: tuple[str, ...] = ()

_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
_TAKEN = ("task", "claim", "participant", "subject", "at", "height", "tx_index")


def read_params(fields: Fields) -> Mapping[str, object]:
    """Params: `fields` (name, label, type, required, hosts, choices, decided), `reviewers`, `needs_work_keeps_ns`."""
    asked = tuple(_field(entry) for entry in fields.mappings("fields"))
    names = [field["name"] for field in asked]
    for name in sorted({str(each) for each in names if each and names.count(each) > 1}):
        fields.refuse("fields", f"the field {name} stands twice", "give each field a name of its own")
    return {
        "fields": asked,
        "reviewers": fields.whole("reviewers", least=1, most=9, default=1),
        "needs_work_keeps_ns": fields.duration("needs_work_keeps", "72h"),
    }


def _field(entry: Fields) -> dict[str, object]:
    name = entry.read("name", _name, "a name of lower-case letters, digits and _", required=True) or ""
    kind = entry.choice("type", ("url", "text", "number", "choice"), default="text")
    decided = entry.flag("decided")
    field: dict[str, object] = {
        "name": name,
        "label": entry.text("label", name.replace("_", " ").capitalize(), longest=200),
        "type": kind,
        # A decided field is the reviewer's to fill in, so the participant is never asked for it.
        "required": entry.flag("required", default=not decided),
        "hosts": tuple(entry.listed("hosts", _host, "a host such as youtube.com") or ()),
        "choices": entry.texts("choices"),
        "decided": decided,
    }
    if kind == "choice" and not field["choices"]:
        entry.refuse("choices", "a choice needs choices", "list them: choices: [a, b]")
    if kind != "choice" and field["choices"]:
        entry.refuse("choices", f"choices are for the type choice, this is {kind}", "write type: choice")
    if kind != "url" and field["hosts"]:
        entry.refuse("hosts", f"hosts are for the type url, this is {kind}", "write type: url")
    entry.done()
    return field


def _name(text: str) -> str:
    if _NAME.fullmatch(text) is None or text in _TAKEN:
        raise ValueError(f"{text!r} can't be the name of a field")
    return text


def _host(text: str) -> str:
    if _HOST.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no host name")
    return text


def _named(params: Mapping[str, object]) -> tuple[Mapping[str, object], ...]:
    fields = params.get("fields")
    return tuple(fields) if isinstance(fields, tuple) else ()


def claim_fields(params: Mapping[str, object]) -> tuple[ClaimField, ...]:
    """The campaign's fields, without those that the reviewer decides."""
    return tuple(
        ClaimField(
            str(field["name"]),
            str(field["label"]),
            str(field["type"]),
            required=bool(field["required"]),
            choices=_texts(field["choices"]),
            hosts=_texts(field["hosts"]),
        )
        for field in _named(params)
        if not field["decided"]
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, tuple) else ()


def attributes(params: Mapping[str, object]) -> tuple[str, ...]:
    """Only what the reviewer decides may drive money (CAMPAIGN_FORMAT, below the table of kinds)."""
    return tuple(str(field["name"]) for field in _named(params) if field["decided"])
