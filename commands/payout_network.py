"""Commands of payouts that go to the payout chain: broadcast a checked file, find out what became of a batch."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from commands.asking import CommandError, print_json
from commands.payout_words import print_judged
from commands.payouts import read_bytes
from tasks.moment import format_moment

Arguments = argparse.Namespace

LOOK_EVERY_SECONDS = 2.0


def add_commands(command: Any, option: Any) -> None:
    """Name these commands with their options."""
    actor = option("--by", default="operator", metavar="NAME", help="who does it, for the record")
    batch = option("batch", metavar="BATCH", help="its name, such as p1-0001")
    file = option("file", type=Path, metavar="FILE", help="the signed transaction, JSON or base64")
    wait = option(
        "--wait", type=float, default=60.0, metavar="SECONDS", help="look so long for its block; default 60"
    )
    command("payout broadcast", payout_broadcast, batch, file, wait, actor, json_too=True)
    which = option("which", metavar="ID", nargs="?", help="a payout's number or a batch's name; default: all open")
    named = option("--tx", metavar="HASH", help="a transaction that is said to have paid it")
    blocks = option(
        "--blocks", type=int, default=5_000, metavar="N", help="read at most N blocks where no node has an index"
    )
    command("payout reconcile", payout_reconcile, which, named, blocks, actor, json_too=True)
    word = option("word", choices=("paid", "partly", "unpaid"), help="what became of it by your own inspection")
    reason = option("--reason", required=True, help="why you say so; it stands in the audit log")
    command("payout settle", payout_settle, batch, word, reason, actor, json_too=True)


def payout_broadcast(arguments: Arguments) -> int:
    """Check a signed file, store its hash, broadcast it through the configured node, and look for its block.

    The same file again is harmless. What the node answers proves no payment; only the block does.
    """
    from services.payout_broadcast import broadcast
    from services.payout_checking import check_signed
    from services.payout_facts import payer_facts
    from services.payout_records import batch, payout

    house = arguments.wiring.house(arguments)
    file = read_bytes(arguments.file)
    payer = payout(house, batch(house, arguments.batch).payout).paying.payer
    tx_hash = _stored_hash(house, arguments.batch, file)
    if tx_hash is None:
        judged = check_signed(house, arguments.by, arguments.batch, file, payer_facts(house, payer))
        if not judged.is_stored or judged.checked.hash is None:
            if not arguments.json:
                print_judged(judged)
            raise CommandError("Nothing was broadcast: the file is not good.", judged.document())
        tx_hash = judged.checked.hash
    sent = broadcast(house, arguments.by, tx_hash)
    found = _wait_for(house, sent, arguments)
    if arguments.json:
        looked = found.document() if found else None
        print_json({"batch": arguments.batch, "sent": sent.document(), "reconciled": looked})
    else:
        print(f"{arguments.batch}: {sent.hash}\n{sent.text}")
        if found:
            _print_found(found)
    return 0 if sent.is_taken or (found is not None and found.is_paid) else 1


def _stored_hash(house: Any, name: str, file: bytes) -> str | None:
    """The hash of this very file where it was checked and stored for the batch before: it need not be good again."""
    from services.payout_records import batch
    from verifiers.payout.files import read_signed
    from verifiers.payout.signed import SignedFileError

    try:
        tx_hash = read_signed(file).hash
    except SignedFileError:
        return None
    return tx_hash if any(each.hash == tx_hash for each in batch(house, name).signed) else None


def _wait_for(house: Any, sent: Any, arguments: Arguments) -> Any:
    """What the chain shows of the batch, as soon as it shows something, or when the wait is over."""
    from services.payout_reconcile import look_at
    from verifiers.payout.reconcile import State

    if not sent.is_taken and sent.code is not None:
        return next(iter(look_at(house, [sent.batch], actor=arguments.by)), None)
    until = time.monotonic() + arguments.wait
    while True:
        found = next(iter(look_at(house, [sent.batch], actor=arguments.by)), None)
        is_open = found is None or found.found in {State.WAITING, State.UNREACHABLE}
        if not is_open or time.monotonic() >= until:
            return found
        time.sleep(LOOK_EVERY_SECONDS)


def payout_reconcile(arguments: Arguments) -> int:
    """Find out on the payout chain what became of batches: by hash, by payer and memo, by reading blocks.

    A batch is found dead, and its rows may be planned again, only once two reads of the height lie beyond its timeout
    and everything up to it was searched.
    """
    from services.payout_reconcile import look_at, look_for

    house = arguments.wiring.house(arguments)
    batches = None if arguments.which is None else _batches(house, arguments.which)
    if arguments.tx is not None:
        if batches is None:
            raise CommandError("Say which payout or batch it is said to have paid: payout reconcile ID --tx HASH")
        results = look_for(house, batches, arguments.tx, actor=arguments.by)
    else:
        results = look_at(house, batches, actor=arguments.by, blocks=arguments.blocks)
    if arguments.json:
        print_json({"batches": [each.document() for each in results]})
        return 0
    for each in results:
        _print_found(each)
    if not results:
        print("No batch is on its way.")
    return 0


def _batches(house: Any, which: str) -> list[int]:
    """The batches of a payout's number, or the one of a name. Raises NotFound."""
    from services.payout_records import batch, payout

    if which.isascii() and which.isdigit():
        return [each.id for each in payout(house, int(which)).batches if each.exported is not None]
    return [batch(house, which).id]


def payout_settle(arguments: Arguments) -> int:
    """Say by a person's word what became of a batch in question: paid, partly, unpaid; the evidence must allow it."""
    from services.payout_questions import WORDS, say

    house = arguments.wiring.house(arguments)
    state = say(house, arguments.by, arguments.batch, WORDS[arguments.word], arguments.reason)
    if arguments.json:
        print_json({"batch": arguments.batch, "state": str(state)})
    else:
        print(f"{arguments.batch} is {state}.")
    return 0


def _print_found(found: Any) -> None:
    print(f"{found.name}: {found.found} ({found.after})")
    print(f"  {found.detail}")
    if found.tx_hash:
        at = f" at {format_moment(found.tx_time)}" if found.tx_time else ""
        print(f"  {found.tx_hash} in block {found.tx_height}{at}")
    print(f"  {found.next_step}")
