"""Takes transactions, keeps them until their block and carries them out there: CheckTx, mempool, FinalizeBlock."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from devnet.sent.accounts import Accounts
from devnet.sent.bank import carry_out
from devnet.sent.checks import Circumstances, check
from devnet.sent.gas import MORE_IN_V2, Meter
from devnet.sent.journal import Journal
from devnet.sent.protobuf import ReadingError
from devnet.sent.transaction import SentTransaction, read_transaction
from devnet.state.bank import Bank
from devnet.state.events import Event
from devnet.state.objects import ChainError

READING_GAS = 1_174
"""What a node says it used for bytes that it could not read (recorded)."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a node answers to a broadcast. `gas_wanted`, `gas_used`: of the check."""

    hash: bytes
    code: int = 0
    codespace: str = ""
    log: str = ""
    gas_wanted: int = 0
    gas_used: int = 0
    sent: SentTransaction | None = None

    @property
    def is_cached(self) -> bool:
        """Whether the node had it already: it then does not even look."""
        return self.code == 19 and self.codespace == "sdk"


@dataclass(slots=True)
class SentTx:
    """A sent transaction as it stands in its block. `told`: the events of each message; `is_charged`: its fee was
    paid and its sequence used up, also where a message failed."""

    height: int
    index: int
    sent: SentTransaction
    code: int
    codespace: str
    log: str
    gas_used: int
    told: tuple[tuple[Event, ...], ...]
    is_charged: bool

    @property
    def gas_wanted(self) -> int:
        """The gas limit."""
        return self.sent.fee.gas_limit


class Pool:
    """The transactions on their way. Whoever calls holds the chain's lock."""

    def __init__(self, bank: Bank, chain_id: str, journal: Journal | None) -> None:
        self._bank = bank
        self._journal = journal
        self._cache: set[bytes] = set()
        self._when = Circumstances(chain_id, 0, 0, more_gas=MORE_IN_V2 if bank.generation.name == "v2" else 0)
        self.waiting: dict[int, list[SentTransaction]] = defaultdict(list)
        for height, raw in journal.read() if journal else ():
            self.waiting[height].append(read_transaction(raw))

    def next_height(self) -> int | None:
        """The next block that holds a sent transaction."""
        return min(self.waiting, default=None)

    def take(self, raw: bytes, height: int, time: int, *, is_lost: bool = False, held: int = 0) -> Taken:
        """Check a transaction at the newest block and keep it for the next one, `held` blocks later.

        `is_lost`: it is taken, and forgotten at once.
        """
        digest = hashlib.sha256(raw).digest()
        if digest in self._cache:
            return Taken(digest, 19, "sdk")
        taken = self.check(raw, height, time)
        if taken.sent is None or taken.code or is_lost:
            return taken
        goes_into = max([height + 1 + held, *self.waiting])
        if self._journal:
            self._journal.add(goes_into, raw)
        self.waiting[goes_into].append(taken.sent)
        self._cache.add(digest)
        return taken

    def check(self, raw: bytes, height: int, time: int) -> Taken:
        """What the node says to a transaction, those before it in the mempool counted as done."""
        digest = hashlib.sha256(raw).digest()
        try:
            sent = read_transaction(raw)
        except ReadingError as error:
            log = f"{error}: tx parse error: tx parse error"
            return Taken(digest, 2, "sdk", log, gas_used=READING_GAS)
        when = replace(self._when, height=height, time=time, is_new=True)
        meter = Meter(sent.fee.gas_limit)
        try:
            check(sent, self._after_waiting(when), when, meter)
        except ChainError as error:
            return Taken(digest, error.code, error.codespace, error.log, sent.fee.gas_limit, meter.used, sent)
        return Taken(digest, gas_wanted=sent.fee.gas_limit, gas_used=meter.used, sent=sent)

    def simulate(self, sent: SentTransaction, height: int, time: int) -> tuple[Meter, tuple[tuple[Event, ...], ...]]:
        """Run a transaction without a gas limit and without looking at its signatures, and take everything back.

        Raises ChainError.
        """
        when = replace(self._when, height=height, time=time, has_signatures=False)
        meter = Meter(None)
        check(sent, self._after_waiting(when), when, meter)
        told: list[tuple[Event, ...]] = []
        try:
            with self._bank.undoing():
                told += self._messages(sent, meter)
                raise _DoneError
        except _DoneError:
            return meter, tuple(told)

    def deliver(self, height: int, time: int, first_index: int) -> list[SentTx]:
        """The transactions of a block, carried out in their order. One that the state before the block no longer
        allows was thrown out of the mempool and stands in no block."""
        made: list[SentTx] = []
        for sent in self.waiting.pop(height, ()):
            before = replace(self._when, height=height - 1, time=time, has_signatures=False)
            try:
                check(sent, Accounts(self._bank), before, Meter(None))
            except ChainError:
                self._cache.discard(sent.hash)
                continue
            made.append(self._carry_out(sent, replace(before, height=height, has_signatures=True), first_index))
            first_index += 1
        return made

    def _carry_out(self, sent: SentTransaction, when: Circumstances, index: int) -> SentTx:
        tx = SentTx(when.height, index, sent, 0, "", "", 0, (), is_charged=False)
        meter, accounts = Meter(sent.fee.gas_limit), Accounts(self._bank)
        try:
            check(sent, accounts, when, meter)
            self._charge(sent, accounts)
            tx.is_charged = True
            with self._bank.undoing():
                tx.told = tuple(self._messages(sent, meter))
        except ChainError as error:
            tx.code, tx.codespace, tx.log = error.code, error.codespace, error.log
            self._cache.discard(sent.hash)
        tx.gas_used = meter.used
        return tx

    def _messages(self, sent: SentTransaction, meter: Meter) -> list[tuple[Event, ...]]:
        told: list[tuple[Event, ...]] = []
        for place, message in enumerate(sent.messages):
            self._bank.events.start()
            try:
                carry_out(self._bank, message, meter)
            except ChainError as error:
                if error.code == 11 and error.codespace == "sdk":
                    raise
                log = f"failed to execute message; message index: {place}: {error.log}"
                raise ChainError(error.codespace, error.code, log) from None
            told.append(tuple(self._bank.events.told))
        return told

    def _charge(self, sent: SentTransaction, accounts: Accounts) -> None:
        for address in dict.fromkeys((sent.fee_payer, *sent.senders)):
            account = accounts.need(address)
            now: Mapping[str, int] = self._bank.holders[address].balances[-1]
            paid = {denom: have - account.balances.get(denom, 0) for denom, have in now.items()}
            paid = {denom: amount for denom, amount in paid.items() if amount}
            self._bank.take_checked(address, paid, account.sequence, account.key)

    def _after_waiting(self, when: Circumstances) -> Accounts:
        accounts = Accounts(self._bank)
        again = replace(when, is_new=False, has_signatures=False)
        for height in sorted(self.waiting):
            for sent in self.waiting[height]:
                tried = accounts.copy()
                try:
                    check(sent, tried, again, Meter(None))
                except ChainError:
                    continue
                accounts = tried
        return accounts


class _DoneError(ChainError):
    """Ends a simulation, so that everything is taken back."""

    def __init__(self) -> None:
        super().__init__("", 0, "")
