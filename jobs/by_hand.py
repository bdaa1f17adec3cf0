"""`verify`: what the jobs do, by hand and with a progress bar."""

from __future__ import annotations

import sys
import threading

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from services import campaigns, claims, following, rewards, verification
from services.errors import UseCaseError
from services.house import House
from services.pass_reads import PassReads
from services.workload import workload
from verifiers.trouble import Trouble


def verify_by_hand(house: House, *, once: bool, stop: threading.Event) -> int:
    """Follow, find, verify and compute; `once`: until nothing is due. Returns the exit code.

    Trouble of a node or a chain that lets nothing be judged ends `once` with 1; without `once` it is said and
    tried again.
    """
    console = Console(stderr=True, highlight=False)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task("Following the chain", total=None)
        while True:
            try:
                done = _round(house, progress, int(bar))
            except (UseCaseError, Trouble) as error:
                console.print(str(error), markup=False)
                if once:
                    return 1
                done = 0
            if once and done == 0:
                break
            if stop.wait(0 if done else house.settings.verify_every_seconds):
                break
    return 0


def _round(house: House, progress: Progress, bar: int) -> int:
    """One round of everything; returns how many claims were verified."""
    task = progress.tasks[bar].id
    progress.update(task, description="Following the chain")
    following.follow(house)
    claims.find_claims(house)
    loaded = campaigns.required(house)
    total, done = workload(house).due, 0
    progress.update(task, description="Verifying claims", total=total, completed=0)
    reads = PassReads(house)
    while count := verification.verify_batch(house, loaded, reads):
        done += count
        progress.update(task, completed=min(done, total), total=max(done, total))
    rewards.compute_if_changed(house)
    return done
