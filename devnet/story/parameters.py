"""A story's parameters, read from the YAML files of its folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from devnet.story.draw import Curve

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
ANY = "any"
"""No GPU model named."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Heights of a story: 1 at `opens`, one each `seconds_per_block`."""

    opens: datetime
    seconds_per_block: int

    def height(self, moment: datetime) -> int:
        """The first block not earlier than a moment."""
        return 1 + -(-int((moment - self.opens).total_seconds()) // self.seconds_per_block)

    def day(self, days: float) -> int:
        """The block so many days after the opening."""
        return 1 + round(days * 86400) // self.seconds_per_block

    def blocks(self, minutes: float) -> int:
        """So many minutes in blocks, at least one."""
        return max(1, round(minutes * 60) // self.seconds_per_block)


@dataclass(frozen=True, slots=True)
class Totals:
    """The five figures (DESIGN section 5)."""

    participants: int
    requests: int
    leases: int
    deployers: int
    peak: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the totals have to be; `None`: whatever comes out."""

    participants: int
    requests: int
    leases: int | None
    deployers: int | None
    peak: int | None


@dataclass(frozen=True, slots=True)
class App:
    """An app that can be deployed. `title` is empty for what is in no catalogue."""

    slug: str
    weight: int
    title: str = ""
    image: str = ""


@dataclass(frozen=True, slots=True)
class Gpus:
    """The GPUs of one model at one provider."""

    count: int
    ram: str = ""
    interface: str = ""


@dataclass(frozen=True, slots=True)
class ProviderPlan:
    """A provider: when it joins and leaves (heights), what it has, how it bids (percent)."""

    name: str
    region: str
    joins: int
    leaves: int | None
    bids: int
    asks: int
    gpus: Mapping[str, Gpus]


@dataclass(frozen=True, slots=True)
class Crowd:
    """The people whom no cast list names; see story.yaml."""

    doers: int
    players: int | None
    strangers: int
    doers_apps: Mapping[int, float]
    doers_days: Sequence[float]
    doers_minutes: Curve
    outcomes: Mapping[str, float]
    entries: Mapping[str, float]
    answered: float
    answered_strangers: float
    second_order: float
    ends: Mapping[str, float]
    failed_transactions: float
    updates: float
    web_deployments: int


@dataclass(frozen=True)
class Parameters:
    """All that a story is made from, at one scale."""

    folder: Path
    name: str
    chain_id: str
    seed: int
    calendar: Calendar
    closes: int
    told_by: int
    task: str
    task_opens: int
    task_closes: int
    totals: Wanted
    days: Sequence[float]
    hours: Sequence[float]
    sign_up_days: Sequence[float]
    apps: Sequence[App]
    others: Sequence[App]
    catalogue_models: Sequence[str]
    own_settings: int
    models: Mapping[str, float]
    units: Mapping[int, float]
    bid_blocks: tuple[int, int]
    accept_blocks: tuple[int, int]
    minutes: Curve
    crowd: Crowd
    peak_at: int
    peak_hours: tuple[int, int]
    acts_per_hour: int
    evening: Mapping[str, float]
    prices: Mapping[str, int]
    web_price: int
    providers: Sequence[ProviderPlan]
    cards: Sequence[Mapping[str, str]]
    machines: Mapping[str, Sequence[Mapping[str, Any]]]
    ways: Mapping[str, Mapping[str, Any]]
    hosts_task: str
    hosts: Sequence[Mapping[str, Any]]
    racks: Sequence[Mapping[str, Any]]
    unreadable_hosts: Sequence[Mapping[str, str]]
    cast: Sequence[Mapping[str, Any]]


def read_parameters(folder: Path, scale: str) -> Parameters:
    """Read the YAML files of a story's folder. Raises KeyError for an unknown scale or a missing key."""
    told = _yaml(folder / "story.yaml")
    hosts = _yaml(folder / "providers.yaml")
    keepers = _yaml(folder / "hosts.yaml")
    smaller = told["scales"][scale]
    calendar = Calendar(told["opens"], told["seconds_per_block"])
    named = smaller.get("cast")
    return Parameters(
        folder=folder,
        name=told["name"],
        chain_id=told["chain_id"],
        seed=told["seed"],
        calendar=calendar,
        closes=calendar.height(told["closes"]),
        told_by=calendar.day(told["told_by_day"]),
        task=told["task"]["slug"],
        task_opens=calendar.height(told["task"]["opens"]),
        task_closes=calendar.height(told["task"]["closes"]),
        totals=Wanted(**(told["totals"] | smaller.get("totals", {}))),
        days=told["days"],
        hours=told["hours"],
        sign_up_days=told["sign_up_days"],
        apps=tuple(App(**app) for app in told["apps"]),
        others=tuple(App(other["sdl"], other["weight"]) for other in told["others"]),
        catalogue_models=told["catalogue_models"],
        own_settings=told["own_settings"],
        models=told["models"],
        units=told["units"],
        bid_blocks=tuple(told["bid_blocks"]),
        accept_blocks=tuple(told["accept_blocks"]),
        minutes=told["minutes"],
        crowd=_crowd(told["crowd"], smaller),
        peak_at=calendar.height(told["peak"]["at"]),
        peak_hours=tuple(told["peak"]["hours"]),
        acts_per_hour=smaller.get("acts_per_hour", told["evening"]["acts_per_hour"]),
        evening=told["evening"]["shares"],
        prices=hosts["prices"],
        web_price=hosts["web_price"],
        providers=_providers(hosts["providers"][: smaller.get("providers")], calendar),
        cards=hosts["cards"],
        machines=hosts["machines"],
        ways=hosts["ways"],
        hosts_task=keepers["task"],
        hosts=keepers["hosts"],
        racks=keepers["racks"],
        unreadable_hosts=keepers["unreadable"],
        cast=[one for one in _yaml(folder / "cast.yaml")["cast"] if named is None or one["name"] in named],
    )


def _crowd(told: dict[str, Any], smaller: dict[str, Any]) -> Crowd:
    names = ("doers", "players", "strangers", "web_deployments")
    return Crowd(**({"players": None} | told | {name: smaller[name] for name in names if name in smaller}))


def _providers(told: list[dict[str, Any]], calendar: Calendar) -> tuple[ProviderPlan, ...]:
    return tuple(
        ProviderPlan(
            name=one["name"],
            region=one["region"],
            joins=calendar.day(one["joins"]),
            leaves=calendar.day(one["leaves"]) if "leaves" in one else None,
            bids=one["bids"],
            asks=one["asks"],
            gpus={model: Gpus(**gpus) for model, gpus in one["gpus"].items()},
        )
        for one in told
    )


def _yaml(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506  a safe loader, in C where built
