"""The composition root: `create_app(settings)` and the command line; the only module that knows every room."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from commands.asking import CommandError, print_json
from commands.parser import parser
from jobs.demo import DemoError
from jobs.supervisor import end_with_parent
from ledger.base import Ledger
from ledger.errors import LedgerError
from ledger.upgrading import upgrade
from services.clock import CappedClock, SystemClock
from services.errors import UseCaseError
from services.house import House
from services.logs import set_up_logs
from services.settings import Settings, SettingsError, load_settings
from tasks.campaign import CampaignErrors
from tasks.moment import Clock, parse_moment
from verifiers.chain.client import Chain
from verifiers.codehost.client import CodeHost
from verifiers.http import Limits
from verifiers.trouble import Trouble

if TYPE_CHECKING:
    from flask import Flask


def build_house(settings: Settings, clock: Clock | None = None) -> House:
    """Wire the ledger, the clock and the chains that the settings name. Opens no connection yet."""
    machine_clock = clock = clock or SystemClock()
    if settings.clock_stops_at:
        clock = CappedClock(clock, parse_moment(settings.clock_stops_at))
    return House(
        settings=settings,
        ledger=Ledger(settings.database_url),
        clock=clock,
        chain=_chain(settings, settings.chain_rest, settings.chain_rpc, settings.chain_id, clock),
        payout_chain=_chain(settings, settings.payout_rest, settings.payout_rpc, settings.payout_chain_id, clock),
        machine_clock=machine_clock,
        codehost=_codehost(settings, clock),
    )


def _codehost(settings: Settings, clock: Clock) -> CodeHost:
    token = settings.github_token.get_secret_value() if settings.github_token else None
    return CodeHost(settings.codehost_api, clock, token=token, serves=settings.codehost_hosts)


def _chain(
    settings: Settings, rest: Sequence[str], rpc: Sequence[str], chain_id: str | None, clock: Clock
) -> Chain | None:
    if not rest or not rpc:
        return None
    limits = Limits(deadline_seconds=settings.chain_timeout_seconds)
    return Chain(
        rest,
        rpc,
        clock,
        chain_id=chain_id,
        agree=settings.chain_agree,
        limits=limits,
    )


def create_app(settings: Settings) -> Flask:
    """The web application on these settings, for any WSGI server."""
    from web.factory import create_web

    return create_web(build_house(settings))


class Wiring:
    """What commands are given to build a platform with."""

    build_house = staticmethod(build_house)
    create_app = staticmethod(create_app)

    @staticmethod
    def settings(arguments: Namespace) -> Settings:
        """The settings of this command; logs go by them from here on."""
        settings = load_settings(arguments.env_file)
        set_up_logs(settings)
        return settings

    @classmethod
    def house(cls, arguments: Namespace) -> House:
        """A platform on a database of this version."""
        house = build_house(cls.settings(arguments))
        upgrade(house.settings.database_url)
        return house

    @staticmethod
    def child(arguments: Namespace, *words: str) -> list[str]:
        """The command line of one of our own commands with the same settings."""
        environment = ["--env-file", str(arguments.env_file)] if arguments.env_file else []
        return [sys.executable, str(Path(__file__).resolve()), *environment, *words]


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; its exit code is 0 only where it did what was asked."""
    arguments = parser().parse_args(words)
    end_with_parent(os.environ)
    arguments.wiring = Wiring
    try:
        return int(arguments.run(arguments))
    except CommandError as error:
        return _fail(arguments, str(error), error.document)
    except (CampaignErrors, SettingsError, UseCaseError, LedgerError, Trouble, DemoError) as error:
        return _fail(arguments, str(error), {"error": str(error)})


def _fail(arguments: Namespace, message: str, document: object) -> int:
    if getattr(arguments, "json", False):
        print_json(document)
    sys.stderr.write(message + "\n")
    return 1


if __name__ == "__main__":
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read our answer has gone: nothing is left to say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code)
