"""What the platform had on record when it judged, against the archive: earlier looks, registered people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from services.archive.campaigns import People
from services.archive.evidence import Evidence, NotThere
from services.archive.reading import Contents, Line
from tasks.moment import Moment
from verifiers.evidence import ChainPoint, Observation, Outcome, Source
from verifiers.kinds import provider_onboarding
from verifiers.onboarding.leases import TENANTS
from verifiers.onboarding.looks import Look, look_of, looks_body, looks_request
from verifiers.onboarding.spot_checks import SPOT_CHECK, name_of
from verifiers.onboarding.spot_record import read_spot_record, spot_request


@dataclass(frozen=True, slots=True)
class _Earlier:
    """An earlier verdict of a claim: what its look found and was given."""

    look: Look
    point: ChainPoint
    observations: tuple[str, ...]

    @property
    def has_passed(self) -> bool:
        """Whether the look passed everything of one moment and saw the lease."""
        return self.look.instant == Outcome.PASSED and self.look.has_lease


class Records:
    """Follows the verdicts in their order, so that each look's record can be made again from those before it."""

    def __init__(self, contents: Contents, evidence: Evidence, people: People) -> None:
        self._report, self._evidence = contents.report, evidence
        self._known = frozenset(address for owned in people.addresses.values() for address in owned)
        self._earlier: dict[str, list[_Earlier]] = {}
        self._passing: dict[tuple[str, str], tuple[ChainPoint, tuple[str, ...]]] = {}
        self._checked: set[str] = set()

    def follow(self, place: str, line: Line) -> None:
        """Check the records that this verdict's judge was given, then count the verdict among the earlier ones."""
        claim = line["claim"]
        given = [seen for name in line["observations"] if (seen := self._record(name)) is not None]
        for seen in given:
            if seen.request == looks_request(claim):
                if seen.body != self._looks(claim):
                    self._report.differ(place, "its record of earlier looks is not what the earlier verdicts say")
            elif seen.request == spot_request(claim):
                self._check_passing(place, claim, seen)
            elif seen.request.startswith(TENANTS) and seen.id not in self._checked:
                self._checked.add(seen.id)
                self._check_people(seen)
        if line["judge"] == provider_onboarding.KIND:
            self._keep(claim, line)

    def _record(self, name: str) -> Observation | None:
        if self._evidence.source(name) != Source.RECORD:
            return None
        try:
            return self._evidence.observation(name)
        except NotThere:
            return None

    def _keep(self, claim: str, line: Line) -> None:
        point = line["as_of"]
        try:
            checks: Mapping[str, str] = {check["name"]: Outcome(check["outcome"]) for check in line["checks"]}
            at = ChainPoint(point["chain_id"], point["height"], Moment(point["time_ns"]))
        except (KeyError, ValueError, TypeError):
            return  # noted where the verdict was judged again
        for check in line["checks"]:
            self._keep_passing(claim, check, at)
        earlier = _Earlier(look_of(at.height, checks), at, tuple(line["observations"]))
        self._earlier.setdefault(claim, []).append(earlier)

    def _keep_passing(self, claim: str, check: Line, at: ChainPoint) -> None:
        """The first verdict in which a spot check passed by a run: one that was set aside has no height."""
        is_passing = check["name"].startswith(SPOT_CHECK) and check["outcome"] == Outcome.PASSED
        if not is_passing or check["height"] is None:
            return
        kept = (Source.CHAIN, Source.ENTERED)
        seen = tuple(name for name in check["observations"] if self._evidence.source(name) in kept)
        point = ChainPoint(at.chain_id, check["height"], Moment(check["time_ns"] or 0))
        self._passing.setdefault((claim, check["name"]), (point, seen))

    def _check_passing(self, place: str, claim: str, seen: Observation) -> None:
        try:
            record = read_spot_record(claim, [seen])
        except (ValueError, KeyError, TypeError, IndexError, RecursionError):
            return  # noted where the spot checks are compared
        for opened in record.opened if record is not None else ():
            said = (opened.passing, opened.observations) if opened.passing is not None else None
            if said != self._passing.get((claim, name_of(opened.number))):
                message = f"spot check {opened.number} is not on record as the earlier verdicts have it"
                self._report.differ(place, message)

    def _looks(self, claim: str) -> bytes:
        """The record as the platform writes it from the verdicts so far (`services/onboarding_records.py`)."""
        looks: list[Look] = []
        for earlier in self._earlier.get(claim, ()):
            looks.append(earlier.look)
            if earlier.has_passed:
                seen = [name for name in earlier.observations if self._is_of_the_look(name, claim)]
                return looks_body(looks, earlier.point, seen)
        return looks_body(looks, None, [])

    def _is_of_the_look(self, name: str, claim: str) -> bool:
        source = self._evidence.source(name)
        if source == Source.RECORD:
            seen = self._record(name)
            return seen is not None and seen.request != looks_request(claim)
        return source in (Source.CHAIN, Source.PROVIDER)

    def _check_people(self, seen: Observation) -> None:
        try:
            registered = json.loads(seen.body)["registered"]
            strange = [address for address in registered if address not in self._known]
        except (ValueError, KeyError, TypeError, RecursionError):
            return  # a judge reads it as it is
        if strange:
            message = f"{str(strange[0])[:80]} was on record as a participant's address, the archive has none such"
            self._report.differ(f"observation {seen.id}", message)
