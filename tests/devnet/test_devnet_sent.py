"""Whatever bytes somebody sends: the node answers, nothing breaks, nothing but the very transaction is taken."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devnet import wire
from devnet.addresses import made_up_address
from devnet.generation import V2
from devnet.scenarios import payday
from devnet.sent.protobuf import ReadingError
from devnet.sent.transaction import read_transaction
from devnet.state.chain import Chain

from .conftest import START
from .payday_chain import KEYS, TREASURY, by_treasurer, by_treasury, unsigned

ROWS = {made_up_address("ada"): 700, made_up_address("ben"): 300}
GOOD = (
    by_treasury(unsigned(TREASURY.address, ROWS, memo="waymark/1/x", timeout=500), 0),
    by_treasurer(unsigned(KEYS["treasurer"].address, ROWS, as_sends=True), 0),
)
FEW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def chain() -> Chain:
    made = Chain(payday.scenario(), V2, START)
    made.advance(100)
    return made


@st.composite
def spoiled(draw: st.DrawFn) -> bytes:
    """A good transaction with some bytes changed, cut out or put in."""
    raw = bytearray(draw(st.sampled_from(GOOD)))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(raw) - 1))
        how = draw(st.sampled_from(("change", "cut", "insert")))
        if how == "change":
            raw[place] = draw(st.integers(0, 255))
        elif how == "cut":
            del raw[place : place + draw(st.integers(1, 40))]
            raw = raw or bytearray(b"\x00")
        else:
            raw[place:place] = draw(st.binary(min_size=1, max_size=12))
    return bytes(raw)


@FEW
@given(spoiled() | st.binary(max_size=300))
def test_spoiled_bytes__sent__refused_with_a_code(raw: bytes) -> None:
    taken = chain().take(raw)
    assert (taken.code == 0) == (raw in GOOD)
    if taken.code:
        assert taken.codespace == "sdk"
        assert taken.log


@FEW
@given(st.binary(max_size=200))
def test_any_body_and_signers__signed_or_not__never_break_the_reader(data: bytes) -> None:
    for raw in (wire.octets(1, data), wire.octets(2, data), wire.octets(1, wire.octets(1, data))):
        taken = chain().take(raw)
        assert taken.code


FIELDS = (
    (wire.octets(1, b"") + wire.octets(4, b""), 'cosmos.tx.v1beta1.TxRaw: {TagNum: 4, WireType:"bytes"}'),
    (wire.octets(2, b"") + wire.octets(1, b""), "txRaw must follow ADR-027, got tagNum 1 after tagNum 2"),
    (b"\x0a\x80\x00", "length prefix varint for tagNum 1 is not as short as possible, read 2, only need 1"),
    (b"\x0a\x05abc", "invalid length; unexpected EOF"),
    (wire.octets(1, wire.octets(9, b"x")), 'cosmos.tx.v1beta1.TxBody: {TagNum: 9, WireType:"bytes"}'),
    (wire.octets(1, wire.octets(1, wire.octets(1, b"/x.Msg"))), "unable to resolve type URL /x.Msg"),
    (wire.octets(1, wire.octets(2, b"\xff")), "invalid UTF-8"),
)


@pytest.mark.parametrize(("raw", "text"), FIELDS, ids=[text for _, text in FIELDS])
def test_bytes_that_are_no_transaction__read__refused_as_the_sdk_words_it(raw: bytes, text: str) -> None:
    with pytest.raises(ReadingError) as caught:
        read_transaction(raw)
    assert text in str(caught.value)


def test_unknown_field__marked_as_not_critical__is_passed_over() -> None:
    assert read_transaction(wire.octets(1, wire.octets(1_500, b"x"))).memo == ""
