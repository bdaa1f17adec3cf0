"""The archive's members about payouts."""

from __future__ import annotations

from services.archive.member import member

PAYOUTS = member(
    "payouts.jsonl",
    "every payout of which a batch was exported: what its planner and approvers signed",
    "number",
    """
    number int counts the campaign's payouts; one that was given up before an export is not there
    task text? the task that it pays, null: the whole campaign
    unit text the campaign's unit
    rate text units for one AKT
    rate_source text where the rate is from
    rate_at_ns int when it was that
    minimum_micro int who would have got less waits
    payer text the paying account
    chain_id text the chain that it is paid on
    has_ledger bool a signer uses a Ledger: batches are smaller
    as_sends bool one MsgSend for each row instead of one MsgMultiSend
    third_above_uakt int? above it two others than the planner approve
    nonce text a random number that makes the digest this plan's alone
    attempt int 1, and one more each time that dead batches were planned again
    digest text what is signed: SHA-256 over the plan and the columns before, hex (tasks/payout/sealing.py)
    total_micro int what it settles, in millionths of the unit
    total_uakt int what it pays
    unpaid objects who was not paid: participant, amount_micro, reason, lines
    drafted_ns int when it was planned
    """,
)
PAYOUT_ROWS = member(
    "payout_rows.jsonl",
    "the rows of payouts: what each participant gets, and for which award lines",
    "payout place",
    """
    payout int number of the payout
    place int its place in the plan, from 0
    participant text whose awards it pays
    recipient text the address that is paid
    amount_micro int the sum of its award lines
    amount_uakt int its part of the payout's total (CAMPAIGN_FORMAT, "Conversion")
    lines ints numbers of its award lines
    """,
)
PAYOUT_BATCHES = member(
    "payout_batches.jsonl",
    "the batches of payouts: one transaction each, and what became of it",
    "payout number attempt",
    """
    payout int number of the payout
    number int counts the payout's batches
    attempt int the attempt of the payout in which it was planned
    name text its name
    first_place int place of its first row
    size int how many rows it has
    rows_hash text SHA-256 of its canonical rows, hex
    memo text the memo of its transaction
    state text what became of it (docs/payouts.md)
    exported_height int? the payout chain's height at the export; null where it was never exported
    timeout_height int? the last height at which it can be paid
    fee_uakt int? the fee of the exported transaction
    gas_limit int? its gas limit
    sha256 text? SHA-256 of the exported file, hex
    released ints places of the rows whose award lines it does not hold any more: they are owed again
    tx_hash text? the transaction that paid it
    tx_height int? the height of its block
    tx_time_ns int? the time of its block
    """,
)
PAYOUT_SIGNATURES = member(
    "payout_signatures.jsonl",
    "who signed payouts, by numbers that tell people of one payout apart",
    "payout attempt person",
    """
    payout int number of the payout
    attempt int the attempt that was signed
    person int counts the people who signed this payout, by their first signature
    part text planner or approver
    proof text how it was shown: wallet, command_line or memo
    digest text the digest that was signed
    at_ns int when it was signed
    """,
)
