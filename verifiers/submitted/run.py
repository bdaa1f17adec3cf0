"""The author's own run of the SDL: a deployment with its hash, leased, active for long enough (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tasks.moment import Moment, format_moment
from verifiers.chain.answers import DeploymentInfo
from verifiers.deployed import wording
from verifiers.deployed.conclusion import Conclusion, conclude
from verifiers.deployed.facts import ChainFacts
from verifiers.deployed.gates import Gate, LeaseView
from verifiers.deployed.params import App, DeploymentParams
from verifiers.deployed.survey import Survey
from verifiers.evidence import ClaimFacts, Outcome
from verifiers.submitted.finding import Finding, Findings
from verifiers.submitted.params import SubmissionParams
from verifiers.submitted.record import Submission

THIS = "sdl"
_BEFORE = {"leased": "deployment", "active": "lease"}
_NEAREST = {Outcome.PASSED: 0, Outcome.PENDING: 1, Outcome.UNKNOWN: 2, Outcome.FAILED: 3}


def run_claims(claim: ClaimFacts) -> tuple[ClaimFacts, ...]:
    """What is asked of the chain: one look for each address of the author."""
    return tuple(replace(claim, subject=f"{address}/{THIS}") for address in claim.addresses)


def run_params(submission: Submission, params: SubmissionParams) -> DeploymentParams:
    """One lease anywhere of a deployment that carries a hash of the set, for so long."""
    app = App(THIS, "this SDL", (), submission.hashes)
    return DeploymentParams(
        providers=1,
        active_ns=params.active_ns,
        groups_by_app=True,
        gpu_models=None,
        allows_own_provider=True,
        apps=(app,),
    )


@dataclass(frozen=True)
class Run:
    """How the run of one address stands."""

    survey: Survey
    conclusion: Conclusion
    findings: tuple[Finding, ...]

    @property
    def gpu_model(self) -> str | None:
        """The model that was offered or asked for."""
        return self.conclusion.gpu_model


def best_run(
    claim: ClaimFacts, submission: Submission, params: SubmissionParams, facts: ChainFacts, make: Findings
) -> Run:
    """The run that is furthest; one that could not be looked at comes before one that is only not there yet."""
    runs = []
    for each in run_claims(claim):
        survey = Survey(each, run_params(submission, params), facts, ())
        conclusion = conclude(survey)
        runs.append(Run(survey, conclusion, _Checks(survey, conclusion, make).findings()))

    def rank(run: Run) -> tuple[bool, bool, tuple[int, ...]]:
        outcomes = [finding.outcome for finding in run.findings]
        is_done = all(outcome == Outcome.PASSED for outcome in outcomes)
        return not is_done, Outcome.UNKNOWN not in outcomes, tuple(_NEAREST[outcome] for outcome in outcomes)

    return min(runs, key=rank)


@dataclass(frozen=True)
class _Checks:
    """The checks `deployed`, `leased` and `active` of one address."""

    survey: Survey
    conclusion: Conclusion
    make: Findings

    def findings(self) -> tuple[Finding, ...]:
        """The three, in order."""
        deployed = self._deployed()
        leased = self._leased(deployed)
        return (deployed, leased, self._active(leased))

    @property
    def _may_still(self) -> Outcome:
        if self.survey.has_unplaced:
            return Outcome.UNKNOWN
        return Outcome.FAILED if self._is_over else Outcome.PENDING

    @property
    def _is_over(self) -> bool:
        return self.survey.facts.point.time >= self.survey.claim.closes

    def _views(self) -> Sequence[LeaseView]:
        return [view for view in self.survey.views if view.app == Gate.YES]

    def _rows(self) -> list[DeploymentInfo]:
        """The deployments that run this SDL, now or when their lease was made."""
        running = {view.info.lease.id.dseq for view in self._views()}
        return [
            row
            for row, inside in self.survey.in_window
            if inside.value and (row.id.dseq in running or self.survey.is_app(self.survey.app_now(row)))
        ]

    def _deployed(self) -> Finding:
        survey = self.survey
        dates = f"from {format_moment(survey.claim.opens)} and before {format_moment(survey.claim.closes)}"
        expected = f"a deployment of the author with a manifest hash of this SDL, created {dates}"
        ids = survey.deployments.observations
        if survey.deployments.value is None:
            return self._could_not("deployed", expected, survey.deployments.trouble, ids)
        rows = self._rows()
        if rows:
            seen = wording.listed(f"{row.id.dseq} of {wording.short(survey.owner)}" for row in rows)
            return self.make.made("deployed", expected, seen, Outcome.PASSED, ids)
        unknown = next((view for view in survey.views if view.app == Gate.UNKNOWN), None)
        if unknown is not None or survey.has_unplaced:
            return self._could_not("deployed", expected, unknown.trouble if unknown else None, ids)
        others = len(survey.deployments.value)
        seen = f"none of {wording.count_of(others, 'deployment')}" if others else "there is none"
        missing = "Deploy this very SDL yourself, from one of your addresses."
        return self.make.made("deployed", expected, seen, self._may_still, ids, missing)

    def _leased(self, deployed: Finding) -> Finding:
        expected, ids = "a lease with a GPU for it", self.survey.leases.observations
        if deployed.outcome != Outcome.PASSED:
            return self._after(deployed, "leased", expected)
        if self.survey.leases.value is None:
            return self._could_not("leased", expected, self.survey.leases.trouble, ids)
        views = self._views()
        if views:
            lease = views[0].info.lease
            seen = f"on {wording.short(lease.id.provider)} at {self._block(lease.created_at)}"
            return self.make.made("leased", expected, seen, Outcome.PASSED, ids)
        missing = "Accept a bid, so that your deployment gets a lease with a GPU."
        seen = "no lease" if self._is_over else "no lease yet"
        return self.make.made("leased", expected, seen, self._may_still, ids, missing)

    def _active(self, leased: Finding) -> Finding:
        length = wording.duration(self.survey.params.active_ns)
        expected = f"the lease active for at least {length}, and paid for that long"
        if leased.outcome != Outcome.PASSED:
            return self._after(leased, "active", expected)
        views = self._views()
        best = min(views, key=lambda view: (view.standing, view.order))
        ids = (*self.survey.leases.observations, *(each for view in views for each in view.activity.observations))
        seen = self._for_so_long(best)
        if best.standing == Gate.YES:
            return self.make.made("active", expected, seen, Outcome.PASSED, ids)
        if best.standing == Gate.UNKNOWN:
            return self._could_not("active", expected, best.trouble, ids)
        if best.standing == Gate.OPEN:
            ready = self.conclusion.ready
            until = f" until about {format_moment(ready)}" if ready is not None else f" for {length}"
            missing = f"Keep the lease running{until}."
            pending = Outcome.PENDING
            return self.make.made("active", expected, seen, pending, ids, missing, keeps_place=True, ready=ready)
        if best.standing == Gate.DRY:
            missing = f"Deposit more into deployment {best.info.lease.id.dseq}: its money ran out."
            return self.make.made("active", expected, seen, Outcome.PENDING, ids, missing)
        return self.make.made("active", expected, seen, self._may_still, ids, f"Run it once for {length}.")

    def _for_so_long(self, view: LeaseView) -> str:
        span, payment = view.activity.span, view.payment
        note = ", then its money ran out" if span.is_dry else ""
        paid = wording.amount(payment.paid, payment.denom)
        length = wording.duration(view.activity.elapsed_ns)
        return f"{length} (height {span.created_at} to {span.end}{note}), paid {paid}"

    def _block(self, height: int) -> str:
        time: Moment | None = self.survey.facts.time_of(height).value
        return wording.block(height, time)

    def _after(self, before: Finding, name: str, expected: str) -> Finding:
        """A check that has nothing to look at yet: not known where the one before is not known."""
        if before.outcome == Outcome.UNKNOWN:
            return self.make.made(name, expected, before.check.seen, Outcome.UNKNOWN, before.check.observations)
        what = _BEFORE[name]
        seen = f"there is no {what}" if self._is_over else f"waits for the {what}"
        return self.make.made(name, expected, seen, Outcome.PENDING)

    def _could_not(self, name: str, expected: str, trouble: str | None, ids: Sequence[str]) -> Finding:
        return self.make.made(name, expected, wording.could_not_look(trouble), Outcome.UNKNOWN, ids)
