"""Commands of organizers: preview of a revision, publishing results, eligibility, grants."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from commands.asking import CommandError, print_json
from commands.campaign import read_text
from tasks.moment import Moment, format_moment, parse_moment

Arguments = argparse.Namespace
SHOWN = 200


def add_commands(command: Any, option: Any) -> None:
    """Name these commands with their options."""
    file = option("file", type=Path, metavar="FILE")
    actor = option("--by", default="operator", metavar="NAME", help="who does it, for the record")
    command("campaign preview", campaign_preview, file, json_too=True)
    task = option("--task", metavar="SLUG", help="this task only; default: every task")
    excepted = option(
        "--except",
        dest="excepted",
        action="append",
        default=[],
        metavar="CLAIM=REASON",
        help="a claim that is not decided and keeps its place, with the reason; may be given again",
    )
    command("campaign publish-results", publish_results, task, excepted, actor, json_too=True)
    command("campaign finalize", finalize, task, actor, json_too=True)
    address = option("address", metavar="ADDRESS")
    state = option("eligibility", choices=("eligible", "withheld", "ineligible"))
    reason = option("--reason", required=True, help="read by the participant and the staff")
    starts = option("--from", dest="starts", metavar="TIME", help="for work done from then on; default: all of it")
    command("eligibility set", eligibility_set, address, state, reason, starts, actor, json_too=True)
    command("eligibility import", eligibility_import, file, actor, json_too=True)
    one = option("address", metavar="ADDRESS", nargs="?", help="one participant; default: everybody")
    command("eligibility list", eligibility_list, one, json_too=True)
    amount = option("amount", metavar="AMOUNT", help="in the campaign's unit, such as 12.5")
    names = option("--by", dest="names", action="append", default=[], metavar="NAME", help="give it twice")
    claim = option("--claim", help="the claim that it is for")
    command("grant add", grant_add, address, amount, reason, names, claim, json_too=True)
    command("grant take-back", grant_take_back, option("grant", metavar="GRANT"), reason, names, json_too=True)


def campaign_preview(arguments: Arguments) -> int:
    """Say who would gain or lose how much by a revision, and why; changes nothing."""
    from services.loading import preview_file
    from tasks.campaign import CampaignErrors

    house = arguments.wiring.house(arguments)
    try:
        found = preview_file(house, read_text(arguments.file))
    except CampaignErrors as error:
        document = {"may_be_loaded": False, "errors": [mistake.to_json() for mistake in error]}
        raise CommandError(str(error), document) from error
    if arguments.json:
        print_json(found.document())
    else:
        _print_preview(found)
    return 0 if found.may_be_loaded else 1


def _print_preview(found: Any) -> None:
    from tasks.rewards.money import format_micro

    unit = found.campaign.reward.unit
    first = f"the first one: no revision of {found.campaign.slug} is loaded yet"
    against = f"against revision {found.before.revision}" if found.before else first
    print(f"{found.campaign.slug} revision {found.campaign.revision}, {against}")
    for each in found.in_words:
        print(f"  {each.path}: {each.before} -> {each.after}")
    for cut in found.cuts:
        times = f"{_time(cut.start)} to {_time(cut.end)}"
        print(f"  excused in {cut.task}: {times} ({cut.reason})")
    for title, sums in (("By task", found.by_task()), ("By participant", found.by_participant())):
        if sums:
            print(f"{title}:")
        for name, micro in sorted(sums.items(), key=lambda item: (item[1], item[0])):
            print(f"  {name}  {'+' if micro > 0 else ''}{format_micro(micro)} {unit}")
    for shift in found.shifts[:SHOWN]:
        why = f"{', '.join(shift.before_reasons) or 'nothing'} -> {', '.join(shift.after_reasons) or 'nothing'}"
        amounts = f"{format_micro(shift.before_micro)} -> {format_micro(shift.after_micro)} {unit}"
        print(f"  {shift.participant}  {shift.task}: {amounts} ({why})")
    if len(found.shifts) > SHOWN:
        print(f"  … and {len(found.shifts) - SHOWN} more: --json has them all")
    if not found.shifts:
        print("Nobody gains or loses anything.")
    for mistake in found.mistakes:
        print(f"It can't be loaded: {mistake}", file=sys.stderr)


def publish_results(arguments: Arguments) -> int:
    """Publish provisional results; appeals run from then."""
    from services import ending

    excepted = dict(_named(text) for text in arguments.excepted)
    house = arguments.wiring.house(arguments)
    _print_ended(arguments, ending.publish_results(house, arguments.by, arguments.task, excepted))
    return 0


def finalize(arguments: Arguments) -> int:
    """Make results final: from then on they can be paid."""
    from services import ending

    _print_ended(arguments, ending.finalize(arguments.wiring.house(arguments), arguments.by, arguments.task))
    return 0


def _print_ended(arguments: Arguments, ended: Any) -> None:
    if arguments.json:
        print_json(ended.document())
        return
    names = [task or "pools and bonuses" for task in ended.tasks]
    until = f"; appeals are taken until {_time(ended.until)}" if ended.until is not None else ""
    print(f"{ended.state}: {', '.join(names)}{until}")


def eligibility_set(arguments: Arguments) -> int:
    """Decide whether a participant may earn and be paid; a later entry undoes it."""
    from services.eligibility import Entered, document, set_eligibility

    starts = None if arguments.starts is None else _moment(arguments.starts)
    entered = Entered(arguments.address.lower(), arguments.eligibility, arguments.reason, starts)
    row, is_new = set_eligibility(arguments.wiring.house(arguments), arguments.by, entered)
    if arguments.json:
        print_json({**document(row), "added": is_new})
    else:
        print(f"{row.participant} is {'now' if is_new else 'already'} {row.eligibility}: {row.reason}")
    return 0


def eligibility_import(arguments: Arguments) -> int:
    """Take an identity provider's list: a CSV of address,eligibility,reason and perhaps starts."""
    from services.eligibility_import import ImportRefused, import_eligibility

    house = arguments.wiring.house(arguments)
    try:
        done = import_eligibility(house, arguments.by, read_text(arguments.file))
    except ImportRefused as error:
        raise CommandError(str(error), {"errors": list(error.mistakes)}) from error
    if arguments.json:
        print_json({"added": done.added, "unchanged": done.unchanged})
    else:
        print(f"{done.added} entries added, {done.unchanged} said what holds already")
    return 0


def eligibility_list(arguments: Arguments) -> int:
    """Every entry of eligibility with its reason, the oldest first."""
    from services.eligibility import document, history

    rows = history(arguments.wiring.house(arguments), arguments.address and arguments.address.lower())
    if arguments.json:
        print_json([document(row) for row in rows])
    else:
        for row in rows:
            since = f" from {_time(row.starts_ns)}" if row.starts_ns is not None else ""
            print(f"{_time(row.at_ns)}  {row.participant}  {row.eligibility}{since}: {row.reason} (by {row.actor})")
    return 0


def grant_add(arguments: Arguments) -> int:
    """Grant an amount by hand, outside all places: needs a reason and two names."""
    from services.grants import Grant, grant
    from tasks.rewards.money import parse_micro

    try:
        micro = parse_micro(arguments.amount)
    except ValueError as error:
        raise CommandError(str(error)) from error
    given = Grant(arguments.address.lower(), micro, arguments.reason, arguments.names, arguments.claim)
    _print_grant(arguments, grant(arguments.wiring.house(arguments), given))
    return 0


def grant_take_back(arguments: Arguments) -> int:
    """Undo a grant by a new line: needs a reason and two names."""
    from services.grants import take_back

    house = arguments.wiring.house(arguments)
    _print_grant(arguments, take_back(house, arguments.grant, arguments.reason, arguments.names))
    return 0


def _print_grant(arguments: Arguments, granted: Any) -> None:
    from tasks.rewards.money import format_micro

    if arguments.json:
        print_json(granted.document())
        return
    left = format_micro(granted.left_micro)
    print(f"{granted.key}: {format_micro(granted.amount_micro)}; left of the budget for grants: {left}")


def _named(text: str) -> tuple[str, str]:
    claim, equals, reason = text.partition("=")
    if not equals or not claim.strip():
        raise CommandError(f"--except {text}: write CLAIM=REASON")
    return claim.strip(), reason


def _moment(text: str) -> Moment:
    try:
        return parse_moment(text)
    except ValueError as error:
        raise CommandError(f"--from: {error}") from error


def _time(moment: int) -> str:
    return format_moment(Moment(moment))
