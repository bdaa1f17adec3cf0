"""Handing an approved payout out: the same unsigned transactions for ever, tables, and its signers' commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.audit import append_act
from ledger.payouts import PayoutBatchRow, PayoutRow
from ledger.people import PersonalRow
from ledger.rows import in_parts
from services import campaigns
from services.errors import Conflict, Refused, Unavailable
from services.house import House
from services.payout_memos import used_memos
from services.payout_moves import move, subject_of
from services.payout_planning import fee_of, refuse_outdated
from services.payout_records import batch_of, exported_file, payout, payout_in, plan_of
from services.payout_storing import written
from services.payout_views import BatchView, Frozen, PayoutView
from tasks.moment import Moment
from tasks.payout.lifecycle import ON_THE_WAY, Act, BatchState
from tasks.payout.plan import Plan
from tasks.payout.sealing import seal
from tasks.payout.tables import human_csv, machine_csv
from tasks.rewards.money import format_micro
from verifiers.payout.commands import Join, Network, multisig, single_signer
from verifiers.payout.export import Export, ExportError, Fee
from verifiers.payout.export import export as exported
from verifiers.payout.facts import PayerFacts

PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Signers:
    """Names in the signers' key rings, for the commands: `key` of a single signer or of the multisig key.

    `members`: who signs for a multisig, at least as many as its threshold; `with_ledger`: those with a device.
    """

    key: str = "organizer"
    members: tuple[str, ...] = ("member1", "member2")
    with_ledger: tuple[str, ...] = ()


def export(house: House, actor: str, number: int, facts: PayerFacts, timeout_blocks: int | None = None) -> PayoutView:
    """Freeze every approved batch as an unsigned transaction that is good for `timeout_blocks`; again: no change.

    `facts` are the payer's, read just now. Raises NotFound, Refused, Conflict where signatures are missing, what is
    owed changed, the payer can't pay it, the rows are not those that were approved, or the chain has the batch.
    """
    life = timeout_blocks if timeout_blocks is not None else house.settings.payout_timeout_blocks
    if not 0 < life <= 1_000_000:
        raise Refused("A batch is good for 1 to 1,000,000 blocks.", "timeout_blocks")

    _refuse_used(house, number)

    def store(session: Session) -> PayoutView:
        loaded = campaigns.required_in(session, house.settings.campaign)
        view, at = payout_in(session, loaded.slug, number), house.clock.now()
        mine = [batch for batch in view.current if batch.state is BatchState.APPROVED]
        if not mine:
            _refuse_unapproved(view)
            return view
        plan = plan_of(session, view)
        _refuse_altered(view, plan, mine)
        refuse_outdated(session, view)
        height = _refuse_payer(view, facts, mine)
        sequence = _next_sequence(session, view.paying.payer, view.paying.chain_id, facts.sequence)
        for place, batch in enumerate(mine):
            told = facts.account_number, sequence + place
            made = _transaction(plan, batch, view, facts, height + life)
            move(session, at, batch.id, Act.EXPORT, actor, values=_values(made, at, height, told), is_news=False)
        detail = {"batches": [batch.name for batch in mine], "height": height, "timeout_height": height + life}
        append_act(session, at, actor, "payout.export", subject_of(loaded.slug, number), detail)
        return payout_in(session, loaded.slug, number)

    return written(house, store)


def files(house: House, number: int, signers: Signers | None = None) -> dict[str, bytes]:
    """Every file of an exported payout by name: transactions, both tables, the commands. Raises NotFound, Conflict.

    The transactions and the machine table are the same bytes for ever; names in the other table may be erased.
    """
    slug = campaigns.required(house).slug
    with house.ledger.read() as session:
        view = payout_in(session, slug, number)
        mine = [batch for batch in view.current if batch.exported is not None]
        if not mine:
            _refuse_unapproved(view)
            raise Conflict(f"Payout {number} is not exported yet: payout export {number} --out DIR.")
        plan = plan_of(session, view)
        named = {f"{batch.name}.unsigned.json": exported_file(session, batch.id) or b"" for batch in mine}
        names = _display_names(session, [row.participant for row in plan.rows])
    batches = [batch_of(plan, batch) for batch in mine]
    named[f"payout-{number}.csv"] = machine_csv(batches)
    named[f"payout-{number}-people.csv"] = human_csv(plan, batches, names).encode()
    named[f"payout-{number}-commands.txt"] = _commands(house, view, mine, signers or Signers()).encode()
    return named


def _refuse_unapproved(view: PayoutView) -> None:
    if view.waits_for_signatures:
        missing = "its planner's signature" if view.planner is None else f"approval by {view.needed} in all"
        raise Conflict(
            f"Payout {view.number} waits for {missing}: payout approve {view.number} --proof FILE "
            f"(payout show {view.number} says what to sign)."
        )
    if view.state is BatchState.DISCARDED:
        raise Conflict(f"Payout {view.number} was discarded.")


def _refuse_used(house: House, number: int) -> None:
    """Raise Conflict where the chain shows a transaction of a batch that was never exported, as far as we know."""
    view = payout(house, number)
    names = {batch.memo: batch.name for batch in view.current if batch.state is BatchState.APPROVED}
    for memo, tx_hash in used_memos(house, view.paying.payer, names).items():
        raise Conflict(
            f"{names[memo]} is on {view.paying.chain_id} already, in {tx_hash}: is this ledger an older copy? "
            "Find out what was paid since; nothing is exported."
        )


def _refuse_altered(view: PayoutView, plan: Plan, mine: Sequence[BatchView]) -> None:
    """Raise Conflict where the tables do not hold what was signed any more."""
    newest = [batch for batch in view.current if batch.attempt == view.paying.attempt]
    is_same = all(batch_of(plan, batch).rows_hash == batch.rows_hash for batch in mine)
    if not is_same or seal(plan, [batch.rows_hash for batch in newest], view.paying) != view.digest:
        raise Conflict(f"The rows of payout {view.number} are not those that were approved: nothing is exported.")


def _refuse_payer(view: PayoutView, facts: PayerFacts, mine: Sequence[BatchView]) -> int:
    """The chain's height. Raises Conflict or Unavailable where this account can't pay these batches now."""
    if (facts.address, facts.chain_id) != (view.paying.payer, view.paying.chain_id):
        raise Conflict(
            f"Payout {view.number} is paid by {view.paying.payer} on {view.paying.chain_id}, not by "
            f"{facts.address} on {facts.chain_id}."
        )
    if facts.height is None:
        raise Unavailable("The payout chain does not say its height now. Try again in a minute.")
    fees = sum(fee_of(batch.size, facts, as_sends=view.paying.as_sends)[0] for batch in mine)
    needed = sum(batch.total_uakt for batch in mine) + fees
    if facts.balance_uakt is not None and facts.balance_uakt < needed:
        raise Conflict(
            f"The paying account {facts.address} holds {format_micro(facts.balance_uakt)} AKT, and these batches "
            f"need {format_micro(needed)} AKT with fees. Fund it first, then export."
        )
    return facts.height


def _next_sequence(session: Session, payer: str, chain_id: str, next_on_chain: int) -> int:
    """The sequence to tell the signers: behind those of the payer's batches that are on the way."""
    states = [str(state) for state in ON_THE_WAY]
    statement = (
        select(PayoutBatchRow.sequence)
        .join(PayoutRow, PayoutRow.id == PayoutBatchRow.payout)
        .where(PayoutRow.payer == payer, PayoutRow.chain_id == chain_id, PayoutBatchRow.state.in_(states))
    )
    taken = [sequence for sequence in session.scalars(statement) if sequence is not None]
    return max([next_on_chain, *(sequence + 1 for sequence in taken)])


def _transaction(plan: Plan, batch: BatchView, view: PayoutView, facts: PayerFacts, timeout: int) -> Export:
    fee, gas = fee_of(batch.size, facts, as_sends=view.paying.as_sends)
    rows = batch_of(plan, batch).transfers
    try:
        return exported(view.paying.payer, rows, batch.memo, timeout, Fee(fee, gas), as_sends=view.paying.as_sends)
    except ExportError as error:
        raise Conflict(f"{batch.name} can't be exported: {error}.") from error


def _values(made: Export, at: Moment, height: int, told: tuple[int, int]) -> dict[str, object]:
    return {
        "exported_ns": at,
        "exported_height": height,
        "timeout_height": made.timeout_height,
        "fee_uakt": made.fee.amount_uakt,
        "gas_limit": made.fee.gas_limit,
        "account_number": told[0],
        "sequence": told[1],
        "file": made.file,
        "sha256": made.sha256,
    }


def _display_names(session: Session, participants: Sequence[str]) -> dict[str, str]:
    statement = select(PersonalRow.participant, PersonalRow.display_name)
    return {
        participant: name
        for part in in_parts(participants)
        for participant, name in session.execute(statement.where(PersonalRow.participant.in_(part)))
        if name
    }


def _commands(house: House, view: PayoutView, mine: Sequence[BatchView], signers: Signers) -> str:
    """The commands of each batch for one signer, for a multisig (joined in both ways), and with a Ledger."""
    head = (
        f"# Payout {view.number} of {view.campaign}, paid from {view.paying.payer} on {view.paying.chain_id}.\n"
        "# Take the lines of the one way that fits your key, batch by batch, and put in the names of your keys.\n"
        "# Have each signed file checked before it is sent: payout check-signed BATCH FILE\n"
    )
    made = [_commands_of(house, view, each, each.exported, signers) for each in mine if each.exported is not None]
    return "\n".join([head, *made])


def _commands_of(house: House, view: PayoutView, batch: BatchView, frozen: Frozen, signers: Signers) -> str:
    program, node = house.settings.payout_program, _node(house)
    network = Network(view.paying.chain_id, node, program, frozen.account_number, frozen.sequence)
    file, payer = f"{batch.name}.unsigned.json", view.paying.payer
    ledger = signers.with_ledger or signers.members
    ways = [("One key signs", single_signer(file, signers.key, network))]
    ways.append(("One key on a Ledger signs", single_signer(file, signers.key, network, has_ledger=True)))
    for join, who in ((Join.MULTI_SIGN, "akash 1.x"), (Join.MULTISIGN, "other command lines")):
        text = multisig(file, signers.key, payer, signers.members, network, join=join)
        ways.append((f"A multisig signs ({join}: {who})", text))
    text = multisig(file, signers.key, payer, signers.members, network, join=Join.MULTI_SIGN, with_ledger=ledger)
    ways.append((f"A multisig signs, {', '.join(ledger)} with a Ledger", text))
    title = (
        f"## {batch.name}: {batch.size} payees, {batch.total_uakt} uakt, good up to height {frozen.timeout_height}, "
        f"sha256 {frozen.sha256}\n"
    )
    return title + "".join(f"# {name}:\n{text}" for name, text in ways)


def _node(house: House) -> str:
    """The RPC node of the commands: with a port, as the command line wants it."""
    settings = house.settings
    chosen = settings.payout_node or next(iter(settings.payout_rpc or settings.chain_rpc), "tcp://localhost:26657")
    parts = urlsplit(chosen)
    if parts.port is None and parts.scheme in PORTS:
        return parts._replace(netloc=f"{parts.netloc}:{PORTS[parts.scheme]}").geturl()
    return chosen
