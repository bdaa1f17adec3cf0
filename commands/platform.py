"""Commands that run the platform, its local network and its database."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
import time
from functools import partial
from urllib.parse import urlsplit

from commands.asking import CommandError, print_json, stop_event
from jobs.demo import free_port, is_free, open_demo
from jobs.demo_run import DemoRun
from jobs.supervisor import Supervisor
from services.clock import SystemClock
from services.settings import described, load_settings
from tasks.moment import Moment

Arguments = argparse.Namespace

PORT_SECONDS = 10


def serve(arguments: Arguments) -> int:
    """Migrate the database, then keep the web and the jobs running."""
    house = arguments.wiring.house(arguments)
    if arguments.workers > 1 and house.ledger.on_sqlite:
        raise CommandError("more than one worker needs PostgreSQL: set WAYMARK_DATABASE_URL, or leave --workers out")
    host, port = arguments.host, arguments.port or urlsplit(house.settings.public_url).port or 8000
    if not _comes_free(port, host):
        raise CommandError(f"port {port} of {host} is taken: stop what listens there, or choose another with --port")
    house.ledger.close()
    # on loopback no key is asked for; all children must share one all the same
    shared = {} if house.settings.secret_keys else {"WAYMARK_SECRET_KEYS": secrets.token_urlsafe(32)}
    supervisor = Supervisor()
    supervisor.stop_on_signals()
    where = ["--host", host, "--port", str(port), "--workers", str(arguments.workers)]
    supervisor.start("web", arguments.wiring.child(arguments, "web", *where), {**os.environ, **shared})
    supervisor.start("jobs", arguments.wiring.child(arguments, "jobs"), {**os.environ, **shared})
    print(f"Waymark: open {house.settings.public_url}", file=sys.stderr, flush=True)
    supervisor.run()
    return 0


def _comes_free(port: int, host: str) -> bool:
    """Whether a port is free, or becomes so: a killed platform's web process takes a moment to end."""
    for _ in range(PORT_SECONDS * 2):
        if is_free(port, host):
            return True
        time.sleep(0.5)
    return False


def web(arguments: Arguments) -> int:
    """One of serve's children: gunicorn with threads."""
    from web.server import run_web

    settings = arguments.wiring.settings(arguments)
    run_web(lambda: arguments.wiring.create_app(settings), arguments.host, arguments.port, arguments.workers)
    return 0


def jobs(arguments: Arguments) -> int:
    """The other child: the clock, the runner, the follower."""
    from jobs.clock import run_until

    run_until(arguments.wiring.build_house(arguments.wiring.settings(arguments)), stop_event())
    return 0


def devnet(arguments: Arguments) -> int:
    """A local Akash network alone: REST on the port, RPC on the next, providers from the tenth after it on."""
    from devnet.command import UnknownScenario, run_devnet

    opens = None if arguments.opens is None else Moment(arguments.opens)
    port = arguments.port or free_port(1317, network=True)
    try:
        run_devnet(
            arguments.scenario,
            port,
            SystemClock(),
            stop_event(),
            opens=opens,
            until=arguments.until,
            scale=arguments.scale,
            seed=arguments.seed,
            is_calm=arguments.calm,
            generation=arguments.generation,
            codes=json.loads(arguments.codes.read_text()) if arguments.codes else None,
            payouts=arguments.payouts,
        )
    except (OSError, UnknownScenario, ValueError) as error:
        raise CommandError(f"the local network can't start: {error}") from error
    return 0


def demo(arguments: Arguments) -> int:
    """A local network with the story of the 2023 GPU testnet, and the platform on it."""
    from commands.story import Told

    now = SystemClock().now()
    opened = open_demo(arguments.dir, arguments.port, now, fresh=arguments.fresh, scale=arguments.scale)
    wiring, told = arguments.wiring, Told(opened)
    run = DemoRun(opened, told, wiring.build_house, partial(wiring.child, arguments), sys.stderr, arguments.until)
    if arguments.until is None:
        run.forever()
        return 0
    computed = run.until(arguments.until)
    if computed is None:
        return 1
    print_json(computed.document())
    return 0


def db_upgrade(arguments: Arguments) -> int:
    """Bring the tables to this version."""
    from ledger.upgrading import current_revision, upgrade

    settings = arguments.wiring.settings(arguments)
    upgrade(settings.database_url)
    print(f"the database stands at {current_revision(settings.database_url)}")
    return 0


def settings(arguments: Arguments) -> int:
    """All settings with what they are for, secrets hidden."""
    rows = described(load_settings(arguments.env_file))
    if arguments.json:
        print_json({name: value for name, value, _ in rows})
    else:
        for name, value, description in rows:
            print(f"{name}={value}\n    {description}")
    return 0


def organizer_add(arguments: Arguments) -> int:
    """Give an address a role."""
    from services.roles import add_role

    added = add_role(arguments.wiring.house(arguments), arguments.address, arguments.role)
    print(f"{arguments.address} is {'now' if added else 'already'} {arguments.role}")
    return 0
