"""What a code host's REST API answers, decoded and reduced to the JSON that judges read (pure).

A reduction is canonical JSON with the SHA-256 of the original under `digest`. Names of people are left out.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from tasks.moment import Moment, format_moment, parse_moment
from verifiers.codehost.links import PER_PAGE
from verifiers.sdl import SDL_RULES_VERSION, check
from verifiers.sdl.parse import MAX_BYTES
from verifiers.trouble import Undecodable

CODE = re.compile(r"waymark-[a-z2-7]{16}(?![a-z0-9])", re.IGNORECASE | re.ASCII)
MAX_CODES = 50
_COMMIT = re.compile(r"[0-9A-Za-z]{4,64}", re.ASCII)  # goes into a request


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request. `is_open`, `merged_at` None where not merged; `codes`: one-time codes in its title and text.

    `head`: the commit that it proposes. `repository`: empty where the answer does not say.
    """

    repository: str
    number: int
    is_open: bool
    merged_at: Moment | None
    closed_at: Moment | None
    head: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """One file that a pull request changes; `blob`: its name in git, empty where not told."""

    path: str
    is_removed: bool
    blob: str


@dataclass(frozen=True, slots=True)
class FoundSdl:
    """A file read as an SDL: the set of its manifest hashes, empty where it is no valid SDL."""

    path: str
    hashes: frozenset[str]


def reduced_repository(body: bytes) -> bytes:
    """The repository's full name. Raises Undecodable."""
    document = _object(body)
    return _canonical({"digest": _digest(body), "full_name": _text(document, "full_name")})


def reduced_pull(body: bytes) -> bytes:
    """A pull request. Raises Undecodable."""
    document = _object(body)
    commit, state = _text(_inner(document, "head"), "sha"), _text(document, "state")
    if _COMMIT.fullmatch(commit) is None or state not in {"open", "closed"}:
        raise Undecodable("The code host's pull request names no commit or no state that is known.")
    merged_at = document.get("merged_at")
    if bool(document.get("merged", merged_at is not None)) != (merged_at is not None):
        raise Undecodable("The code host says two things about whether the pull request was merged.")
    words = f"{document.get('title') or ''}\n{document.get('body') or ''}"
    codes = list(dict.fromkeys(each.lower() for each in CODE.findall(words)))
    return _canonical(
        {
            "closed_at": _time(document, "closed_at"),
            "codes": codes[:MAX_CODES],
            "digest": _digest(body),
            "head": commit,
            "merged_at": _time(document, "merged_at"),
            "number": _whole(document, "number"),
            "repository": _base(document),
            "state": state,
        }
    )


def _base(document: Mapping[str, object]) -> str:
    base = document.get("base")
    repository = base.get("repo") if isinstance(base, dict) else None
    name = repository.get("full_name") if isinstance(repository, dict) else None
    return _clean(name) if isinstance(name, str) else ""


def reduced_files(body: bytes) -> bytes:
    """One page of changed files: path and status of each. Raises Undecodable."""
    rows = _json(body)
    if not isinstance(rows, list) or len(rows) > PER_PAGE:
        raise Undecodable("The code host's list of files is none.")
    files = [_reduced_row(_mapping(row)) for row in rows]
    return _canonical({"digest": _digest(body), "files": files})


def _reduced_row(row: Mapping[str, object]) -> Mapping[str, object]:
    return {"blob": _clean(str(row.get("sha") or "")), "path": _text(row, "filename"), "status": _text(row, "status")}


def reduced_file(body: bytes) -> bytes:
    """A file as an SDL: path, size, SHA-256 and manifest hashes of its bytes. Raises Undecodable.

    A file that is larger than an SDL may be, or no valid SDL, has no hashes.
    """
    document = _object(body)
    is_file = document.get("type", "file") == "file"  # else a link or a submodule, whatever its name says
    path, size = _text(document, "path"), _size(document) if is_file else 0
    raw = _content(document, size) if is_file and size <= MAX_BYTES else b""
    report = check(raw) if raw else None
    return _canonical(
        {
            "content_digest": _digest(raw) if raw else "",
            "digest": _digest(body),
            "hashes": list(report.manifest_hashes) if report else [],
            "path": path,
            "size": size,
            "version": SDL_RULES_VERSION,
        }
    )


def _size(document: Mapping[str, object]) -> int:
    return _whole(document, "size") if "size" in document else len(_content(document, None))


def _content(document: Mapping[str, object], size: int | None) -> bytes:
    if document.get("encoding") != "base64":
        raise Undecodable("The code host gives a file in an encoding that was not expected.")
    try:
        raw = base64.b64decode("".join(_text(document, "content").split()), validate=True)
    except (binascii.Error, ValueError):
        raise Undecodable("The code host gives a file whose base64 is broken.") from None
    if size not in (None, len(raw)):
        raise Undecodable("The code host gives a part of a file.")
    return raw


def read_pull(reduced: bytes) -> Pull:
    """A pull request from its reduction. Raises Undecodable."""
    document = _object(reduced)
    codes = document.get("codes")
    return Pull(
        repository=_text(document, "repository"),
        number=_whole(document, "number"),
        is_open=document.get("state") == "open",
        merged_at=_moment(document, "merged_at"),
        closed_at=_moment(document, "closed_at"),
        head=_text(document, "head"),
        codes=tuple(str(code) for code in codes) if isinstance(codes, list) else (),
    )


def read_files(reduced: bytes) -> tuple[ChangedFile, ...]:
    """The files of one page from its reduction. Raises Undecodable."""
    rows = _object(reduced).get("files")
    if not isinstance(rows, list):
        raise Undecodable("A list of files was kept in another form.")
    return tuple(
        ChangedFile(_text(row, "path"), row.get("status") == "removed", str(row.get("blob") or ""))
        for row in map(_mapping, rows)
    )


def read_file(reduced: bytes) -> FoundSdl:
    """A file read as an SDL, from its reduction. Raises Undecodable."""
    document = _object(reduced)
    hashes = document.get("hashes")
    return FoundSdl(_text(document, "path"), frozenset(map(str, hashes)) if isinstance(hashes, list) else frozenset())


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Undecodable("The code host's answer is no JSON.") from None


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise Undecodable("The code host's answer lacks an object where one belongs.")
    return cast("Mapping[str, object]", value)


def _object(body: bytes) -> Mapping[str, object]:
    return _mapping(_json(body))


def _inner(document: Mapping[str, object], key: str) -> Mapping[str, object]:
    return _mapping(document.get(key))


def _text(document: Mapping[str, object], key: str) -> str:
    value = document.get(key)
    if not isinstance(value, str):
        raise Undecodable(f"The code host's answer lacks {key}.")
    return _clean(value)


def _clean(text: str) -> str:
    """The text without halves of surrogate pairs, which JSON can hold and nothing else."""
    return text.encode("utf-8", "replace").decode()


def _whole(document: Mapping[str, object], key: str) -> int:
    value = document.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Undecodable(f"The code host's answer lacks {key}.")
    return value


def _time(document: Mapping[str, object], key: str) -> str | None:
    value = document.get(key)
    if value is None:
        return None
    try:
        return format_moment(parse_moment(str(value)))
    except ValueError:
        raise Undecodable(f"The code host's {key} is no time.") from None


def _moment(document: Mapping[str, object], key: str) -> Moment | None:
    text = _time(document, key)
    return None if text is None else parse_moment(text)


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _canonical(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
