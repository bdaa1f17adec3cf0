"""Whatever people, files, blocks and the platform do in whatever order: no award is paid twice, none is lost."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tasks.payout.batches import Batch, cut
from tasks.payout.double_entry import books, total
from tasks.payout.lifecycle import HOLDING, LIVE, ON_THE_WAY, Act, BatchState, WrongState, after
from tasks.payout.lines import OwedLine
from tasks.payout.plan import plan
from tests.payout_lines import PAYER, line, payees, person, terms
from verifiers.payout.export import Export, Fee, export
from verifiers.payout.recipients import refusals
from verifiers.payout.reconcile import PAID, ApprovedBatch, Search, State, conclude, second_file_refusal
from verifiers.payout.seen import Seen

QUESTIONS = {State.LOOKS_PAID, State.PAID_TWICE, State.PARTLY_FOREIGN}


@dataclass
class Paper:
    """A batch as the platform keeps it."""

    batch: Batch
    state: BatchState = BatchState.PLANNED
    export: Export | None = None
    height: int = 0
    signed: dict[str, int] = field(default_factory=dict)

    @property
    def approved(self) -> ApprovedBatch:
        timeout = self.export.timeout_height if self.export else 0
        rows, memo = self.batch.transfers, self.batch.memo
        return ApprovedBatch(rows, memo, PAYER, "payout-1", self.height, timeout, self.signed)


class Payouts(RuleBasedStateMachine):
    """The platform's papers beside a chain with one paying account."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[OwedLine] = []
        self.papers: list[Paper] = []
        self.files: list[tuple[Paper, int, str]] = []
        self.pool: list[tuple[Paper, int, str]] = []
        self.chain: list[Seen] = []
        self.height, self.sequence, self.plans = 10, 0, 0

    def act(self, paper: Paper, act: Act) -> bool:
        try:
            paper.state = after(paper.state, act)
        except WrongState:
            return False
        return True

    def owed(self) -> list[OwedLine]:
        held = {
            number
            for paper in self.papers
            if paper.state in HOLDING
            for row in paper.batch.rows
            for number in row.lines
        }
        return [each for each in self.lines if each.line not in held]

    @initialize(amounts=st.lists(st.integers(1, 50), min_size=1, max_size=4))
    def begin(self, amounts: list[int]) -> None:
        self.lines += [line(number, number % 4, amount) for number, amount in enumerate(amounts)]
        self.make_plan(3)

    @rule(who=st.integers(0, 3), amount=st.integers(1, 50) | st.integers(-30, -1))
    def earn_or_correct(self, who: int, amount: int) -> None:
        earned = sum(each.amount_micro for each in self.lines if each.participant == person(who))
        if earned + amount >= 0:
            self.lines.append(line(len(self.lines), who, amount))

    @rule(most=st.integers(1, 3))
    def make_plan(self, most: int) -> None:
        made = plan(self.owed(), payees(range(4)), terms("1"), refusals(PAYER, []))
        self.plans += 1
        self.papers += [Paper(batch) for batch in cut("falcon-7", self.plans, made.rows, most)]

    @precondition(lambda self: self.papers)
    @rule(data=st.data(), what=st.sampled_from([Act.APPROVE, Act.DISCARD]))
    def decide(self, data: st.DataObject, what: Act) -> None:
        self.act(data.draw(st.sampled_from(self.papers[-3:])), what)

    @precondition(lambda self: self.papers)
    @rule(data=st.data(), life=st.integers(1, 4), is_rushed=st.booleans())
    def hand_out(self, data: st.DataObject, life: int, is_rushed: bool) -> None:
        paper = data.draw(st.sampled_from(self.papers[-3:]))
        self.act(paper, Act.APPROVE)
        if self.act(paper, Act.EXPORT) and paper.export is None:
            transfers, memo = paper.batch.transfers, paper.batch.memo
            paper.height, paper.export = self.height, export(PAYER, transfers, memo, self.height + life, Fee(1, 1))
            if is_rushed:
                self.put_in_pool(paper, self.sequence, is_stored=True)

    @precondition(lambda self: any(paper.export for paper in self.papers))
    @rule(data=st.data(), ahead=st.sampled_from([0, 0, 0, 1]), is_stored=st.booleans(), is_sent=st.booleans())
    def sign(self, data: st.DataObject, ahead: int, is_stored: bool, is_sent: bool) -> None:
        """Signers sign with the sequence they are told; a file that was never shown to us has the account's own."""
        paper = data.draw(st.sampled_from([paper for paper in self.papers if paper.export][-3:]))
        sequence = self.sequence + ahead
        if any(its >= self.sequence and its != sequence for of, its, _ in self.files if of is paper):
            assert second_file_refusal(self.all_signed(paper), sequence, self.sequence)
            return
        if conclude(paper.approved, self.chain, self.search()).state in PAID:
            return
        self.put_in_pool(paper, sequence, is_stored=is_stored)
        if not is_sent:
            self.pool.pop()

    def put_in_pool(self, paper: Paper, sequence: int, *, is_stored: bool) -> None:
        name = f"{len(self.files):064X}"
        if is_stored and self.act(paper, Act.STORE_SIGNED):
            paper.signed[name] = sequence
        self.files.append((paper, sequence, name))
        self.pool.append(self.files[-1])

    def all_signed(self, paper: Paper) -> ApprovedBatch:
        known = paper.approved
        signed = {name: sequence for of, sequence, name in self.files if of is paper}
        return ApprovedBatch(known.rows, known.memo, PAYER, "payout-1", 1, known.timeout_height, signed)

    @precondition(lambda self: self.files)
    @rule(data=st.data(), is_noted=st.booleans())
    def send(self, data: st.DataObject, is_noted: bool) -> None:
        file = data.draw(st.sampled_from(self.files))
        self.pool.append(file)
        if is_noted:
            self.act(file[0], Act.NOTE_BROADCAST)

    @rule(fails=st.sampled_from([False, False, True]), blocks=st.integers(1, 3), other=st.sampled_from([0, 0, 0, 1]))
    def grow(self, fails: bool, blocks: int, other: int) -> None:
        """Blocks come; the first takes what is good, the account may send something else first."""
        self.height += 1
        self.sequence += other
        waiting = []
        for paper, sequence, name in sorted(self.pool, key=lambda file: file[1]):
            made = paper.export
            assert made
            if sequence > self.sequence and self.height < made.timeout_height:
                waiting.append((paper, sequence, name))
            if sequence == self.sequence and self.height <= made.timeout_height:
                self.sequence += 1
                self.chain.append(
                    Seen(
                        name,
                        self.height,
                        5 * fails,
                        "",
                        "",
                        None,
                        made.memo,
                        made.timeout_height,
                        sequence,
                        made.messages,
                    )
                )
        self.pool = waiting
        self.height += blocks - 1

    def search(self, heights: int = 2, reach: int = 0) -> Search:
        return Search("payout-1", (self.height,) * heights, 1, self.height - reach, frozenset(), self.sequence)

    @rule(heights=st.sampled_from([2, 2, 1, 0]), reach=st.sampled_from([0, 0, 1, 2, 3]))
    def reconcile(self, heights: int, reach: int) -> None:
        """Also with one read of the height only, or a search that ends early; both find what was there."""
        seen = [each for each in self.chain if each.height <= self.height - reach]
        for paper in self.papers:
            if paper.export is None:
                continue
            found = conclude(paper.approved, seen, self.search(heights, reach))
            if found.state in PAID:
                self.act(paper, Act.FIND_PAID)
            elif found.state in QUESTIONS:
                self.act(paper, Act.FIND_QUESTION)
            elif found.is_dead:
                self.act(paper, Act.FIND_DEAD)

    @invariant()
    def no_line_is_paid_twice(self) -> None:
        by_memo = {paper.batch.memo: paper for paper in self.papers}
        paid = Counter(
            number
            for seen in self.chain
            if not seen.code
            for row in by_memo[seen.memo].batch.rows
            for number in row.lines
        )
        assert not paid or max(paid.values()) == 1

    @invariant()
    def what_was_paid_is_held(self) -> None:
        by_memo = {paper.batch.memo: paper for paper in self.papers}
        for seen in self.chain:
            if not seen.code:
                assert by_memo[seen.memo].state in ON_THE_WAY | {BatchState.PAID}

    @invariant()
    def the_books_balance(self) -> None:
        earned: Counter[str] = Counter()
        for each in self.lines:
            earned[each.participant] += each.amount_micro
        live = [row for paper in self.papers if paper.state in LIVE for row in paper.batch.rows]
        paid = [row for paper in self.papers if paper.state is BatchState.PAID for row in paper.batch.rows]
        book = total(books(earned, self.owed(), live, paid))
        assert book.is_balanced
        assert book.paid <= sum(
            amount for seen in self.chain if not seen.code for (_, _, amount) in seen.transfers.elements()
        )


TestPayouts = Payouts.TestCase
TestPayouts.settings = settings(max_examples=120, stateful_step_count=25, deadline=None)
