"""Commands about campaigns: files, SDLs, verdicts, rewards and what is owed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from commands.asking import CommandError, print_json, stop_event

Arguments = argparse.Namespace


def campaign_check(arguments: Arguments) -> int:
    """Validate a campaign file and print its worst-case exposure."""
    from services.campaign_check import check_text

    report = check_text(str(arguments.file), read_text(arguments.file))
    if arguments.json:
        print_json(report.document())
    else:
        report.print_to(sys.stdout if report.valid else sys.stderr)
    return 0 if report.valid else 1


def campaign_load(arguments: Arguments) -> int:
    """Load a campaign or a revision of one; a running `serve` shows it at its next look."""
    from services.campaigns import undecided
    from services.loading import load_campaign

    house = arguments.wiring.house(arguments)
    loaded, is_new = load_campaign(house, read_text(arguments.file), arguments.author, arguments.reason)
    document = {
        "campaign": loaded.slug,
        "revision": loaded.newest.revision,
        "digest": loaded.newest.digest,
        "loaded": is_new,
    }
    if arguments.json:
        print_json(document)
    else:
        word = "loaded" if is_new else "was loaded already"
        print(f"{loaded.slug} revision {loaded.newest.revision} {word} (digest {loaded.newest.digest})")
    several = undecided(house)
    if several:
        print(f"{several} Until then no page answers.", file=sys.stderr)
    return 0


def sdl_check(arguments: Arguments) -> int:
    """What is wrong with an SDL, what it asks for, and the hashes it may carry on the chain."""
    from verifiers.sdl import check, report_json, report_text

    try:
        report = check(arguments.file.read_bytes())
    except OSError as error:
        message = f"{arguments.file} cannot be read: {error.strerror}"
        unread = {**report_json(check("")), "errors": [{"line": 1, "path": "", "message": message}]}
        raise CommandError(message, unread) from error
    if arguments.json:
        print_json(report_json(report))
    else:
        print(report_text(report))
    return 0 if report.valid else 1


def verify(arguments: Arguments) -> int:
    """Follow the chain and verify what is due, with progress."""
    from jobs.by_hand import verify_by_hand

    return verify_by_hand(arguments.wiring.house(arguments), once=arguments.once, stop=stop_event())


def rewards_compute(arguments: Arguments) -> int:
    """Bring the award lines in step with the verdicts and print them."""
    from services.rewards import compute_awards

    computed = compute_awards(arguments.wiring.house(arguments))
    document = computed.document()
    if arguments.json:
        print_json(document)
    else:
        _print_totals(document)
        print(f"{computed.lines_added} lines added")
    return 0


def rewards_simulate(arguments: Arguments) -> int:
    """Awards of a table of completions: no database, no network."""
    from services.simulate import simulate

    simulation = simulate(arguments.campaign, arguments.completions, arguments.earlier)
    if arguments.json:
        simulation.write_json(sys.stdout)
    elif simulation.is_done:
        _print_totals(simulation.document)
    else:
        for mistake in simulation.errors:
            print(mistake, file=sys.stderr)
    return 0 if simulation.is_done else 1


def _print_totals(document: Any) -> None:
    from tasks.rewards.money import format_micro

    unit = document["unit"]
    for participant, micro in sorted(document["totals"].items(), key=lambda item: (-item[1], item[0])):
        print(f"{participant}  {format_micro(micro):>16} {unit}")
    print(f"{len(document['lines'])} lines; left of the budget: {format_micro(document['budget_left_micro'])} {unit}")


def payout_owed(arguments: Arguments) -> int:
    """What is owed to whom, by address."""
    from services.payouts import owed, owed_csv

    rows = owed(arguments.wiring.house(arguments))
    if arguments.csv:
        sys.stdout.write(owed_csv(rows))
    elif arguments.json:
        print_json([row.document() for row in rows])
    else:
        for row in rows:
            print(f"{row.address}  {row.amount_micro:>14} micro {row.unit}  {row.state}: {row.reason}")
    return 0


def read_text(path: Path) -> str:
    """A file as text. Raises CommandError that says what is wrong with it."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{path} is no UTF-8 text (byte {error.start})") from error
