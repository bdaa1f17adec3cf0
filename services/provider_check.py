"""The pre-flight of a provider: what the official run would see of it now."""

from __future__ import annotations

from dataclasses import dataclass

from services import campaigns
from services.errors import Refused, Unavailable
from services.house import House
from services.provider_looks import provider_source
from services.verification import judge_params
from tasks.moment import format_moment
from tasks.parts import Campaign
from verifiers.chain.answers import Provider, decode_provider
from verifiers.chain.pinned import PinnedChain
from verifiers.evidence import ChainPoint, Check, Observation, Outcome, outcome_of
from verifiers.provider.checks import Wants, instant_checks, record_checks
from verifiers.provider.facts import provider_seen
from verifiers.provider.gpu_models import ListedModel, ModelNames, names_of
from verifiers.trouble import Trouble, Undecodable
from verifiers.wallet.addresses import AddressError, parse_address

KIND = "provider_onboarding"
MIN_CPU = 2


@dataclass(frozen=True, slots=True)
class ProviderReport:
    """What a look at one provider showed. `host_uri` None: the chain has no record of it, or could not be asked."""

    provider: str
    host_uri: str | None
    as_of: ChainPoint
    checks: tuple[Check, ...]
    observations: tuple[Observation, ...]

    @property
    def outcome(self) -> Outcome:
        """Of all checks together."""
        return outcome_of(self.checks)

    def document(self) -> dict[str, object]:
        """The report as JSON values."""
        return {
            "provider": self.provider,
            "host_uri": self.host_uri,
            "outcome": self.outcome.value,
            "as_of": {
                "chain_id": self.as_of.chain_id,
                "height": str(self.as_of.height),
                "time": format_moment(self.as_of.time),
            },
            "checks": [
                {"name": check.name, "expected": check.expected, "seen": check.seen, "outcome": check.outcome.value}
                for check in self.checks
            ],
        }


def check_provider(house: House, address: str) -> ProviderReport:
    """Look at a provider now, with the code of the official run; nothing is kept.

    Raises Refused for what is no address, Unavailable where the chain can't be asked at all.
    """
    try:
        owner = str(parse_address(address.strip()))
    except AddressError as error:
        raise Refused(str(error), field="address") from error
    if house.chain is None:
        raise Unavailable("No chain is connected: set WAYMARK_CHAIN_REST and WAYMARK_CHAIN_RPC.")
    try:
        point = house.chain.tip().point
    except Trouble as error:
        raise Unavailable(f"The chain can't be asked now: {error}") from error
    chain = PinnedChain(house.chain, point)
    answer = chain.state(chain.api.provider_info(owner), {})
    record, trouble = _record(answer, owner)
    wants = wanted(house)
    checks = record_checks(owner, record, trouble, (answer.id,), wants)
    if record is None:
        return ProviderReport(owner, None, point, checks, (answer,))
    seen = provider_source(house, chain).look(owner, record.host_uri)
    # its dates are held to our clock, as when it was asked: a chain may halt, certificates go on
    facts = provider_seen(owner, seen, house.clock.now(), chain.api)
    checks += instant_checks(record, facts, wants)
    return ProviderReport(owner, record.host_uri, point, checks, (answer, *seen))


def wanted(house: House) -> Wants:
    """What the campaign's onboarding task asks of a provider; the usual demands where it has none."""
    loaded = campaigns.current(house)
    if loaded is None:
        return Wants(ModelNames(None), MIN_CPU)
    task = next((task for task in loaded.newest.tasks if task.kind == KIND), None)
    if task is None:
        return Wants(ModelNames(None), MIN_CPU)
    params = judge_params(loaded, task)
    least = params.get("min_cpu")
    return Wants(names_of(params), least if isinstance(least, int) else MIN_CPU)


def model_names(campaign: Campaign | None, wanted_models: object = "listed") -> ModelNames:
    """The models that count: the campaign's list, or those of it that a task names; no list: every model."""
    if campaign is None or campaign.gpu_models is None:
        return ModelNames(None)
    listed = [
        ListedModel(model.id, model.aliases, model.vram_gib)
        for model in campaign.gpu_models
        if not isinstance(wanted_models, tuple) or model.id in wanted_models
    ]
    return ModelNames(listed, is_open=wanted_models == "any")


def _record(answer: Observation, owner: str) -> tuple[Provider | None, str | None]:
    if answer.trouble is not None:
        return None, answer.trouble
    if answer.status == 404:
        return None, None
    try:
        record = decode_provider(answer.body)
    except Trouble as trouble:
        return None, trouble.name
    return (record, None) if record.owner == owner else (None, Undecodable.name)
