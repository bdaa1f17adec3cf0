"""Acts of people at moments of the past, through the use cases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from services import campaigns, housekeeping, registrations
from services.acts import Player
from services.errors import SignInRefused
from services.house import House
from tasks.moment import SECOND, Moment
from tests.houses import NOON, make_house
from tests.wallets import Keyholder
from verifiers.evidence import ChainPoint

WEEK = 7 * 86400 * SECOND


@dataclass
class Signer:
    """A key that does something else before each of its signatures."""

    holder: Keyholder
    before: list[Callable[[], object]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return self.holder.address

    @property
    def public_key(self) -> bytes:
        return self.holder.public_key

    def sign(self, text: str) -> bytes:
        if self.before:
            self.before.pop(0)()
        return self.holder.sign_text(text)


def block(height: int) -> ChainPoint:
    return ChainPoint("local-v2", height, Moment(NOON - WEEK + 6 * SECOND * height))


@pytest.fixture
def house(tmp_path) -> House:
    return make_house(tmp_path)


@pytest.fixture
def ada() -> Signer:
    return Signer(Keyholder("Ada of the tests"))


@pytest.fixture
def deployer() -> Signer:
    return Signer(Keyholder("a deployer of Ada"))


@pytest.fixture
def player(house, ada, deployer) -> Player:
    return Player(house, {ada.address: ada, deployer.address: deployer}.__getitem__, block)


def test_player__acts_of_the_past__hold_at_their_blocks_and_change_nothing_again(house, player, ada, deployer):
    for _ in range(2):
        player.register(5, ada.address, "Ada")
        player.link(7, ada.address, deployer.address)
    slug = campaigns.required(house).slug
    registration = registrations.registration_of(house, slug, ada.address)
    assert (registration.point, registration.received_at) == (block(5), block(5).time)
    assert registrations.addresses_of(house, ada.address) == (ada.address, deployer.address)


def test_player__housekeeping_sweeps_in_between__begins_again(house, player, ada, deployer):
    ada.before = [lambda: housekeeping.clean(house)]
    player.register(5, ada.address, "Ada")
    deployer.before = [lambda: housekeeping.clean(house)]
    player.link(7, ada.address, deployer.address)
    assert registrations.addresses_of(house, ada.address) == (ada.address, deployer.address)


def test_player__signature_that_never_holds__is_refused_in_the_end(player, ada, deployer):
    ada.holder = Keyholder("somebody else")
    player = Player(player.house, lambda _: ada, block)
    with pytest.raises(SignInRefused):
        player.register(5, deployer.address, "")
