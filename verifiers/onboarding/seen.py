"""What was gathered about a claimed GPU: the provider's record, its answers, what auditors signed (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from verifiers.chain.answers import Provider, akash_events, decode_audits, decode_block_results, decode_provider
from verifiers.chain.apiset import CURRENT, ApiSet
from verifiers.deployed.facts import NOT_LOOKED, UNDECODABLE, WRONG_CHAIN, WRONG_HEIGHT
from verifiers.evidence import ChainPoint, Observation, Source
from verifiers.trouble import Trouble, Undecodable

_REGIONS = ("region", "location-region", "country")


@dataclass(frozen=True, slots=True)
class RecordSeen:
    """The provider's record. `record` None without trouble: the chain says that there is none."""

    record: Provider | None
    trouble: str | None
    observations: tuple[str, ...]


def record_in(
    observations: Sequence[Observation], owner: str, point: ChainPoint, api: ApiSet = CURRENT
) -> RecordSeen:
    """The provider's record at the point."""
    request = f"GET {api.provider_info(owner)}"
    found = next((one for one in observations if one.source == Source.CHAIN and one.request == request), None)
    if found is None:
        return RecordSeen(None, NOT_LOOKED, ())
    ids = (found.id,)
    trouble = found.trouble or strange(found, point)
    if trouble is not None:
        return RecordSeen(None, trouble, ids)
    if found.status == 404:
        return RecordSeen(None, None, ids)
    try:
        record = decode_provider(found.body, api)
    except Trouble as error:
        return RecordSeen(None, error.name, ids)
    if record.owner != owner:
        return RecordSeen(None, Undecodable.name, ids)
    return RecordSeen(record, None, ids)


def strange(observation: Observation, point: ChainPoint) -> str | None:
    """What keeps an answer of the chain from being one about this block; None for one that is."""
    if observation.chain_id not in (None, point.chain_id):
        return WRONG_CHAIN
    if observation.height not in (None, point.height):
        return WRONG_HEIGHT
    return None if observation.status in {200, 404} else UNDECODABLE


def created_in(observations: Sequence[Observation], owner: str) -> tuple[int, str] | None:
    """The height of the block whose events say that the provider was created, with the observation; None unseen."""
    for observation in observations:
        if not observation.request.startswith("RPC block_results?") or observation.trouble is not None:
            continue
        try:
            events = akash_events(decode_block_results(observation.body))
        except Undecodable:
            continue
        if observation.height is not None and any(
            event.name == "ProviderCreated" and event.owner == owner for event in events
        ):
            return observation.height, observation.id
    return None


@dataclass(frozen=True, slots=True)
class Audits:
    """What the wanted auditors signed, by auditor. `trouble`: one of them could not be asked for."""

    signed: dict[str, frozenset[tuple[str, str]]]
    trouble: str | None
    observations: tuple[str, ...]


def audits_in(
    observations: Sequence[Observation], owner: str, auditors: Sequence[str], point: ChainPoint, api: ApiSet = CURRENT
) -> Audits:
    """What these auditors signed for a provider; 404 is a clear "nothing"."""
    by_request = {one.request: one for one in observations if one.source == Source.CHAIN}
    signed: dict[str, frozenset[tuple[str, str]]] = {}
    trouble, ids = None, []
    for auditor in auditors:
        found = by_request.get(f"GET {api.audit_by(auditor, owner)}")
        if found is None:
            trouble = NOT_LOOKED
            continue
        ids.append(found.id)
        problem = found.trouble or strange(found, point)
        if problem is None and found.status != 404:
            try:
                rows = decode_audits(found.body, api).rows
            except Trouble as error:
                problem = error.name
            else:
                signed[auditor] = frozenset(
                    (pair.key, pair.value)
                    for row in rows
                    if row.auditor == auditor and row.owner == owner
                    for pair in row.attributes
                )
        trouble = trouble or problem
    return Audits(signed, trouble, tuple(ids))


def region_of(record: Provider) -> str | None:
    """Where the provider says it is."""
    named = {pair.key: pair.value for pair in reversed(record.attributes)}
    return next((named[name][:60] for name in _REGIONS if named.get(name)), None)
