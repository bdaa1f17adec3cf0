"""The story of the demo as something to perform: the only place that knows the made-up people and the use cases."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from commands.story_benchmarks import benchmark_performances
from commands.story_decisions import decision_performances
from commands.story_probes import probe_performances
from commands.story_spot_checks import TOLD_AT, ToldSpotChecks
from commands.story_staff import appointments
from devnet.generation import V2
from devnet.scenarios import payday
from devnet.state.chain import Chain
from devnet.story import people
from devnet.story.library import story
from jobs.demo import Demo
from jobs.demo_run import Performance
from services.acts import Player
from services.house import House
from tasks.moment import Moment
from verifiers.evidence import ChainPoint

SCENARIO = "gpu-testnet-2023"


class Told:
    """The story of one demo: its blocks, and what its people do."""

    def __init__(self, demo: Demo) -> None:
        self._story = story(SCENARIO, scale=demo.scale, seed=demo.seed)
        self._chain = Chain(self._story.chain, V2, demo.opens)
        self._seed = demo.seed
        self._acts_done = demo.acts_done

    def block(self, height: int) -> ChainPoint:
        """The block of a height, as the local network makes it."""
        return ChainPoint(self._chain.chain_id, height, Moment(self._chain.time(height)))

    def performances(self, house: House) -> Sequence[Performance]:
        """The acts of people in their order, each signed by the person's own key."""
        player = Player(house, self._story.keys.__getitem__, self.block)
        own = (act for act in self._story.people if not isinstance(act, people.MakeAppeal))
        told = [Performance(act.height, self._run(player, act)) for act in own]
        told += decision_performances(player, self._story, self.block)
        told += appointments(house, self._seed)
        told += benchmark_performances(house, self.block, self._story.keys)
        told += probe_performances(house, self.block, self._story.chain.hosts, self._story.closes)
        told += ToldSpotChecks(house, self.block, self._story).performances()
        return sorted(told, key=lambda act: act.height)

    def before_the_jobs(self, house: House) -> None:
        """What comes first at each start."""
        waiting = [act for act in self.performances(house) if act.waits]
        before = sum(act.height < TOLD_AT for act in waiting)
        is_told = self._acts_done("waited") > before
        ToldSpotChecks(house, self.block, self._story).begin(is_told=is_told)

    def small_tasks(self) -> str:
        """The made-up tasks of this demo, as a part of a campaign file."""
        return self._story.small_tasks

    def providers(self) -> Sequence[str]:
        """The owners of the providers that answer, in the order of their ports."""
        return [hosted.owner for hosted in self._story.chain.hosts]

    def payer(self) -> str:
        """The treasury that two of the staff open."""
        return payday.treasury(self._seed).address

    def authors(self) -> Sequence[str]:
        """The participants who have pull requests on the local code host."""
        return sorted({pull.code_of for pull in self._story.pulls if pull.code_of})

    def _run(self, player: Player, act: people.PersonAct) -> partial[None]:
        match act:
            case people.Register():
                return partial(player.register, act.height, act.participant, act.display_name)
            case people.Link():
                return partial(player.link, act.height, act.participant, act.address)
            case people.GiveSdl():
                fields = {"owner": act.owner, "dseq": str(act.dseq), "sdl": act.sdl_text}
                return partial(player.submit, act.height, act.participant, act.task, fields)
            case people.SubmitClaim():
                return partial(player.submit, act.height, act.participant, act.task, dict(act.fields))
            case people.AnswerReview():
                what = act.participant, act.task, act.subject
                return partial(player.answer, act.height, *what, dict(act.fields))
        raise AssertionError(act)
