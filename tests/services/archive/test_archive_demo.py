"""The small form of the demo's story, exported and verified by commands in folders of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.archives import Edit, changed, on_lines

ROOT = Path(__file__).resolve().parents[3]


def app(folder: Path, *words: str, code: int = 0) -> str:
    """Run a command in a folder without any settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WAYMARK_")}
    command = [sys.executable, str(ROOT / "app.py"), *words]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=240, cwd=folder, env=environment
    )
    assert done.returncode == code, done.stderr[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    demo = folder / "d"
    app(folder, "demo", "--dir", str(demo), "--until", "403200", "--scale", "tiny")
    files = [folder / "first.tar.zst", folder / "second.tar.zst"]
    for file in files:
        app(folder, "--env-file", str(demo / ".env"), "audit", "export", str(file))
    assert files[0].read_bytes() == files[1].read_bytes()
    return files[0]


def verified(folder: Path, file: Path, code: int) -> dict[str, Any]:
    answer = json.loads(app(folder, "audit", "verify", str(file), "--json", code=code))
    assert isinstance(answer, dict)
    return answer


@pytest.mark.timeout(600)
def test_verify__tiny_story_elsewhere__every_verdict_and_award_is_worked_again(archive: Path, tmp_path: Path) -> None:
    answer = verified(tmp_path, archive, 0)
    assert answer["ok"] is True
    assert answer["differences"] == []
    assert answer["not_recomputable"] == []
    counts = answer["counts"]
    assert counts["verdicts judged again"] == counts["verdicts"] > 0
    assert counts["award lines"] > 0
    assert list(tmp_path.iterdir()) == []


NO_DOORS = """
import sys
def refuse(event, arguments):
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "sqlite3.connect", "subprocess.Popen"):
        raise AssertionError(f"{event} {arguments}")
sys.addaudithook(refuse)
import app
sys.exit(app.main(sys.argv[1:]))
"""


def test_verify__no_network_no_database__passes(archive: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", NO_DOORS, "audit", "verify", str(archive)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=240, cwd=tmp_path, env=environment
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert "Everything that can be worked again" in done.stdout


def dearer(lines: list[dict[str, Any]]) -> None:
    lines[0]["amount_micro"] += 1_000_000


def swapped(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [lines[1], lines[0], *lines[2:]]


TAMPERINGS: dict[str, tuple[str, Edit, str]] = {
    "one amount": ("award_lines.jsonl", on_lines(dearer), "the rules give"),
    "one byte of an answer": (
        "bodies.jsonl",
        lambda was: was.replace(b"akash1", b"akash2", 1),
        "the answer was changed",
    ),
    "one line removed": ("claims.jsonl", on_lines(lambda lines: lines[1:]), "is missing"),
    "two lines swapped": ("verdicts.jsonl", on_lines(swapped), "swapped"),
    "the campaign file": (
        "campaign/1.yaml",
        lambda was: was.replace(b"amount: 40", b"amount: 41", 1),
        "the campaign file was edited",
    ),
}


@pytest.mark.parametrize(("member", "edit", "words"), TAMPERINGS.values(), ids=TAMPERINGS)
def test_verify__tiny_story_tampered__exit_code_and_message(
    archive: Path, tmp_path: Path, member: str, edit: Edit, words: str
) -> None:
    (tmp_path / "elsewhere").mkdir()
    file = changed(archive, tmp_path / "changed.tar.zst", {member: edit}, mended=True)
    answer = verified(tmp_path / "elsewhere", file, 1)
    assert answer["ok"] is False
    assert any(words in difference["message"] for difference in answer["differences"]), answer["differences"][:5]
