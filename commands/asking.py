"""What every command needs: how it fails, how it answers, how it is told to stop."""

from __future__ import annotations

import json
import signal
import sys
import threading
from types import FrameType


class CommandError(Exception):
    """A command can't do what was asked; `document` is what `--json` prints."""

    def __init__(self, message: str, document: object | None = None) -> None:
        super().__init__(message)
        self.document = {"error": message} if document is None else document


def print_json(document: object) -> None:
    """One JSON document on stdout."""
    json.dump(document, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def stop_event() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()

    def set_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, set_stop)
    signal.signal(signal.SIGINT, set_stop)
    return stop
