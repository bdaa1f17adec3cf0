"""Who writes SDLs for everybody: `authors.yaml` turned into runs, acts of people, pull requests and expectations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from devnet.story.author_runs import SOON, CrowdOfAuthors, Window, over
from devnet.story.folk import Folk
from devnet.story.parameters import Parameters
from devnet.story.people import PersonAct, SubmitClaim
from devnet.story.plans import DeploymentPlan
from devnet.story.sdls import Library
from devnet.story.signups import Participant

HOST = "github.com"
_DAY = 14_400


@dataclass(frozen=True, slots=True)
class PullTold:
    """A pull request that the local code host shows.

    `code_of`: the participant whose code stands in its text, "" for none. `files`: path to text. `merged_at`,
    `closed_at`: heights. `is_failing`: the host has an error whenever it is asked about it.
    """

    repository: str
    number: int
    title: str
    code_of: str
    files: Mapping[str, str]
    merged_at: int | None = None
    closed_at: int | None = None
    is_failing: bool = False


@dataclass(frozen=True, slots=True)
class AuthorExpectation:
    """What must be said of the claim at the tip; `verdict` none: no claim. `not_passed`: every such check."""

    name: str
    participant: str
    task: str
    link: str
    verdict: str
    not_passed: tuple[str, ...]
    why: str


@dataclass
class Authors:
    """Their acts, the names that they show, their pull requests, what is expected."""

    acts: list[PersonAct] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    pulls: list[PullTold] = field(default_factory=list)
    expected: list[AuthorExpectation] = field(default_factory=list)


def authors(
    parameters: Parameters,
    folk: Folk,
    library: Library,
    crowd: Sequence[Participant],
    plans: Sequence[DeploymentPlan],
) -> Authors:
    """Make people of the crowd authors; one who runs the SDL gets a deployment of theirs changed into it.

    An author for whom the story has nobody is left out. Hardly more than texts of deployments changes, and never what
    they ask for: the story's figures stay.
    """
    told = yaml.safe_load((parameters.folder / "authors.yaml").read_text(encoding="utf-8"))
    writer = _Writer(parameters, folk, library, told, CrowdOfAuthors(parameters, crowd, plans))
    for one in told["authors"]:
        writer.introduce(one)
    return writer.made


class _Writer:
    """Makes one author after the other."""

    def __init__(
        self,
        parameters: Parameters,
        folk: Folk,
        library: Library,
        told: Mapping[str, Any],
        crowd: CrowdOfAuthors,
    ) -> None:
        self._parameters, self._folk, self._library, self._told = parameters, folk, library, told
        self._crowd = crowd
        self._first_task = next(iter(told["tasks"]))
        self._participants: dict[str, str] = {}
        self._sent: dict[str, int] = {}
        self.made = Authors()

    def introduce(self, one: Mapping[str, Any]) -> None:
        """One author, if the crowd has somebody for it."""
        needs_other = one.get("of") or one.get("after")
        found = self._somebody(one) if needs_other is None or needs_other in self._participants else None
        if found is None:
            return
        participant, at, text = found
        self._participants[one["name"]] = participant
        if "at" not in one:
            self.made.names[participant] = one["name"].replace("-", " ").capitalize()
        for old, new in one.get("sends_text", {}).items():
            text = text.replace(old, new)
        if "after" in one:
            at = max(at, self._sent.get(one["after"], 0) + 1)
        self._sent[one["name"]] = at
        number = one["pull"]["number"]
        link = f"https://{HOST}/{self._told['repository']}/pull/{number}"
        fields = (("sdl", text), ("pull_request", link))
        task = one.get("task", self._first_task)
        self.made.acts.append(SubmitClaim(height=at, participant=participant, task=task, fields=fields))
        if "of" not in one and not one["pull"].get("absent"):
            self.made.pulls.append(self._pull(one, participant, at, text))
        expect = one["expect"]
        self.made.expected.append(
            AuthorExpectation(
                one["name"], participant, task, link, expect["verdict"], tuple(expect.get("not", ())), one["why"]
            )
        )

    def _somebody(self, one: Mapping[str, Any]) -> tuple[str, int, str] | None:
        """(participant, height at which the claim is sent, text of the SDL)."""
        if "at" in one:
            return self._of_the_cast(one)
        window = self._window(one.get("task", self._first_task))
        if not one["runs"]:
            idle = self._crowd.idle(window)
            if idle is None:
                return None
            text = self._library.text(self._library.sdl(one["sdl"]))
            text = next((each.files[_path(one)] for each in self.made.pulls if self._is_of(one, each)), text)
            return self._folk.address(idle.name), max(idle.height, window.opens) + SOON, text
        if one["runs"] == "unleased":
            run = self._crowd.unleased(window)
        else:
            run = self._crowd.running(window, one.get("minutes"))
        if run is None:
            return None
        person, plan = run
        plan.sdl = self._library.sdl(one["sdl"], plan.sdl.model, plan.sdl.units)
        return self._folk.address(person.name), over(plan) + SOON, self._library.text(plan.sdl)

    def _of_the_cast(self, one: Mapping[str, Any]) -> tuple[str, int, str] | None:
        if not any(each["name"] == one["name"] for each in self._parameters.cast):
            return None
        text = self._library.text(self._library.sdl(one["sdl"]))
        return self._folk.address(one["name"]), self._parameters.calendar.height(one["at"]), text

    def _window(self, task: str) -> Window:
        told, calendar = self._told["tasks"][task], self._parameters.calendar
        last = self._parameters.told_by - _DAY
        return Window(calendar.height(told["opens"]), calendar.height(told["closes"]) if "closes" in told else last)

    def _is_of(self, one: Mapping[str, Any], pull: PullTold) -> bool:
        return "of" in one and pull.code_of == self._participants.get(one["of"])

    def _pull(self, one: Mapping[str, Any], participant: str, at: int, sent: str) -> PullTold:
        pull = one["pull"]
        shows, state = pull.get("shows", "own"), pull.get("state", "open")
        code_of = {"own": participant, "none": ""}.get(shows, self._participants.get(shows, ""))
        text = sent
        if pull.get("holds", "sent") != "sent":
            text = self._library.text(self._library.sdl(pull["holds"]))
        return PullTold(
            repository=self._told["repository"],
            number=pull["number"],
            title=f"Add {one['sdl']}",
            code_of=code_of,
            files={_path(one): text, f"{one['sdl']}/README.md": f"# {one['sdl']}\n"},
            merged_at=at + _DAY if state == "merged" else None,
            closed_at=at + _DAY if state == "closed" else None,
            is_failing=bool(pull.get("failing")),
        )


def _path(one: Mapping[str, Any]) -> str:
    return f"{one['sdl']}/deploy.yaml"
