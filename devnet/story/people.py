"""What people do outside the chain, each act at the block at which they do it.

Whoever plays a story performs these through the same use cases that the API calls, signed by the person's own key
(`Story.keys`). Acts are sorted by height; acts of one height keep their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonAct:
    """Something that `participant` (a registered address) does when the block `height` is the newest."""

    height: int
    participant: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Register(PersonAct):
    """Sign in with an ADR-036 signature of `participant`, accept the terms. An empty display name is none."""

    display_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link(PersonAct):
    """Link a further address, proved by an ADR-036 signature of `address`."""

    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveSdl(PersonAct):
    """Give the SDL of one's deployment (owner, dseq) on the page of a task; its app is left to the SDL to say."""

    task: str
    owner: str
    dseq: int
    sdl_text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitClaim(PersonAct):
    """Submit a claim for a task of the campaign, with the fields of its form."""

    task: str
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerReview(PersonAct):
    """Answer a reviewer who asked for changes to the claim (task, subject)."""

    task: str
    subject: str
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeAppeal(PersonAct):
    """Contest what came of one's claim (task, subject). `about`: its result or its award."""

    task: str
    subject: str
    about: str
    text: str


def renamed(acts: Iterable[PersonAct], names: Mapping[str, str]) -> Iterator[PersonAct]:
    """The acts, everybody in `names` (by address) registering under the name given there."""
    for act in acts:
        if isinstance(act, Register) and act.participant in names:
            yield replace(act, display_name=names[act.participant])
        else:
            yield act
