"""The chain: applies a scenario's acts block by block and keeps every transaction."""

from __future__ import annotations

import gc
import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from devnet import acts, wire
from devnet.generation import Generation
from devnet.groups import GroupSpec, read_group
from devnet.messages import Message, Messages
from devnet.sent.journal import Journal
from devnet.sent.pool import Pool, SentTx, Taken
from devnet.sent.rendering import ante_events, message_events
from devnet.state import deployments, leases, market, registry
from devnet.state.bank import FEE_COLLECTOR
from devnet.state.events import MESSAGE_TAIL, Coins, Event, Plain, base64_text, render_events
from devnet.state.objects import ChainError
from devnet.state.world import World

SECOND = 1_000_000_000
JITTER_NANOSECONDS = 1_000_000
"""Block times lie up to so much after the even second, so that they have decimals as real ones."""

GAS_FAILED = 52_000
GAS_USED: Mapping[type[acts.Act], int] = {
    acts.CreateProvider: 104_613,
    acts.UpdateProvider: 95_213,
    acts.CreateCertificate: 98_801,
    acts.RevokeCertificate: 81_109,
    acts.SignAttributes: 66_080,
    acts.DeleteAttributes: 52_259,
    acts.CreateDeployment: 149_178,
    acts.UpdateDeployment: 61_907,
    acts.DepositDeployment: 82_605,
    acts.CloseDeployment: 275_502,
    acts.StartGroup: 109_795,
    acts.PauseGroup: 99_181,
    acts.CloseGroup: 101_209,
    acts.CreateBid: 125_731,
    acts.CloseBid: 251_607,
    acts.CreateLease: 231_030,
    acts.CloseLease: 259_827,
    acts.WithdrawLease: 91_245,
    acts.StartReclaim: 76_696,
    acts.Send: 66_814,
}


@dataclass(slots=True)
class Tx:
    """One transaction as it stands in its block. `told`: what its message told; nothing where it failed."""

    height: int
    index: int
    act: acts.Act
    sequence: int
    code: int
    codespace: str
    log: str
    gas_used: int
    gas_wanted: int
    fee: int
    told: tuple[Event, ...]


AnyTx = Tx | SentTx


class Chain:
    """Deterministic: the state at height h follows from (scenario, seed, start, h) alone, and from what was sent.

    `lock`: held by whoever lets it grow or reads what may grow meanwhile.
    """

    def __init__(
        self,
        scenario: acts.Scenario,
        generation: Generation,
        start: int,
        seed: str = "",
        journal: Journal | None = None,
    ) -> None:
        """`start`: Unix nanoseconds of block 1; `seed` changes hashes and signatures only. `journal`: keeps what is
        sent. Raises ValueError where the journal is none."""
        self.scenario = scenario
        self.generation = generation
        self.start = start
        self.seed = seed
        self.chain_id = scenario.chain_id
        self.height = 0
        self.lock = threading.RLock()
        self.txs: dict[int, list[Tx]] = {}
        self.sent: dict[int, list[SentTx]] = {}
        self._acts = scenario.ordered()
        self._next = 0
        signers = sorted({act.signer for act in self._acts})
        self.world = World(generation, scenario.people, signers)
        self.public_keys = {person.address: person.public_key for person in scenario.people if person.public_key}
        self._read_cache: dict[str, tuple[tuple[GroupSpec, ...], bytes]] = {}
        self._hashes: dict[bytes, AnyTx] = {}
        self._hashed_until = 0
        self.messages = Messages(generation, self.read_sdl, self._spec_of, self._certificate)
        self._handlers = self._make_handlers()
        self.pool = Pool(self.world.bank, self.chain_id, journal)

    def time(self, height: int) -> int:
        """Unix nanoseconds of a block."""
        jitter = int.from_bytes(self.digest("time", height)[:4]) % JITTER_NANOSECONDS
        return self.start + (height - 1) * self.scenario.seconds_per_block * SECOND + jitter

    def height_at(self, now: int) -> int:
        """The newest block at `now`; 0 before the start."""
        return max(0, (now - self.start) // (self.scenario.seconds_per_block * SECOND) + 1)

    def digest(self, what: str, height: int) -> bytes:
        """32 bytes that belong to a block."""
        return hashlib.sha256(f"{self.chain_id}|{self.seed}|{what}|{height}".encode()).digest()

    def advance(self, height: int) -> None:
        """Apply all acts up to and with `height`."""
        with _without_collector():
            while (following := self._following()) is not None and following <= height:
                self._make_block(following)
        self.height = max(self.height, height)

    def take(self, raw: bytes, *, is_lost: bool = False, held: int = 0) -> Taken:
        """Take a transaction that somebody sends, see Pool.take."""
        return self.pool.take(raw, self.height, self.time(max(1, self.height)), is_lost=is_lost, held=held)

    def in_block(self, height: int) -> Sequence[AnyTx]:
        """The transactions of a block."""
        return [*self.txs.get(height, ()), *self.sent.get(height, ())]

    def heights(self) -> list[int]:
        """The blocks that hold transactions, oldest first."""
        return sorted({*self.txs, *self.sent}) if self.sent else sorted(self.txs)

    def read_sdl(self, act: acts.CreateDeployment | acts.UpdateDeployment) -> tuple[tuple[GroupSpec, ...], bytes]:
        """Group specs and manifest hash of an act's SDL; the act's own win. Raises KeyError for an unknown name."""
        own = act.groups if isinstance(act, acts.CreateDeployment) else ()
        groups: tuple[GroupSpec, ...] = tuple(read_group(group, self.generation.denom) for group in own)
        digest = act.hash
        if act.sdl and (digest is None or not groups):
            read = self._read_cache.get(act.sdl)
            if read is None:
                read = self._read_cache[act.sdl] = read_text(self.scenario.sdls[act.sdl], self.generation.denom)
            groups = groups or read[0]
            digest = digest or read[1]
        if digest is None:
            raise ValueError(f"{act} has neither an SDL nor a hash")
        return groups, digest

    def public_key(self, address: str) -> bytes:
        """The 33 bytes of somebody's key; made up where the scenario gives none."""
        made_up = b"\x02" + hashlib.sha256(address.encode()).digest()
        return self.public_keys.get(address, made_up)

    def signature(self, tx: Tx) -> bytes:
        """The 64 bytes that stand for a transaction's signature; nobody's key made them."""
        return self._signature(tx.act.signer, tx.sequence)

    def events(self, tx: AnyTx) -> str:
        """The JSON of a transaction's events, comma separated: fee, sequence and signature, then its message's."""
        if isinstance(tx, SentTx):
            of_messages = message_events(tx.told)
            return ",".join(filter(None, (ante_events(tx.sent) if tx.is_charged else "", of_messages)))
        signer, fee = tx.act.signer, f"{tx.fee}uakt"
        ante = (
            Coins(signer, FEE_COLLECTOR, fee),
            Plain("tx", (("fee", fee), ("fee_payer", signer))),
            Plain("tx", (("acc_seq", f"{signer}/{tx.sequence}"),)),
            Plain("tx", (("signature", base64_text(self.signature(tx))),)),
        )
        told = render_events(tx.told, MESSAGE_TAIL)
        return f"{render_events(ante)},{told}" if told else render_events(ante)

    def message(self, tx: Tx) -> Message:
        """The message of a transaction as JSON."""
        return self.messages.of(tx.act)

    def tx_bytes(self, tx: AnyTx) -> bytes:
        """The transaction as it stands in the block."""
        if isinstance(tx, SentTx):
            return tx.sent.raw
        info = wire.auth_info(self.public_key(tx.act.signer), tx.sequence, tx.fee, tx.gas_wanted)
        return wire.transaction([self.message(tx)], tx.act.memo, info, self.signature(tx))

    def tx_hash(self, tx: AnyTx) -> bytes:
        """SHA-256 of the transaction's bytes."""
        return hashlib.sha256(self.tx_bytes(tx)).digest()

    def find_tx(self, digest: bytes) -> AnyTx | None:
        """The transaction with this hash among all blocks made."""
        for height in (height for height in self.heights() if height > self._hashed_until):
            for tx in self.in_block(height):
                self._hashes[self.tx_hash(tx)] = tx
        self._hashed_until = max(self._hashed_until, self.height)
        return self._hashes.get(digest)

    def _following(self) -> int | None:
        """The next block that holds a transaction."""
        heights = [self.pool.next_height()]
        if self._next < len(self._acts):
            heights.append(self._acts[self._next].height)
        return min((height for height in heights if height is not None), default=None)

    def _make_block(self, height: int) -> None:
        self.height = height
        self.world.start_block(height, self.time(height) // SECOND)
        made: list[Tx] = []
        while self._next < len(self._acts) and self._acts[self._next].height == height:
            made.append(self._apply(self._acts[self._next], height, len(made)))
            self._next += 1
        if made:
            self.txs[height] = made
        sent = self.pool.deliver(height, self.time(height), len(made))
        if sent:
            self.sent[height] = sent
        self.world.finish_block()

    def _apply(self, act: acts.Act, height: int, index: int) -> Tx:
        gas_used = GAS_USED.get(type(act), GAS_FAILED)
        gas_wanted = gas_used * 9 // 5
        fee = -(-gas_wanted // 40)
        sequence = self.world.bank.pay_fee(act.signer, fee)
        self.world.events.start()
        code, codespace, log = self._execute(act)
        told = () if code else tuple(self.world.events.told)
        return Tx(height, index, act, sequence, code, codespace, log, gas_used, gas_wanted, fee, told)

    def _execute(self, act: acts.Act) -> tuple[int, str, str]:
        if isinstance(act, acts.Failed):
            return act.code, act.codespace, act.log
        module = act.MESSAGE.split(".")[1]
        self.world.events.plain("message", ("action", act.MESSAGE), ("sender", act.signer), ("module", module))
        try:
            self._handlers[type(act)](act)
        except ChainError as error:
            return error.code, error.codespace, f"failed to execute message; message index: 0: {error.log}"
        return 0, "", ""

    def _make_handlers(self) -> dict[type[acts.Act], Callable[[Any], None]]:
        world = self.world
        plain: dict[type[acts.Act], Callable[[World, Any], None]] = {
            acts.CreateProvider: registry.create_provider,
            acts.UpdateProvider: registry.update_provider,
            acts.CreateCertificate: registry.create_certificate,
            acts.RevokeCertificate: registry.revoke_certificate,
            acts.SignAttributes: registry.sign_attributes,
            acts.DeleteAttributes: registry.delete_attributes,
            acts.DepositDeployment: deployments.deposit_deployment,
            acts.CloseDeployment: deployments.close_deployment,
            acts.StartGroup: deployments.start_group,
            acts.PauseGroup: deployments.pause_group,
            acts.CloseGroup: deployments.close_group,
            acts.CreateBid: market.create_bid,
            acts.CloseBid: leases.close_bid,
            acts.CreateLease: leases.create_lease,
            acts.CloseLease: leases.close_lease,
            acts.WithdrawLease: leases.withdraw_lease,
            acts.StartReclaim: leases.start_reclaim,
        }
        handlers: dict[type[acts.Act], Callable[[Any], None]] = {
            kind: partial(run, world) for kind, run in plain.items()
        }
        handlers[acts.CreateDeployment] = lambda act: deployments.create_deployment(world, act, self.read_sdl)
        handlers[acts.UpdateDeployment] = lambda act: deployments.update_deployment(world, act, self.read_sdl)
        handlers[acts.Send] = lambda act: world.bank.send(act.sender, act.recipient, act.amount, act.denom)
        return handlers

    def _signature(self, signer: str, sequence: int) -> bytes:
        return hashlib.sha512(f"{self.chain_id}|{self.seed}|{signer}|{sequence}".encode()).digest()

    def _spec_of(self, order: acts.OrderId) -> GroupSpec | None:
        found = self.world.orders.get(order)
        return found.spec if found else None

    def _certificate(self, owner: str, serial: int) -> tuple[bytes, bytes]:
        found = self.world.certificates.get((owner, serial))
        return (found.pem, found.public_key_pem) if found else (b"", b"")


@contextmanager
def _without_collector() -> Iterator[None]:
    """Nothing that a block makes is garbage: looking for some would double the time of a long catch-up."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def read_text(text: str, denom: str) -> tuple[tuple[GroupSpec, ...], bytes]:
    """Group specs and manifest hash of an SDL text. Raises ValueError where it is not valid."""
    from verifiers.sdl import check, group_specs

    report = check(text)
    if report.errors:
        raise ValueError(f"the scenario's SDL is not valid: {report.errors[0]}")
    groups = tuple(read_group(group, denom) for group in group_specs(text))
    return groups, bytes.fromhex(report.manifest_hashes[0])
