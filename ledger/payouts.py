"""Payouts: plans with their rows, batches, the lines that they hold, who approved, and the signed files."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from ledger.base import Base, Json


class PayoutRow(Base):
    """A plan: what is paid from which account at which rate, frozen by `digest` (tasks.payout.sealing).

    `number` counts a campaign's payouts. `task` None: of the whole campaign. `third_above_uakt`: the setting as it
    was then; None: one other person is enough. `attempt` rises where dead batches are planned again, with a new
    digest that is approved anew. `unpaid`: who is not paid and why (tasks.payout.plan Unpaid), `detail` for staff.
    """

    __tablename__ = "payouts"
    __table_args__ = (UniqueConstraint("campaign", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    campaign: Mapped[str]
    number: Mapped[int]
    task: Mapped[str | None]
    unit: Mapped[str]
    rate: Mapped[str]
    rate_source: Mapped[str]
    rate_at_ns: Mapped[int]
    minimum_micro: Mapped[int]
    payer: Mapped[str]
    chain_id: Mapped[str]
    has_ledger: Mapped[bool]
    as_sends: Mapped[bool]
    third_above_uakt: Mapped[int | None]
    nonce: Mapped[str]
    attempt: Mapped[int]
    digest: Mapped[str]
    total_micro: Mapped[int]
    total_uakt: Mapped[int]
    unpaid: Mapped[list[dict[str, object]]] = mapped_column(Json)
    actor: Mapped[str]
    drafted_ns: Mapped[int]


class PayoutRecipientRow(Base):
    """One row of a plan: what one participant gets; its lines are in `payout_batch_lines`. Never changed."""

    __tablename__ = "payout_rows"
    __table_args__ = (Index(None, "participant"),)

    payout: Mapped[int] = mapped_column(ForeignKey("payouts.id"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    participant: Mapped[str]
    recipient: Mapped[str]
    amount_micro: Mapped[int]
    amount_uakt: Mapped[int]


class PayoutBatchRow(Base):
    """A batch: the plan's rows `first_place .. first_place + size - 1`, paid by one transaction.

    `state` is a tasks.payout.lifecycle.BatchState. From `exported_ns` to `sha256` it is frozen at the export: `file`
    are the bytes of the unsigned transaction, `account_number` and `sequence` what its signers were told. `found` is
    the newest conclusion of reconciling (verifiers.payout.reconcile State) with the transaction behind it; `is_over`:
    the chain is past the timeout, and everything up to it was searched.
    """

    __tablename__ = "payout_batches"
    __table_args__ = (UniqueConstraint("campaign", "name"), Index(None, "payout"), Index(None, "state"))

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    payout: Mapped[int] = mapped_column(ForeignKey("payouts.id"))
    campaign: Mapped[str]
    name: Mapped[str]
    number: Mapped[int]
    attempt: Mapped[int]
    first_place: Mapped[int]
    size: Mapped[int]
    total_micro: Mapped[int]
    total_uakt: Mapped[int]
    rows_hash: Mapped[str]
    memo: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str]
    changed_ns: Mapped[int]
    exported_ns: Mapped[int | None]
    exported_height: Mapped[int | None]
    timeout_height: Mapped[int | None]
    fee_uakt: Mapped[int | None]
    gas_limit: Mapped[int | None]
    account_number: Mapped[int | None]
    sequence: Mapped[int | None]
    file: Mapped[bytes | None]
    sha256: Mapped[str | None]
    found: Mapped[str | None]
    found_detail: Mapped[str | None]
    is_over: Mapped[bool]
    looked_ns: Mapped[int | None]
    searched_to: Mapped[int | None]
    tx_hash: Mapped[str | None]
    tx_height: Mapped[int | None]
    tx_time_ns: Mapped[int | None]


class PayoutBatchLineRow(Base):
    """An award line in a batch, at the plan's row `place`; while `freed_ns` is empty the batch holds it.

    The partial unique index is what makes it impossible that two batches hold one line.
    """

    __tablename__ = "payout_batch_lines"
    __table_args__ = (
        Index(
            "uq_payout_batch_lines_line_held",
            "line",
            unique=True,
            sqlite_where=text("freed_ns IS NULL"),
            postgresql_where=text("freed_ns IS NULL"),
        ),
    )

    batch: Mapped[int] = mapped_column(ForeignKey("payout_batches.id"), primary_key=True)
    line: Mapped[int] = mapped_column(ForeignKey("award_lines.id"), primary_key=True)
    place: Mapped[int]
    freed_ns: Mapped[int | None]


class PayoutApprovalRow(Base):
    """A signature over a plan's digest. `part`: planner or approver; `proof`: one of services.proofs NAMES.

    `person` is the participant whom the address belongs to, else the address: one person signs once.
    """

    __tablename__ = "payout_approvals"
    __table_args__ = (UniqueConstraint("payout", "attempt", "person"),)

    payout: Mapped[int] = mapped_column(ForeignKey("payouts.id"), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[str]
    part: Mapped[str]
    proof: Mapped[str]
    digest: Mapped[str]
    at_ns: Mapped[int]


class PayoutSignedRow(Base):
    """A signed file of a batch, checked and stored before anybody broadcasts it; `hash` is the transaction's.

    `broadcast_ns` and `answer` of the newest broadcast through us: an answer proves nothing, it is only shown.
    """

    __tablename__ = "payout_signed"
    __table_args__ = (Index(None, "batch"),)

    hash: Mapped[str] = mapped_column(primary_key=True)
    batch: Mapped[int] = mapped_column(ForeignKey("payout_batches.id"))
    sequence: Mapped[int]
    sha256: Mapped[str]
    file: Mapped[bytes]
    actor: Mapped[str]
    checked_ns: Mapped[int]
    broadcast_ns: Mapped[int | None]
    answer: Mapped[dict[str, object] | None] = mapped_column(Json)
