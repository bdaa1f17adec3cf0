"""Names of container images: the full form, and whether an image is what an entry means (CAMPAIGN_FORMAT)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

DEFAULT_REGISTRY = "docker.io"
DEFAULT_NAMESPACE = "library"


@lru_cache(maxsize=4096)
def full_name(image: str) -> str:
    """The image with `docker.io/` and `library/` added where absent: `nginx` is `docker.io/library/nginx`."""
    image = image.strip()
    first, slash, rest = image.partition("/")
    if not slash:
        return f"{DEFAULT_REGISTRY}/{DEFAULT_NAMESPACE}/{image}"
    if not _is_registry(first):
        return f"{DEFAULT_REGISTRY}/{image}"
    if first == DEFAULT_REGISTRY and "/" not in rest:
        return f"{DEFAULT_REGISTRY}/{DEFAULT_NAMESPACE}/{rest}"
    return image


def _is_registry(part: str) -> bool:
    return "." in part or ":" in part or part == "localhost"


def repository(image: str) -> str:
    """The full name without tag and digest."""
    name = full_name(image).partition("@")[0]
    head, slash, last = name.rpartition("/")
    return head + slash + last.partition(":")[0]


@lru_cache(maxsize=8192)
def matches(entry: str, image: str) -> bool:
    """Whether `image` is what a campaign's `entry` means: without tag and digest any of them, with one exactly it."""
    wanted = full_name(entry)
    if wanted == repository(entry):
        return repository(image) == wanted
    return full_name(image) == wanted


def matches_any(entries: Iterable[str], image: str) -> bool:
    """Whether one of the entries means this image."""
    return any(matches(entry, image) for entry in entries)
