"""An AI app deployed on several providers: how it is confirmed from the chain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from verifiers.chain.apiset import CURRENT, ApiSet
from verifiers.deployed.apps import given_sdls
from verifiers.deployed.candidates import candidates_of
from verifiers.deployed.conclusion import conclude
from verifiers.deployed.entry import entered_deployment
from verifiers.deployed.facts import ChainFacts, bid_parameters
from verifiers.deployed.gates import Want
from verifiers.deployed.params import deployment_params
from verifiers.deployed.survey import Survey
from verifiers.deployed.verdict import verdict_of
from verifiers.evidence import (
    Candidate,
    ChainPoint,
    ChainSource,
    ClaimFacts,
    Entry,
    IndexedDeployment,
    Observation,
    Sources,
    Verdict,
)

KIND = "ai_deployment"
VERSION = 1


def enter(fields: Mapping[str, str], params: Mapping[str, object], addresses: Sequence[str]) -> Entry:
    """Check `owner, dseq, sdl, app`; the SDL is reduced, its text dropped. Raises EntryRefused."""
    return entered_deployment(fields, deployment_params(params), addresses)


def candidates(
    task: str,
    deployments: Iterable[IndexedDeployment],
    entered: Iterable[Observation],
    params: Mapping[str, object],
) -> list[Candidate]:
    """What indexed deployments of the window may become, with what each still needs ("Add your SDL."). Pure."""
    return candidates_of(task, deployments, entered, deployment_params(params))


def gather(claim: ClaimFacts, params: Mapping[str, object], sources: Sources) -> Sequence[Observation]:
    """Read the owner's deployments, leases and given SDLs once, then only what decides, until nothing more would.

    Claims of one owner share all of it; block headers and results are facts for good.
    """
    chain = sources.chain
    api = getattr(chain, "api", CURRENT)
    owner = claim.subject.partition("/")[0]
    seen = [
        *chain.pages(api.deployments_list, {"filters.owner": owner}, "deployments"),
        *chain.pages(api.leases_list, {"filters.owner": owner}, "leases"),
        *sources.entered.sdls(owner),
        *chain.first_block_from(claim.opens),
    ]
    if claim.closes <= chain.point.time:
        seen += chain.first_block_from(claim.closes)
    facts = ChainFacts(chain.point)
    facts.add(seen)
    asked: set[Want] = set()
    survey = Survey(claim, deployment_params(params), facts, given_sdls(seen))
    while True:
        survey.again()
        conclude(survey)
        wants = [want for want in survey.wants if want not in asked]
        if not wants and survey.wants and not survey.asks_the_rest:
            survey.asks_the_rest = True
            continue
        if not wants:
            return tuple({observation.id: observation for observation in seen}.values())
        for want in wants:
            asked.add(want)
            answers = _ask(chain, api, owner, want)
            facts.add(answers)
            seen += answers


def _ask(chain: ChainSource, api: ApiSet, owner: str, want: Want) -> Sequence[Observation]:
    if want.what == "block":
        return (chain.block(want.height),)
    if want.what == "results":
        return (chain.block_results(want.height),)
    if want.what == "moment" and want.moment is not None:
        return chain.first_block_from(want.moment)
    if want.what == "bid" and want.lease is not None:
        return (chain.state(api.bids_info, bid_parameters(want.lease)),)
    parameters = {"id.owner": owner, "id.dseq": str(want.dseq)}
    return (chain.state_at(want.height, api.deployments_info, parameters),)


def judge(
    claim: ClaimFacts,
    observations: Sequence[Observation],
    params: Mapping[str, object],
    as_of: ChainPoint,
) -> Verdict:
    """The seven checks of `ai_deployment` on what was gathered. Pure: same facts, same verdict, byte for byte."""
    facts = ChainFacts(as_of)
    facts.add(observations)
    survey = Survey(claim, deployment_params(params), facts, given_sdls(observations))
    return verdict_of(survey, KIND, VERSION)
