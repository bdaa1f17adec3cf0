"""The exact command lines that sign, join, check and send an exported file: text for a terminal, nothing is run."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Join(StrEnum):
    """How a command line calls joining the members' signatures."""

    MULTI_SIGN = "multi-sign"
    """akash 1.2.2."""

    MULTISIGN = "multisign"
    """Every other command line of SDK 0.47, 0.50 and 0.53."""


@dataclass(frozen=True, slots=True)
class Network:
    """Where the commands go: the payout chain's id, an RPC node (`tcp://` or `https://`), the program's name.

    `account_number` and `sequence` given: sign without asking the chain, needed where several batches are signed one
    after the other before the first is sent.
    """

    chain_id: str
    node: str
    program: str = "akash"
    account_number: int | None = None
    sequence: int | None = None

    @property
    def _asked(self) -> list[str]:
        return ["--chain-id", self.chain_id, "--node", self.node]

    @property
    def signing(self) -> list[str]:
        """Flags of `tx sign` and of joining."""
        if self.account_number is None or self.sequence is None:
            return self._asked
        numbers = ["--account-number", str(self.account_number), "--sequence", str(self.sequence)]
        return ["--offline", *numbers, "--chain-id", self.chain_id]

    @property
    def asking(self) -> list[str]:
        """Flags of the commands that ask the chain."""
        return self._asked


def single_signer(file: str, key: str, network: Network, *, has_ledger: bool = False) -> str:
    """The commands where one key pays; with a Ledger it signs in amino-json, the only form the device shows."""
    signed = signed_name(file)
    ledger = ["--ledger", "--sign-mode", "amino-json"] if has_ledger else []
    sign = [
        network.program,
        "tx",
        "sign",
        file,
        "--from",
        key,
        *ledger,
        *network.signing,
        "--output-document",
        signed,
    ]
    return _script([sign, *_check_and_send(signed, network)])


def multisig(
    file: str,
    name: str,
    address: str,
    members: Sequence[str],
    network: Network,
    *,
    join: Join,
    with_ledger: Sequence[str] = (),
) -> str:
    """The commands where `members` (key names, at least the threshold) of the multisig key `name` sign.

    Each member runs its own line on its own machine and hands over the file; one person runs the rest. Members named
    in `with_ledger` sign with the device.
    """
    commands: list[list[str]] = []
    for member in members:
        ledger = ["--ledger"] if member in with_ledger else []
        sign = [network.program, "tx", "sign", file, "--from", member, "--multisig", address, *ledger]
        output = ["--sign-mode", "amino-json", *network.signing, "--output-document", member_name(file, member)]
        commands.append([*sign, *output])
    parts = [member_name(file, member) for member in members]
    signed = signed_name(file)
    joined = [network.program, "tx", str(join), file, name, *parts, *network.signing, "--output-document", signed]
    return _script([*commands, joined, *_check_and_send(signed, network)])


def signed_name(file: str) -> str:
    """`p1-0001.unsigned.json` → `p1-0001.signed.json`."""
    return f"{_stem(file)}.signed.json"


def member_name(file: str, member: str) -> str:
    """The file that one member of a multisig hands over."""
    return f"{_stem(file)}.{member}.sig.json"


def _stem(file: str) -> str:
    return file.removesuffix(".json").removesuffix(".unsigned")


def _check_and_send(signed: str, network: Network) -> list[list[str]]:
    return [
        [network.program, "tx", "validate-signatures", signed, *network.asking],
        [network.program, "tx", "broadcast", signed, *network.asking, "--output", "json"],
    ]


def _script(commands: Sequence[Sequence[str]]) -> str:
    return "".join(f"{shlex.join(command)}\n" for command in commands)
