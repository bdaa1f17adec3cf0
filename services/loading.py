"""Loading a campaign file or a revision of one, and what a revision would change before it is loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from ledger.audit import append_act
from ledger.campaigns import CampaignRevisionRow
from ledger.claims import ClaimRow
from ledger.results import SHARES, final_states
from ledger.verdicts import look_again
from services.campaigns import Loaded, loaded, revised
from services.completions import read_worked
from services.grants import granted_micro
from services.house import House
from tasks.campaign import Campaign, CampaignErrors, load
from tasks.judge_params import judge_params
from tasks.mistakes import Mistake
from tasks.moment import Moment, format_moment
from tasks.preview import Cut, Shift, maxima_below_awarded, preview
from tasks.revision_words import shown
from tasks.revisions import Difference, Rules, differences, mistake_at, mistakes_at_load
from tasks.rewards.completion import Completion
from tasks.rewards.engine import compute
from tasks.rewards.money import format_micro
from verifiers.evidence import Outcome

ONBOARDING = "provider_onboarding"


@dataclass(frozen=True)
class Previewed:
    """What loading a file would do: who would gain or lose, and what keeps it from being loaded (`mistakes`).

    `before`: the revision in force, None where nothing is loaded. Tasks whose results are final never shift.
    """

    campaign: Campaign
    before: Campaign | None
    differences: Sequence[Difference]
    shifts: Sequence[Shift]
    cuts: Sequence[Cut]
    mistakes: Sequence[Mistake]

    @property
    def may_be_loaded(self) -> bool:
        """Whether `campaign load` would take it now."""
        return not self.mistakes

    @property
    def in_words(self) -> Sequence[Difference]:
        """What the file changes, as it would write it."""
        return shown(self.differences)

    def by_participant(self) -> Mapping[str, int]:
        """The difference of each participant whom something changes for, in micro."""
        return self._summed([(shift.participant, shift.difference_micro) for shift in self.shifts])

    def by_task(self) -> Mapping[str, int]:
        """The difference of each task, pool and bonus that something changes for, in micro."""
        return self._summed([(shift.task, shift.difference_micro) for shift in self.shifts])

    @staticmethod
    def _summed(pairs: Sequence[tuple[str, int]]) -> dict[str, int]:
        found: dict[str, int] = {}
        for key, micro in pairs:
            found[key] = found.get(key, 0) + micro
        return found

    def document(self) -> dict[str, object]:
        """What `campaign preview --json` prints."""
        change = self.campaign.change
        return {
            "campaign": self.campaign.slug,
            "revision": self.campaign.revision,
            "digest": self.campaign.digest,
            "unit": self.campaign.reward.unit,
            "reason": change.reason if change else None,
            "in_force": self.before.revision if self.before else None,
            "differences": [
                {"path": each.path, "before": each.before, "after": each.after} for each in self.differences
            ],
            "shifts": [shift.to_json() for shift in self.shifts],
            "participants": dict(self.by_participant()),
            "tasks": dict(self.by_task()),
            "excused": [
                {
                    "task": cut.task,
                    "reason": cut.reason,
                    "from": format_moment(Moment(cut.start)),
                    "to": format_moment(Moment(cut.end)),
                }
                for cut in self.cuts
            ],
            "may_be_loaded": self.may_be_loaded,
            "errors": [mistake.to_json() for mistake in self.mistakes],
        }


def preview_file(house: House, text: str) -> Previewed:
    """Work the completions known now by the rules in force and by the file's. Changes nothing.

    Raises CampaignErrors for a file that is not right, Conflict where its revision stands with another content.
    """
    campaign = load(text)
    with house.ledger.read() as session:
        before = loaded(session, campaign.slug)
        proposed = revised(session, campaign)
        if before is None:
            return Previewed(campaign, None, (), (), preview(proposed, proposed, ()).cuts, ())
        worked = read_worked(session, before)
        granted = granted_micro(session, campaign.slug)
        final = set(final_states(session, campaign.slug))
    found = preview(before.rules, proposed, worked.completions)
    mistakes = [] if proposed.newest.digest == before.newest.digest else [
        *mistakes_at_load(proposed, house.clock.now()),
        *maxima_below_awarded(found.before, proposed),
        *_grants_below(proposed, granted),
    ]  # fmt: skip
    return Previewed(
        campaign,
        before.newest,
        differences(before.newest, proposed.newest),
        tuple(shift for shift in found.shifts if not _is_final(shift.task, final, proposed)),
        found.cuts,
        tuple(mistakes),
    )


def _is_final(name: str, final: set[str], rules: Rules) -> bool:
    """Whether what a task, a pool or a bonus paid can't shift any more."""
    return name in final or (SHARES in final and rules.newest.task(name) is None)


def load_campaign(house: House, text: str, author: str, reason: str | None = None) -> tuple[Loaded, bool]:
    """Load a campaign file, or a revision of one; a running platform shows it with its next look.

    Returns the campaign and whether anything was new: the same file again changes nothing. Raises CampaignErrors
    for a file that is not right or lowers what is awarded already, Conflict where this revision stands already with
    another content.
    """
    campaign = load(text)
    now = house.clock.now()
    given = _completions(house, campaign)

    def store(session: Session) -> tuple[Loaded, bool]:
        before = loaded(session, campaign.slug)
        rules = revised(session, campaign)
        if before is not None:
            if any(each.revision == campaign.revision for each in before.rules.revisions):
                return Loaded(rules), False
            mistakes = [*mistakes_at_load(rules, now)]
            if given:
                mistakes += maxima_below_awarded(compute(before.rules, given), rules)
            mistakes += _grants_below(rules, granted_micro(session, campaign.slug))
            if mistakes:
                raise CampaignErrors(mistakes)
        _store(session, campaign, text, author, reason or (campaign.change.reason if campaign.change else None), now)
        if before is not None:
            _look_again(session, before.newest, campaign, now)
        return Loaded(rules), True

    return house.ledger.transact(store)


def _look_again(session: Session, before: Campaign, after: Campaign, now: Moment) -> None:
    """Let claims that are not decided be judged again where the revision asks something else, and those that failed
    where it reaches back or, of GPUs, may excuse more time.

    What probes and looks saw of these is kept for good, so that nothing has to be seen again. Passed claims stay: no
    excuse counts against anybody.
    """
    final = final_states(session, after.slug)
    for task in after.tasks:
        old = before.task(task.slug)
        if old is None or task.slug in final:
            continue
        asked = [(judge_params(each, one), one.opens, one.closes) for each, one in ((before, old), (after, task))]
        if asked[0] == asked[1]:
            continue
        of_task = ClaimRow.campaign == after.slug, ClaimRow.task == task.slug
        look_again(session, now, *of_task)
        if task.kind == ONBOARDING or (after.change is not None and after.change.reaches_back):
            look_again(session, now, *of_task, ClaimRow.outcome == Outcome.FAILED, settled_too=True)


def _completions(house: House, campaign: Campaign) -> list[Completion]:
    """What is awarded by now, where the file is a revision of something; read before the writing begins."""
    with house.ledger.read() as session:
        before = loaded(session, campaign.slug)
        if before is None or any(each.revision == campaign.revision for each in before.rules.revisions):
            return []
        return read_worked(session, before).completions


def _grants_below(rules: Rules, granted: int) -> list[Mistake]:
    newest = rules.newest
    if newest.grants.budget >= granted:
        return []
    message = f"{format_micro(granted)} {newest.reward.unit} are granted already"
    return [mistake_at(newest, "grants.budget", message, f"keep it at {format_micro(granted)} or more")]


def _store(session: Session, campaign: Campaign, text: str, author: str, reason: str | None, now: Moment) -> None:
    counts_from = _counts_from(campaign)
    session.add(
        CampaignRevisionRow(
            campaign=campaign.slug,
            revision=campaign.revision,
            digest=campaign.digest,
            text=text,
            author=author,
            reason=reason,
            loaded_ns=now,
            counts_from_ns=counts_from,
        )
    )
    detail = {
        "revision": campaign.revision,
        "digest": campaign.digest,
        "reason": reason,
        "counts_from": format_moment(counts_from),
    }
    append_act(session, now, author, "campaign.load", campaign.slug, detail)


def _counts_from(campaign: Campaign) -> Moment:
    change = campaign.change
    if change is None or change.reaches_back or change.counts_from is None:
        return campaign.opens
    return change.counts_from
