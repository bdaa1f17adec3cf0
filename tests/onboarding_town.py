"""A node and a provider on loopback with a house that looks at both: a claimed GPU from its entry to the close."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ledger.chain import CursorRow, ProviderRow
from ledger.claims import ClaimRow
from ledger.people import AddressRow, ParticipantRow, RegistrationRow
from ledger.verdicts import take_due
from services import campaigns
from services.house import House
from services.verification import LEASE, verify_claims
from tasks.moment import SECOND, Moment
from tests.houses import NOON, make_house
from tests.nodes import Answer, Asked, Node
from tests.onboarding_worlds import PROVIDER, TENANT, OnboardingWorld, record_json
from tests.probing import CAMPAIGN
from tests.provider_double import CERTIFICATES_PATH, ProviderDouble, made
from verifiers.chain.client import Chain
from verifiers.evidence import ChainPoint

API = "/akash/market/v1beta5"
DEPLOYMENT = "/akash/deployment/v1beta4/deployments/info"
RECORD = f"/akash/provider/v1beta4/providers/{PROVIDER}"


class TownNode(Node):
    """A node that serves an OnboardingWorld, whose provider is a double."""

    def __init__(self, world: OnboardingWorld, double: ProviderDouble) -> None:
        super().__init__(tip=world.height)
        self.world = world
        self.rows = [made().row()]
        self.routes[RECORD] = lambda asked: self.state(
            asked, {"provider": {**record_json("a100"), "host_uri": double.host_uri}}
        )
        self.routes[CERTIFICATES_PATH] = self._certificates
        self.routes[f"{API}/leases/list"] = self._leases
        self.routes[f"{API}/bids/info"] = self._one
        self.routes[DEPLOYMENT] = self._one
        self.routes["/block_results"] = self._results

    def time_of(self, height: int) -> Moment:
        return self.world.time(height)

    def _certificates(self, asked: Asked) -> Answer:
        wanted = asked.parameters["filter.serial"], asked.parameters["filter.state"]
        rows = [row for row in self.rows if (row["serial"], row["certificate"]["state"]) == wanted]
        return self.state(asked, {"certificates": rows, "pagination": {"next_key": None, "total": "0"}})

    def _leases(self, asked: Asked) -> Answer:
        return self.state(asked, {"leases": self.world.leases, "pagination": {"next_key": None, "total": "0"}})

    def _one(self, asked: Asked) -> Answer:
        return self.state(asked, json.loads(self.world.state(asked.route, asked.parameters).body))

    def _results(self, asked: Asked) -> Answer:
        return Answer(json.loads(self.world.block_results(int(asked.parameters["height"])).body))


@contextmanager
def town(folder: Path, text: str = CAMPAIGN) -> Iterator[tuple[House, TownNode, ProviderDouble]]:
    """The provider's owner and a tenant are registered; the tenant's lease is in block 500, now is block 1000."""
    world = OnboardingWorld(chain_id="local-v2").leased(500)
    with ProviderDouble() as double, TownNode(world, double) as node:
        house = make_house(folder, campaign=text, allow_private_hosts=("127.0.0.0/8",), control_probes=(node.url,))
        house = replace(house, chain=Chain([node.url], [node.url], house.clock))
        with house.ledger.write() as session:
            for address in (PROVIDER, TENANT):
                session.add(ParticipantRow(address=address, created_ns=NOON))
                session.flush()
                known = {"proved_ns": NOON, "proof": "text", "linked_ns": NOON}
                session.add(AddressRow(address=address, participant=address, **known))
                registration = {"rules_digest": "0" * 64, "received_ns": NOON - 7200 * SECOND}
                session.add(RegistrationRow(campaign="small-test", participant=address, **registration))
            session.add(
                ProviderRow(
                    chain_id="local-v2",
                    owner=PROVIDER,
                    host_uri=double.host_uri,
                    attributes=[["region", "eu-west"], ["capabilities/gpu/vendor/nvidia/model/a100", "true"]],
                    created_at=None,
                    not_later_than=400,
                    read_height=1000,
                )
            )
            session.add(follower(NOON))
        yield house, node, double


def follower(now: Moment) -> CursorRow:
    """A follower that stands at block 1000, which is new."""
    return CursorRow(
        chain_id="local-v2",
        stage="following",
        height=1000,
        hash="AB" * 32,
        time_ns=now,
        listing_round=0,
        state="following",
        detail="",
        checked_ns=now,
        tip_height=1000,
        tip_time_ns=now,
        earliest_height=1,
    )


def at(house: House, node: TownNode, moment: Moment) -> House:
    """The same house at a later moment, with the chain and its follower there."""
    height = (moment - node.world.start) // (6 * SECOND)
    node.tip = node.world.height = height
    later = replace(house.at(type(house.clock)(moment)))
    with house.ledger.write() as session:
        cursor = session.get_one(CursorRow, "local-v2")
        cursor.height = cursor.tip_height = height
        cursor.time_ns = cursor.tip_time_ns = cursor.checked_ns = moment
    return later


def verified(house: House, node: TownNode) -> dict[str, ClaimRow]:
    """One look at every claim that is due; all claims by subject."""
    now = house.clock.now()
    point = ChainPoint("local-v2", node.tip, node.world.time(node.tip))
    taken = house.ledger.transact(lambda session: take_due(session, now, "tests", 200, LEASE))
    verify_claims(house, campaigns.required(house), point, taken, "tests")
    with house.ledger.read() as session:
        return {row.subject.rpartition("/")[2]: row for row in session.query(ClaimRow)}
