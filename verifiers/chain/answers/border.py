"""Where raw bytes become typed values: one decoder type for every answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from verifiers.chain.apiset import CURRENT, ApiSet, reshape
from verifiers.trouble import Undecodable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pagination:
    """`total` is the number of rows on this page in most lists; only `next_key` says whether there is more."""

    next_key: str | None = None


@dataclass(frozen=True, slots=True)
class Rows(Generic[T]):
    """One page of a list. `next_key` is `None` on the last one."""

    rows: tuple[T, ...]
    next_key: str | None


class Decoder(Generic[T]):
    """Decodes the body of a 200 answer into a frozen value of the type given; extra keys are let through unread."""

    def __init__(self, shape: Any, what: str) -> None:
        self._shape = shape
        self._what = what
        self._adapter: TypeAdapter[T] | None = None
        self._recent = lru_cache(maxsize=_RECENT)(self._decoded)

    def __call__(self, body: bytes, api: ApiSet = CURRENT) -> T:
        """Raises Undecodable, naming the first key that is missing or wrong.

        The client that checks an answer and the judge that reads it just after share one decoding; the values are
        frozen. Large pages are read once only, and are not held on to.
        """
        if len(body) > _RECENT_BYTES or api.moves or api.defaults:
            return self._decoded(body, api)
        return self._recent(body)

    def _decoded(self, body: bytes, api: ApiSet = CURRENT) -> T:
        # built at first use: an adapter costs a millisecond, and no process needs all of them
        adapter = self._adapter
        if adapter is None:
            adapter = self._adapter = TypeAdapter(self._shape)
        try:
            if api.moves or api.defaults:
                return adapter.validate_python(reshape(load(body), api))
            return adapter.validate_json(body)
        except ValidationError as error:
            raise self._undecodable(error) from None
        except (ValueError, RecursionError) as error:
            raise Undecodable(f"This {self._what} can't be read: {error}. {_ADVICE}") from None

    def _undecodable(self, error: ValidationError) -> Undecodable:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"]) or "the answer"
        return Undecodable(f"This {self._what} can't be read: {place}: {first['msg']}. {_ADVICE}")


_RECENT = 16
_RECENT_BYTES = 128 * 1024

_ADVICE = "Ask another host, or check that this one speaks the API set in use."


def load(body: bytes) -> Any:
    """Parse JSON. Raises Undecodable."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Undecodable("The answer is no JSON. Ask another host.") from None


@dataclass(frozen=True)
class Listing(Generic[T]):
    """One list of the chain: where it is, how a page is decoded, and how a row answers to filters.

    `facts` gives what a filter can ask of a row, by the filter's last word (`owner`, `dseq`, `state`, …), as text;
    real nodes ignore filters once a page key is sent, so every row is checked against them again.
    """

    rows: str
    path: Callable[[ApiSet], str]
    decode: Callable[[bytes, ApiSet], Rows[T]]
    identity: Callable[[T], Hashable]
    facts: Callable[[T], Mapping[str, str]]

    def satisfies(self, row: T, filters: Mapping[str, str]) -> bool:
        """Whether the row is what the filters ask for. Filters on what no row shows are taken as satisfied."""
        if not filters:
            return True
        facts = self.facts(row)
        for name, wanted in filters.items():
            word = name.rpartition(".")[2]
            seen = facts.get(word)
            if seen is None:
                continue
            if not (seen.startswith(wanted) if word == "xid" else seen == wanted):
                return False
        return True


def rows_in(
    listing: Listing[T], bodies: Iterable[bytes], filters: Mapping[str, str], api: ApiSet = CURRENT
) -> tuple[T, ...]:
    """The rows of all pages of one list that satisfy the filters, each once, in order. Raises Undecodable."""
    found: dict[Hashable, T] = {}
    for body in bodies:
        for row in listing.decode(body, api).rows:
            if listing.satisfies(row, filters):
                found.setdefault(listing.identity(row), row)
    return tuple(found.values())


def plain_listing(rows: str) -> Listing[dict[str, Any]]:
    """A list of which no more is known than its name: rows are told apart by their whole text."""

    def decode(body: bytes, _: ApiSet) -> Rows[dict[str, Any]]:
        page = load(body)
        if not isinstance(page, dict) or not isinstance(page.get(rows), list):
            raise Undecodable(f"The answer has no list {rows!r}. {_ADVICE}")
        return Rows(tuple(page[rows]), (page.get("pagination") or {}).get("next_key"))

    return Listing(rows, lambda _: "", decode, lambda row: json.dumps(row, sort_keys=True), lambda _: {})
