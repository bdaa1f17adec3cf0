"""The client against the local network's own providers: another hand's work, in the real wire formats."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from devnet.network import Devnet, serve
from devnet.providers.faults import ProviderFault
from devnet.scenarios import small
from tasks.moment import SECOND, Moment, parse_moment
from tests.nodes import StandingClock
from verifiers.chain.client import Chain
from verifiers.chain.pinned import PinnedChain
from verifiers.guard import Guard
from verifiers.provider.client import ProviderLimits, Providers
from verifiers.provider.facts import ProviderSeen, provider_seen
from verifiers.provider.gpu_models import ModelNames
from verifiers.provider.identity import Standing
from verifiers.provider.source import PinnedProviders
from verifiers.provider.trouble import Whose, whose

START = parse_moment("2026-06-01T00:00:00Z")
TIP = 300
CLOCK = StandingClock(Moment(START + TIP * 6 * SECOND))
QUICK = ProviderLimits(look_seconds=10, question_seconds=1.5, connect_seconds=1.5)
PATIENT = ProviderLimits(look_seconds=60, question_seconds=20, connect_seconds=20)


@pytest.fixture(scope="module")
def network() -> Iterator[Devnet]:
    with serve(small.scenario(), start=START, clock=CLOCK, port=0, generation="v2", provider_port=0) as running:
        running.settings.tip = TIP
        yield running


@pytest.fixture(autouse=True)
def _well(network: Devnet) -> Iterator[None]:
    yield
    for provider in network.providers.values():
        provider.faults.clear()


def _look(network: Devnet, owner: str, limits: ProviderLimits = PATIENT) -> ProviderSeen:
    chain = Chain([network.rest_url], [network.rpc_url], CLOCK)
    point = chain.tip().point
    source = PinnedProviders(Providers(CLOCK, Guard(["127.0.0.0/8"]), limits=limits), PinnedChain(chain, point))
    seen = source.look(owner, network.providers[owner].host_uri)
    chain.close()
    return provider_seen(owner, seen, CLOCK.now())


def test_look__every_provider__is_pinned_with_the_cards_of_its_machines(network: Devnet) -> None:
    assert network.providers
    for owner, provider in network.providers.items():
        seen = _look(network, owner)
        assert (seen.rest.identity.standing, seen.grpc.identity.standing) == (Standing.PINNED, Standing.PINNED)
        assert seen.address.value == owner
        assert seen.version.value is not None
        assert seen.version.value.akash.version == provider.hosted.release
        assert seen.known_inventory is not None
        cards = [card.model for machine in provider.hosted.machines for card in machine.cards]
        assert seen.known_inventory.counts(ModelNames(None).id_of) == {
            model: cards.count(model) for model in set(cards)
        }


FAULTS = {
    "refuse": (("tls", "cut_body", "unreachable", "refused"), Whose.SILENCE),
    "silent": (("timeout",), Whose.SILENCE),
    "no_tls": (("tls",), Whose.SILENCE),
    "expired": (("bad_certificate",), Whose.THEIRS),
    "foreign": (("bad_certificate",), Whose.THEIRS),
    "unlisted": (("bad_certificate",), Whose.THEIRS),
    "slow_header": (("timeout",), Whose.SILENCE),
    "slow_body": (("timeout",), Whose.SILENCE),
    "status": (("server_error",), Whose.THEIRS),
    "redirect": (("redirected",), Whose.THEIRS),
    "content_type": (("wrong_content_type",), Whose.THEIRS),
    "cut": (("cut_body",), Whose.SILENCE),
    "drop": (("cut_body",), Whose.SILENCE),
    "not_ready": (("not_ready",), Whose.THEIRS),
}
"""Which names the first trouble may have, and whose it is."""


@pytest.mark.parametrize(("kind", "expected"), FAULTS.items(), ids=FAULTS)
def test_look__fault__has_its_name(network: Devnet, kind: str, expected: tuple[tuple[str, ...], Whose]) -> None:
    owner = next(iter(network.providers))
    network.providers[owner].faults.add(ProviderFault(kind, seconds=0.3))
    names, owner_of_trouble = expected
    seen = _look(network, owner, QUICK if "timeout" in names else PATIENT)
    assert seen.first_trouble in names
    assert whose(seen.first_trouble or "") in {owner_of_trouble, *({Whose.THEIRS} if kind == "refuse" else ())}
    assert seen.known_inventory is None


def test_look__kubernetes_gone__fails_version_and_leaves_the_inventory(network: Devnet) -> None:
    owner = next(iter(network.providers))
    network.providers[owner].faults.add(ProviderFault("no_kubernetes"))
    seen = _look(network, owner)
    assert seen.version.trouble == "server_error"
    assert seen.known_inventory is not None
