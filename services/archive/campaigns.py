"""The archived campaign, and who takes part in it: read back and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.archive.format import ADDRESSES, REGISTRATIONS, REVISION_FILE, REVISIONS, revision_file
from services.archive.reading import Contents
from tasks.campaign import Campaign, CampaignErrors, load
from tasks.moment import Moment
from tasks.revisions import Rules


def read_rules(contents: Contents) -> Rules | None:
    """The campaign by its archived files; None, and differences, where they make none."""
    report = contents.report
    found: list[Campaign] = []
    named: set[str] = set()
    for place, line in contents.lines(REVISIONS):
        name = revision_file(line["revision"])
        named.add(name)
        text = contents.text(name)
        if text is None:
            report.differ(place, f"its file {name} is missing or can't be read")
            continue
        campaign = _load(contents, name, text)
        if campaign is None:
            continue
        found.append(campaign)
        report.counts["revisions"] += 1
        if campaign.revision != line["revision"]:
            report.differ(name, f"it says revision {campaign.revision}, the archive calls it {line['revision']}")
        if campaign.digest != line["digest"]:
            report.differ(
                name, f"the campaign file was edited: its digest is {campaign.digest}, not {line['digest']}"
            )
        if campaign.rules_digest != line["rules_digest"]:
            report.differ(place, "rules_digest is not that of the file")
    for name in sorted(contents.files):
        if REVISION_FILE.fullmatch(name) and name not in named:
            report.differ(name, f"{REVISIONS.name} has no line for it: a line was removed or the file was added")
    return _rules(contents, found)


def _load(contents: Contents, name: str, text: str) -> Campaign | None:
    try:
        return load(text)
    except CampaignErrors as errors:
        contents.report.differ(
            name, f"the campaign file was edited, it is no campaign any more: {next(iter(errors))}"
        )
        return None


def _rules(contents: Contents, found: list[Campaign]) -> Rules | None:
    try:
        rules = Rules(found)
    except CampaignErrors as errors:
        contents.report.differ(REVISIONS.name, f"the revisions do not follow from each other: {next(iter(errors))}")
        return None
    except ValueError:
        contents.report.differ(REVISIONS.name, "there is no revision that can be read: nothing can be worked again")
        return None
    said = {"campaign": rules.newest.slug, "revision": rules.newest.revision, "digest": rules.newest.digest}
    said["unit"] = rules.newest.reward.unit
    for name, value in said.items():
        if contents.manifest.get(name) != value:
            contents.report.differ("manifest.json", f"{name} is not that of the newest revision, {value}")
    contents.report.campaign = rules.newest.slug
    return rules


@dataclass(slots=True)
class People:
    """Who takes part: when each registered (None: has not), and the addresses of each."""

    registered: dict[str, Moment | None] = field(default_factory=dict)
    addresses: dict[str, set[str]] = field(default_factory=dict)


def read_people(contents: Contents, rules: Rules) -> People:
    """Registrations and addresses, each address with one participant."""
    people, report = People(), contents.report
    digests: Mapping[str, int] = {campaign.rules_digest: campaign.revision for campaign in rules.revisions}
    for place, line in contents.lines(REGISTRATIONS):
        at = line["received_ns"] if line["time_ns"] is None else line["time_ns"]
        people.registered[line["participant"]] = None if at is None else Moment(at)
        report.counts["participants"] += 1
        if line["rules_digest"] is not None and line["rules_digest"] not in digests:
            report.differ(place, "the rules that were accepted are those of no revision in the archive")
    owners: dict[str, str] = {}
    for place, line in contents.lines(ADDRESSES):
        report.counts["addresses"] += 1
        if line["participant"] not in people.registered:
            report.differ(place, f"{line['participant']} is missing in {REGISTRATIONS.name}")
        if owners.setdefault(line["address"], line["participant"]) != line["participant"]:
            report.differ(place, f"{line['address']} belongs to two participants")
        people.addresses.setdefault(line["participant"], set()).add(line["address"])
    for participant in people.registered:
        if participant not in people.addresses.get(participant, set()):
            report.differ(f"{ADDRESSES.name} ({participant})", "the participant's registered address is missing")
    return people
