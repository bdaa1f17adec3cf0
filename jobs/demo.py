"""The folder of a demo: its story's start, its ports, its campaign, its settings; a second start goes on in it."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import socket
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tasks.campaign import check
from tasks.moment import SECOND, Moment, format_moment, parse_moment
from tasks.rewards.money import Micro, format_micro, parse_micro

HOUR = 3600 * SECOND
DAY = 24 * HOUR
STORY_DAYS_BEFORE_START = 28
STORY_OPENS = parse_moment("2023-06-20T16:00:00Z")
CHAIN_ID = "waymark-demo-1"
PAYOUT_CHAIN_ID = "waymark-demo-pay-1"
CODE_HOST_AT = 2
PAYOUTS_AT = 3
PROVIDERS_FROM = 10
_NETWORK_PORTS = (0, 1, CODE_HOST_AT, PAYOUTS_AT, PAYOUTS_AT + 1, *range(PROVIDERS_FROM, PROVIDERS_FROM + 60))
"""What a local network takes, counted from its REST port: REST, RPC, the code host, REST and RPC of the chain on
which is paid, and two for each provider."""

PORTS_TRIED = 5000

_TIME = re.compile(r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")


class DemoError(Exception):
    """The demo can't start; the message says what to do."""


@dataclass(frozen=True)
class Demo:
    """What stays the same at every start of one demo.

    `opens` is the block time of height 1, `scale` full, small or tiny.
    """

    folder: Path
    opens: Moment
    seed: int
    scale: str
    port: int
    rest_port: int
    secret_key: str

    @property
    def env_file(self) -> Path:
        """Serves other commands: `python app.py --env-file …`."""
        return self.folder / ".env"

    @property
    def campaign_file(self) -> Path:
        """The campaign with its dates moved to this demo's start."""
        return self.folder / "campaign.yaml"

    @property
    def acts_file(self) -> Path:
        """How many of the people's acts are done, for each row of acts that is performed in order."""
        return self.folder / "acts.json"

    @property
    def codes_file(self) -> Path:
        """The codes that stand in the authors' pull requests, by participant."""
        return self.folder / "codes.json"

    @property
    def url(self) -> str:
        """The address to open."""
        return f"http://127.0.0.1:{self.port}"

    def acts_done(self, row: str) -> int:
        """How many acts of a row were done at earlier starts; repeating one changes nothing."""
        try:
            return int(self._rows()[row])
        except (ValueError, TypeError, KeyError):
            return 0

    def note_acts_done(self, row: str, count: int) -> None:
        """Remember how many acts of a row are done."""
        write_whole(self.acts_file, json.dumps(self._rows() | {row: count}) + "\n")

    def _rows(self) -> dict[str, Any]:
        try:
            found = json.loads(self.acts_file.read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def open_demo(
    folder: Path, port: int | None, now: Moment, *, fresh: bool, seed: int = 2023, scale: str = "full"
) -> Demo:
    """Open the demo in `folder`, or begin a new one there: `opens` is now, rounded down to the hour, less 28 days.

    Raises DemoError where the folder is not a demo's or a port is taken.
    """
    state_file = folder / "demo.json"
    if fresh and state_file.exists():
        shutil.rmtree(folder)
    if state_file.exists():
        demo = _stored(folder, state_file, port)
    elif folder.exists() and any(folder.iterdir()):
        raise DemoError(f"{folder} is not empty and holds no demo: name another folder with --dir")
    else:
        opens = Moment(now // HOUR * HOUR - STORY_DAYS_BEFORE_START * DAY)
        ports = port or free_port(8000), free_port(1317, network=True)
        demo = Demo(folder, opens, seed, scale, *ports, secrets.token_urlsafe(32))
    folder.mkdir(parents=True, exist_ok=True)
    kept = asdict(demo) | {"folder": None}
    write_whole(state_file, json.dumps(kept, indent=2) + "\n")
    return demo


def _stored(folder: Path, state_file: Path, port: int | None) -> Demo:
    try:
        kept = json.loads(state_file.read_text()) | {"folder": folder}
        demo = Demo(**kept)
    except (ValueError, TypeError) as error:
        raise DemoError(f"{state_file} cannot be read ({error}): begin anew with --fresh") from error
    moved = {"rest_port": demo.rest_port if _free(demo.rest_port, network=True) else free_port(1317, network=True)}
    if port is not None or not _free(demo.port):
        moved["port"] = port or free_port(8000)
    return Demo(**{**kept, **moved})


def write_settings(
    demo: Demo, clock_stops_at: Moment | None, providers: Sequence[str] = (), payer: str | None = None
) -> None:
    """Write `.env` and `ports.json`, which other commands and people read.

    `providers`: owners, by their ports; `payer`: the account that payouts are paid from.
    """
    rest, rpc = f"http://127.0.0.1:{demo.rest_port}", f"http://127.0.0.1:{demo.rest_port + 1}"
    codehost = f"http://127.0.0.1:{demo.rest_port + CODE_HOST_AT}"
    pay_rest, pay_rpc = (f"http://127.0.0.1:{demo.rest_port + PAYOUTS_AT + offset}" for offset in (0, 1))
    lines = {
        "CHAIN_REST": rest,
        "CHAIN_RPC": rpc,
        "PAYOUT_REST": pay_rest,
        "PAYOUT_RPC": pay_rpc,
        "PAYOUT_CHAIN_ID": PAYOUT_CHAIN_ID,
        "PAYOUT_EXPLORER_URL": f"{pay_rest}/cosmos/tx/v1beta1/txs/{{tx}}",
        "DATABASE_URL": f"sqlite:///{(demo.folder / 'waymark.db').resolve()}",
        "SECRET_KEYS": demo.secret_key,
        "PUBLIC_URL": demo.url,
        "ALLOW_PRIVATE_HOSTS": "127.0.0.0/8",
        "CODEHOST_API": codehost,
    }
    if payer is not None:
        lines["PAYOUT_PAYER"] = payer
    if clock_stops_at is not None:
        lines["CLOCK_STOPS_AT"] = format_moment(clock_stops_at)
    write_whole(demo.env_file, "".join(f"WAYMARK_{name}={value}\n" for name, value in lines.items()))
    ports: dict[str, object] = {"web": demo.url, "chain_rest": rest, "chain_rpc": rpc, "codehost": codehost}
    ports |= {"payout_rest": pay_rest, "payout_rpc": pay_rpc}
    first = demo.rest_port + PROVIDERS_FROM
    ports["providers"] = {
        owner: {"rest": f"https://127.0.0.1:{port}", "grpc": f"https://127.0.0.1:{port + 1}"}
        for owner, port in zip(providers, range(first, first + 2 * len(providers), 2), strict=True)
    }
    write_whole(demo.folder / "ports.json", json.dumps(ports, indent=2) + "\n")


def campaign_text(preset: str, opens: Moment, small_tasks: str = "") -> str:
    """The preset with every time moved by the distance of `opens` from 2023, on the demo's chains.

    Results of a task can be final two minutes after they are published, so that a demo can pay within minutes.
    `small_tasks`: a YAML document that begins with further `tasks`; what it may cost comes off the first task.
    """
    moved_by = opens - STORY_OPENS
    whole = _with_small_tasks(preset, small_tasks) if small_tasks else preset
    text = _TIME.sub(lambda match: format_moment(Moment(parse_moment(match[0]) + moved_by)), whole)
    for key, value in (("chain_id", CHAIN_ID), ("payout_chain_id", PAYOUT_CHAIN_ID), ("appeals", "2m")):
        text, count = re.subn(rf"(?m)^({key}:\s*)[^\s#]+", rf"\g<1>{value}", text)
        if count != 1:
            raise DemoError(f"the preset says `{key}` {count} times, not once")
    return text


def _with_small_tasks(preset: str, small_tasks: str) -> str:
    """The tasks of both, the small ones last, and the first task's budget lowered by what these may cost."""
    comment, _, tasks = small_tasks.partition("tasks:\n")
    joined = f"{preset.rstrip()}\n{textwrap.indent(comment, '  ')}{tasks}"
    found = check(joined).exposure
    if found is None or found.total_micro is None:
        raise DemoError("the small tasks of the demo don't fit the preset: `campaign check` its campaign.yaml")
    cost = found.total_micro - found.budget_micro
    first = re.compile(r"(?m)^(      budget: *)([0-9]+)")

    def lowered(match: re.Match[str]) -> str:
        return f"{match[1]}{format_micro(Micro(parse_micro(match[2]) - cost))}"

    return first.sub(lowered, joined, count=1)


def free_port(wanted: int, *, network: bool = False) -> int:
    """`wanted` or the next free port above it; `network`: with all that a local network takes."""
    for port in range(wanted, wanted + PORTS_TRIED):
        if _free(port, network=network):
            return port
    raise DemoError(f"no free port from {wanted} to {wanted + PORTS_TRIED}: stop what listens there")


def _free(port: int, *, network: bool = False) -> bool:
    return all(is_free(number) for number in ([port + offset for offset in _NETWORK_PORTS] if network else [port]))


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def is_answering(port: int) -> bool:
    """Whether somebody takes connections on a loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old text or the new one, never half."""
    beside = path.with_name(path.name + ".new")
    beside.write_text(text)
    beside.replace(path)
