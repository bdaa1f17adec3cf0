"""The chain on which a demo pays: a treasury that two of three people open, the staff who sign, nobody else.

Everybody's key is `key_of(seed, name)`, as of all people of a story with this seed: made up, for local networks only.
"""

from __future__ import annotations

from collections.abc import Mapping

from devnet.acts import Person, Scenario
from devnet.keys import Key, key_of
from devnet.public_keys import MultisigKey, SingleKey

CHAIN_ID = "waymark-demo-pay-1"
SEED = 2023
SECONDS_PER_BLOCK = 1
AKT = 1_000_000
TREASURY = "treasury"
THRESHOLD = 2
MEMBERS = ("treasurer", "approver", "keeper")
ROLES: Mapping[str, str] = {
    "treasurer": "treasurer",
    "approver": "approver",
    "keeper": "approver",
    "organizer": "organizer",
    "reviewer": "reviewer",
    "second-reviewer": "reviewer",
}
"""The staff, and the role that the platform gives each."""

_TREASURY_UAKT = 1_000_000 * AKT
_OWN_UAKT = 10_000 * AKT


def keys(seed: int = SEED) -> dict[str, Key]:
    """The staff's keys by name."""
    return {name: key_of(seed, name) for name in ROLES}


def treasury(seed: int = SEED) -> MultisigKey:
    """The paying account: `THRESHOLD` of `MEMBERS`."""
    return MultisigKey(THRESHOLD, tuple(SingleKey(key_of(seed, name).public_key) for name in MEMBERS))


def scenario(seed: int = SEED) -> Scenario:
    """The chain: the treasury and its members have money, the rest of the staff none; nothing happens by itself."""
    shared = treasury(seed)
    people = [Person(TREASURY, shared.address, multisig=shared, balances=(("uakt", _TREASURY_UAKT),))]
    for name in MEMBERS:
        key = key_of(seed, name)
        people.append(Person(name, key.address, key.public_key, balances=(("uakt", _OWN_UAKT),)))
    return Scenario("payday", CHAIN_ID, [], people, seconds_per_block=SECONDS_PER_BLOCK)
