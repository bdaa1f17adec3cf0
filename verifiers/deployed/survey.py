"""Which leases of an owner count for a claim: every gate of each lease, in the order they were made (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby

from tasks.moment import Moment
from verifiers.chain.answers import Atto, DeploymentInfo, Group, LeaseId, LeaseInfo
from verifiers.chain.escrow import Span, counted_span, rate_sum, really_paid, uncharged_blocks
from verifiers.deployed.apps import AppFinding, GivenSdl, app_of
from verifiers.deployed.facts import FORGOTTEN, NOT_LOOKED, UNDECODABLE, ChainFacts, Seen, lease_order, lease_tx_index
from verifiers.deployed.gates import ANY_MODEL, Activity, Gate, LeaseView, Payment, Want, model_names
from verifiers.deployed.params import DeploymentParams
from verifiers.evidence import ClaimFacts
from verifiers.trouble import Undecodable


@dataclass
class Survey:
    """The deployments and leases that may count for a claim, examined as far as `facts` reach.

    What would decide more is in `wants`: `gather` asks for it and examines again until nothing is wanted.
    """

    claim: ClaimFacts
    params: DeploymentParams
    facts: ChainFacts
    given: Sequence[GivenSdl]
    wants: list[Want] = field(default_factory=list)
    asks_the_rest: bool = False
    _apps: dict[LeaseId, tuple[Gate, AppFinding]] = field(default_factory=dict)
    _apps_now: dict[int, AppFinding] = field(default_factory=dict)
    _placed: bool = False

    @property
    def owner(self) -> str:
        """The address whose deployments count."""
        return self.claim.subject.partition("/")[0]

    def again(self) -> None:
        """Forget what newer facts may change, keep what they can't: the lists and what is placed in time."""
        self.wants.clear()
        changing = ["views", "may_yet_be_proven"]
        if not self._is_placed():
            changing += ["has_unplaced", "in_window", "gpu_leases"]
        for name in changing:
            self.__dict__.pop(name, None)
        for lease in [name for name, (gate, _) in self._apps.items() if gate == Gate.UNKNOWN]:
            del self._apps[lease]

    def _is_placed(self) -> bool:
        """Whether it is known of every deployment and lease that matters on which side of the window it lies."""
        if not self._placed and all(inside.value is not None for _, inside in self.in_window):
            heights = (lease.lease.created_at for _, _, lease in self._gpu_leases_of_window())
            self._placed = all(self.is_inside(height).value is not None for height in heights)
        return self._placed

    @cached_property
    def has_unplaced(self) -> bool:
        """Whether a deployment of the app, or a lease, may lie inside the window and nobody could tell."""
        unplaced = [row for row, inside in self.in_window if inside.value is None and row.gpu_units > 0]
        if any(self.is_app(self.app_now(row)) for row in unplaced):
            return True
        inside = [self.is_inside(lease.lease.created_at) for _, _, lease in self._gpu_leases_of_window()]
        return any(seen.value is None for seen in inside)

    @property
    def wanted(self) -> str:
        """The app's slug or the dseq, as the subject says."""
        return self.claim.subject.partition("/")[2]

    @cached_property
    def deployments(self) -> Seen[tuple[DeploymentInfo, ...]]:
        """The owner's deployments that the subject means: all, or the one with its dseq."""
        seen = self.facts.deployments(self.owner)
        if seen.value is None or self.params.groups_by_app:
            return seen
        return Seen(tuple(row for row in seen.value if str(row.id.dseq) == self.wanted), seen.observations)

    @cached_property
    def leases(self) -> Seen[tuple[LeaseInfo, ...]]:
        """All leases of the owner."""
        return self.facts.leases(self.owner)

    @cached_property
    def _by_deployment(self) -> dict[int, list[LeaseInfo]]:
        found: dict[int, list[LeaseInfo]] = {}
        for lease in self.leases.value or ():
            found.setdefault(lease.lease.id.dseq, []).append(lease)
        return found

    @cached_property
    def in_window(self) -> tuple[tuple[DeploymentInfo, Seen[bool]], ...]:
        """The deployments with whether each was created within the task's window."""
        return tuple((row, self.is_inside(row.deployment.created_at)) for row in self.deployments.value or ())

    def is_inside(self, height: int) -> Seen[bool]:
        """Whether a block lies in `[opens, closes)`."""
        opened = self.facts.is_from(height, self.claim.opens)
        if opened.value is not True:
            return self._noted(opened, height)
        if self.facts.point.time < self.claim.closes:
            return opened
        closed = self.facts.is_from(height, self.claim.closes)
        if closed.value is None:
            return self._noted(closed, height)
        return Seen(not closed.value, (*opened.observations, *closed.observations))

    def _noted(self, seen: Seen[bool], height: int) -> Seen[bool]:
        # where the window's own blocks can't be found, the header of the very block decides
        if seen.value is None and self.facts.time_of(height).trouble == NOT_LOOKED:
            self._want(Want("block", height=height))
        return seen

    def _want(self, want: Want) -> None:
        if want not in self.wants:
            self.wants.append(want)

    def app_now(self, row: DeploymentInfo) -> AppFinding:
        """The app of a deployment by its newest hash."""
        if row.id.dseq not in self._apps_now:
            self._apps_now[row.id.dseq] = self._app_of(row.deployment.hash, row)
        return self._apps_now[row.id.dseq]

    def _app_of(self, on_chain: str, row: DeploymentInfo) -> AppFinding:
        given = self._given_by_hash.get(on_chain, ())
        return app_of(on_chain, row.id.owner, row.id.dseq, self.params.apps, given)

    @cached_property
    def _given_by_hash(self) -> dict[str, list[GivenSdl]]:
        found: dict[str, list[GivenSdl]] = {}
        for sdl in self.given:
            for known in sdl.hashes:
                found.setdefault(known, []).append(sdl)
        return found

    def is_app(self, finding: AppFinding) -> bool:
        """Whether a finding is what the claim is about: its app, or any of the task's."""
        if not self.params.apps:
            return True
        return finding.app == self.wanted if self.params.groups_by_app else finding.app is not None

    def app_for(self, row: DeploymentInfo, lease: LeaseInfo) -> tuple[Gate, AppFinding]:
        """The app gate of a lease: the newest hash, else the one at the lease's creation."""
        key = lease.lease.id
        if key not in self._apps:
            self._apps[key] = self._app_gate(row, lease)
        return self._apps[key]

    def _app_gate(self, row: DeploymentInfo, lease: LeaseInfo) -> tuple[Gate, AppFinding]:
        now = self.app_now(row)
        if self.is_app(now):
            return Gate.YES, now
        if not self._has_clues(row, now):
            return Gate.NO, now
        height = lease.lease.created_at
        then = self.facts.deployment_at(row.id.owner, row.id.dseq, height)
        if then.trouble is not None:
            if then.trouble == NOT_LOOKED:
                self._want(Want("deployment", height=height, dseq=row.id.dseq))
            if then.trouble in FORGOTTEN:
                return Gate.NO, now
            ids = (*now.observations, *then.observations)
            return Gate.UNKNOWN, replace(now, observations=ids, trouble=then.trouble)
        if then.value is None or then.value.deployment.hash == row.deployment.hash:
            return Gate.NO, now
        finding = self._app_of(then.value.deployment.hash, row)
        seen = AppFinding(
            finding.app, finding.matching, finding.is_proven, (*finding.observations, *then.observations)
        )
        return (Gate.YES if self.is_app(seen) else Gate.NO), seen

    def _has_clues(self, row: DeploymentInfo, now: AppFinding) -> bool:
        """Whether an older hash could be the app: an SDL given for this deployment that is not the one in force, or
        a hash in force that nothing explains while an SDL or the catalogue might explain an older one."""
        mine = [sdl for sdl in self.given if sdl.owner == row.id.owner]
        if any(sdl.dseq == row.id.dseq and row.deployment.hash not in sdl.hashes for sdl in mine):
            return True
        apps = [app for app in self.params.apps if not self.params.groups_by_app or app.slug == self.wanted]
        return not now.is_proven and (bool(mine) or any(app.hashes for app in apps))

    @cached_property
    def gpu_leases(self) -> tuple[tuple[DeploymentInfo, Group, LeaseInfo], ...]:
        """Leases of GPU groups of deployments inside the window, themselves inside it, in order."""
        is_open = self.facts.point.time < self.claim.closes
        found = self._gpu_leases_of_window()
        inside = [each for each in found if is_open or self.is_inside(each[2].lease.created_at).value]
        return tuple(sorted(inside, key=lambda each: lease_order(each[2])))

    def _gpu_leases_of_window(self) -> list[tuple[DeploymentInfo, Group, LeaseInfo]]:
        rows = {row.id.dseq: row for row, inside in self.in_window if inside.value}
        found = []
        for lease in self.leases.value or ():
            row = rows.get(lease.lease.id.dseq)
            group = next((each for each in row.groups if each.id.gseq == lease.lease.id.gseq), None) if row else None
            if row is not None and group is not None and group.gpu_units > 0:
                found.append((row, group, lease))
        return found

    @cached_property
    def views(self) -> tuple[LeaseView, ...]:
        """The leases of the app at all gates, in order, until enough providers count: later ones change nothing."""
        found: list[LeaseView] = []
        counting: set[str] = set()
        for _, same_height in groupby(self.gpu_leases, key=lambda each: each[2].lease.created_at):
            rows = [each for each in same_height if self.app_for(each[0], each[2])[0] != Gate.NO]
            for view in self._at_one_height(rows):
                found.append(view)
                if view.standing in (Gate.YES, Gate.OPEN) or self._is_asked(view):
                    counting.add(view.provider)
            if len(counting) >= self.params.providers:
                break
        return tuple(found)

    @cached_property
    def may_yet_be_proven(self) -> bool:
        """Whether leases whose content nobody has shown could complete the count once their SDL is given."""
        if not self.params.apps:
            return False
        counting = {view.provider for view in self.views if view.standing != Gate.NO}
        unproven = {
            lease.lease.id.provider
            for row, _, lease in self.gpu_leases
            if not self.app_now(row).is_proven and self._own(lease) == Gate.YES
        }
        return bool(unproven) and len(counting | unproven) >= self.params.providers

    def _is_asked(self, view: LeaseView) -> bool:
        """Whether what is unknown of a lease is on its way: then nothing later needs to be asked yet."""
        return view.standing == Gate.UNKNOWN and bool(self.wants)

    def _at_one_height(self, rows: list[tuple[DeploymentInfo, Group, LeaseInfo]]) -> Iterator[LeaseView]:
        views = [self._view(row, group, lease, ties=len(rows) > 1) for row, group, lease in rows]
        return iter(sorted(views, key=lambda view: view.order))

    def _view(self, row: DeploymentInfo, group: Group, lease: LeaseInfo, *, ties: bool) -> LeaseView:
        app, finding = self.app_for(row, lease)
        own = self._own(lease)
        model = self._model_gate(group, lease) if own != Gate.NO else Gate.YES
        judged = Gate.NO not in (own, model)
        activity = (
            self._activity(row, lease) if judged else Activity(Gate.NO, Span(lease.lease.created_at, 0, is_dry=False))
        )
        payment = self._payment(row, lease, activity)
        tx_index = self.tx_index(lease).value if ties and judged else None
        absent_last = (tx_index is None, tx_index or 0)
        order = (lease.lease.created_at, *absent_last, lease_order(lease))
        return LeaseView(lease, group, order, app, finding, model, own, activity, payment)

    def _own(self, lease: LeaseInfo) -> Gate:
        is_own = lease.lease.id.provider in self.claim.addresses
        return Gate.NO if is_own and not self.params.allows_own_provider else Gate.YES

    def _model_gate(self, group: Group, lease: LeaseInfo) -> Gate:
        allowed = self.params.gpu_models
        asked = model_names(group.gpu_models)
        if allowed is None or (asked and asked <= allowed):
            return Gate.YES
        if not asked & allowed and ANY_MODEL not in asked and asked:
            return Gate.NO
        offered = self.offered(lease)
        if offered.trouble is not None:
            return Gate.UNKNOWN
        if offered.value:
            return Gate.YES if offered.value <= allowed else Gate.NO
        return Gate.YES if asked & allowed else Gate.NO

    def offered(self, lease: LeaseInfo) -> Seen[frozenset[str]]:
        """The models that the lease's bid offers; none where it names none."""
        bid = self.facts.bid(lease.lease.id)
        if bid.trouble is not None:
            if bid.trouble == NOT_LOOKED:
                self._want(Want("bid", lease=lease.lease.id))
            return Seen(None, bid.observations, bid.trouble)
        offered = bid.value.bid.gpu_models_offered if bid.value is not None else ()
        return Seen(frozenset(each.model for each in offered if each.model != ANY_MODEL), bid.observations)

    def _activity(self, row: DeploymentInfo, lease: LeaseInfo) -> Activity:
        rates = rate_sum(self._by_deployment[row.id.dseq], lease.escrow_payment.state.rate.denom)
        height = self.facts.point.height
        span = counted_span(lease, row.escrow_account.state, rates, height)
        created, ended = self._time(span.created_at), self._time(span.end)
        seen = (*created.observations, *ended.observations)
        if created.value is None or ended.value is None:
            return Activity(Gate.UNKNOWN, span, created.value, 0, seen, created.trouble or ended.trouble)
        elapsed = ended.value - created.value
        gate = Gate.YES if elapsed >= self.params.active_ns else self._still_short(lease, span)
        return Activity(gate, span, created.value, elapsed, seen)

    def _still_short(self, lease: LeaseInfo, span: Span) -> Gate:
        if not lease.lease.runs:
            return Gate.NO
        if not span.is_dry:
            return Gate.OPEN
        # a deposit would make the missing blocks count; nobody waits for it for ever
        over = self.facts.point.time >= self.claim.closes + self.params.active_ns
        return Gate.NO if over else Gate.DRY

    def _time(self, height: int) -> Seen[Moment]:
        seen = self.facts.time_of(height)
        if seen.trouble == NOT_LOOKED:
            self._want(Want("block", height=height))
        return seen

    def _payment(self, row: DeploymentInfo, lease: LeaseInfo, activity: Activity) -> Payment:
        state = lease.escrow_payment.state
        paid = really_paid(lease, row.escrow_account.state, activity.span)
        whole = Atto(state.rate.amount * activity.span.blocks)
        if activity.gate != Gate.YES:
            return Payment(activity.gate, paid, None, state.rate.denom)
        if paid >= whole:
            return Payment(Gate.YES, paid, whole, state.rate.denom)
        blocks = self._required_blocks(activity)
        if blocks is None:
            return Payment(Gate.UNKNOWN, paid, None, state.rate.denom)
        forgone = uncharged_blocks(lease, self._by_deployment[row.id.dseq], activity.span.end)
        needed = Atto(state.rate.amount * max(blocks - forgone, 0))
        gate = Gate.YES if paid >= needed else self._still_short(lease, activity.span)
        return Payment(gate, paid, needed, state.rate.denom)

    def _required_blocks(self, activity: Activity) -> int | None:
        """How many blocks the required minutes took: up to the first block not before their end."""
        if activity.created is None:
            return None
        end = Moment(activity.created + self.params.active_ns)
        times = self.facts.times
        for height, seen in times.items():
            before = times.get(height - 1)
            if (
                seen.value is not None
                and seen.value >= end
                and before
                and before.value is not None
                and before.value < end
            ):
                return height - activity.span.created_at
        self._want(Want("moment", moment=end))
        return None

    def tx_index(self, lease: LeaseInfo) -> Seen[int]:
        """The position of the transaction that made a lease; absent where its block can't be read any more."""
        height = lease.lease.created_at
        results = self.facts.results(height)
        if results.trouble == NOT_LOOKED:
            self._want(Want("results", height=height))
        if results.value is None:
            return Seen(None, results.observations, results.trouble)
        try:
            return Seen(lease_tx_index(results.value, lease.lease.id), results.observations)
        except Undecodable:
            return Seen(None, results.observations, UNDECODABLE)
