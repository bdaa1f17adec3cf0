"""An SDL written for others, by pull request or as text: how it is confirmed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from verifiers.deployed.looking import look
from verifiers.evidence import ChainPoint, ClaimFacts, Entry, Observation, Sources, Verdict
from verifiers.submitted.entry import entered_submission
from verifiers.submitted.params import submission_params
from verifiers.submitted.pull import ask, facts_of, path_of
from verifiers.submitted.record import newest_submission
from verifiers.submitted.run import run_claims, run_params
from verifiers.submitted.verdict import verdict_of

KIND = "sdl_submission"
VERSION = 3
COUNTS_FROM_RECEIPT = True


def enter(fields: Mapping[str, str], params: Mapping[str, object], addresses: Sequence[str]) -> Entry:  # noqa: ARG001 - one signature for all kinds
    """Check `sdl, pull_request`: valid, without secrets, in a repository of the task. Raises EntryRefused."""
    return entered_submission(fields, submission_params(params))


def gather(claim: ClaimFacts, params: Mapping[str, object], sources: Sources) -> Sequence[Observation]:
    """The newest version, what it is compared with, the author's own run, and the pull request with its files."""
    task = submission_params(params)
    seen = [*sources.submissions.newest(claim.id), *sources.submissions.comparison(claim.id)]
    submission = newest_submission(claim.id, seen)
    if submission is None:
        return seen
    if task.asks_own_run:
        for each in run_claims(claim):
            seen += look(each, run_params(submission, task), sources.chain, ())
    if task.asks_pull_request and submission.pull is not None:
        seen += ask(facts_of(submission, submission.pull, path_of(claim.subject)), sources.codehost)
    return tuple({observation.id: observation for observation in seen}.values())


def judge(
    claim: ClaimFacts,
    observations: Sequence[Observation],
    params: Mapping[str, object],
    as_of: ChainPoint,
) -> Verdict:
    """The checks of `sdl_submission` on what was gathered. Pure: same facts, same verdict, byte for byte."""
    return verdict_of(claim, observations, submission_params(params), as_of, (KIND, VERSION))
