"""Child processes: started, watched, started again when they die, stopped together."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

import structlog

log = structlog.get_logger()

STOP_SECONDS = 20
QUICK_DEATH_SECONDS = 5
PARENT = "WAYMARK_PARENT_PID"
"""Tells a child whose child it is: by the time that it asks, its parent may have been killed already."""


@dataclass
class Child:
    """One process to keep running."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0
    next_start: float = 0.0

    def start(self) -> None:
        """Start it; its messages go to our stderr."""
        environment = {**self.environment, PARENT: str(os.getpid())}
        self.process = subprocess.Popen(self.command, env=environment, stdout=2)  # noqa: S603
        self.started = time.monotonic()


@dataclass
class Supervisor:
    """Keeps children running until told to stop. A child that dies at once is given more and more time."""

    children: list[Child] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Child:
        """Start one more child."""
        child = Child(name, command, environment)
        child.start()
        self.children.append(child)
        return child

    def stop_on_signals(self) -> None:
        """SIGTERM and SIGINT stop everything in order."""

        def stop(_number: int, _frame: FrameType | None) -> None:
            self.stopping.set()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)

    def stop_child(self, name: str) -> None:
        """Stop one child for good; the others go on."""
        for child in [each for each in self.children if each.name == name]:
            self.children.remove(child)
            if child.process is not None:
                _end([child.process])

    def tend(self) -> None:
        """Look at each child once and start again what has died."""
        now = time.monotonic()
        for child in self.children:
            if child.process is not None and child.process.poll() is not None:
                quick = now - child.started < QUICK_DEATH_SECONDS
                child.deaths = child.deaths + 1 if quick else 0
                child.next_start = now + min(30, child.deaths**2)
                log.warning("child_died", child=child.name, code=child.process.returncode, deaths=child.deaths)
                child.process = None
            if child.process is None and now >= child.next_start and not self.stopping.is_set():
                child.start()

    def run(self) -> None:
        """Tend the children until told to stop, then stop them."""
        try:
            while not self.stopping.wait(0.5):
                self.tend()
        finally:
            self.stop()

    def stop(self) -> None:
        """Ask every child to end, the newest first; after a while end it."""
        self.stopping.set()
        _end([child.process for child in reversed(self.children) if child.process is not None])
        self.children.clear()


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def end_with_parent(environment: Mapping[str, str]) -> None:
    """End this process when the supervisor that started it is gone, so that a killed one leaves no orphans behind.

    Does nothing in a process that no supervisor started.
    """
    if PARENT not in environment:
        return
    parent = int(environment[PARENT])

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(STOP_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
