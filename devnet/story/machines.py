"""The machines behind the providers of a story, and how some of them misbehave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from devnet.providers.faults import ProviderFault
from devnet.providers.hosted import GIB, Card, Hosted, Machine
from devnet.story.folk import Folk
from devnet.story.parameters import Calendar, Gpus, Parameters, ProviderPlan

Told = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Way:
    """What is special about a provider; see `ways` in providers.yaml. `revokes`: a height."""

    release: str = "0.14.0"
    certificate_age_days: int = 0
    shows: str = ""
    says: str = ""
    revokes: int | None = None
    claims: tuple[str, ...] = ()
    faults: tuple[ProviderFault, ...] = field(default=())


def way_of(parameters: Parameters, one: ProviderPlan) -> Way:
    """The way of a provider."""
    told = dict(parameters.ways.get(one.name, {}))
    if "revokes" in told:
        told["revokes"] = one.joins + parameters.calendar.day(told["revokes"])
    for other in ("shows", "says"):
        if told.get(other) not in {each.name for each in parameters.providers}:
            told.pop(other, None)  # a smaller scale may lack the provider whose it would be
    told["claims"] = tuple(told.get("claims", ()))
    told["faults"] = tuple(_fault(parameters.calendar, fault) for fault in told.get("faults", ()))
    return Way(**told)


def hosted(parameters: Parameters, folk: Folk) -> tuple[Hosted, ...]:
    """Every provider with its machines. Raises ValueError where they hold other cards than the provider has."""
    cards = [Card(**card) for card in parameters.cards]
    return tuple(_hosted(parameters, folk, cards, one) for one in parameters.providers)


def hostname(one: ProviderPlan) -> str:
    """The made-up public name of a provider."""
    return f"provider.{one.name}.example"


def _hosted(parameters: Parameters, folk: Folk, cards: Sequence[Card], one: ProviderPlan) -> Hosted:
    way = way_of(parameters, one)
    made = Hosted(
        owner=folk.provider(one.name),
        hostname=hostname(one),
        machines=tuple(_machines(one, cards, parameters.machines[one.name])),
        release=way.release,
        certificate_age_days=way.certificate_age_days,
        shows=folk.provider(way.shows) if way.shows else "",
        says=folk.provider(way.says) if way.says else "",
        faults=way.faults,
    )
    has = Counter({model: gpus.count for model, gpus in one.gpus.items()})
    if made.gpus != has:
        raise ValueError(f"{one.name} has {dict(has)}, its machines hold {made.gpus}")
    return made


def _machines(one: ProviderPlan, cards: Sequence[Card], told: Sequence[Told]) -> Iterator[Machine]:
    number = 0
    for row in told:
        held = [
            _card(cards, model, one.gpus[model], row.get("device_id"))
            for model, count in row["gpus"].items()
            for _ in range(count)
        ]
        for _ in range(row.get("times", 1)):
            number += 1
            yield Machine(f"{one.name}-{number}", row["cpu"], row["memory"] * GIB, tuple(held))


def _card(cards: Sequence[Card], model: str, gpus: Gpus, device_id: str | None) -> Card:
    """The card of a model that has the memory and the interface that the provider names."""
    found = next(
        card
        for card in cards
        if card.model == model and gpus.ram in {"", card.memory} and card.interface.lower().startswith(gpus.interface)
    )
    if device_id is None:
        return found
    return Card(found.model, found.memory, found.interface, device_id)


def _fault(calendar: Calendar, told: Told) -> ProviderFault:
    return ProviderFault(**{**told, "first": calendar.day(told["first"])})
