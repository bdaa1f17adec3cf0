"""`make bench`: bootstrap and verification of the whole 2023 scenario beside a bare fetch-and-decode loop."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from app import build_house
from commands.story import Told
from jobs.demo import Demo, campaign_text, open_demo, write_settings
from ledger.upgrading import upgrade
from services.clock import SystemClock
from services.errors import UseCaseError
from services.loading import load_campaign
from services.settings import load_settings
from tasks.campaign import preset

TOLD_BY = 403_200
RUNS = 3
ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Print both figures of each run and the median ratio."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    ratios = []
    for run in range(1, RUNS + 1):
        with tempfile.TemporaryDirectory(prefix="waymark-bench-") as folder:
            ours, bare = _measure(Path(folder) / "demo")
        ratios.append(ours["seconds"] / bare["seconds"])
        print(
            f"run {run}: Waymark {ours['seconds']:.2f} s (bootstrap {ours['bootstrap_seconds']:.2f}, verification of "
            f"{ours['claims']} claims {ours['verify_seconds']:.2f}), {ours['requests']} requests, peak "
            f"{ours['peak_mib']:.0f} MiB; bare loop {bare['seconds']:.2f} s, {bare['bytes'] / 1e6:.1f} MB; "
            f"ratio {ratios[-1]:.2f}",
            flush=True,
        )
    print(
        f"median ratio {statistics.median(ratios):.2f} (at most 2 is the aim), spread {max(ratios) - min(ratios):.2f}"
    )


def _measure(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    demo = _prepared(folder)
    network = [sys.executable, str(ROOT / "app.py"), "devnet", "--port", str(demo.rest_port)]
    network += ["--opens", str(demo.opens), "--until", str(TOLD_BY), "--calm", "--seed", str(demo.seed)]
    process = subprocess.Popen(network, cwd=ROOT)
    try:
        _wait_for(f"http://127.0.0.1:{demo.rest_port}/cosmos/base/tendermint/v1beta1/node_info")
        listed = str(folder / "asked.jsonl")
        return _child("bench.platform", str(demo.env_file), listed), _child("bench.bare", listed)
    finally:
        process.terminate()
        process.wait()


def _prepared(folder: Path) -> Demo:
    """A demo whose people have done all they do, so that what is timed is only reading and judging."""
    demo = open_demo(folder, None, SystemClock().now(), fresh=False)
    told = Told(demo)
    write_settings(demo, told.block(TOLD_BY).time)
    settings = load_settings(demo.env_file)
    upgrade(settings.database_url)
    house = build_house(settings)
    load_campaign(house, campaign_text(preset("gpu-testnet-2023"), demo.opens), "bench")
    for act in told.performances(house):
        try:
            act.run()
        except UseCaseError:  # some of the story's people are refused, and that is the story
            continue
    house.ledger.close()
    return demo


def _child(module: str, *words: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", module, *words], cwd=ROOT, check=True, capture_output=True, text=True
    )
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _wait_for(url: str) -> None:
    for _ in range(240):
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.25)
        else:
            return
    raise TimeoutError(url)


if __name__ == "__main__":
    main()
