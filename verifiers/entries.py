"""What people enter into a campaign's own fields: addresses of pages, texts, numbers, choices (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

from verifiers.evidence import EntryRefused

LONGEST_URL = 2000
LONGEST_TEXT = 4000
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
_TRACKING = re.compile(r"utm_[a-z_]+|fbclid|gclid|igshid|mc_[ce]id")
_UNRESERVED = "-._~"
_IN_PATH = f"{_UNRESERVED}!$&'()*+,;=:@/"


@dataclass(frozen=True, slots=True)
class AskedField:
    """A field of the campaign's own. `type`: url, text, number or choice."""

    name: str
    label: str
    type: str
    required: bool
    hosts: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()


def asked_fields(params: Mapping[str, object], *, decided: bool) -> tuple[AskedField, ...]:
    """The fields of a task that the participant enters, or those that the reviewer decides."""
    fields = params.get("fields")
    return tuple(
        AskedField(
            str(field["name"]),
            str(field["label"]),
            str(field["type"]),
            bool(field["required"]),
            _texts(field["hosts"]),
            _texts(field["choices"]),
        )
        for field in (fields if isinstance(fields, tuple) else ())
        if bool(field["decided"]) is decided
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, tuple | list) else ()


def checked_values(fields: Sequence[AskedField], entered: Mapping[str, str]) -> dict[str, str]:
    """The values in the fields' order, addresses normalised; empty ones are left out.

    Raises EntryRefused that names the field, for what is missing, of the wrong form, or not asked here.
    """
    known = {field.name for field in fields}
    for name in entered:
        if name not in known:
            raise EntryRefused(name, f"There is no field {name!r} to fill in here.")
    values = {field.name: _checked(field, entered.get(field.name, "").strip()) for field in fields}
    return {name: value for name, value in values.items() if value}


def first_url(fields: Sequence[AskedField], values: Mapping[str, str]) -> str | None:
    """The first address that was entered, in the order of the fields."""
    return next((values[field.name] for field in fields if field.type == "url" and field.name in values), None)


def _checked(field: AskedField, text: str) -> str:
    if not text:
        if field.required:
            raise EntryRefused(field.name, f"{field.label} is missing.")
        return ""
    if field.type == "url":
        return _url(field, text)
    if field.type == "number":
        if _NUMBER.fullmatch(text) is None:
            raise EntryRefused(field.name, f"{field.label} must be a number such as 42 or 99.5.")
        return text
    if field.type == "choice":
        if text not in field.choices:
            raise EntryRefused(field.name, f"{field.label} must be one of {', '.join(field.choices)}.")
        return text
    if len(text) > LONGEST_TEXT or "\x00" in text:
        raise EntryRefused(field.name, f"{field.label} may have at most {LONGEST_TEXT:,} characters.")
    return text


def _url(field: AskedField, text: str) -> str:
    example = f"https://{field.hosts[0]}/…" if field.hosts else "https://…"
    try:
        url = normalised_url(text)
    except ValueError as error:
        raise EntryRefused(field.name, f"{field.label} must be a web address such as {example}: {error}.") from error
    host = urlsplit(url).hostname
    if field.hosts and (host not in field.hosts or urlsplit(url).port is not None):
        raise EntryRefused(field.name, f"{field.label} must be at {' or '.join(field.hosts)}, this one is at {host}.")
    return url


def normalised_url(text: str) -> str:
    """The one spelling of a web address, so that a thing has one subject.

    https for http; host in lower case and ASCII, without the usual port; no fragment, no trailing slash, no dots to
    resolve, percent-encoding only where it is needed, no parameters of advertising, the others sorted by name.
    Raises ValueError with what is wrong.
    """
    if len(text) > LONGEST_URL:
        raise ValueError(f"it is longer than {LONGEST_URL:,} characters")
    if not text.isprintable() or " " in text or "\\" in text:
        raise ValueError("it has spaces or characters that no address has")
    parts = urlsplit(text)
    if parts.scheme.lower() not in {"http", "https"}:
        raise ValueError("it must begin with https://")
    if "@" in parts.netloc:
        raise ValueError("it must not name a user")
    pairs = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.fullmatch(pair[0])]
    query = urlencode(sorted(pairs, key=lambda pair: pair[0]), quote_via=quote, safe=_UNRESERVED)
    return f"https://{_host(parts)}{_path(parts.path)}{'?' + query if query else ''}"


def loose_url(url: str) -> str:
    """A key that near spellings of one page share, to show them beside each other; never a subject."""
    parts = urlsplit(url)
    host = re.sub(r"^(www|m|mobile|old)\.", "", parts.hostname or "")
    path, query = parts.path.lower().rstrip("/"), dict(parse_qsl(parts.query))
    if host == "youtu.be" or (host == "youtube.com" and path.startswith("/shorts/")):
        return f"youtube.com/{parts.path.rpartition('/')[2]}"
    if host == "youtube.com" and "v" in query:
        return f"youtube.com/{query['v']}"
    if host in {"twitter.com", "x.com"}:
        return f"x.com/{path.rpartition('/')[2]}"
    return f"{host}{path}{query.get('p', '')}{query.get('id', '')}"


def _host(parts: SplitResult) -> str:
    port = parts.port  # raises ValueError for one that is no number
    name = (parts.hostname or "").rstrip(".")
    try:
        host = name.encode("idna").decode() if not name.isascii() else name
    except UnicodeError as error:
        raise ValueError("its host is no host name") from error
    if len(host) > 253 or _HOST.fullmatch(host) is None or host.rpartition(".")[2].isdecimal():
        raise ValueError("its host is no host name")
    return host if port in (None, 80, 443) else f"{host}:{port}"


def _path(path: str) -> str:
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            kept = kept[:-1]
        elif segment not in ("", "."):
            kept.append(quote(_decoded(segment), safe=_IN_PATH.replace("/", "") + "%"))
    return "".join(f"/{segment}" for segment in kept)


def _decoded(segment: str) -> str:
    """Percent-decoded where that changes nothing of what the segment means."""
    whole = unquote(segment, errors="strict") if "%" in segment else segment
    return (
        segment.replace("%2f", "%2F") if any(sign in whole for sign in "/%?#") or not whole.isprintable() else whole
    )
