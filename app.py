"""The composition root: `create_app(settings)` and the command line; the only module that knows every room."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import structlog

from ledger.base import Ledger
from ledger.errors import LedgerError
from services.clock import CappedClock, SystemClock
from services.errors import UseCaseError
from services.house import House
from services.settings import Settings, SettingsError, described, load_settings
from tasks.moment import Clock, parse_moment
from verifiers.chain.client import Chain

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
        rest, rpc, clock, chain_id=chain_id, agree=settings.chain_agree, timeout_seconds=settings.chain_timeout_seconds
    )


def create_app(settings: Settings) -> Flask:
    """The web application on these settings, for any WSGI server."""
    from web.factory import create_web

    return create_web(build_house(settings))


def set_up_logs(settings: Settings) -> None:
    """Static event names with fields, on stderr; JSON for machines."""
    renderer: Any = structlog.processors.JSONRenderer()
    if settings.log_format == "text":
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
