"""An AI app deployed on several providers: how it is confirmed from the chain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from verifiers.deployed.apps import given_sdls
from verifiers.deployed.candidates import candidates_of
from verifiers.deployed.entry import entered_deployment
from verifiers.deployed.facts import ChainFacts
from verifiers.deployed.looking import look
from verifiers.deployed.params import deployment_params
from verifiers.deployed.survey import Survey
from verifiers.deployed.verdict import verdict_of
from verifiers.evidence import (
    Candidate,
    ChainPoint,
    ClaimFacts,
    Entry,
    IndexedDeployment,
    Observation,
    Sources,
    Verdict,
)

KIND = "ai_deployment"
VERSION = 3


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
    owner = claim.subject.partition("/")[0]
    return look(claim, deployment_params(params), sources.chain, sources.entered.sdls(owner))


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
