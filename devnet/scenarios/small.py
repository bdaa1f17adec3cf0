"""A small network for tests: three providers, six tenants, 300 blocks with every state a lease can have.

Everybody's key is `key(name)`, so tests can sign for them. The main heights:

| who | dseq | what |
|---|---|---|
| ada | 1001 1002 1003 | the model server, leased 21 to 23 from north, south, east; closed by her at 260 |
| ben | 2001 | leased 31; he closes the lease at 60; order 2 leased 63 and still active; updated 70, paid in 71 |
| cho | 3001 3002 | money for 50 blocks from 41: 3001 is found overdrawn at 121, 3002 by nobody (still active) |
| dee | 4001 | leased 52; the provider closes at 82, the group is paused; started again at 84: order 2, one open bid |
| dee | 4002 | one bid, closed by its provider at 56; closed without a lease at 140 |
| eli | 5001 | CPU only, leased 62, active |
| eli | 5002 | ada's SDL again (same hash), leased for one block and 1 a block: 65 to 66 |
| fay | 6001 | leased 72 with a reclamation window; reclaiming from 150 (v2; v1 refuses that act) |
"""

from __future__ import annotations

from collections.abc import Iterator

from devnet.acts import (
    Act,
    BidId,
    CloseBid,
    CloseDeployment,
    CloseLease,
    CreateBid,
    CreateCertificate,
    CreateDeployment,
    CreateLease,
    CreateProvider,
    DepositDeployment,
    Failed,
    OrderId,
    Person,
    Scenario,
    Send,
    SignAttributes,
    StartGroup,
    StartReclaim,
    UpdateDeployment,
    WithdrawLease,
)
from devnet.keys import Key, key_of
from devnet.providers.hosted import GIB, Card, Hosted, Machine

CHAIN_ID = "waymark-small-1"
SEED = 300
ENDS = 300
PROVIDERS = {"north": ("a100", "h100"), "south": ("t4", "rtx4090"), "east": ("a100", "rtx4090")}
CARDS = {
    "a100": Card("a100", "80Gi", "PCIe", "20b5"),
    "h100": Card("h100", "80Gi", "SXM5", "2330"),
    "t4": Card("t4", "16Gi", "PCIe", "1eb8"),
    "rtx4090": Card("rtx4090", "24Gi", "PCIe", "2684"),
}
TENANTS = ("ada", "ben", "cho", "dee", "eli", "fay")
OTHERS = ("auditor", "organizer", "stranger")

_SDL = """\
version: "2.0"
services:
  {name}:
    image: {image}
    expose:
      - port: 8080
        as: 80
        to:
          - global: true
profiles:
  compute:
    {name}:
      resources:
        cpu:
          units: 4
        memory:
          size: 16Gi
        storage:
          size: 100Gi{gpu}
  placement:
    anywhere:
      pricing:
        {name}:
          denom: uakt
          amount: 20000
deployment:
  {name}:
    anywhere:
      profile: {name}
      count: 1
"""
_GPU = """
        gpu:
          units: {units}
          attributes:
            vendor:
              nvidia:"""

SDLS = {
    "model": _SDL.format(name="llm", image="ghcr.io/example/model-server:1.0", gpu=_GPU.format(units=1)),
    "model-2": _SDL.format(name="llm", image="ghcr.io/example/model-server:1.1", gpu=_GPU.format(units=1)),
    "pair": _SDL.format(name="pictures", image="ghcr.io/example/pictures:2.3", gpu=_GPU.format(units=2)),
    "web": _SDL.format(name="web", image="ghcr.io/example/hello:1.0", gpu=""),
}


def key(name: str) -> Key:
    """The key of a person or provider of this scenario."""
    return key_of(SEED, name)


def address(name: str) -> str:
    """The address of a person or provider of this scenario."""
    return key(name).address


def scenario() -> Scenario:
    """The scenario, the same at every call."""
    acts = [*_hosting(), *_ada(), *_ben(), *_cho(), *_dee(), *_eli(), *_fay(), *_money()]
    people = [Person(name, address(name), key(name).public_key) for name in (*TENANTS, *PROVIDERS, *OTHERS)]
    return Scenario("small", CHAIN_ID, acts, people, SDLS, ends=ENDS, hosts=tuple(_hosts()))


def _hosts() -> Iterator[Hosted]:
    """Each provider with one machine for each model that it names, four cards in each."""
    for name, models in PROVIDERS.items():
        machines = tuple(
            Machine(f"{name}-{place}", 64, 256 * GIB, (CARDS[model],) * 4) for place, model in enumerate(models, 1)
        )
        release = "0.10.7" if name == "east" else "0.14.0"
        yield Hosted(address(name), f"provider.{name}.example", machines, release=release)


def _bid(tenant: str, dseq: int, provider: str, oseq: int = 1) -> BidId:
    return BidId(OrderId(address(tenant), dseq, 1, oseq), address(provider))


def _hosting() -> Iterator[Act]:
    for place, (name, models) in enumerate(PROVIDERS.items()):
        capabilities = tuple((f"capabilities/gpu/vendor/nvidia/model/{model}", "true") for model in models)
        yield CreateProvider(
            height=2 + place,
            owner=address(name),
            host_uri=f"https://provider.{name}.example:8443",
            attributes=(("host", "akash"), ("region", f"{name}-1"), ("organization", name), *capabilities),
            email=f"ops@{name}.example",
            website=f"https://{name}.example",
        )
        yield CreateCertificate(height=6, position=place, owner=address(name), serial=1_000_001 + place)
        yield SignAttributes(
            height=8,
            position=place,
            auditor=address("auditor"),
            provider=address(name),
            attributes=(("region", f"{name}-1"),),
        )
    for place, name in enumerate(TENANTS):
        yield CreateCertificate(height=10, position=place, owner=address(name), serial=2_000_001 + place)


def _leased(tenant: str, dseq: int, provider: str, height: int, sdl: str, price: str = "1000") -> Iterator[Act]:
    """A deployment at `height`, a bid two blocks later, the lease in the block after."""
    yield CreateDeployment(height=height, owner=address(tenant), dseq=dseq, sdl=sdl, deposit=5_000_000)
    model = () if sdl == "web" else (PROVIDERS[provider][0],)
    yield CreateBid(height=height + 2, bid=_bid(tenant, dseq, provider), price=price, gpu_models=model)
    yield CreateLease(height=height + 3, bid=_bid(tenant, dseq, provider))


def _ada() -> Iterator[Act]:
    for place, provider in enumerate(PROVIDERS):
        dseq = 1001 + place
        yield from _leased("ada", dseq, provider, 18 + place, "model", price="1200.5")
        for other in PROVIDERS:
            if other != provider:
                yield CreateBid(height=19 + place, bid=_bid("ada", dseq, other), price="1500")
        yield WithdrawLease(height=100 + place, bid=_bid("ada", dseq, provider))
        yield CloseDeployment(height=260, position=place, owner=address("ada"), dseq=dseq)


def _ben() -> Iterator[Act]:
    yield from _leased("ben", 2001, "north", 28, "pair")
    yield CloseLease(height=60, bid=_bid("ben", 2001, "north"))
    yield CreateBid(height=62, bid=_bid("ben", 2001, "east", 2), price="900", gpu_models=("a100",))
    yield CreateLease(height=63, bid=_bid("ben", 2001, "east", 2))
    yield UpdateDeployment(height=70, owner=address("ben"), dseq=2001, sdl="model-2")
    yield DepositDeployment(height=71, owner=address("ben"), dseq=2001, amount=1_500_000)
    yield WithdrawLease(height=200, bid=_bid("ben", 2001, "east", 2))


def _cho() -> Iterator[Act]:
    for dseq in (3001, 3002):
        yield CreateDeployment(height=38, owner=address("cho"), dseq=dseq, sdl="model", deposit=500_000)
        yield CreateBid(height=40, bid=_bid("cho", dseq, "south"), price="10000", gpu_models=("t4",))
        yield CreateLease(height=41, bid=_bid("cho", dseq, "south"))
    yield WithdrawLease(height=121, bid=_bid("cho", 3001, "south"))


def _dee() -> Iterator[Act]:
    yield from _leased("dee", 4001, "east", 49, "model")
    yield CloseBid(height=82, bid=_bid("dee", 4001, "east"), reason="lease_closed_reason_unstable")
    yield StartGroup(height=84, owner=address("dee"), dseq=4001)
    yield CreateBid(height=86, bid=_bid("dee", 4001, "north", 2), price="1100", gpu_models=("a100",))
    yield CreateDeployment(height=53, owner=address("dee"), dseq=4002, sdl="pair")
    yield CreateBid(height=55, bid=_bid("dee", 4002, "south"), price="3000", gpu_models=("t4",))
    yield CloseBid(height=56, bid=_bid("dee", 4002, "south"))
    yield CloseDeployment(height=140, owner=address("dee"), dseq=4002)


def _eli() -> Iterator[Act]:
    yield from _leased("eli", 5001, "south", 59, "web", price="40")
    yield from _leased("eli", 5002, "north", 62, "model", price="1")
    yield CloseDeployment(height=66, owner=address("eli"), dseq=5002)


def _fay() -> Iterator[Act]:
    bid = _bid("fay", 6001, "north")
    yield CreateDeployment(height=69, owner=address("fay"), dseq=6001, sdl="model", min_reclamation_seconds=3600)
    yield CreateBid(height=71, bid=bid, price="1300", gpu_models=("h100",), reclamation_window_seconds=7200)
    yield CreateLease(height=72, bid=bid)
    yield StartReclaim(height=150, bid=bid)


def _money() -> Iterator[Act]:
    yield CreateBid(height=54, bid=_bid("dee", 4002, "north"), price="99999")
    yield Send(height=90, sender=address("organizer"), recipient=address("stranger"), amount=25_000_000)
    yield Send(height=91, sender=address("ada"), recipient=address("ada"), amount=1, memo="waymark-login 0123")
    out_of_gas = Send(height=92, sender=address("ben"), recipient=address("ada"), amount=5)
    yield Failed(height=92, of=out_of_gas)


__all__ = ["CHAIN_ID", "ENDS", "PROVIDERS", "SDLS", "TENANTS", "address", "key", "scenario"]
