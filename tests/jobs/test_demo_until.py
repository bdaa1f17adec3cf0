"""The demo up to a height: undisturbed, and with its processes killed at random moments, the same awards."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOLD_BY = 403_200
APPEALED = 335_000
"""Some acts that follow on verdicts lie before this height, others after it."""

GIVE_UP_SECONDS = 240


def command(folder: Path, scale: str, until: int = TOLD_BY) -> list[str]:
    app = [sys.executable, str(ROOT / "app.py")]
    return [*app, "demo", "--dir", str(folder), "--until", str(until), "--scale", scale]


def awards(output: str) -> list[tuple[str, int, str]]:
    return [(line["claim"], line["amount_micro"], line["reason"]) for line in json.loads(output)["lines"]]


def undisturbed(folder: Path, scale: str, until: int = TOLD_BY) -> list[tuple[str, int, str]]:
    done = subprocess.run(
        command(folder, scale, until),
        check=False,
        capture_output=True,
        text=True,
        timeout=GIVE_UP_SECONDS,
        cwd=folder.parent,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return awards(done.stdout)


def family(root: int) -> list[int]:
    """The process and all its descendants, from /proc."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit():
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
        except (OSError, IndexError):
            continue
    found, ahead = [], [root]
    while ahead:
        found.append(ahead.pop())
        ahead += children.get(found[-1], [])
    return found


def disturbed(folder: Path, scale: str, kills: int, seed: int) -> list[tuple[str, int, str]]:
    """Run to the end while killing members of the family; the head of it is started again when it was hit."""
    draw = random.Random(seed)
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while time.monotonic() < deadline:
        with subprocess.Popen(
            command(folder, scale), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=folder.parent
        ) as process:
            while kills > 0:
                try:
                    process.wait(draw.uniform(0.3, 4))
                    break
                except subprocess.TimeoutExpired:
                    victim = draw.choice(family(process.pid))
                    kills -= 1
                    try:
                        os.kill(victim, signal.SIGKILL)
                    except ProcessLookupError:
                        continue
            output, _ = process.communicate(timeout=max(1, deadline - time.monotonic()))
            if process.returncode == 0:
                return awards(output)
    raise AssertionError("the killed demo did not reach its end")


@pytest.mark.timeout(600)
def test_demo_until__tiny_story_with_kills__same_award_lines(tmp_path: Path) -> None:
    calm = undisturbed(tmp_path / "calm", "tiny")
    assert calm
    assert disturbed(tmp_path / "killed", "tiny", kills=8, seed=7) == calm
    early = undisturbed(tmp_path / "later", "tiny", APPEALED)
    assert early != calm
    assert undisturbed(tmp_path / "later", "tiny") == calm, "a stop on the way changes nothing"


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_demo_until__whole_story_with_kills__same_award_lines(tmp_path: Path) -> None:
    calm = undisturbed(tmp_path / "calm", "full")
    assert len(calm) > 50
    assert disturbed(tmp_path / "killed", "full", kills=20, seed=11) == calm
