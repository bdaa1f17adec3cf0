from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.provider_double import CERTIFICATES_PATH, NOW, OWNER, STRANGER, StubChain, made
from verifiers.provider.identity import (
    OnChain,
    OwnCertificate,
    Record,
    Shown,
    Standing,
    certificate_der,
    certificate_filters,
    decode_record,
    identify,
    on_chain,
    own_certificate,
)
from verifiers.trouble import Undecodable

CERTIFICATE = made()


def _record(*shown: bytes) -> Record:
    return Record("provider.example", 8443, Shown(shown, "mtls.provider.example", "TLSv1.3"))


@given(st.lists(st.tuples(st.integers(0, len(CERTIFICATE.der) - 1), st.integers(0, 255)), min_size=1, max_size=3))
def test_own_certificate__damaged__never_raises_and_never_is_pinned(changes: list[tuple[int, int]]) -> None:
    der = bytearray(CERTIFICATE.der)
    for place, value in changes:
        der[place] = value
    damaged = bytes(der)
    own = own_certificate(_record(damaged), OWNER, NOW)
    if isinstance(own, OwnCertificate) and damaged != CERTIFICATE.der:
        chain = on_chain(StubChain(CERTIFICATE.row())(OWNER, own.serial), OWNER, own.serial, CERTIFICATES_PATH)
        assert identify(_record(damaged), OWNER, NOW, chain).standing in {Standing.FOREIGN, Standing.UNLISTED}


def test_own_certificate__negative_serial__is_not_of_our_form() -> None:
    serial = CERTIFICATE.serial.to_bytes(8, "big")
    negative = CERTIFICATE.der.replace(serial, b"\x80" + bytes(7))
    own = own_certificate(_record(negative), OWNER, NOW)
    assert not isinstance(own, OwnCertificate)
    assert own.standing is Standing.OTHER_FORM


def test_record__written_and_read__is_the_same() -> None:
    record = replace(_record(CERTIFICATE.der), public=Shown((b"x",), "provider.example", "TLSv1.2"), public_fault="y")
    assert decode_record(record.body()) == record


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b"[" * 100_000, b'{"host":1}', b"\xff"])
def test_record__anything_else__is_undecodable(body: bytes) -> None:
    with pytest.raises(Undecodable):
        decode_record(body)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not base64",
        base64.b64encode(b"no pem").decode(),
        base64.b64encode(b"-----BEGIN CERTIFICATE-----").decode(),
    ],
)
def test_certificate_der__no_certificate__is_none(text: str) -> None:
    assert certificate_der(text) is None


def test_certificate_der__two_certificates__is_none() -> None:
    pem = base64.b64decode(CERTIFICATE.row()["certificate"]["cert"])
    assert certificate_der(base64.b64encode(pem).decode()) == CERTIFICATE.der
    assert certificate_der(base64.b64encode(pem * 2).decode()) is None


def test_on_chain__answers_about_others__are_not_taken() -> None:
    serial = CERTIFICATE.serial
    about_stranger = StubChain(CERTIFICATE.row())(STRANGER, serial)
    assert on_chain(about_stranger, OWNER, serial, CERTIFICATES_PATH) == OnChain()
    other_serial = StubChain(CERTIFICATE.row())(OWNER, 7)
    assert on_chain(other_serial, OWNER, serial, CERTIFICATES_PATH) == OnChain()


def test_on_chain__node_that_ignores_the_state__does_not_make_it_valid() -> None:
    """Real nodes ignore filters once a page key is sent: every row is held against what was asked."""
    serial = CERTIFICATE.serial
    valid, revoked = StubChain(CERTIFICATE.row("revoked"))(OWNER, serial)
    lying = replace(valid, body=revoked.body)
    assert on_chain([lying], OWNER, serial, CERTIFICATES_PATH).rows == ()
    chain = on_chain([lying, revoked], OWNER, serial, CERTIFICATES_PATH)
    assert identify(_record(CERTIFICATE.der), OWNER, NOW, chain).standing is Standing.REVOKED


@pytest.mark.parametrize("status", [404, 500, None])
def test_on_chain__no_answer__is_unknown(status: int | None) -> None:
    serial = CERTIFICATE.serial
    answers = [replace(one, status=status) for one in StubChain(CERTIFICATE.row())(OWNER, serial)]
    chain = on_chain(answers, OWNER, serial, CERTIFICATES_PATH)
    assert identify(_record(CERTIFICATE.der), OWNER, NOW, chain).standing is Standing.UNKNOWN


def test_certificate_filters__are_those_of_the_chain() -> None:
    assert certificate_filters(OWNER, 7) == {
        "filter.owner": OWNER,
        "filter.serial": "7",
        "filter.state": "valid",
    }
