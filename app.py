"""The composition root: `create_app(settings)` and the command line; the only module that knows every room."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jobs.demo import Demo, DemoError, free_port, open_demo
from jobs.demo_run import DemoRun, Performance
from jobs.supervisor import Supervisor, end_with_parent
from ledger.base import Ledger
from ledger.errors import LedgerError
from services.acts import Player
from services.clock import CappedClock, SystemClock
from services.errors import UseCaseError
from services.house import House
from services.logs import set_up_logs
from services.settings import Settings, SettingsError, described, load_settings
from tasks.campaign import CampaignErrors
from tasks.moment import Clock, Moment, parse_moment
from verifiers.chain.client import Chain
from verifiers.trouble import Trouble

if TYPE_CHECKING:
    from flask import Flask

Arguments = argparse.Namespace


class CommandError(Exception):
    """A command can't do what was asked; `document` is what `--json` prints."""

    def __init__(self, message: str, document: object | None = None) -> None:
        super().__init__(message)
        self.document = {"error": message} if document is None else document


# --- wiring ---------------------------------------------------------------------------------------------


def build_house(settings: Settings, clock: Clock | None = None) -> House:
    """Wire the ledger, the clock and the chains that the settings name. Opens no connection yet."""
    clock = clock or SystemClock()
    if settings.clock_stops_at:
        clock = CappedClock(clock, parse_moment(settings.clock_stops_at))
    return House(
        settings=settings,
        ledger=Ledger(settings.database_url),
        clock=clock,
        chain=_chain(settings, settings.chain_rest, settings.chain_rpc, settings.chain_id, clock),
        payout_chain=_chain(settings, settings.payout_rest, settings.payout_rpc, settings.payout_chain_id, clock),
    )


def _chain(
    settings: Settings, rest: Sequence[str], rpc: Sequence[str], chain_id: str | None, clock: Clock
) -> Chain | None:
    if not rest or not rpc:
        return None
    return Chain(
        rest,
        rpc,
        clock,
        chain_id=chain_id,
        agree=settings.chain_agree,
        timeout_seconds=settings.chain_timeout_seconds,
    )


def create_app(settings: Settings) -> Flask:
    """The web application on these settings, for any WSGI server."""
    from web.factory import create_web

    return create_web(build_house(settings))


# --- commands: each takes the parsed arguments and returns the exit code ----------------------------------------


def _settings(arguments: Arguments, **overrides: object) -> Settings:
    settings = load_settings(arguments.env_file, **overrides)
    set_up_logs(settings)
    return settings


def _house(arguments: Arguments) -> House:
    from ledger.upgrading import upgrade

    house = build_house(_settings(arguments))
    upgrade(house.settings.database_url)
    return house


def _print_json(document: object) -> None:
    json.dump(document, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def _child(arguments: Arguments, *words: str) -> list[str]:
    environment = ["--env-file", str(arguments.env_file)] if arguments.env_file else []
    return [sys.executable, str(Path(__file__).resolve()), *environment, *words]


def command_serve(arguments: Arguments) -> int:
    """Migrate the database, then keep the web and the jobs running."""
    house = _house(arguments)
    if arguments.workers > 1 and house.ledger.on_sqlite:
        raise CommandError("more than one worker needs PostgreSQL: set WAYMARK_DATABASE_URL, or leave --workers out")
    host, port = arguments.host, arguments.port or urlsplit(house.settings.public_url).port or 8000
    house.ledger.close()
    supervisor = Supervisor()
    supervisor.stop_on_signals()
    where = ["--host", host, "--port", str(port), "--workers", str(arguments.workers)]
    supervisor.start("web", _child(arguments, "web", *where), os.environ)
    supervisor.start("jobs", _child(arguments, "jobs"), os.environ)
    print(f"Waymark: open {house.settings.public_url}", file=sys.stderr, flush=True)
    supervisor.run()
    return 0


def command_web(arguments: Arguments) -> int:
    """One of serve's children: gunicorn with threads."""
    from web.server import run_web

    end_with_parent()
    settings = _settings(arguments)
    run_web(lambda: create_app(settings), arguments.host, arguments.port, arguments.workers)
    return 0


def command_jobs(arguments: Arguments) -> int:
    """The other child: the clock, the runner, the follower."""
    from jobs.clock import run_until

    end_with_parent()
    run_until(build_house(_settings(arguments)), _stop_event())
    return 0


def _stop_event() -> threading.Event:
    stop = threading.Event()

    def set_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, set_stop)
    signal.signal(signal.SIGINT, set_stop)
    return stop


def command_devnet(arguments: Arguments) -> int:
    """A local Akash network alone: REST on the port, RPC on the next."""
    from devnet.command import run_devnet

    if arguments.child:
        end_with_parent()
    opens = None if arguments.opens is None else Moment(arguments.opens)
    port = arguments.port or free_port(1317, pair=True)
    run_devnet(arguments.scenario, port, SystemClock(), _stop_event(), opens=opens, until=arguments.until)
    return 0


def command_demo(arguments: Arguments) -> int:
    """A local network with the story of the 2023 GPU testnet, and the platform on it."""
    now = SystemClock().now()
    demo = open_demo(arguments.dir, arguments.port, now, fresh=arguments.fresh)
    run = DemoRun(demo, arguments.until, build_house, _performer, partial(_child, arguments), sys.stderr)
    computed = run.until() if arguments.until else run.forever()
    if computed is not None:
        _print_json(computed.document())
    return 0


def _performer(demo: Demo, house: House) -> list[Performance]:
    """The story's acts of people, each as something to perform at its height: the only place that knows both."""
    from devnet.scenarios import scenario
    from devnet.story import people

    story = scenario("gpu-testnet-2023", seed=demo.seed)
    player = Player(house, story.keys.__getitem__, demo.block)

    def performance(act: people.PersonAct) -> Performance:
        match act:
            case people.Register():
                run = partial(player.register, act.height, act.participant, act.display_name)
            case people.Link():
                run = partial(player.link, act.height, act.participant, act.address)
            case people.GiveSdl():
                fields = {"owner": act.owner, "dseq": str(act.dseq), "sdl": act.sdl_text}
                fields |= {"app": act.app} if act.app else {}
                run = partial(player.give_sdl, act.height, act.participant, fields)
            case people.SubmitClaim():
                run = partial(player.submit, act.height, act.participant, act.task, dict(act.fields))
            case _:
                raise AssertionError(act)
        return Performance(act.height, run)

    return [performance(act) for act in story.people]


def command_db_upgrade(arguments: Arguments) -> int:
    """Bring the tables to this version."""
    from ledger.upgrading import current_revision, upgrade

    settings = _settings(arguments)
    upgrade(settings.database_url)
    print(f"the database stands at {current_revision(settings.database_url)}")
    return 0


def command_settings(arguments: Arguments) -> int:
    """All settings with what they are for, secrets hidden."""
    rows = described(load_settings(arguments.env_file))
    if arguments.json:
        _print_json({name: value for name, value, _ in rows})
    else:
        for name, value, description in rows:
            print(f"{name}={value}\n    {description}")
    return 0


def command_campaign_check(arguments: Arguments) -> int:
    """Validate a campaign file and print its worst-case exposure."""
    from services.campaign_check import check_text

    report = check_text(str(arguments.file), _read_text(arguments.file))
    if arguments.json:
        _print_json(report.document())
    else:
        report.print_to(sys.stdout if report.valid else sys.stderr)
    return 0 if report.valid else 1


def command_campaign_load(arguments: Arguments) -> int:
    """Load a campaign or a revision of one; a running `serve` shows it at its next look."""
    from services.campaigns import load_campaign

    house = _house(arguments)
    loaded, is_new = load_campaign(house, _read_text(arguments.file), arguments.author, arguments.reason)
    document = {
        "campaign": loaded.slug,
        "revision": loaded.newest.revision,
        "digest": loaded.newest.digest,
        "loaded": is_new,
    }
    if arguments.json:
        _print_json(document)
    else:
        word = "loaded" if is_new else "was loaded already"
        print(f"{loaded.slug} revision {loaded.newest.revision} {word} (digest {loaded.newest.digest})")
    return 0


def command_sdl_check(arguments: Arguments) -> int:
    """What is wrong with an SDL, what it asks for, and the hashes it may carry on the chain."""
    from verifiers.sdl import check, report_json, report_text

    try:
        report = check(arguments.file.read_bytes())
    except OSError as error:
        raise CommandError(f"{arguments.file} cannot be read: {error.strerror}") from error
    if arguments.json:
        _print_json(report_json(report))
    else:
        print(report_text(report))
    return 0 if report.valid else 1


def command_verify(arguments: Arguments) -> int:
    """Follow the chain and verify what is due, with progress."""
    from jobs.by_hand import verify_by_hand

    return verify_by_hand(_house(arguments), once=arguments.once, stop=_stop_event())


def command_rewards_compute(arguments: Arguments) -> int:
    """Bring the award lines in step with the verdicts and print them."""
    from services.rewards import compute_awards

    computed = compute_awards(_house(arguments))
    document = computed.document()
    if arguments.json:
        _print_json(document)
    else:
        _print_totals(document)
        print(f"{computed.lines_added} lines added")
    return 0


def command_rewards_simulate(arguments: Arguments) -> int:
    """Awards of a table of completions: no database, no network."""
    from services.simulate import simulate

    simulation = simulate(arguments.campaign, arguments.completions, arguments.earlier)
    if arguments.json:
        simulation.write_json(sys.stdout)
    elif simulation.ok:
        _print_totals(simulation.document)
    else:
        for mistake in simulation.errors:
            print(mistake, file=sys.stderr)
    return 0 if simulation.ok else 1


def _print_totals(document: Any) -> None:
    from tasks.rewards.money import format_micro

    unit = document["unit"]
    for participant, micro in sorted(document["totals"].items(), key=lambda item: (-item[1], item[0])):
        print(f"{participant}  {format_micro(micro):>16} {unit}")
    print(f"{len(document['lines'])} lines; left of the budget: {format_micro(document['budget_left_micro'])} {unit}")


def command_payout_owed(arguments: Arguments) -> int:
    """What is owed to whom, by address."""
    from services.payouts import owed, owed_csv

    rows = owed(_house(arguments))
    if arguments.csv:
        sys.stdout.write(owed_csv(rows))
    elif arguments.json:
        _print_json([row.document() for row in rows])
    else:
        for row in rows:
            print(f"{row.address}  {row.amount_micro:>14} micro {row.unit}  {row.state}: {row.reason}")
    return 0


def command_organizer_add(arguments: Arguments) -> int:
    """Give an address a role."""
    from services.roles import add_role

    added = add_role(_house(arguments), arguments.address, arguments.role)
    print(f"{arguments.address} is {'now' if added else 'already'} {arguments.role}")
    return 0


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{path} is no UTF-8 text (byte {error.start})") from error


# --- the command line -----------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="app.py", description="Waymark runs incentivised testnets.")
    parser.add_argument("--env-file", type=Path, help="read settings from this file instead of ./.env")
    rooms = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(path: str, run: Any, *options: tuple[Any, ...], json_too: bool = False) -> None:
        group, _, name = path.rpartition(" ")
        home = groups.get(group) if group else rooms
        if home is None:
            home = rooms.add_parser(group, help=f"{group} …").add_subparsers(required=True, metavar="WHAT")
            groups[group] = home
        about = (run.__doc__ or "").splitlines()[0]
        made = home.add_parser(name, help=about, description=about)
        for flags, keywords in options:
            made.add_argument(*flags, **keywords)
        if json_too:
            made.add_argument("--json", action="store_true", help="print one JSON document")
        made.set_defaults(run=run)

    groups: dict[str, Any] = {}
    _add_commands(command)
    return parser


def _option(*flags: str, **keywords: Any) -> tuple[tuple[str, ...], dict[str, Any]]:
    return flags, keywords


def _add_commands(command: Any) -> None:
    host = _option("--host", default="127.0.0.1", help="the address to listen on")
    port = _option("--port", type=int, help="the port to listen on")
    workers = _option("--workers", type=int, default=1, help="web processes; more than one on PostgreSQL only")
    file = _option("file", type=Path, metavar="FILE")
    until = _option("--until", type=int, metavar="HEIGHT", help="stop at this height of the story")
    child = _option("--child", action="store_true", help=argparse.SUPPRESS)
    command("serve", command_serve, host, port, workers)
    command("web", command_web, host, port, workers)
    command("jobs", command_jobs)
    folder = _option("--dir", type=Path, default=Path(".demo"), help="the folder that holds the demo")
    fresh = _option("--fresh", action="store_true", help="begin anew")
    command("demo", command_demo, port, folder, fresh, until)
    scenario = _option("--scenario", default="gpu-testnet-2023", help="the story to tell")
    opens = _option("--opens", type=int, help=argparse.SUPPRESS)
    command("devnet", command_devnet, scenario, port, opens, until, child)
    command("campaign check", command_campaign_check, file, json_too=True)
    author = _option("--author", default="operator", help="who loads it, for the record")
    reason = _option("--reason", help="why, for the record; default: the file's own change.reason")
    command("campaign load", command_campaign_load, file, author, reason, json_too=True)
    command("sdl check", command_sdl_check, file, json_too=True)
    command("verify", command_verify, _option("--once", action="store_true", help="until nothing is due, then exit"))
    command("rewards compute", command_rewards_compute, json_too=True)
    campaign = _option("campaign", type=Path, metavar="CAMPAIGN.yaml")
    table = _option("completions", type=Path, metavar="COMPLETIONS.csv")
    earlier = _option(
        "--earlier", type=Path, action="append", default=[], help="an earlier revision; repeat for more"
    )
    command("rewards simulate", command_rewards_simulate, campaign, table, earlier, json_too=True)
    command("payout owed", command_payout_owed, _option("--csv", action="store_true"), json_too=True)
    role = _option("--role", required=True, help="reviewer, organizer, treasurer, approver or admin")
    command("organizer add", command_organizer_add, _option("address"), role)
    command("db upgrade", command_db_upgrade)
    command("settings", command_settings, json_too=True)


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; its exit code is 0 only where it did what was asked."""
    arguments = _parser().parse_args(words)
    try:
        return int(arguments.run(arguments))
    except CommandError as error:
        return _fail(arguments, str(error), error.document)
    except (CampaignErrors, SettingsError, UseCaseError, LedgerError, Trouble, DemoError) as error:
        return _fail(arguments, str(error), {"error": str(error)})
    except BrokenPipeError:
        return 1


def _fail(arguments: Arguments, message: str, document: object) -> int:
    if getattr(arguments, "json", False):
        _print_json(document)
    print(message, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
