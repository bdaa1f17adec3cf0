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
from verifiers.chain.pinned import PinnedChain
from verifiers.evidence import ChainPoint, Check, Observation, Outcome, outcome_of
from verifiers.onboarding.entry import Gpu
from verifiers.onboarding.instant import audited
from verifiers.onboarding.params import OnboardingParams, onboarding_params
from verifiers.onboarding.seen import Audits, audits_in, record_in
from verifiers.provider.checks import Wants, instant_checks, record_checks
from verifiers.provider.facts import ProviderSeen, provider_seen
from verifiers.provider.gpu_models import ListedModel, ModelNames
from verifiers.trouble import Trouble
from verifiers.wallet.addresses import AddressError, parse_address

KIND = "provider_onboarding"


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
    params = wanted(house)
    answer = chain.state(chain.api.provider_info(owner), {})
    record = record_in([answer], owner, point, chain.api)
    wants = Wants(params.names, params.min_cpu)
    checks = record_checks(owner, record.record, record.trouble, record.observations, wants)
    if record.record is None:
        return ProviderReport(owner, None, point, checks, (answer,))
    host_uri = record.record.host_uri
    seen = list(provider_source(house, chain).look(owner, host_uri))
    # dates are held to our clock, as when it was asked: a chain may halt, certificates go on
    facts = provider_seen(owner, seen, house.clock.now(), chain.api)
    checks += instant_checks(record.record, facts, wants)
    if params.auditors:
        seen += [chain.state(chain.api.audit_by(auditor, owner), {}) for auditor in params.auditors]
        checks += _audits(facts, audits_in(seen, owner, params.auditors, point, chain.api), params)
    return ProviderReport(owner, host_uri, point, checks, (answer, *seen))


def _audits(facts: ProviderSeen, audits: Audits, params: OnboardingParams) -> tuple[Check, ...]:
    """For each model that the inventory shows and the campaign lists; none is asked of what is not there."""
    inventory = facts.known_inventory
    models = sorted(inventory.counts(params.names.id_of)) if inventory else ()
    return tuple(audited(audits, Gpu(facts.owner, model, 1), params, Outcome.FAILED) for model in models)


def wanted(house: House) -> OnboardingParams:
    """What the campaign's onboarding task asks of a provider; the usual demands where it has none."""
    loaded = campaigns.current(house)
    tasks = loaded.newest.tasks if loaded else ()
    task = next((task for task in tasks if task.kind == KIND), None)
    return onboarding_params(judge_params(loaded, task) if loaded and task else {})


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
