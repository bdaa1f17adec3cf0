"""paynet: a real one-node Cosmos SDK chain on loopback, built from `tests/paynet` where Go is installed.

`python -m tests.paynets` builds the program and prints where it is.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SOURCES = Path(__file__).parent / "paynet"
CACHE = SOURCES.parent.parent / ".paynet"
CHAIN_ID = "akash-paynet-1"
MEMBERS = ("alice", "bob", "carol")
FUNDED = ("validator", *MEMBERS, "funder", "treasury")
LEAST_GO = (1, 26)
_VERSION = "github.com/cosmos/cosmos-sdk/version"
_STAMPS = f"-s -w -X {_VERSION}.Name=paynet -X {_VERSION}.AppName=paynetd"


def go() -> str | None:
    """The Go program, None where none is installed or it is too old for the sources."""
    found = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin:/usr/lib/go/bin")
    if found is None:
        return None
    said = subprocess.run(
        [found, "env", "GOVERSION"], capture_output=True, text=True, check=False, env=_environment()
    )
    numbers = re.match(r"go(\d+)\.(\d+)", said.stdout.strip())
    return found if numbers and (int(numbers[1]), int(numbers[2])) >= LEAST_GO else None


def program() -> Path:
    """The chain's program, built once for these sources: minutes the first time, then nothing."""
    digest = hashlib.sha256()
    for name in ("main.go", "go.mod", "go.sum"):
        digest.update((SOURCES / name).read_bytes())
    built = CACHE / digest.hexdigest()[:16] / "paynetd"
    built.parent.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.exists():
            _build(built)
    return built


def _build(built: Path) -> None:
    compiler = go()
    if compiler is None:
        raise RuntimeError(f"paynet needs Go {LEAST_GO[0]}.{LEAST_GO[1]} or newer")
    fresh = built.with_suffix(".new")
    flags = ["-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", _STAMPS]
    words = [compiler, "build", *flags, "-o", str(fresh), "."]
    made = subprocess.run(words, cwd=SOURCES, env=_environment(), capture_output=True, text=True, check=False)
    if made.returncode:
        raise RuntimeError(f"paynet can't be built:\n{made.stderr[-4000:]}")
    fresh.rename(built)


def _environment() -> dict[str, str]:
    return {**os.environ, "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}


@dataclass(frozen=True)
class Paynet:
    """The running chain. Its keys are in a plain-text key ring below `home`, made anew each time."""

    binary: Path
    home: Path
    rest: str
    rpc: str

    @property
    def node(self) -> str:
        """The RPC address as the command line wants it."""
        return self.rpc.replace("http://", "tcp://")

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One command of the chain's program on this chain, whatever comes of it."""
        return subprocess.run(
            [str(self.binary), *words, "--home", str(self.home)],
            capture_output=True, text=True, check=False, timeout=60, env=_home(self.home),
        )  # fmt: skip

    def cli(self, *words: str) -> str:
        """The same; its stdout, where it succeeds."""
        done = self.run(*words)
        assert done.returncode == 0, f"{' '.join(words)}: {done.stderr or done.stdout}"
        return done.stdout

    def script(self, commands: str, folder: Path) -> str:
        """The lines that people are told to type, run in `folder` as they stand; the last one's stdout.

        Only the program's name and the key ring are put in.
        """
        shell = f'akash() {{ "{self.binary}" "$@" --home "{self.home}"; }}\n'
        text = commands.replace(" tx sign ", " tx sign --keyring-backend test ")
        text = re.sub(r" tx (multi-?sign) ", r" tx multisign --keyring-backend test ", text)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", shell + text],
            cwd=folder, capture_output=True, text=True, check=False, timeout=120, env=_home(self.home),
        )  # fmt: skip
        assert done.returncode == 0, f"{text}\n{done.stderr}\n{done.stdout}"
        return done.stdout

    def address(self, key: str) -> str:
        """The address of a key of the ring."""
        return self.cli("keys", "show", key, "-a", "--keyring-backend", "test").strip()

    def height(self) -> int:
        """The newest height."""
        return int(json.loads(self.cli("status", "--node", self.node))["sync_info"]["latest_block_height"])

    def wait_for(self, height: int) -> None:
        """Until a block of that height is there."""
        until = time.monotonic() + 60
        while self.height() < height:
            assert time.monotonic() < until, f"no block {height} in a minute"
            time.sleep(0.1)

    def tx(self, tx_hash: str) -> Mapping[str, Any]:
        """A transaction once it is in a block."""
        until = time.monotonic() + 30
        while True:
            done = self.run("query", "tx", tx_hash, "--node", self.node, "--output", "json")
            if done.returncode == 0:
                found: Mapping[str, Any] = json.loads(done.stdout)
                return found
            assert time.monotonic() < until, done.stderr
            time.sleep(0.1)

    def key(self, name: str, uakt: int) -> str:
        """A new key of one person, with so many uakt from the funder; its address."""
        self.cli("keys", "add", name, "--keyring-backend", "test", "--output", "json")
        address = self.address(name)
        self.pay("funder", address, uakt)
        return address

    def pay(self, key: str, address: str, uakt: int, *flags: str) -> str:
        """A plain transfer, in a block when this returns; its hash."""
        sent = self.cli(
            "tx", "bank", "send", key, address, f"{uakt}uakt", "--fees", "1000uakt", "--yes", "--output", "json",
            "--keyring-backend", "test", "--chain-id", CHAIN_ID, "--node", self.node, *flags,
        )  # fmt: skip
        answer = json.loads(sent)
        assert answer["code"] == 0, answer
        self.tx(answer["txhash"])
        return str(answer["txhash"])

    def sign(self, unsigned: Path, key: str, *flags: str) -> bytes:
        """The file signed by one key, with the account's numbers as the chain has them unless `flags` say others."""
        made = unsigned.with_suffix(".signed")
        network = [] if "--offline" in flags else ["--node", self.node]
        self.cli(
            "tx", "sign", str(unsigned), "--from", key, "--keyring-backend", "test", "--chain-id", CHAIN_ID,
            *network, *flags, "--output-document", str(made),
        )  # fmt: skip
        return made.read_bytes()

    def send(self, signed: Path) -> str:
        """Broadcast a signed file by the command line, past the platform; its hash, once it is in a block."""
        answer = json.loads(self.cli("tx", "broadcast", str(signed), "--node", self.node, "--output", "json"))
        assert answer["code"] == 0, answer
        self.tx(answer["txhash"])
        return str(answer["txhash"])


def _home(home: Path) -> dict[str, str]:
    """The program reads its client settings below HOME, so that no other chain on this machine is meant."""
    return {**os.environ, "HOME": str(home.parent)}


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in taken]
    for each in taken:
        each.close()
    return ports


@contextmanager
def running(folder: Path, *, indexer: str = "kv") -> Iterator[Paynet]:
    """A fresh chain in `folder`, with blocks every quarter of a second, until the end of the block.

    `indexer` "null": a node that keeps no index of transactions.
    """
    rpc, p2p, rest, grpc = free_ports(4)
    net = Paynet(program(), folder / ".paynet", f"http://127.0.0.1:{rest}", f"http://127.0.0.1:{rpc}")
    _make_genesis(net)
    _configure(net.home / "config", {"rpc": rpc, "p2p": p2p, "rest": rest, "grpc": grpc}, indexer)
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [str(net.binary), "start", "--home", str(net.home)], stdout=log, stderr=log, env=_home(net.home)
        )
        try:
            _wait_until_up(net, process, folder / "log")
            yield net
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _make_genesis(net: Paynet) -> None:
    ring = ("--keyring-backend", "test")
    net.cli("init", "paynet", "--chain-id", CHAIN_ID, "--default-denom", "uakt")
    for key in ("validator", *MEMBERS, "funder", "poor"):
        net.cli("keys", "add", key, *ring, "--output", "json")
    net.cli("keys", "add", "treasury", "--multisig", ",".join(MEMBERS), "--multisig-threshold", "2", *ring)
    for key in FUNDED:
        net.cli("genesis", "add-genesis-account", key, "1000000000000uakt", *ring)
    net.cli("genesis", "add-genesis-account", "poor", "20000uakt", *ring)
    net.cli("genesis", "gentx", "validator", "100000000uakt", "--chain-id", CHAIN_ID, *ring)
    net.cli("genesis", "collect-gentxs")


def _configure(folder: Path, ports: Mapping[str, int], indexer: str) -> None:
    config, app, client = (folder / name for name in ("config.toml", "app.toml", "client.toml"))
    text = config.read_text()
    text = re.sub(r"(?m)^timeout_(propose|prevote|precommit) *=.*", r'timeout_\1 = "500ms"', text)
    text = re.sub(r"(?m)^timeout_commit *=.*", 'timeout_commit = "250ms"', text)
    text = re.sub(r'(?m)^laddr = "tcp://[^"]*:26657"', f'laddr = "tcp://127.0.0.1:{ports["rpc"]}"', text)
    text = re.sub(r'(?m)^laddr = "tcp://[^"]*:26656"', f'laddr = "tcp://127.0.0.1:{ports["p2p"]}"', text)
    text = re.sub(r"(?m)^pprof_laddr *=.*", 'pprof_laddr = ""', text)
    text = re.sub(r"(?m)^pex *=.*", "pex = false", text)
    text = re.sub(r"(?m)^indexer *=.*", f'indexer = "{indexer}"', text)
    config.write_text(re.sub(r"(?m)^log_level *=.*", 'log_level = "warn"', text))
    sections = re.split(r"(?m)^(?=\[)", app.read_text())
    app.write_text("".join(_section(section, ports) for section in sections))
    text = re.sub(r"(?m)^node *=.*", f'node = "tcp://127.0.0.1:{ports["rpc"]}"', client.read_text())
    text = re.sub(r"(?m)^chain-id *=.*", f'chain-id = "{CHAIN_ID}"', text)
    client.write_text(re.sub(r"(?m)^output *=.*", 'output = "json"', text))


def _section(section: str, ports: Mapping[str, int]) -> str:
    head = section.partition("\n")[0]
    section = re.sub(r"(?m)^minimum-gas-prices *=.*", 'minimum-gas-prices = "0.0025uakt"', section)
    if head == "[api]":
        section = re.sub(r"(?m)^enable *=.*", "enable = true", section)
        return re.sub(r"(?m)^address *=.*", f'address = "tcp://127.0.0.1:{ports["rest"]}"', section)
    if head == "[grpc]":
        return re.sub(r"(?m)^address *=.*", f'address = "127.0.0.1:{ports["grpc"]}"', section)
    if head == "[grpc-web]":
        return re.sub(r"(?m)^enable *=.*", "enable = false", section)
    return section


def _wait_until_up(net: Paynet, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while True:
        assert process.poll() is None, log.read_text()[-3000:]
        assert time.monotonic() < until, log.read_text()[-3000:]
        try:
            port = int(net.rest.rpartition(":")[2])
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            if net.height() >= 2:
                return
        except (OSError, AssertionError):
            pass
        time.sleep(0.1)


if __name__ == "__main__":
    sys.stdout.write(f"{program()}\n")
