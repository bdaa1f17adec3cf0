"""`devnet`: the network alone, until told to stop."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from devnet.codehost import CodeHost
from devnet.faults import Fault
from devnet.key_files import write_keys
from devnet.network import Clock, serve
from devnet.scenarios import payday
from devnet.story.library import names, story

SECOND_NS = 10**9
HOUR_NS = 3600 * SECOND_NS
STORY_DAYS_BEFORE_START = 28
CODE_HOST_AT = 2
PAYOUTS_AT = 3
PROVIDERS_FROM = 10
"""The first provider's ports come so far after REST's (DESIGN section 5)."""

PAYOUTS_BEFORE_START_SECONDS = 600
PAYOUTS_FILE, KEYS_FOLDER = "payouts.jsonl", "keys"


class UnknownScenario(Exception):
    """There is no such scenario; the message names the ones there are."""


def run_devnet(
    name: str,
    port: int,
    clock: Clock,
    stop: threading.Event,
    *,
    opens: int | None = None,
    until: int | None = None,
    scale: str = "full",
    seed: int | None = None,
    generation: str = "v2",
    is_calm: bool = False,
    codes: Mapping[str, str] | None = None,
    payouts: Path | None = None,
) -> None:
    """Serve a scenario: REST on `port`, RPC on the next, a code host on the one after that, its providers from
    `port` + 10 in pairs (REST, gRPC).

    `payouts`: a folder; the payout chain is served too, REST on `port` + 3 and RPC on the next, keeps what is sent
    to it in this folder and writes the staff's keys there. Its blocks go on by the clock, whatever `until` says.

    `opens`: Unix nanoseconds of block 1; default: now, rounded down to the hour, less 28 days. About some owners the
    node fails to answer, as the story says, unless `is_calm`. `codes`: by participant, what stands in the text of
    their pull requests. Raises OSError where a port is taken, UnknownScenario, ValueError for a broken file of
    payouts.
    """
    if name not in names():
        raise UnknownScenario(f"there is no scenario {name!r}; there are: {', '.join(names())}")
    if opens is None:
        opens = clock.now() // HOUR_NS * HOUR_NS - STORY_DAYS_BEFORE_START * 24 * HOUR_NS
    told = story(name, scale=scale, seed=seed)
    unreadable = () if is_calm else told.unreadable.values()
    faults = [Fault("status", path=path, status=503) for path in unreadable]
    block_ns = told.chain.seconds_per_block * SECOND_NS
    host = CodeHost(
        told.pulls, codes or {}, lambda height: opens + (height - 1) * block_ns, clock.now, port + CODE_HOST_AT
    )
    with (
        closing(host),
        _payout_chain(payouts, opens + STORY_DAYS_BEFORE_START * 24 * HOUR_NS, clock, port + PAYOUTS_AT, seed),
        serve(
            told.chain,
            start=opens,
            clock=clock,
            port=port,
            generation=generation,
            until=until,
            faults=faults,
            provider_port=port + PROVIDERS_FROM,
        ) as network,
    ):
        tip = network.tip()
        with network.hosts[0].node.lock:
            network.chain.advance(tip)
        sys.stderr.write(
            f"{told.chain.chain_id} stands at {tip}: REST {network.rest_url}, RPC {network.rpc_url}, "
            f"code host {host.url}, {len(network.providers)} providers from port {port + PROVIDERS_FROM}\n"
        )
        stop.wait()


@contextmanager
def _payout_chain(folder: Path | None, begun: int, clock: Clock, port: int, seed: int | None) -> Iterator[None]:
    """The chain on which the demo pays, where there is a folder for it; `begun`: when the story was first started."""
    if folder is None:
        yield
        return
    own = payday.SEED if seed is None else seed
    write_keys(folder / KEYS_FOLDER, own)
    start = begun - PAYOUTS_BEFORE_START_SECONDS * SECOND_NS
    with serve(payday.scenario(own), start=start, clock=clock, port=port, journal=folder / PAYOUTS_FILE) as network:
        sys.stderr.write(f"{payday.CHAIN_ID}: REST {network.rest_url}, RPC {network.rpc_url}\n")
        yield
