"""Secrets that stand in an SDL: where, and of which sort, never the secret itself."""

from __future__ import annotations

import re
from dataclasses import dataclass

from verifiers.sdl.model import Sdl, Service

_SECRET_NAME = re.compile(
    r"(^|[_.-])(pass(word|wd|phrase)?|pwd|secret|token|api[_.-]?key|access[_.-]?key|private[_.-]?key|secret[_.-]?key"
    r"|mnemonic|seed([_.-]?phrase)?|credentials?|auth)([_.-]|\d*$)",
    re.IGNORECASE,
)
_VALUES = (
    ("private key", re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----")),
    ("access token", re.compile(r"\b(gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[\w-]{16,})")),
    ("access token", re.compile(r"\b(hf_[A-Za-z0-9]{16,}|sk-[A-Za-z0-9_-]{16,}|xox[abprs]-[A-Za-z0-9-]{10,})")),
    ("access key", re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b")),
    ("signed token", re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}")),
    ("password in a URL", re.compile(r"://[^/\s:@]{1,200}:[^/\s@]{1,200}@")),
    ("recovery phrase", re.compile(r"(?<![a-z])[a-z]{3,8}( [a-z]{3,8}){11}(( [a-z]{3,8}){12})?(?![a-z ])")),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One secret: the path where it stands and its sort."""

    line: int
    path: str
    sort: str


def secrets_in(sdl: Sdl) -> tuple[Finding, ...]:
    """Registry passwords, private keys, tokens and passwords in env, command and args, in the order of services."""
    return tuple(finding for service in sdl.services.values() for finding in _of_service(service))


def _of_service(service: Service) -> list[Finding]:
    found = []
    if service.credentials is not None:
        found.append(Finding(service.line, f"{service.path}.credentials", "registry password"))
    for key, texts in (("command", service.command), ("args", service.args), ("env", service.env)):
        for index, text in enumerate(texts or ()):
            sort = sort_of_value(text) or (_sort_of_entry(text) if key == "env" else None)
            if sort is not None:
                found.append(Finding(service.line, f"{service.path}.{key}[{index}]", sort))
    return found


def sort_of_value(text: str) -> str | None:
    """Which sort of secret stands in a text, by its form; None where there is none."""
    return next((sort for sort, pattern in _VALUES if pattern.search(text)), None)


def _sort_of_entry(text: str) -> str | None:
    name, _, value = text.partition("=")
    return "secret in env" if value.strip() and _SECRET_NAME.search(name) else None
