"""A campaign: how it is loaded from YAML and checked. The rest of the house takes its parts from here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from tasks.consistency import cross_check
from tasks.digests import with_digests
from tasks.exposure import Exposure, exposure
from tasks.mistakes import CampaignErrors, Findings, Mistake
from tasks.parts import (
    Amount,
    Campaign,
    Change,
    Decay,
    Excused,
    GpuModel,
    Grants,
    Money,
    Overflow,
    Pool,
    RankingBonus,
    Requires,
    Reward,
    SlotLine,
    Task,
)
from tasks.reading import read_campaign
from tasks.yaml_text import parse


@dataclass(frozen=True, slots=True)
class Checked:
    """What reading a file gave: the campaign where nothing is wrong, and everything that was found.

    `exposure` is there also where the worst case is all that is wrong, to see where it comes from.
    """

    campaign: Campaign | None
    mistakes: tuple[Mistake, ...]
    warnings: tuple[Mistake, ...]
    exposure: Exposure | None = None


def check(text: str) -> Checked:
    """Read and check a campaign file whole (CAMPAIGN_FORMAT). Raises nothing: all mistakes are in the answer."""
    findings = Findings()
    campaign: Campaign | None = None
    worst: Exposure | None = None
    try:
        root = parse(text, findings)
        campaign = read_campaign(root, findings)
        if campaign is not None and cross_check(campaign, root, findings):
            worst = exposure([campaign])
    except CampaignErrors as error:
        findings.mistakes.extend(error.mistakes)
    mistakes = tuple(sorted(findings.mistakes, key=lambda each: (each.line, each.column)))
    warnings = tuple(sorted(findings.warnings, key=lambda each: (each.line, each.column)))
    if mistakes or campaign is None:
        return Checked(None, mistakes, warnings, worst)
    return Checked(with_digests(replace(campaign, text=text)), (), warnings, worst)


def load(text: str) -> Campaign:
    """The campaign of a file. Raises CampaignErrors with every mistake's line, path and mend."""
    checked = check(text)
    if checked.campaign is None:
        raise CampaignErrors(checked.mistakes)
    return checked.campaign


_PRESETS = Path(__file__).parent / "campaigns"


def presets() -> tuple[str, ...]:
    """The names of the campaigns that come with the platform."""
    return tuple(sorted(path.stem for path in _PRESETS.glob("*.yaml")))


def preset(name: str) -> str:
    """The text of a campaign that comes with the platform. Raises KeyError for another name."""
    if name not in presets():
        raise KeyError(name)
    return (_PRESETS / f"{name}.yaml").read_text(encoding="utf-8")


__all__ = [
    "Amount", "Campaign", "CampaignErrors", "Change", "Checked", "Decay", "Excused", "Findings", "GpuModel", "Grants",
    "Mistake", "Money", "Overflow", "Pool", "RankingBonus", "Requires", "Reward", "SlotLine", "Task", "check", "load",
    "preset", "presets",
]  # fmt: skip
