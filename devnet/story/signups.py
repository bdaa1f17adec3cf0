"""Who registers when: the crowd of participants, with made-up names."""

from __future__ import annotations

from dataclasses import dataclass

from devnet.story.draw import Draw, Weights
from devnet.story.folk import Folk
from devnet.story.parameters import Parameters
from devnet.story.people import Register

_ADJECTIVES = (
    "amber",
    "brisk",
    "calm",
    "dusty",
    "eager",
    "fuzzy",
    "gentle",
    "humble",
    "idle",
    "jolly",
    "keen",
    "lively",
)
_ANIMALS = (
    "otter",
    "badger",
    "heron",
    "vole",
    "finch",
    "newt",
    "lynx",
    "toad",
    "wren",
    "mole",
    "hare",
    "ibis",
    "seal",
)


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody of the crowd: the name among the folk, the block of the registration."""

    name: str
    height: int


def sign_ups(parameters: Parameters, number: int) -> list[Participant]:
    """So many people of the crowd in the order of their registration, which no two do in one block."""
    draw = Draw(parameters.seed, "sign-ups")
    days = Weights(dict(enumerate(parameters.sign_up_days)))
    hours = Weights(dict(enumerate(parameters.hours)))
    heights: set[int] = set()
    while len(heights) < number:
        height = moment(draw, parameters, draw.weighted(days), hours)
        if 1 < height < parameters.told_by:
            heights.add(height)
    return [Participant(f"participant-{index:04d}", height) for index, height in enumerate(sorted(heights), 1)]


def registrations(parameters: Parameters, folk: Folk, crowd: list[Participant]) -> list[Register]:
    """Their registrations; some give no name."""
    draw = Draw(parameters.seed, "names")
    return [
        Register(height=one.height, participant=folk.address(one.name), display_name=_display_name(draw, one.name))
        for one in crowd
    ]


def moment(draw: Draw, parameters: Parameters, day: int, hours: Weights[int]) -> int:
    """A block of a day of the story (counted from its opening) at an hour of the clock that people keep."""
    opening = parameters.calendar.opens.hour
    hour = (draw.weighted(hours) - opening) % 24
    return parameters.calendar.day(day + hour / 24) + draw.below(3600 // parameters.calendar.seconds_per_block)


def _display_name(draw: Draw, name: str) -> str:
    number = int(name.rpartition("-")[2])
    if draw.chance(12):
        return ""
    if draw.chance(35):
        return f"made-up-{draw.pick(_ADJECTIVES)}-{draw.pick(_ANIMALS)}-{number}"
    return f"Participant {number:04d}"
