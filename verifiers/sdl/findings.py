"""Secrets that stand in an SDL: where, and of which sort, never the secret itself."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from verifiers.sdl.model import Sdl, Service

_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY( BLOCK)?-----")
_PACKED_PEM = re.compile(r"LS0tLS1CRUdJTi[A-Za-z0-9+/]{10,60}")
_VALUES = (
    ("private key", _PRIVATE_KEY),
    ("access token", re.compile(r"\b(gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[\w-]{16,})")),
    ("access token", re.compile(r"\b(hf_[A-Za-z0-9]{16,}|sk-[A-Za-z0-9_-]{16,}|xox[abprs]-[A-Za-z0-9-]{10,})")),
    ("access key", re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b")),
    ("signed token", re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}")),
    ("password in a URL", re.compile(r"://[^/\s:@]{1,200}:[^/\s@]{1,200}@")),
    ("recovery phrase", re.compile(r"(?<![a-z])[a-z]{3,8}( [a-z]{3,8}){11}(( [a-z]{3,8}){12})?(?![a-z ])")),
)

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SECRET_WORDS = frozenset({"pass", "pwd", "mnemonic", "seed", "credential", "credentials", "auth", "requirepass"})
_SECRET_ENDS = re.compile(r"(password|passwd|passphrase|secret|token)$")
_KEYS_OF = frozenset(
    {"api", "access", "private", "secret", "master", "encryption", "signing", "wallet", "jwt", "ssh", "session",
     "license", "admin", "deploy"}
)  # fmt: skip
_ABOUT = frozenset(
    {"file", "path", "dir", "url", "uri", "endpoint", "type", "enabled", "disabled", "limit", "length", "count",
     "size", "expiry", "expiration", "ttl", "header", "method", "mode", "user", "username"}
)  # fmt: skip
"""Last words of names of things about a secret, not of one: `TOKEN_FILE`, `AUTH_TYPE`."""

_HARMLESS = re.compile(
    r"(true|false|yes|no|on|off|none|null|basic|enabled|disabled)?|<[^<>]*>|\$\{?[A-Za-z_][A-Za-z0-9_]*\}?"
    r"|ssh-[a-z0-9-]+ .*",
    re.IGNORECASE,
)
"""Values that give nothing away: words that switch, places to fill in, names of variables, public keys."""

_NUMBER = re.compile(r"[0-9.]{1,10}")
_SETS = re.compile(r"(?:^|[\s;&|\"'])-{0,2}([A-Za-z][A-Za-z0-9_.-]{1,80})=(\"[^\"]*\"|'[^']*'|[^\s;&|\"']+)")
_OPTION = re.compile(r"(?:^|\s)--([A-Za-z][A-Za-z0-9_-]{1,80})\s+([^\s-][^\s]*)")
_OPTION_NAME = re.compile(r"--([A-Za-z][A-Za-z0-9_-]{1,80})")


@dataclass(frozen=True, slots=True)
class Finding:
    """One secret: the path where it stands and its sort."""

    line: int
    path: str
    sort: str


def secrets_in(sdl: Sdl) -> tuple[Finding, ...]:
    """Registry passwords, private keys, tokens and passwords in env, command and args, in the order of services."""
    return tuple(finding for service in sdl.services.values() for finding in _of_service(service))


def _of_service(service: Service) -> Iterator[Finding]:
    def found(place: str, sort: str) -> Finding:
        return Finding(service.line, f"{service.path}.{place}", sort)

    if service.credentials is not None:
        yield found("credentials", "registry password")
    for key, texts in (("command", service.command), ("args", service.args)):
        for index, text in enumerate(texts or ()):
            if sort := sort_of_value(text) or _sort_of_argument(texts or (), index):
                yield found(f"{key}[{index}]", sort)
    for index, text in enumerate(service.env or ()):
        if sort := sort_of_value(text) or _sort_of_entry(text):
            yield found(f"env[{index}]", sort)


def sort_of_value(text: str) -> str | None:
    """Which sort of secret stands in a text, by its form; None where there is none."""
    named = next((sort for sort, pattern in _VALUES if pattern.search(text)), None)
    return named or ("private key" if any(map(_holds_key, _PACKED_PEM.findall(text))) else None)


def _holds_key(packed: str) -> bool:
    """Whether the beginning of a PEM file in base64 is that of a private key."""
    return b"PRIVATE KEY" in base64.b64decode(packed[: len(packed) // 4 * 4])


def _sort_of_entry(text: str) -> str | None:
    name, _, value = text.partition("=")
    return "secret in env" if _is_secret(name, value) else None


def _sort_of_argument(texts: Sequence[str], index: int) -> str | None:
    """By the option or variable that an argument sets, in itself or in the next one."""
    text = texts[index]
    pairs = [*_SETS.findall(text), *_OPTION.findall(text)]
    option = _OPTION_NAME.fullmatch(text)
    if option and index + 1 < len(texts) and not texts[index + 1].startswith("-"):
        pairs.append((option[1], texts[index + 1]))
    return "secret in an argument" if any(_is_secret(name, value) for name, value in pairs) else None


def _is_secret(name: str, value: str) -> bool:
    """Whether a name says that its value is a secret, and the value can be one."""
    value = value.strip().strip("\"'").strip()
    words = [word.lower() for word in _WORD.findall(name)]
    if not words or words[-1] in _ABOUT or _HARMLESS.fullmatch(value):
        return False
    if "apikey" in words or any(of in _KEYS_OF and word in {"key", "keys"} for of, word in pairwise(words)):
        return True
    if not any(word in _SECRET_WORDS or _SECRET_ENDS.search(word) for word in words):
        return False
    # SEED=42 and PAD_TOKEN_ID=0 are numbers of a model, a password may be one
    return not _NUMBER.fullmatch(value) or any("pass" in word or word == "pwd" for word in words)
