"""No orphans: a child ends when the supervisor that started it is gone, even if that was before it could look."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jobs.supervisor import PARENT, Supervisor

ROOT = Path(__file__).resolve().parents[2]
SLEEPER = "import os, time; from jobs.supervisor import end_with_parent; end_with_parent(os.environ); time.sleep(60)"
KEEPER = (
    "import os, sys, time; from jobs.supervisor import Supervisor; keeper = Supervisor();"
    "child = keeper.start('sleeper', [sys.executable, '-c', sys.argv[1]], os.environ);"
    "print(child.process.pid, flush=True); time.sleep(60)"
)


def is_running(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False


def ended(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and is_running(pid):
        time.sleep(0.1)
    return not is_running(pid)


def test_end_with_parent__supervisor_killed__child_ends() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KEEPER, SLEEPER], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as keeper:
        assert keeper.stdout is not None
        child = int(keeper.stdout.readline())
        assert is_running(child)
        os.kill(keeper.pid, signal.SIGKILL)
    assert ended(child, 30)


def test_end_with_parent__supervisor_gone_before_the_child_looks__child_ends() -> None:
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], check=True, capture_output=True)
    environment = {**os.environ, PARENT: gone.stdout.decode().strip()}
    with subprocess.Popen([sys.executable, "-c", SLEEPER], env=environment, cwd=ROOT) as child:
        assert child.wait(30) == -signal.SIGTERM


@pytest.mark.parametrize("times", [1, 2])
def test_tend__child_died__is_started_again(times: int) -> None:
    keeper = Supervisor()
    child = keeper.start("sleeper", [sys.executable, "-c", "import time; time.sleep(60)"], os.environ)
    try:
        for _ in range(times):
            assert child.process is not None
            before = child.process.pid
            os.kill(before, signal.SIGKILL)
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline and (child.process is None or child.process.pid == before):
                keeper.tend()
                time.sleep(0.05)
            assert child.process is not None
            assert child.process.pid != before
    finally:
        keeper.stop()
