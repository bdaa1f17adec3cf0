"""Commands of the treasurer and the approvers: plan, show, approve, export, check signed files, balance."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from commands.asking import CommandError, print_json
from commands.campaign import read_text
from commands.payout_words import print_balance, print_judged, print_payout, print_preview
from tasks.moment import Moment, parse_moment

Arguments = argparse.Namespace
LARGEST_FILE = 4_000_000


def add_commands(command: Any, option: Any) -> None:
    """Name these commands with their options."""
    actor = option("--by", default="operator", metavar="NAME", help="who does it, for the record")
    number = option("number", type=int, metavar="ID", help="the payout's number, as `payout plan` prints it")
    signer = option("--as", dest="address", metavar="ADDRESS", help="print what the command line of ADDRESS signs")
    part = option(
        "--part", choices=("planner", "approver"), help="what ADDRESS signs as; default: what the plan waits for"
    )
    to_sign = option("--to-sign", type=Path, metavar="FILE", help="write the transaction that --as signs to FILE")
    command("payout plan", payout_plan, *_plan_options(option), actor, signer, to_sign, json_too=True)
    command("payout show", payout_show, number, signer, part, to_sign, json_too=True)
    proof = option("--proof", type=Path, required=True, metavar="FILE", help="the signed transaction of --to-sign")
    command("payout approve", payout_approve, number, proof, json_too=True)
    command("payout export", payout_export, number, *_export_options(option), actor, json_too=True)
    batch = option("batch", metavar="BATCH", help="its name, such as p1-0001")
    file = option("file", type=Path, metavar="FILE", help="the signed transaction, JSON or base64")
    command("payout check-signed", payout_check_signed, batch, file, actor, json_too=True)
    command("payout discard", payout_discard, number, actor, json_too=True)
    command("payout plan-again", payout_plan_again, number, actor, json_too=True)
    command("payout balance", payout_balance, json_too=True)


def _plan_options(option: Any) -> list[Any]:
    return [
        option("--task", metavar="SLUG", help="pay what is owed for this task"),
        option("--all", action="store_true", help="pay everything that is owed"),
        option("--rate", required=True, metavar="R", help="units of the campaign for one AKT, such as 0.85"),
        option("--rate-source", required=True, metavar="TEXT", help="where the rate is from"),
        option("--rate-at", metavar="TIME", help="when it was that; default: now"),
        option("--minimum", default="0", metavar="AMOUNT", help="who would get less waits, in the campaign's unit"),
        option("--payer", metavar="ADDRESS", help="the paying account; default: WAYMARK_PAYOUT_PAYER"),
        option("--ledger", action=argparse.BooleanOptionalAction, help="a signer uses a Ledger: 40 rows a batch"),
        option("--sends", action="store_true", help="one MsgSend for each row instead of one MsgMultiSend"),
        option("--dry-run", action="store_true", help="show the plan and store nothing"),
    ]


def _export_options(option: Any) -> list[Any]:
    return [
        option("--out", type=Path, required=True, metavar="DIR", help="the folder for its files"),
        option("--timeout-blocks", type=int, metavar="N", help="for how many blocks it may be broadcast"),
        option("--key", default="organizer", metavar="NAME", help="the paying key's name in the commands"),
        option("--member", dest="members", action="append", metavar="NAME", help="a member's key; give each"),
        option("--ledger-member", dest="with_ledger", action="append", metavar="NAME", help="one with a Ledger"),
    ]


def payout_plan(arguments: Arguments) -> int:
    """Plan a payout of what is final and unpaid: a draft that its planner signs first, then others approve."""
    from services.payout_facts import payer_facts, payout_limits
    from services.payout_planning import draft, preview

    if arguments.all == (arguments.task is not None):
        raise CommandError("Say what to pay: --task SLUG, or --all.")
    _check_signer(arguments)
    house = arguments.wiring.house(arguments)
    wanted = _wanted(arguments, house)
    facts, limits = payer_facts(house, wanted.payer), payout_limits(house)
    found = preview(house, wanted, facts, limits.block)
    if arguments.dry_run:
        print_json(found.document()) if arguments.json else print_preview(found)
        return 0
    view = draft(house, arguments.by, wanted, facts, limits.block, found.key)
    arguments.part = None
    _answer(arguments, view, {"fee_uakt": str(found.fee_uakt), "warnings": list(found.warnings)})
    return 0


def payout_show(arguments: Arguments) -> int:
    """Show a payout: terms, batches, who signed, who is not paid and why; --as: what an address signs."""
    from services.payout_records import all_rows, payout

    _check_signer(arguments)
    house = arguments.wiring.house(arguments)
    view = payout(house, arguments.number)
    rows: list[dict[str, object]] = []
    if arguments.json:
        with house.ledger.read() as session:
            rows = [row.document() for row in all_rows(session, view)]
    _answer(arguments, view, {"rows": rows})
    return 0


def payout_approve(arguments: Arguments) -> int:
    """Take a part in a plan by a file signed with one's own key: its planner first, then the approvers.

    The file is the transaction of `payout show ID --as ADDRESS --part planner|approver --to-sign FILE`, signed with
    `akash tx sign FILE --from KEY --offline --account-number 0 --sequence 0 --chain-id CHAIN` as it says there.
    """
    from services.payout_signing import sign_by_file

    house = arguments.wiring.house(arguments)
    arguments.address, arguments.part, arguments.to_sign = None, None, None
    _answer(arguments, sign_by_file(house, arguments.number, read_text(arguments.proof)), {})
    return 0


def payout_export(arguments: Arguments) -> int:
    """Write the unsigned transactions, tables and signing commands of an approved payout; always the same bytes."""
    from services.payout_export import Signers, export, files
    from services.payout_facts import payer_facts
    from services.payout_records import payout

    house = arguments.wiring.house(arguments)
    view = payout(house, arguments.number)
    if view.waits_for_export:
        facts = payer_facts(house, view.paying.payer)
        view = export(house, arguments.by, arguments.number, facts, arguments.timeout_blocks)
    given = Signers(arguments.key, tuple(arguments.members or Signers().members), tuple(arguments.with_ledger or ()))
    written = []
    made = files(house, arguments.number, given)
    try:
        arguments.out.mkdir(parents=True, exist_ok=True)
        for name, content in made.items():
            (arguments.out / name).write_bytes(content)
            written.append(str(arguments.out / name))
    except OSError as error:
        raise CommandError(f"{arguments.out} cannot be written: {error.strerror}") from error
    if arguments.json:
        print_json({**view.document(), "files": written})
    else:
        print("\n".join(written))
    return 0


def payout_check_signed(arguments: Arguments) -> int:
    """Hold a signed file against the approved batch; a good one is stored with its hash before anybody sends it."""
    from services.payout_checking import check_signed
    from services.payout_facts import payer_facts
    from services.payout_records import batch, payout

    house = arguments.wiring.house(arguments)
    file = read_bytes(arguments.file)
    payer = payout(house, batch(house, arguments.batch).payout).paying.payer
    judged = check_signed(house, arguments.by, arguments.batch, file, payer_facts(house, payer))
    print_json(judged.document()) if arguments.json else print_judged(judged)
    return 0 if judged.is_stored else 1


def payout_discard(arguments: Arguments) -> int:
    """Give up the batches of a payout that were never exported: their lines are owed again."""
    from services.payout_planning import discard

    _acted(arguments, discard(arguments.wiring.house(arguments), arguments.by, arguments.number))
    return 0


def payout_plan_again(arguments: Arguments) -> int:
    """Plan the dead batches of a payout again, same rows under new names; they are signed and approved anew."""
    from services.payout_planning import plan_again

    _acted(arguments, plan_again(arguments.wiring.house(arguments), arguments.by, arguments.number))
    return 0


def payout_balance(arguments: Arguments) -> int:
    """Check the books: earned = paid + open + withheld - overpaid, and each payout in uakt."""
    from services.payout_books import balance

    found = balance(arguments.wiring.house(arguments))
    print_json(found.document()) if arguments.json else print_balance(found)
    return 0 if found.is_balanced else 1


def _wanted(arguments: Arguments, house: Any) -> Any:
    from services.payout_planning import Wanted
    from tasks.rewards.money import parse_micro

    payer = arguments.payer or house.settings.payout_payer
    if payer is None:
        raise CommandError("Name the paying account: --payer ADDRESS, or WAYMARK_PAYOUT_PAYER.")
    try:
        minimum = parse_micro(arguments.minimum)
        rate_at = parse_moment(arguments.rate_at) if arguments.rate_at else house.clock.now()
    except ValueError as error:
        raise CommandError(str(error)) from error
    has_ledger = house.settings.payout_has_ledger if arguments.ledger is None else arguments.ledger
    return Wanted(
        payer=payer,
        rate=arguments.rate,
        rate_source=arguments.rate_source,
        rate_at=Moment(rate_at),
        task=arguments.task,
        minimum_micro=minimum,
        has_ledger=has_ledger,
        as_sends=arguments.sends,
    )


def _check_signer(arguments: Arguments) -> None:
    """Before anything is stored: can what --as and --to-sign ask be given?"""
    from verifiers.wallet.addresses import AddressError, parse_address

    if arguments.address is None and arguments.to_sign is not None:
        raise CommandError("--to-sign needs --as ADDRESS: whose signature is it to be?")
    try:
        if arguments.address is not None:
            parse_address(arguments.address)
    except AddressError as error:
        raise CommandError(f"--as: {error}") from error


def _answer(arguments: Arguments, view: Any, more: dict[str, object]) -> None:
    """Print a payout with what its people sign; write the transaction of --to-sign."""
    from services.payout_signing import to_sign
    from tasks.payout.sealing import Part

    signed = {str(part): to_sign(view, part, arguments.address) for part in Part}
    chosen = signed[arguments.part or str(Part.PLANNER if view.planner is None else Part.APPROVER)]
    if arguments.to_sign is not None:
        try:
            arguments.to_sign.write_text(json.dumps(chosen.unsigned_tx))
        except OSError as error:
            raise CommandError(f"{arguments.to_sign} cannot be written: {error.strerror}") from error
    if arguments.json:
        shown = {name: each.document() for name, each in signed.items()}
        print_json({**view.document(), **more, "to_sign": shown if view.waits_for_signatures else None})
    else:
        print_payout(view, chosen, arguments.to_sign, more)


def _acted(arguments: Arguments, view: Any) -> None:
    if arguments.json:
        print_json(view.document())
    else:
        print_payout(view, None, None, {})


def read_bytes(path: Path) -> bytes:
    """A file that somebody hands in, at most `LARGEST_FILE` bytes. Raises CommandError."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise CommandError(f"{path} is larger than any payout ({LARGEST_FILE:,} bytes).")
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}") from error
