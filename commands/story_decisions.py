"""What people decide in the demo's story: reviews, appeals, eligibility, grants, results of a task that ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from devnet.story import people, staff
from devnet.story.library import Story
from jobs.demo_run import Performance
from services.acts import Player
from services.appeals import Ruling
from services.eligibility import Entered
from services.later_acts import LaterPlayer
from services.reviews import Ballot
from verifiers.evidence import ChainPoint

StaffOrPerson = staff.StaffAct | people.PersonAct


def decision_performances(player: Player, told: Story, block: Callable[[int], ChainPoint]) -> Sequence[Performance]:
    """What the staff does, and the appeals that it decides; acts that need verdicts say so."""
    later = LaterPlayer(player.house, block)
    acts: list[StaffOrPerson] = [*told.decisions]
    acts += [act for act in told.people if isinstance(act, people.MakeAppeal)]
    return [_performance(player, later, act) for act in acts]


def _performance(player: Player, later: LaterPlayer, act: StaffOrPerson) -> Performance:
    match act:
        case staff.Decide():
            ballot = Ballot(act.act, act.reason, dict(act.decided))
            run = partial(player.decide, act.height, act.by, act.participant, act.task, act.subject, ballot)
            return Performance(act.height, run, waits=act.waits)
        case people.MakeAppeal():
            about = act.participant, act.task, act.subject, act.about
            return Performance(act.height, partial(later.appeal, act.height, *about, act.text), waits=True)
        case staff.RuleAppeal():
            ruling = Ruling(act.outcome, act.reason, act.waives, later.done_at(act.done))
            about = act.participant, act.task, act.subject, act.about
            return Performance(act.height, partial(later.rule, act.height, act.by, *about, ruling), waits=True)
        case staff.SetEligibility():
            starts = None if act.starts is None else later.block(act.starts).time
            entered = Entered(act.participant, act.eligibility, act.reason, starts)
            return Performance(act.height, partial(later.set_eligibility, act.height, act.by, entered))
        case staff.GiveGrant():
            what = act.participant, act.amount, act.reason, act.names, f"{act.task} {act.subject}"
            return Performance(act.height, partial(later.grant, act.height, *what), waits=True)
        case staff.EndTask() | staff.ReviseCampaign():
            return Performance(act.height, _for_all(later, act), waits=True)
    raise AssertionError(act)


def _for_all(later: LaterPlayer, act: staff.EndTask | staff.ReviseCampaign) -> partial[None]:
    if isinstance(act, staff.EndTask):
        return partial(later.end, act.height, act.by, act.task, act.state)
    return partial(later.revise, act.height, act.by, act.reason, act.replaced)
