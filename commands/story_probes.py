"""Probes of the demo: what ours would have found in the days before it was started, by the story's own faults."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from devnet.providers.faults import ProviderFault
from devnet.providers.hosted import Hosted
from jobs.demo_run import Performance
from services import probing
from services.house import House
from tasks.moment import SECOND, Moment
from verifiers.evidence import ChainPoint
from verifiers.probes import DAY, ProbeDay, State, day_of
from verifiers.provider.questions import GET_STATUS, STATUS

EVERY_SECONDS = 300
BLOCK = 6 * SECOND
BEFORE_THE_END = 20
"""Blocks before the end of a day at which its gaps are filled: it is sealed soon after."""

_CAUSES = {
    "refuse": "refused", "silent": "timeout", "no_tls": "tls", "delay": "timeout", "slow_header": "timeout",
    "slow_body": "timeout", "status": "server_error", "redirect": "redirected", "content_type": "wrong_content_type",
    "cut": "cut_body", "drop": "cut_body", "not_ready": "not_ready", "expired": "bad_certificate",
    "foreign": "bad_certificate", "unlisted": "bad_certificate",
}  # fmt: skip
_GRPC_ONLY = frozenset({"not_ready"})


def probe_performances(
    house: House, block: Callable[[int], ChainPoint], hosts: Sequence[Hosted], closes: int
) -> list[Performance]:
    """One act for each UTC day up to the close (a height): slots that really were probed keep what was found.

    The first comes before all that people do and fills every day up to now, so that no claim is judged without them.
    """
    first, last = block(1).time, block(closes).time
    acts = [Performance(1, partial(_fill_past, house, hosts, first, last))]
    for number in range(day_of(first), day_of(last) + 1):
        ends = min(Moment((number + 1) * DAY), last)
        height = max(1, (ends - first) // BLOCK + 1 - BEFORE_THE_END)
        acts.append(Performance(height, partial(_fill, house, hosts, number, first, last)))
    return acts


def _fill_past(house: House, hosts: Sequence[Hosted], first: Moment, last: Moment) -> None:
    until = Moment(min(house.clock.now(), last))
    for number in range(day_of(first), day_of(until) + 1):
        _fill(house, hosts, number, first, until)


def _fill(house: House, hosts: Sequence[Hosted], number: int, first: Moment, last: Moment) -> None:
    probing.fill_days(house, [told_day(hosted, number, first, last) for hosted in hosts])


def told_day(hosted: Hosted, number: int, first: Moment, last: Moment) -> ProbeDay:
    """A day of a provider by its faults. `first`: the time of block 1; nothing before it and from `last` on."""
    day = ProbeDay.empty(hosted.owner, number, EVERY_SECONDS)
    up = State.up(_capacity(hosted))
    for slot in range(len(day.slots)):
        moment = day.span(slot)[0]
        if first <= moment < last:
            cause = next(_causes(hosted, (moment - first) // BLOCK + 1), None)
            day = day.with_state(slot, State.down(cause) if cause else up)
    return day


def _capacity(hosted: Hosted) -> dict[str, int]:
    found: dict[str, int] = {}
    for machine in hosted.machines:
        for card in machine.cards:
            label = f"{card.vendor}/{card.model}"
            found[label] = found.get(label, 0) + 1
    return found


def _causes(hosted: Hosted, height: int) -> Iterator[str]:
    if hosted.shows:
        yield "bad_certificate"
    for fault in hosted.faults:
        if fault.holds(height) and fault.probability >= 1 and fault.count is None and _is_met(fault):
            yield "rate_limited" if fault.kind == "status" and fault.status == 429 else _CAUSES[fault.kind]


def _is_met(fault: ProviderFault) -> bool:
    """Whether one of the two questions of a probe meets it."""
    if fault.kind not in _CAUSES:
        return False
    asked = {"rest": STATUS, "grpc": GET_STATUS}
    if fault.kind in _GRPC_ONLY:
        del asked["rest"]
    return any(fault.api in {"", api} and re.search(fault.path, route) for api, route in asked.items())
