"""The canonical form of a campaign and its digests.

The canonical form is the normalised content, not the file: defaults filled in, amounts as integers of a millionth,
times as RFC 3339, durations in nanoseconds, every mapping's keys sorted, JSON without spaces, ASCII only. So
comments, key order and the way a number is written don't change a digest, and everything else does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace

from tasks.moment import format_moment
from tasks.parts import Campaign
from tasks.rewards.money import Rate

_MOMENTS = frozenset({"opens", "closes", "results_by", "counts_from", "start", "end"})
_NOT_CONTENT = frozenset({"text", "digest", "rules_digest", "terms_digest"})
_READING_MATTER = frozenset({"title", "summary", "links"})


def canonical(value: object) -> object:
    """A part of a campaign as plain JSON values (see the module's text)."""
    if isinstance(value, Rate):
        whole, _, decimals = value.text.partition(".")
        decimals = decimals.rstrip("0")
        return f"{int(whole)}.{decimals}" if decimals else str(int(whole))
    if is_dataclass(value) and not isinstance(value, type):
        named = {each.name: getattr(value, each.name) for each in fields(value) if each.name not in _NOT_CONTENT}
        return {key: _moment(key, each) for key, each in named.items()}
    if isinstance(value, Mapping):
        return {str(key): canonical(each) for key, each in value.items()}
    if isinstance(value, (tuple, list)):
        return [canonical(each) for each in value]
    return value


def _moment(key: str, value: object) -> object:
    if key in _MOMENTS and isinstance(value, int):
        return format_moment(value)  # type: ignore[arg-type]  # the fields of these names are Moments
    return canonical(value)


def sha256_of(value: object) -> str:
    """Hex SHA-256 over canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def with_digests(campaign: Campaign) -> Campaign:
    """The campaign with its three digests.

    `digest` covers everything. `rules_digest` leaves out what is only for reading (titles, summaries, links), so it
    is what a participant accepts: rules, money, dates and terms. `terms_digest` is that of the terms' text alone.
    """
    content = canonical(campaign)
    return replace(
        campaign,
        digest=sha256_of(content),
        rules_digest=sha256_of(_rules_only(content)),
        terms_digest=hashlib.sha256(campaign.terms.encode()).hexdigest(),
    )


def _rules_only(content: object) -> object:
    if not isinstance(content, dict):
        return content
    kept = {key: each for key, each in content.items() if key not in _READING_MATTER}
    tasks = kept["tasks"]
    kept["tasks"] = [{key: each for key, each in task.items() if key not in _READING_MATTER} for task in tasks]
    return kept
