"""Whatever people, files, blocks, crashes and rivals do in whatever order: no award is paid twice, none is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ledger.audit import AuditRow, check_log
from ledger.awards import AwardLineRow
from ledger.base import Ledger
from ledger.payout_sightings import PayoutSightingRow
from ledger.payouts import (
    PayoutApprovalRow,
    PayoutBatchLineRow,
    PayoutBatchRow,
    PayoutRecipientRow,
    PayoutRow,
    PayoutSignedRow,
)
from services.errors import UseCaseError
from services.house import House
from services.payout_books import balance
from services.payout_checking import check_signed
from services.payout_export import export
from services.payout_moves import move
from services.payout_planning import discard, draft, plan_again
from services.payout_questions import say
from services.payout_reconcile import look_at
from services.payout_records import approved_batch, batch, every_payout, payout
from services.payout_signing import sign_by_file
from services.payout_views import BatchView, PayoutView
from services.payouts import due_lines
from tasks.payout.lifecycle import ON_THE_WAY, Act, BatchState
from tasks.payout.sealing import Part
from tests.nodes import BIRTH, StandingClock, Stopwatch
from tests.pay_nodes import PayChain, PayNode, signed_by_nobody
from tests.payout_houses import (
    APPROVER,
    CAMPAIGN,
    CHAIN,
    FACTS,
    PAYER,
    TREASURER,
    WANTED,
    earn,
    house_on,
    proof,
    register,
    signed_file,
)
from tests.payout_lines import person
from verifiers.chain.answers import BlockLimits
from verifiers.chain.client import Chain
from verifiers.http import Limits
from verifiers.payout.facts import PayerFacts
from verifiers.payout.files import read_signed
from verifiers.payout.gas import gas_limit
from verifiers.payout.signed import SignedTransaction
from verifiers.payout.transfers import multi_send

Result = TypeVar("Result")

TABLES = (PayoutSightingRow, PayoutSignedRow, PayoutApprovalRow, PayoutBatchLineRow, PayoutBatchRow,
          PayoutRecipientRow, PayoutRow, AwardLineRow, AuditRow)  # fmt: skip
PEOPLE = range(4)
HOLDING_PAID = ON_THE_WAY | {BatchState.QUESTION, BatchState.PAID, BatchState.PARTLY_PAID}


class Crash(Exception):
    """The process dies before its transaction is committed."""


class DyingLedger(Ledger):
    """Does all of a transaction, and dies right before its end."""

    def transact(self, work: Callable[[Session], Result], *, durable: bool = False) -> Result:
        with self.write(durable=durable) as session:
            work(session)
            raise Crash


@dataclass(frozen=True)
class File:
    """A signed file somewhere in the world; we may never have been shown it."""

    batch: str
    signed: SignedTransaction
    text: str
    is_stored: bool

    @property
    def sequence(self) -> int:
        return self.signed.signers[0].sequence


class Payouts(RuleBasedStateMachine):
    """The platform on its database beside a chain with one paying account and its node."""

    def __init__(self, house: House, node: PayNode) -> None:
        super().__init__()
        self.house, self.node = house, node
        self.dying = replace(house, ledger=DyingLedger(house.ledger.url.render_as_string(hide_password=False)))
        self.files: list[File] = []
        self.forged: dict[str, int] = {}
        self.pool: list[File] = []

    # ------------------------------------------------------------------ what is there

    @property
    def sequence(self) -> int:
        return len(self.node.chain.included)

    @property
    def facts(self) -> PayerFacts:
        return replace(FACTS, account_number=7, sequence=self.sequence, height=self.node.tip)

    def views(self) -> list[PayoutView]:
        with self.house.ledger.read() as session:
            return every_payout(session, CAMPAIGN)

    def exported(self) -> list[BatchView]:
        return [each for view in self.views() for each in view.batches if each.exported is not None]

    def paid_memos(self) -> Counter[str]:
        return Counter(each.signed.memo for each in self.node.chain.included if not each.code)

    # ------------------------------------------------------------------ what people do

    def plan(self, house: House, most: int = 3) -> None:
        draft(house, "operator", replace(WANTED, rate="1"), self.facts, BlockLimits(-1, gas_limit(most)))

    def sign_plan(self, house: House, number: int) -> None:
        sign_by_file(house, number, self.proof_of(number))

    def proof_of(self, number: int) -> dict[str, object]:
        """What the next of its people signs."""
        view = payout(self.house, number)
        part, holder = (Part.APPROVER, APPROVER) if view.planner else (Part.PLANNER, TREASURER)
        return proof(view, part, holder)

    def act(self, house: House, what: str, number: int) -> None:
        match what:
            case "plan":
                self.plan(house)
            case "sign":
                self.sign_plan(house, number)
            case "discard":
                discard(house, "operator", number)
            case "again":
                plan_again(house, "operator", number)
            case "export":
                export(house, "operator", number, self.facts, 3)
            case _:
                look_at(house)

    ACTS = st.sampled_from(["plan", "sign", "sign", "discard", "again", "export", "reconcile"])

    @initialize(amounts=st.lists(st.integers(1, 50), min_size=1, max_size=4))
    def begin(self, amounts: list[int]) -> None:
        earn(self.house, enumerate(amounts))
        self.plan(self.house)

    @rule(who=st.sampled_from(PEOPLE), amount=st.integers(1, 50) | st.integers(-30, -1))
    def earn_or_correct(self, who: int, amount: int) -> None:
        with self.house.ledger.read() as session:
            mine = select(AwardLineRow.amount_micro).where(AwardLineRow.participant == person(who))
            earned = sum(session.scalars(mine))
        if earned + amount * 1_000_000 >= 0:
            earn(self.house, [(who, amount)])

    @rule(most=st.integers(1, 3))
    def make_plan(self, most: int) -> None:
        with suppress(UseCaseError):
            self.plan(self.house, most)

    @rule(data=st.data(), what=ACTS)
    def decide(self, data: st.DataObject, what: str) -> None:
        numbers = [view.number for view in self.views()][-3:]
        with suppress(UseCaseError):
            self.act(self.house, what, data.draw(st.sampled_from(numbers)))

    @rule(most=st.integers(1, 3), life=st.integers(2, 8), is_rushed=st.booleans(), blocks=st.integers(0, 2))
    def hand_out(self, most: int, life: int, is_rushed: bool, blocks: int) -> None:
        """Whatever waits, else what is owed, is approved and exported; what is outdated is planned anew."""
        for _ in range(2):
            waiting = [view for view in self.views() if view.waits_for_signatures or view.waits_for_export]
            with suppress(UseCaseError):
                if not waiting:
                    self.plan(self.house, most)
                    waiting = self.views()[-1:]
                for view in waiting:
                    self.export_whole(view.number, life)
                break
            for view in waiting:
                with suppress(UseCaseError):
                    discard(self.house, "operator", view.number)
        if is_rushed:
            for place, each in enumerate(self.on_the_way()):
                self.put(each, self.sequence + place, is_shown=True)
            for _ in range(blocks):
                self.grow(fails=False, blocks=1, other=0)

    def export_whole(self, number: int, life: int) -> None:
        while payout(self.house, number).waits_for_signatures:
            self.sign_plan(self.house, number)
        export(self.house, "operator", number, self.facts, life)

    def on_the_way(self) -> list[BatchView]:
        """Exported batches of which no file exists yet."""
        named = {file.batch for file in self.files}
        return [each for each in self.exported() if each.state is BatchState.EXPORTED and each.name not in named]

    @precondition(lambda self: self.exported())
    @rule(data=st.data(), ahead=st.sampled_from([0, 0, 0, 1]), is_shown=st.booleans(), is_sent=st.booleans())
    def sign(self, data: st.DataObject, ahead: int, is_shown: bool, is_sent: bool) -> None:
        """Signers may hide a file from us, but sign no second one while an earlier can be paid or was."""
        chosen, sequence = data.draw(st.sampled_from(self.exported()[-3:])), self.sequence + ahead
        mine = [file for file in self.files if file.batch == chosen.name]
        if self.paid_memos()[chosen.memo]:
            assert not self.stores(chosen.name, sequence)
        elif any(file.sequence >= self.sequence and file.sequence != sequence for file in mine):
            if all(file.is_stored for file in mine):
                assert not self.stores(chosen.name, sequence)
        else:
            self.put(chosen, sequence, is_shown=is_shown, is_sent=is_sent)

    def put(self, chosen: BatchView, sequence: int, *, is_shown: bool, is_sent: bool = True) -> None:
        text = signed_file(self.house, chosen.name, sequence, facts=self.facts)
        is_stored = is_shown and self.stores(chosen.name, sequence)
        self.files.append(File(chosen.name, read_signed(text), text, is_stored))
        if is_sent:
            self.pool.append(self.files[-1])

    def stores(self, name: str, sequence: int) -> bool:
        """Whether we take a file of this batch with this sequence."""
        text = signed_file(self.house, name, sequence, facts=self.facts)
        try:
            return check_signed(self.house, "operator", name, text, self.facts).is_new
        except UseCaseError:
            return False

    WORDS = st.sampled_from([Act.SAY_PAID, Act.SAY_PARTLY, Act.SAY_PARTLY, Act.SAY_UNPAID])

    @precondition(lambda self: self.exported())
    @rule(data=st.data(), is_rushed=st.booleans(), word=WORDS)
    def forge(self, data: st.DataObject, is_rushed: bool, word: Act) -> None:
        """The signers write a transaction of their own with a batch's memo: its first row, and somebody else."""
        chosen = data.draw(st.sampled_from(self.exported()[-3:]))
        if self.paid_memos()[chosen.memo] or any(
            file.batch == chosen.name and file.sequence >= self.sequence for file in self.files
        ):
            return
        text = signed_file(self.house, chosen.name, self.sequence, facts=self.facts)
        with self.house.ledger.read() as session:
            (address, amount), *_ = approved_batch(session, chosen.id).rows
        paid = multi_send(PAYER, [(address, amount), (person(9), 1)], "uakt")
        forged = replace(read_signed(text), messages=(paid,))
        self.forged[forged.hash] = amount
        self.files.append(File(chosen.name, forged, "", is_stored=False))
        self.pool.append(self.files[-1])
        if is_rushed:
            self.grow(fails=False, blocks=3, other=0)
            self.reconcile(0, has_index=True)
            with suppress(UseCaseError):
                say(self.house, "treasurer", chosen.name, word, "looked at it")

    @rule(data=st.data(), word=WORDS)
    def settle(self, data: st.DataObject, word: Act) -> None:
        """Somebody says a word about a batch, the wrong one too."""
        names = [each.name for view in self.views() for each in view.batches]
        with suppress(UseCaseError):
            say(self.house, "treasurer", data.draw(st.sampled_from(names[-4:])), word, "looked at it")

    @precondition(lambda self: self.files)
    @rule(data=st.data(), is_noted=st.booleans())
    def send(self, data: st.DataObject, is_noted: bool) -> None:
        file = data.draw(st.sampled_from(self.files))
        self.pool.append(file)
        if is_noted and file.is_stored:
            found = batch(self.house, file.batch).id
            with suppress(UseCaseError):
                self.house.ledger.transact(
                    lambda session: move(session, self.house.clock.now(), found, Act.NOTE_BROADCAST, "operator")
                )

    # ------------------------------------------------------------------ what happens

    @rule(fails=st.sampled_from([False, False, True]), blocks=st.integers(1, 3), other=st.sampled_from([0, 0, 0, 1]))
    def grow(self, fails: bool, blocks: int, other: int) -> None:
        """Blocks come; the first takes what is good, the account may send something else first."""
        height = self.node.tip + 1
        for _ in range(other):
            rent = multi_send(PAYER, [(person(9), height)], "uakt")
            self.node.chain.put(signed_by_nobody((rent,), "rent", self.sequence), height)
        waiting = []
        for file in sorted(self.pool, key=lambda file: file.sequence):
            if file.sequence > self.sequence and height < file.signed.timeout_height:
                waiting.append(file)
            if file.sequence == self.sequence and height <= file.signed.timeout_height:
                self.node.chain.put(file.signed, height, 5 * fails, "sdk" * fails)
        self.pool, self.node.tip = waiting, height + blocks - 1

    @precondition(lambda self: any(self.node.tip < each.signed.timeout_height for each in self.files))
    @rule(data=st.data(), fails=st.sampled_from([False, False, True]), lag=st.sampled_from([0, 2, 2]))
    def at_the_last_moment(self, data: st.DataObject, fails: bool, lag: int) -> None:
        """A file comes into the last block that it may be in, and we look before every index knows of it."""
        late = [file for file in self.files if self.node.tip < file.signed.timeout_height]
        file = data.draw(st.sampled_from(late))
        self.node.tip = file.signed.timeout_height - 1
        self.pool.append(file)
        self.grow(fails, 2, 0)
        self.reconcile(lag, has_index=True)

    @rule(lag=st.sampled_from([0, 0, 1, 2]), has_index=st.sampled_from([True, True, True, False]))
    def reconcile(self, lag: int, has_index: bool) -> None:
        """Also with an index that lags behind, or none at all."""
        self.node.index_to, self.node.has_index = self.node.tip - lag, has_index
        look_at(self.house)
        self.node.index_to, self.node.has_index = 10**9, True

    @rule(data=st.data(), what=ACTS)
    def crash(self, data: st.DataObject, what: str) -> None:
        number = data.draw(st.sampled_from([view.number for view in self.views()][-3:]))
        before = self.everything()
        with suppress(UseCaseError, Crash):
            self.act(self.dying, what, number)
        assert self.everything() == before

    @rule(data=st.data(), what=ACTS)
    def race(self, data: st.DataObject, what: str) -> None:
        """Two do the same at once: whoever wins, it is done once."""
        number = data.draw(st.sampled_from([view.number for view in self.views()][-2:]))
        act: Callable[[], object] = lambda: self.act(self.house, what, number)  # noqa: E731
        if what == "sign":
            file = self.proof_of(number)
            act = lambda: sign_by_file(self.house, number, file)  # noqa: E731

        def run(_: int) -> None:
            with suppress(UseCaseError):
                act()

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(run, range(2)))

    def everything(self) -> list[tuple[Any, ...]]:
        with self.house.ledger.read() as session:
            return [tuple(row) for table in TABLES for row in session.execute(select(*table.__table__.columns))]

    # ------------------------------------------------------------------ what always holds

    @invariant()
    def no_line_is_paid_twice_and_what_was_paid_is_held(self) -> None:
        whole = Counter(self.memos(is_forged=False))
        parts = Counter(self.memos(is_forged=True))
        with self.house.ledger.read() as session:
            rows = select(PayoutBatchRow, PayoutBatchLineRow).join(
                PayoutBatchLineRow, PayoutBatchLineRow.batch == PayoutBatchRow.id
            )
            seen = session.execute(rows).all()
        paid: Counter[int] = Counter()
        for made, line in seen:
            times = whole[made.memo] + parts[made.memo] * (line.place == made.first_place)
            if times:
                paid[line.line] += times
                assert line.freed_ns is None
                assert made.state in {str(state) for state in HOLDING_PAID}
        assert not paid or max(paid.values()) == 1

    def memos(self, *, is_forged: bool) -> list[str]:
        """The memos of the transactions that paid."""
        included = [each.signed for each in self.node.chain.included if not each.code]
        return [signed.memo for signed in included if (signed.hash in self.forged) == is_forged]

    @invariant()
    def no_line_is_lost_and_the_books_balance(self) -> None:
        with self.house.ledger.read() as session:
            every = set(session.scalars(select(AwardLineRow.id)))
            free = {line.line for line in due_lines(session, CAMPAIGN)}
            still = select(PayoutBatchLineRow.line).where(PayoutBatchLineRow.freed_ns.is_(None))
            held = list(session.scalars(still))
            assert check_log(session) == []
        assert len(held) == len(set(held))
        assert not free & set(held)
        assert free | set(held) == every
        found = balance(self.house)
        assert found.troubles == ()
        assert found.total.paid <= self.sent_by_chain()

    def sent_by_chain(self) -> int:
        """What went to participants by the memos of batches."""
        paid = [each.signed for each in self.node.chain.included if not each.code and each.signed.memo != "rent"]
        return sum(self.forged[each.hash] if each.hash in self.forged else sum(_amounts(each)) for each in paid)

    def teardown(self) -> None:
        """Past every timeout all is known: what the chain paid is paid, the rest is owed."""
        last = max((each.exported.timeout_height for each in self.exported() if each.exported), default=0)
        self.node.tip = max(last, self.node.tip) + 5
        look_at(self.house)
        for each in self.exported():
            for word in (Act.SAY_UNPAID, Act.SAY_PARTLY, Act.SAY_PAID):
                with suppress(UseCaseError):
                    say(self.house, "treasurer", each.name, word, "looked at it")
        assert not {each.state for each in self.exported()} & (ON_THE_WAY | {BatchState.QUESTION})
        assert balance(self.house).total.paid == self.sent_by_chain()
        self.dying.ledger.close()


def _amounts(signed: SignedTransaction) -> Iterator[int]:
    for message in signed.messages:
        for side in message.outputs:  # type: ignore[union-attr]
            yield from (coin.units or 0 for coin in side.coins)


def emptied(house: House) -> House:
    with house.ledger.write() as session:
        for table in TABLES:
            session.execute(delete(table))
    return house


@contextmanager
def town(kind: str, folder: Path) -> Iterator[Callable[[], Payouts]]:
    """Makes a machine on an empty database and a new chain each time."""
    with ExitStack() as stack:
        house = stack.enter_context(house_on(kind, folder, ()))
        register(house, PEOPLE)
        node = stack.enter_context(PayNode(PayChain(), CHAIN, tip=10))
        watch = Stopwatch()
        chain = Chain([node.url], [node.url], StandingClock(BIRTH), chain_id=CHAIN,
                      limits=Limits(deadline_seconds=30), monotonic=watch.monotonic, sleep=watch.sleep)  # fmt: skip
        stack.callback(chain.close)
        whole = replace(house, payout_chain=chain)

        def make() -> Payouts:
            node.chain, node.tip = PayChain(), 10
            return Payouts(emptied(whole), node)

        yield make


def runs(examples: int, steps: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.parametrize(("kind", "examples"), [("sqlite", 8), ("postgresql", 4)])
def test_payouts__any_order_of_acts_files_blocks_and_crashes__never_twice_none_lost(
    kind: str, examples: int, tmp_path: Path
) -> None:
    with town(kind, tmp_path) as make:
        run_state_machine_as_test(make, settings=runs(examples, 20))


@pytest.mark.long
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_payouts__long_histories__never_twice_none_lost(kind: str, tmp_path: Path) -> None:
    with town(kind, tmp_path) as make:
        run_state_machine_as_test(make, settings=runs(60, 40))
