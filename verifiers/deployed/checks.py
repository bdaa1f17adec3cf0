"""The seven checks of an AI deployment, each with what was expected and what was seen (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from tasks.moment import format_moment
from verifiers.chain.answers import DeploymentInfo, LeaseId
from verifiers.deployed import wording
from verifiers.deployed.conclusion import Conclusion
from verifiers.deployed.facts import FORGOTTEN
from verifiers.deployed.gates import ANY_MODEL, Gate, LeaseView, model_names
from verifiers.deployed.survey import Survey
from verifiers.evidence import Check, Outcome

NAMES = ("deployment", "gpu", "providers", "own_provider", "app", "active", "paid")
WAITS = "waits for a deployment"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check, and the sentence that tells the participant what is missing, empty where nothing is."""

    check: Check
    missing: str = ""


@dataclass(frozen=True)
class Checker:
    """Says of each of the seven rules of `ai_deployment` how a claim stands (issue "The job", CAMPAIGN_FORMAT)."""

    survey: Survey
    conclusion: Conclusion

    def findings(self) -> tuple[Finding, ...]:
        """The seven, in the order of `NAMES`."""
        return (
            self._deployment(),
            self._gpu(),
            self._providers(),
            self._own_provider(),
            self._app(),
            self._active(),
            self._paid(),
        )

    def _check(
        self, name: str, expected: str, seen: str, outcome: Outcome, observations: Iterable[str], missing: str = ""
    ) -> Finding:
        ids = tuple(dict.fromkeys(observations))
        point = self.survey.facts.point
        return Finding(Check(name, expected, seen, outcome, ids, point.height, point.time), missing)

    @property
    def _is_over(self) -> bool:
        return self.survey.facts.point.time >= self.survey.claim.closes

    @property
    def _may_still(self) -> Outcome:
        """What becomes of a rule that too few leases meet: pending while more can be made, else failed; unknown where
        some could not be placed in time."""
        if self.survey.has_unplaced:
            return Outcome.UNKNOWN
        if self._is_over:
            return Outcome.PENDING if self.survey.may_yet_be_proven else Outcome.FAILED
        if not self.survey.params.groups_by_app:
            rows = self.survey.deployments.value or ()
            if rows and all(row.deployment.state == "closed" for row in rows):
                return Outcome.FAILED
        return Outcome.PENDING

    # 1
    def _deployment(self) -> Finding:
        survey, claim = self.survey, self.survey.claim
        window = f"created from {format_moment(claim.opens)} and before {format_moment(claim.closes)}"
        what = "a deployment" if survey.params.groups_by_app else f"deployment {survey.wanted}"
        expected = f"{what} of {wording.short(survey.owner)}, an address of the participant, {window}"
        ids = list(survey.deployments.observations)
        if survey.owner not in claim.addresses:
            seen = f"{survey.owner} is not an address of the participant"
            return self._check(
                "deployment", expected, seen, Outcome.FAILED, ids, "Link this address to your account."
            )
        if survey.deployments.value is None:
            seen = wording.could_not_look(survey.deployments.trouble)
            return self._check("deployment", expected, seen, Outcome.UNKNOWN, ids, _ours(survey.deployments.trouble))
        inside = self._rows
        ids += [each for _, seen in survey.in_window for each in seen.observations]
        if inside:
            seen = wording.listed(f"{row.id.dseq} at {self._block(row.deployment.created_at)}" for row in inside)
            return self._check("deployment", expected, seen, Outcome.PASSED, ids)
        return self._no_deployment(expected, ids)

    def _block(self, height: int) -> str:
        return wording.block(height, self.survey.facts.time_of(height).value)

    def _no_deployment(self, expected: str, ids: Sequence[str]) -> Finding:
        survey, claim = self.survey, self.survey.claim
        unplaced = ((row, seen) for row, seen in survey.in_window if seen.value is None and row.gpu_units > 0)
        unknown = next((seen for row, seen in unplaced if self._may_matter(row)), None)
        if unknown is not None:
            seen = wording.could_not_look(unknown.trouble)
            return self._check("deployment", expected, seen, Outcome.UNKNOWN, ids, _ours(unknown.trouble))
        outside = [f"{row.id.dseq} at height {row.deployment.created_at}" for row, _ in survey.in_window]
        seen = f"outside that time: {wording.listed(outside)}" if outside else "there is none"
        outcome = Outcome.FAILED if self._is_over else Outcome.PENDING
        if not survey.params.groups_by_app:
            # a point older than the claim may lie before the deployment itself
            is_too_early = not outside and survey.facts.point.time <= claim.received_at
            outcome = Outcome.PENDING if is_too_early else Outcome.FAILED
        missing = f"Create the deployment before {format_moment(claim.closes)}."
        if outcome == Outcome.FAILED:
            missing = f"It would have counted if created from {format_moment(claim.opens)} and before the close."
        return self._check("deployment", expected, seen, outcome, ids, missing)

    def _may_matter(self, row: DeploymentInfo) -> bool:
        finding = self.survey.app_now(row)
        return self.survey.is_app(finding) or not finding.is_proven

    @cached_property
    def _rows(self) -> list[DeploymentInfo]:
        """The deployments of the window that run the app; all of the window where none is known to."""
        rows = [row for row, inside in self.survey.in_window if inside.value]
        running = {view.info.lease.id.dseq for view in self.survey.views}
        fitting = [row for row in rows if row.id.dseq in running or self.survey.is_app(self.survey.app_now(row))]
        return fitting or rows

    # 2
    def _gpu(self) -> Finding:
        allowed = self.survey.params.gpu_models
        models = "of any model" if allowed is None else f"of {wording.listed(sorted(allowed), 8)}"
        expected = f"at least one GPU requested, {models}"
        rows, ids = self._rows, self.survey.deployments.observations
        if not rows:
            return self._check("gpu", expected, WAITS, Outcome.PENDING, ids)
        asking = [row for row in rows if row.gpu_units > 0]
        seen = wording.listed(_requested(row) for row in asking or rows)
        gates = {view.model for view in self.survey.views} or {self._by_request(row) for row in asking} or {Gate.NO}
        ids = (*ids, *self.conclusion.offered.observations)
        trouble = self.conclusion.offered.trouble
        if Gate.YES in gates and (trouble is None or trouble in FORGOTTEN):
            return self._check("gpu", expected, seen, Outcome.PASSED, ids)
        if Gate.YES in gates or Gate.UNKNOWN in gates:
            seen = f"{seen}; the bid: {wording.could_not_look(trouble)}"
            return self._check("gpu", expected, seen, Outcome.UNKNOWN, ids, _ours(trouble))
        outcome = self._may_still if self.survey.params.groups_by_app else Outcome.FAILED
        missing = f"Request {'a GPU' if not asking else f'a GPU {models}, named in the SDL'}."
        return self._check("gpu", expected, seen, outcome, ids, missing)

    def _by_request(self, row: DeploymentInfo) -> Gate:
        allowed, asked = self.survey.params.gpu_models, model_names(row.gpu_models)
        return Gate.YES if allowed is None or asked & allowed or ANY_MODEL in asked or not asked else Gate.NO

    # 3
    def _providers(self) -> Finding:
        needed = self.survey.params.providers
        expected = f"leases on {wording.count_of(needed, 'distinct provider')}"
        trouble = self._leases_trouble()
        if trouble is not None:
            return self._unknown("providers", expected, trouble)
        missing = f"Get leases on {self._more_providers()} before {format_moment(self.survey.claim.closes)}."
        finding = self._counted("providers", expected, (_app, _model), self._names, missing)
        order = self.conclusion.tx_index
        if finding.check.outcome == Outcome.PASSED and order.trouble is not None and order.trouble not in FORGOTTEN:
            seen = f"{finding.check.seen}; the order within the block: {wording.could_not_look(order.trouble)}"
            ids = (*finding.check.observations, *order.observations)
            return self._check("providers", expected, seen, Outcome.UNKNOWN, ids, _ours(order.trouble))
        ids = (*finding.check.observations, *order.observations)
        return self._check("providers", expected, finding.check.seen, finding.check.outcome, ids, finding.missing)

    def _more_providers(self) -> str:
        counting = {view.provider for view in self.survey.views if Gate.NO not in (view.app, view.model)}
        more = max(self.survey.params.providers - len(counting), 1)
        return wording.count_of(more, "more provider") if counting else wording.count_of(more, "provider")

    def _names(self, views: Sequence[LeaseView]) -> str:
        providers = list(dict.fromkeys(view.provider for view in views))
        return f"{len(providers)}: {wording.listed(map(wording.short, providers))}" if providers else "none"

    # 4
    def _own_provider(self) -> Finding:
        if self.survey.params.allows_own_provider:
            expected = "any provider, the participant's own too"
            return self._check("own_provider", expected, "not asked", Outcome.PASSED, ())
        expected = "providers that are no addresses of the participant"
        trouble = self._leases_trouble()
        if trouble is not None:
            return self._unknown("own_provider", expected, trouble)
        missing = "Lease from providers that are not your own."
        finding = self._counted("own_provider", expected, (_app, _model, _own), self._owners, missing)
        views = self.survey.views
        if any(view.own == Gate.NO for view in views) or finding.check.outcome == Outcome.PASSED:
            return finding
        outcome, seen = (Outcome.PASSED, self._owners(views)) if views else (Outcome.PENDING, finding.check.seen)
        return self._check("own_provider", expected, seen, outcome, finding.check.observations)

    def _owners(self, views: Sequence[LeaseView]) -> str:
        own = list(dict.fromkeys(wording.short(view.provider) for view in views if view.own == Gate.NO))
        if own:
            return f"the participant's own, not counted: {wording.listed(own)}"
        return "none is the participant's own" if views else "no lease yet"

    # 5
    def _app(self) -> Finding:
        survey, params = self.survey, self.survey.params
        if not params.apps:
            return self._check("app", "any app", "any app counts", Outcome.PASSED, ())
        app = params.app(survey.wanted) if params.groups_by_app else None
        name = app.title if app else f"one of {wording.listed(each.title for each in params.apps)}"
        expected = f"{name}: a known manifest hash, or an SDL given with the hash on the chain and its image"
        rows = [row for row in self._rows if row.gpu_units > 0]
        if not rows:
            return self._check("app", expected, WAITS, Outcome.PENDING, ())
        proofs = [survey.app_now(row) for row in rows]
        found = [view.finding for view in survey.views if view.app == Gate.YES]
        good = [finding for finding in (*found, *proofs) if survey.is_app(finding)]
        ids = [*survey.deployments.observations, *(each for finding in good for each in finding.observations)]
        if good:
            seen = f"{good[0].app} by {'the SDL given and ' if good[0].observations else ''}the hash on the chain"
            return self._check("app", expected, seen, Outcome.PASSED, ids)
        for unread in (view.finding for view in survey.views if view.app == Gate.UNKNOWN):
            seen, ids = wording.could_not_look(unread.trouble), [*ids, *unread.observations]
            return self._check("app", expected, seen, Outcome.UNKNOWN, ids, _ours(unread.trouble))
        return self._no_app(expected, rows, ids)

    def _no_app(self, expected: str, rows: Sequence[DeploymentInfo], ids: Sequence[str]) -> Finding:
        findings = [(row, self.survey.app_now(row)) for row in rows]
        several = [finding for _, finding in findings if len(finding.matching) > 1 and finding.app is None]
        if several:
            seen = f"fits several apps: {wording.listed(several[0].matching)}"
            return self._check("app", expected, seen, Outcome.PENDING, ids, "Name the app that you deployed.")
        unproven = [row for row, finding in findings if not finding.is_proven]
        if unproven:
            given = {sdl.dseq for sdl in self.survey.given}
            differs = [row for row in unproven if row.id.dseq in given]
            seen = f"no SDL for {wording.listed(str(row.id.dseq) for row in unproven)}"
            if differs:
                seen = f"the SDL given for {differs[0].id.dseq} has another hash than the chain"
            missing = (
                f"Add your SDL, exactly as deployed, for {wording.listed(str(row.id.dseq) for row in unproven)}."
            )
            return self._check("app", expected, seen, Outcome.PENDING, ids, missing)
        seen = "the SDL on the chain runs none of the app's images with a GPU"
        return self._check("app", expected, seen, self._may_still, ids, "Deploy the app with one of its images.")

    # 6
    def _active(self) -> Finding:
        survey = self.survey
        expected = f"each lease active for at least {wording.duration(survey.params.active_ns)}, paid for that long"
        trouble = self._leases_trouble()
        if trouble is not None:
            return self._unknown("active", expected, trouble)
        gates = (_app, _model, _own, _activity)
        long_enough = {view.provider for view in survey.views if max(gate(view) for gate in gates) == Gate.YES}
        more = max(survey.params.providers - len(long_enough), 1)
        leases = wording.count_of(more, "more lease" if long_enough else "lease")
        missing = (
            f"Keep {leases} running for {wording.duration(survey.params.active_ns)}{' each' if more > 1 else ''}."
        )
        dry = [view for view in survey.views if view.activity.gate == Gate.DRY]
        if dry:
            where = f"deployment {dry[0].info.lease.id.dseq}"
            missing = f"Deposit more into {where}: its money ran out at height {dry[0].activity.span.end}."
        elif self.conclusion.ready is not None:
            missing = f"Keep the leases running until about {format_moment(self.conclusion.ready)}."
        return self._counted("active", expected, gates, self._minutes, missing)

    def _minutes(self, views: Sequence[LeaseView]) -> str:
        counted = [view for view in views if view.own == Gate.YES and view.model != Gate.NO]
        return wording.listed(map(_active_for, counted)) or "no lease yet"

    # 7
    def _paid(self) -> Finding:
        expected = "the price of these minutes really paid to each provider"
        trouble = self._leases_trouble()
        if trouble is not None:
            return self._unknown("paid", expected, trouble)
        gates = (_app, _model, _own, _activity, _payment)
        missing = "Pay each lease for the minutes that count."
        finding = self._counted("paid", expected, gates, self._amounts, missing)
        if finding.check.outcome != Outcome.PASSED or self.conclusion.is_certain:
            return finding
        earlier = next((view.trouble for view in self.survey.views if view.standing == Gate.UNKNOWN), None)
        seen = f"{finding.check.seen}; a lease that would count earlier: {wording.could_not_look(earlier)}"
        return self._check("paid", expected, seen, Outcome.UNKNOWN, finding.check.observations, _ours(earlier))

    def _amounts(self, views: Sequence[LeaseView]) -> str:
        counted = [view for view in views if view.own == Gate.YES and view.model != Gate.NO]
        return wording.listed(map(_paid_to, counted)) or "no lease yet"

    def _leases_trouble(self) -> str | None:
        """What keeps every rule about leases from being answered."""
        survey = self.survey
        if survey.deployments.value is None:
            return survey.deployments.trouble
        if survey.leases.value is None:
            return survey.leases.trouble
        return None

    def _unknown(self, name: str, expected: str, trouble: str) -> Finding:
        ids = (*self.survey.deployments.observations, *self.survey.leases.observations)
        return self._check(name, expected, wording.could_not_look(trouble), Outcome.UNKNOWN, ids, _ours(trouble))

    def _counted(
        self,
        name: str,
        expected: str,
        gates: Sequence[Callable[[LeaseView], Gate]],
        told: Callable[[Sequence[LeaseView]], str],
        missing: str,
    ) -> Finding:
        """A rule that leases on N providers must meet, at these gates and all before them."""
        views = self.survey.views
        standings = {view.info.lease.id: max(gate(view) for gate in gates) for view in views}
        outcome, trouble = self._outcome(standings, views), None
        ids = [*self.survey.leases.observations, *(each for view in views for each in view.activity.observations)]
        seen = told(views)
        if not self._rows:
            outcome, seen, missing = Outcome.PENDING, WAITS, ""
        if not views and self.survey.gpu_leases and outcome == Outcome.PENDING:
            seen, missing = "waits for the app", ""
        if outcome == Outcome.UNKNOWN:
            trouble = next((view.trouble for view in views if view.trouble is not None), None)
            seen = f"{seen}; {wording.could_not_look(trouble)}"
            missing = _ours(trouble)
        elif outcome == Outcome.PENDING and self._only_an_sdl_helps(views):
            missing = "The task is closed. If another of your deployments of that time ran this app, add its SDL."
        elif outcome == Outcome.FAILED:
            missing = f"It would have passed with one thing more before the close: {missing}"
        return self._check(name, expected, seen, outcome, ids, "" if outcome == Outcome.PASSED else missing)

    def _only_an_sdl_helps(self, views: Sequence[LeaseView]) -> bool:
        """After the close no lease can be added, and those that run no more can't run longer."""
        is_over = self.survey.facts.point.time >= self.survey.claim.closes
        return is_over and not any(view.info.lease.runs for view in views)

    def _outcome(self, standings: dict[LeaseId, Gate], views: Sequence[LeaseView]) -> Outcome:
        needed = self.survey.params.providers

        def reached(*accepted: Gate) -> bool:
            providers = {view.provider for view in views if standings[view.info.lease.id] in accepted}
            return len(providers) >= needed

        if reached(Gate.YES):
            return Outcome.PASSED
        if reached(Gate.YES, Gate.OPEN):
            return Outcome.PENDING
        if reached(Gate.YES, Gate.OPEN, Gate.UNKNOWN):
            return Outcome.UNKNOWN
        if reached(Gate.YES, Gate.OPEN, Gate.UNKNOWN, Gate.DRY):
            return Outcome.PENDING
        return self._may_still


def _app(view: LeaseView) -> Gate:
    return view.app


def _model(view: LeaseView) -> Gate:
    return view.model


def _own(view: LeaseView) -> Gate:
    return view.own


def _activity(view: LeaseView) -> Gate:
    return view.activity.gate


def _payment(view: LeaseView) -> Gate:
    return view.payment.gate


def _ours(trouble: str | None) -> str:
    return f"Nothing for you to do: we {wording.could_not_look(trouble)}, and try again."


def _requested(row: DeploymentInfo) -> str:
    names = (model.rpartition("/")[2] for model in row.gpu_models)
    models = wording.listed("any model" if name == ANY_MODEL else name for name in names)
    return f"{row.id.dseq}: {wording.count_of(row.gpu_units, 'GPU')}" + (f" ({models})" if row.gpu_units else "")


def _active_for(view: LeaseView) -> str:
    span = view.activity.span
    if view.activity.trouble is not None:
        return f"{wording.short(view.provider)}: {wording.could_not_look(view.activity.trouble)}"
    note = ", then its money ran out" if span.is_dry else ""
    length = wording.duration(view.activity.elapsed_ns)
    return f"{wording.short(view.provider)}: {length} (height {span.created_at} to {span.end}{note})"


def _paid_to(view: LeaseView) -> str:
    payment = view.payment
    paid = wording.amount(payment.paid, payment.denom)
    of = f" of {wording.amount(payment.needed, payment.denom)}" if payment.needed is not None else ""
    return f"{wording.short(view.provider)}: {paid}{of}"
