"""A season of the largest size stays within its time and memory (issue: 10 s and 1 GiB for 50,000 by 12)."""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tasks.campaign import load, preset
from tasks.revisions import Rules
from tasks.rewards.completion import Completion
from tasks.rewards.engine import compute

ROOT = Path(__file__).parents[2]


def _completions(rules: Rules, participants: int, each: int) -> list[Completion]:
    campaign = rules.newest
    draw = random.Random(7)
    slugs = [task.slug for task in campaign.tasks]
    models = [
        {"gpu_model": model.id, "app": f"app-{number}"} for number, model in enumerate(campaign.gpu_models or ())
    ]
    made = []
    for number in range(participants):
        who = f"akash1{number:038d}"
        for turn in range(each):
            at = type(campaign.opens)(draw.randrange(campaign.opens, campaign.closes))
            claim, slug = f"{number:08x}{turn:024x}", slugs[(number + turn) % len(slugs)]
            subject, attributes = f"{who}/{turn}", models[(number * 5 + turn) % len(models)]
            made.append(
                Completion(claim, who, slug, at, at >> 32, turn, subject, attributes, True, "", campaign.opens)
            )
    return made


def measured(participants: int) -> dict[str, int]:
    """CPU milliseconds of the engine, its lines, and the process's greatest memory in MiB."""
    rules = Rules([load(preset("gpu-testnet-2023"))])
    completions = _completions(rules, participants, 12)
    begun = time.process_time_ns()
    awards = compute(rules, completions)
    spent = (time.process_time_ns() - begun) // 10**6
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"lines": len(awards.lines), "milliseconds": spent, "mebibytes": memory}


def test_engine__with_2000_by_12_completions__takes_its_share_of_the_time() -> None:
    result = measured(2000)
    assert result["lines"] == 24_000
    assert result["milliseconds"] < 2000  # a fifth of the long form's time for a twenty-fifth of its size


@pytest.mark.long
def test_engine__with_50000_by_12_completions__stays_below_10_seconds_and_1_gib() -> None:
    script = f"""
import importlib.util, json
spec = importlib.util.spec_from_file_location("size", {str(Path(__file__))!r})
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(json.dumps(module.measured(50_000)))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    assert result["lines"] == 600_000
    assert result["milliseconds"] < 10_000
    assert result["mebibytes"] < 1024
