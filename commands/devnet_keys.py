"""Commands that sign with the made-up keys of a demo, as the `akash` command line signs with real ones."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from commands.asking import CommandError, print_json
from devnet.command import KEYS_FOLDER
from devnet.key_files import KeyFileError, read_key, read_keys, read_multisig
from devnet.keys import Key
from devnet.scenarios.payday import CHAIN_ID
from devnet.sent.signatures import SignerData
from devnet.sent.transaction import AMINO_JSON, DIRECT
from devnet.signing import SigningError, join, sign_member, sign_single, sign_text
from verifiers.wallet.transactions import SIGN_CHAIN_ID

Arguments = argparse.Namespace

MODES = {"direct": DIRECT, "amino-json": AMINO_JSON}
_SECONDS = 10


def add_commands(command: Callable[..., None], option: Callable[..., Any]) -> None:
    """`devnet keys`, `sign`, `multisign`, `sign-text`."""
    folder = option("--dir", type=Path, default=Path(".demo"), help="the folder of the demo")
    file = option("file", type=Path, metavar="FILE", help="the unsigned transaction")
    key = option("--key", required=True, metavar="NAME", help="whose key: see `devnet keys`")
    output = option("--output-document", type=Path, metavar="OUT", help="write there instead of to stdout")
    chain_id = option("--chain-id", default=CHAIN_ID, help=f"the chain that it is for; default: {CHAIN_ID}")
    offline = (
        option("--offline", action="store_true", help="ask no chain; then both numbers have to be given"),
        option("--account-number", type=int, help="the account's number"),
        option("--sequence", type=int, help="the account's sequence"),
        option("--node", metavar="URL", help="REST of the chain to ask; default: the demo's payout chain"),
    )
    multisig = option("--multisig", metavar="NAME", help="sign as a member of this account, by name or address")
    mode = option("--sign-mode", choices=tuple(MODES), help="default: direct; a member of a multisig: amino-json")
    proof = option(
        "--proof", action="store_true", help=f"sign a proof of a key, for {SIGN_CHAIN_ID} with number and sequence 0"
    )
    parts = option("parts", type=Path, nargs="+", metavar="SIGNATURE", help="what the members handed over")
    command("devnet keys", keys, folder, json_too=True)
    command("devnet sign", sign, file, key, folder, multisig, mode, proof, chain_id, *offline, output)
    name = option("name", metavar="NAME", help="the multisig, by name or address")
    command("devnet multisign", multisign, file, name, parts, folder, proof, chain_id, *offline, output)
    text = option("file", metavar="FILE", help="the text, byte for byte; - for stdin")
    command("devnet sign-text", signed_text, text, key, folder, output)


def keys(arguments: Arguments) -> int:
    """The made-up people of a demo whose keys lie in its folder."""
    try:
        found = read_keys(arguments.dir / KEYS_FOLDER)
    except KeyFileError as error:
        raise CommandError(str(error)) from error
    if arguments.json:
        print_json([{name: value for name, value in told.items() if name != "private_key"} for told in found])
        return 0
    for told in found:
        what = told.get("role") or f"{told.get('threshold')} of {', '.join(told.get('members', ()))}"
        print(f"{told['name']:<16} {told['address']}  {what}")
    print(f"private keys: {arguments.dir / KEYS_FOLDER}/NAME.json")
    return 0


def sign(arguments: Arguments) -> int:
    """Sign an unsigned transaction with one key, or as a member of a multisig."""

    def signed() -> dict[str, Any]:
        document = _read(arguments.file)
        key = read_key(arguments.dir / KEYS_FOLDER, arguments.key)
        if arguments.multisig is not None:
            return _as_member(arguments, document, key)
        return sign_single(document, key, _where(arguments, key.address), MODES[arguments.sign_mode or "direct"])

    return _write(arguments, signed)


def multisign(arguments: Arguments) -> int:
    """Join the signatures of a multisig's members to the whole transaction."""

    def joined() -> dict[str, Any]:
        shared = read_multisig(arguments.dir / KEYS_FOLDER, arguments.name)
        parts = [_read(part) for part in arguments.parts]
        return join(_read(arguments.file), shared, parts, _where(arguments, shared.address))

    return _write(arguments, joined)


def signed_text(arguments: Arguments) -> int:
    """Sign a text as a wallet does (ADR-036)."""

    def signed() -> dict[str, Any]:
        key = read_key(arguments.dir / KEYS_FOLDER, arguments.key)
        data = sys.stdin.buffer.read() if arguments.file == "-" else Path(arguments.file).read_bytes()
        return sign_text(data.decode(), key)

    return _write(arguments, signed)


def _as_member(arguments: Arguments, document: dict[str, Any], key: Key) -> dict[str, Any]:
    shared = read_multisig(arguments.dir / KEYS_FOLDER, arguments.multisig)
    if key.public_key not in {member.value for member in shared.keys}:
        raise CommandError(f"{arguments.key} is no member of {arguments.multisig}")
    if arguments.sign_mode == "direct":
        raise CommandError("a member of a multisig signs with --sign-mode amino-json")
    return sign_member(document, key, _where(arguments, shared.address))


def _read(path: Path) -> dict[str, Any]:
    try:
        read = json.loads(path.read_text())
    except ValueError as error:
        raise CommandError(f"{path} is no JSON: {error}") from error
    if not isinstance(read, dict):
        raise CommandError(f"{path} holds no transaction")
    return read


def _where(arguments: Arguments, address: str) -> SignerData:
    """The account's number and sequence: given, or asked of the chain."""
    if arguments.proof:
        return SignerData(SIGN_CHAIN_ID, 0, 0)
    number, sequence = arguments.account_number, arguments.sequence
    if number is None or sequence is None:
        if arguments.offline:
            raise CommandError("--offline needs --account-number and --sequence")
        told = _account(arguments, address)
        number = int(told["account_number"]) if number is None else number
        sequence = int(told["sequence"]) if sequence is None else sequence
    return SignerData(arguments.chain_id, number, sequence)


def _account(arguments: Arguments, address: str) -> dict[str, Any]:
    rest = arguments.node or _payout_rest(arguments.dir)
    url = urlsplit(rest)
    connection = HTTPConnection(url.hostname or "", url.port, timeout=_SECONDS)
    try:
        connection.request("GET", f"/cosmos/auth/v1beta1/accounts/{address}")
        answer = connection.getresponse()
        read = json.loads(answer.read())
        if answer.status != 200:
            raise CommandError(f"the chain at {rest} says of {address}: {read.get('message')}")
        found: dict[str, Any] = read["account"]
    except (OSError, HTTPException, ValueError, KeyError, AttributeError) as error:
        raise CommandError(
            f"the chain at {rest} can't be asked ({error!r}): start the demo, or use --offline"
        ) from error
    finally:
        connection.close()
    return found


def _payout_rest(folder: Path) -> str:
    try:
        return str(json.loads((folder / "ports.json").read_text())["payout_rest"])
    except (OSError, ValueError, KeyError) as error:
        raise CommandError(
            f"{folder} names no payout chain: start the demo once, or use --node or --offline"
        ) from error


def _write(arguments: Arguments, make: Callable[[], dict[str, Any]]) -> int:
    """Write what is made; errors of keys, files and signing become a message."""
    try:
        text = json.dumps(make(), separators=(",", ":"), ensure_ascii=False) + "\n"
        if arguments.output_document is None:
            sys.stdout.write(text)
        else:
            arguments.output_document.write_text(text)
    except (KeyFileError, SigningError, OSError, UnicodeDecodeError) as error:
        raise CommandError(str(error)) from error
    return 0
