"""The town of `onboarding_town` with two claimed GPUs and one spot check: drawn, opened, run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.chain import BlockRow
from ledger.spot_checks import SpotCheckRow
from services.claims import submit
from services.house import House
from services.spot_draws import hold
from tasks.moment import SECOND, Moment, parse_moment
from tests.onboarding_town import TownNode, at, town, verified
from tests.onboarding_worlds import PROVIDER
from tests.probing import CAMPAIGN
from tests.provider_double import ProviderDouble, node
from tests.spot_worlds import spot_result
from verifiers.probes import State

CLOSES = parse_moment("2026-12-01T00:00:00Z")
TEXT = CAMPAIGN.replace("min_observed: 24h", "min_observed: 24h, spot_checks: 1")
UP = State.up({"nvidia/a100": 2})
MINUTE = 60 * SECOND
Town = tuple[House, TownNode, ProviderDouble]


@contextmanager
def spot_town(folder: Path) -> Iterator[Town]:
    """Two claimed GPUs whose time has begun."""
    with town(folder, TEXT) as opened_town:
        house, node_, double = opened_town
        double.nodes = [node(gpus=[("a100", "80Gi")] * 2)]
        node_.routes["/akash/deployment/v1beta4/deployments/list"] = lambda asked: node_.state(
            asked, {"deployments": list(node_.world.deployments.values()), "pagination": {"next_key": None}}
        )
        submit(house, PROVIDER, "onboard", {"provider": PROVIDER, "gpu_model": "a100", "count": "2"})
        verified(house, node_)
        yield opened_town


def moved(house: House, node_: TownNode, moment: int) -> House:
    """The platform at another moment, its follower at the tip."""
    later = at(house, node_, Moment(moment))
    keep_tip(later, node_)
    return later


def keep_tip(house: House, node_: TownNode) -> None:
    with house.ledger.write() as session:
        tip = BlockRow(chain_id="local-v2", height=node_.tip, hash=None, time_ns=node_.time_of(node_.tip))
        session.merge(tip)


def drawn(house: House, node_: TownNode) -> SpotCheckRow:
    keep_tip(house, node_)
    hold(house)
    return only(house)


def only(house: House) -> SpotCheckRow:
    with house.ledger.read() as session:
        (row,) = session.query(SpotCheckRow)
        session.expunge(row)
        return row


def opened(house: House, node_: TownNode) -> House:
    """The house at the drawn moment, the spot check open."""
    later = moved(house, node_, drawn(house, node_).moment_ns)
    assert hold(later) == "1 opened, 0 closed"
    verified(later, node_)
    return later


def leased_at_once(node_: TownNode, units: int = 2) -> None:
    node_.world.deploy(70, node_.tip - 10, owner=PROVIDER, units=units)
    node_.world.lease(70, PROVIDER, node_.tip - 5, owner=PROVIDER)


def result_text(name: str, cards: list[str]) -> str:
    """What the containers of the shipped proofs serve."""
    return json.dumps(spot_result(name, cards))
