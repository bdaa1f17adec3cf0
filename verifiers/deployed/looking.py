"""Asking the chain about an owner's deployments until nothing more would decide."""

from __future__ import annotations

from collections.abc import Sequence

from verifiers.chain.apiset import CURRENT, ApiSet
from verifiers.deployed.apps import given_sdls
from verifiers.deployed.conclusion import conclude
from verifiers.deployed.facts import ChainFacts, bid_parameters
from verifiers.deployed.gates import Want
from verifiers.deployed.params import DeploymentParams
from verifiers.deployed.survey import Survey
from verifiers.evidence import ChainSource, ClaimFacts, Observation


def look(
    claim: ClaimFacts, params: DeploymentParams, chain: ChainSource, entered: Sequence[Observation]
) -> Sequence[Observation]:
    """Read the owner's deployments and leases once, then only what decides, until nothing more would.

    `entered`: the reduced SDLs given for the owner's deployments; they are part of what comes back. Claims of one
    owner share all of it; block headers and results are facts for good.
    """
    api = getattr(chain, "api", CURRENT)
    owner = claim.subject.partition("/")[0]
    seen = [
        *chain.pages(api.deployments_list, {"filters.owner": owner}, "deployments"),
        *chain.pages(api.leases_list, {"filters.owner": owner}, "leases"),
        *entered,
        *chain.first_block_from(claim.opens),
    ]
    if claim.closes <= chain.point.time:
        seen += chain.first_block_from(claim.closes)
    facts = ChainFacts(chain.point)
    facts.add(seen)
    asked: set[Want] = set()
    survey = Survey(claim, params, facts, given_sdls(seen))
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
