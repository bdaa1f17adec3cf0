"""Logs: static lower-case event names with fields, on stderr."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from services.settings import Settings


def set_up_logs(settings: Settings) -> None:
    """Static event names with fields, on stderr; JSON for machines."""
    renderer: Any = structlog.processors.JSONRenderer()
    if settings.log_format == "text":
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
