"""The keys of a demo's staff as files, so that a person can sign with them. Made up: they open nothing of value."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from devnet.keys import Key
from devnet.public_keys import MultisigKey
from devnet.scenarios import payday


class KeyFileError(Exception):
    """There is no such key; the message names those there are."""


def write_keys(folder: Path, seed: int = payday.SEED) -> None:
    """Write one file for each of the staff and one for the treasury; only their owner can read them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, key in payday.keys(seed).items():
        told: dict[str, Any] = {"name": name, "role": payday.ROLES[name], "address": key.address}
        told["public_key"] = base64.b64encode(key.public_key).decode()
        told["private_key"] = f"{key.secret:064x}"
        _write(folder / f"{name}.json", told)
    shared = payday.treasury(seed)
    told = {"name": payday.TREASURY, "address": shared.address, "threshold": shared.threshold}
    told |= {"members": list(payday.MEMBERS), "public_key": shared.shown()}
    _write(folder / f"{payday.TREASURY}.json", told)


def read_keys(folder: Path) -> list[dict[str, Any]]:
    """What every file says, by name. Raises KeyFileError where there are none."""
    found = [_read(path) for path in sorted(folder.glob("*.json"))]
    if not found:
        raise KeyFileError(f"there are no keys in {folder}: start the demo once, or name its folder with --dir")
    return found


def read_key(folder: Path, name: str) -> Key:
    """The private key of a name or address. Raises KeyFileError."""
    told = _named(folder, name)
    if "private_key" not in told:
        raise KeyFileError(f"{name} is a multisig: its members sign with --multisig {told['name']}")
    return Key(told["name"], int(told["private_key"], 16))


def read_multisig(folder: Path, name: str) -> MultisigKey:
    """The multisig of a name or address. Raises KeyFileError."""
    told = _named(folder, name)
    if "members" not in told:
        raise KeyFileError(f"{name} is no multisig")
    return MultisigKey.of(told["public_key"])


def _named(folder: Path, name: str) -> dict[str, Any]:
    keys = read_keys(folder)
    for told in keys:
        if name in {told["name"], told["address"]}:
            return told
    raise KeyFileError(f"there is no key {name!r} in {folder}; there are {', '.join(each['name'] for each in keys)}")


def _read(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text())
        return {**told, "name": str(told["name"]), "address": str(told["address"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KeyFileError(f"{path} cannot be read: {error!r}") from error


def _write(path: Path, told: Mapping[str, Any]) -> None:
    """Write a file that others can't read, whole or not at all."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(json.dumps(told, indent=2) + "\n")
    beside.replace(path)
