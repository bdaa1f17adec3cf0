"""The client on the local network in both generations: whole lists, events beside state, and its faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from devnet.faults import Fault
from devnet.network import Devnet, serve
from devnet.scenarios import small
from tasks.moment import SECOND, Moment, parse_moment
from tests.nodes import StandingClock, Stopwatch
from verifiers.chain import answers
from verifiers.chain.client import Chain
from verifiers.chain.pinned import PinnedChain
from verifiers.chain.trouble import Disagree, Lagging, Pruned, WrongChain
from verifiers.evidence import ChainPoint

START = parse_moment("2026-06-01T00:00:00Z")
CLOCK = StandingClock(Moment(START + 300 * 6 * SECOND))
TIP = 300

Connect = Callable[..., Chain]


@pytest.fixture(params=["v1", "v2"])
def network(request: pytest.FixtureRequest) -> Iterator[Devnet]:
    with serve(small.scenario(), start=START, clock=CLOCK, port=0, generation=request.param) as running:
        running.settings.tip = TIP
        yield running


@pytest.fixture
def connect() -> Iterator[Connect]:
    made: list[Chain] = []

    def build(rest: list[str], rpc: list[str], agree: int = 1) -> Chain:
        watch = Stopwatch()
        made.append(Chain(rest, rpc, CLOCK, agree=agree, monotonic=watch.monotonic, sleep=watch.sleep))
        return made[-1]

    yield build
    for chain in made:
        chain.close()


@pytest.mark.parametrize("listing", answers.LISTINGS, ids=lambda listing: listing.rows)
def test_walk__any_page_size__gives_the_same_rows(
    network: Devnet, connect: Connect, listing: answers.Listing[object]
) -> None:
    chain = connect([network.rest_url], [network.rpc_url])
    found = [
        [listing.identity(row) for page in chain.walk(listing, {}, TIP, limit) for row in page.rows]
        for limit in (1000, 4)
    ]
    assert set(found[0]) == set(found[1])
    assert len(found[0]) == len(set(found[1])) > 0


def test_events__of_all_blocks__name_every_deployment_and_lease_of_the_state(
    network: Devnet, connect: Connect
) -> None:
    chain = connect([network.rest_url], [network.rpc_url])
    events = [
        event
        for height in range(1, TIP + 1)
        for event in answers.akash_events(answers.decode_block_results(chain.block_results(height).body))
    ]
    leases = [row.lease for page in chain.walk(answers.LEASES, {}, TIP) for row in page.rows]
    made = {(event.id, event.height) for event in events if event.name == "LeaseCreated"}
    ended = {(event.id, event.height) for event in events if event.name == "LeaseClosed"}
    assert {(names(lease.id), lease.created_at) for lease in leases} == made
    assert {(names(lease.id), lease.closed_on) for lease in leases if not lease.runs} == ended


def names(lease: answers.LeaseId) -> answers.ObjectId:
    return answers.ObjectId(lease.owner, lease.dseq, lease.gseq, lease.oseq, lease.provider, lease.bseq)


def test_get__one_of_two_hosts_lies__is_unknown_when_both_must_agree(network: Devnet, connect: Connect) -> None:
    other = network.add_host()
    other.faults.add(Fault("lie", path="leases/list", find='"state":"closed"', put='"state":"active"'))
    chain = connect([network.rest_url, other.rest_url], [network.rpc_url, other.rpc_url], agree=2)
    assert chain.tip().height == TIP
    assert list(chain.walk(answers.PROVIDERS, {}, TIP))
    with pytest.raises(Disagree):
        list(chain.walk(answers.LEASES, {}, TIP))


def test_get__pruned_state__is_never_absence_and_an_archive_host_answers(network: Devnet, connect: Connect) -> None:
    network.settings.keep_states = 20
    lease = {"id.owner": small.address("ada"), "id.dseq": "1001"}
    chain = connect([network.rest_url], [network.rpc_url])
    with pytest.raises(Pruned):
        chain.get(chain.api.deployments_info, lease, 100)
    seen = PinnedChain(chain, ChainPoint(small.CHAIN_ID, 100, Moment(0))).state(chain.api.deployments_info, lease)
    assert seen.trouble == "pruned"
    archive = network.add_host()
    archive.settings.keep_states = None
    both = connect([network.rest_url, archive.rest_url], [network.rpc_url])
    assert both.get(chain.api.deployments_info, lease, 100).status == 200


def test_get__host_behind__is_lagging_and_the_next_answers(network: Devnet, connect: Connect) -> None:
    behind = network.add_host()
    behind.settings.tip = 200
    lagging = connect([behind.rest_url], [behind.rpc_url])
    with pytest.raises(Lagging):
        lagging.block(TIP)
    both = connect([behind.rest_url, network.rest_url], [behind.rpc_url, network.rpc_url])
    assert both.block(TIP).height == TIP


@pytest.mark.parametrize("kind", ["cut", "drop", "status"])
def test_get__trouble_that_passes__is_got_over(network: Devnet, connect: Connect, kind: str) -> None:
    extra = {"status": 429, "retry_after": 2} if kind == "status" else {}
    network.faults.add(Fault(kind, path="leases/list", count=1, **extra))  # type: ignore[arg-type]
    chain = connect([network.rest_url], [network.rpc_url])
    assert list(chain.walk(answers.LEASES, {}, TIP))


def test_tip__chain_reset_under_the_same_address__is_wrong_chain(network: Devnet, connect: Connect) -> None:
    chain = connect([network.rest_url], [network.rpc_url])
    assert chain.tip().chain_id == small.CHAIN_ID
    network.reset(chain_id="waymark-small-2")
    with pytest.raises(WrongChain):
        chain.tip()
