"""A whole platform that pays on a local payout chain: claims that were awarded and are final, staff with wallets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask.testing import FlaskClient

from devnet.network import Devnet, serve
from devnet.scenarios import payday
from devnet.sent.signatures import SignerData
from devnet.signing import join, sign_member
from ledger.people import RoleRow, SessionRow
from services.clock import StoppedClock
from services.eligibility import Entered, set_eligibility
from services.house import House
from services.rewards import compute_awards
from services.sessions import hash_token
from tasks.moment import SECOND, Moment
from tests import endings, houses
from tests.endings import claimed
from tests.payout_houses import APPROVER, NOW, STRANGER, THIRD, TREASURER, make_final, register
from tests.payout_lines import person
from tests.wallets import Keyholder
from verifiers.chain.client import Chain

START = Moment(NOW - 1_000 * SECOND)
TIP = 900
TREASURY = payday.treasury()
ORGANIZER = Keyholder("organizer")
SECRET = "a list that nobody else may read says so"
STAFF = {"treasurer": TREASURER, "approver": APPROVER, "third": THIRD, "organizer": ORGANIZER}


@dataclass
class Site:
    """The platform and its payout chain. Person 0 earned 10 and 20 USD, 1 earned 20, 2 earned 20 and is withheld."""

    house: House
    net: Devnet

    def pass_blocks(self, count: int) -> None:
        """Let the payout chain make so many blocks."""
        self.net.settings.tip = (self.net.settings.tip or 0) + count

    def client(self, app: object, who: str | Keyholder | None) -> FlaskClient:
        """The browser of somebody who is signed in; None: of nobody."""
        client: FlaskClient = app.test_client()  # type: ignore[attr-defined]
        if who is not None:
            holder = STAFF[who] if isinstance(who, str) else who
            client.set_cookie("waymark-session", self.session(holder.address))
        return client

    def session(self, address: str) -> str:
        """The token of a session."""
        now, token = self.house.clock.now(), f"token-{address}"
        with self.house.ledger.write() as session:
            session.merge(
                SessionRow(
                    token_hash=hash_token(token), address=address, created_ns=now, seen_ns=now,
                    expires_ns=now + 3600 * SECOND, csrf_token="a-token",
                )
            )  # fmt: skip
        return token


@contextmanager
def payout_site(folder: Path, claims: Sequence[tuple[int, str]] = (), **settings: object) -> Iterator[Site]:
    """The platform. `claims`: further passed claims as (person's number, task), awarded and final too."""
    with serve(payday.scenario(), start=START, clock=StoppedClock(NOW)) as net:
        net.settings.tip = TIP
        clock = StoppedClock(NOW)
        chain = Chain((net.rest_url,), (net.rpc_url,), clock, chain_id=payday.CHAIN_ID)
        house = houses.make_house(
            folder, campaign=endings.CAMPAIGN, payout_chain=chain, payout_chain_id=payday.CHAIN_ID, **settings
        ).at(clock)
        known = ((0, "deploy"), (0, "video"), (1, "video"), (2, "video"), *claims)
        register(house, sorted({number for number, _ in known}))
        for place, (number, task) in enumerate(known):
            claimed(house, person(number), task, 1 + place)
        compute_awards(house)
        for task in ("deploy", "video"):
            make_final(house, task)
        with house.ledger.write() as session:
            roles = {"treasurer": "treasurer", "approver": "approver", "third": "approver", "organizer": "organizer"}
            session.add_all(RoleRow(address=STAFF[name].address, role=role) for name, role in roles.items())
        set_eligibility(house, ORGANIZER.address, Entered(person(2), "withheld", SECRET, None), None)
        yield Site(house, net)
        house.ledger.close()


def signed_by_two(unsigned: bytes | str, sequence: int, members: Sequence[str] = ("treasurer", "keeper")) -> str:
    """The file that two members of the treasury's multisig signed and joined."""
    document, keys = json.loads(unsigned), payday.keys()
    where = SignerData(payday.CHAIN_ID, 0, sequence)
    parts = [sign_member(document, keys[name], where) for name in members]
    return json.dumps(join(document, TREASURY, parts, where))


__all__ = ["STRANGER", "TREASURY", "Site", "payout_site", "signed_by_two"]
