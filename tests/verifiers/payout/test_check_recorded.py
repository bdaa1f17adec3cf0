"""Every recorded file is judged as the real node judged it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.payouts import ALL, FILES, Judged, facts
from verifiers.payout.check import check_signed
from verifiers.payout.files import read_export, read_signed
from verifiers.payout.findings import Phase
from verifiers.payout.signed import SignedFileError, from_raw

UNSIGNED = sorted(FILES.glob("v*/*.unsigned.json"))
SIGNED = sorted(FILES.glob("v*/*.signed.json"))
HALVES = sorted(FILES.glob("v*/*.sig.json"))


def _id(path: Path) -> str:
    return f"{path.parent.name}-{path.name}"


def test_table__every_recorded_file__is_in_it() -> None:
    assert {(case.files, case.name) for case in ALL} == {
        (path.parent.name, path.name.removesuffix(".signed.json")) for path in SIGNED
    }
    assert (len(SIGNED), len(UNSIGNED), len(HALVES)) == (29, 29, 26)


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.id)
def test_check__recorded_file__judged_as_by_the_node(case: Judged) -> None:
    checked = check_signed(read_export(case.unsigned), case.signed, case.facts)
    assert checked.by_node == case.by_node, checked.findings
    assert case.hash is None or checked.hash == case.hash
    assert checked.is_good == case.by_node.is_accepted, checked.findings


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.id)
def test_check__base64_of_it__judged_the_same(case: Judged) -> None:
    approved = read_export(case.unsigned)
    as_base64 = read_signed(case.signed).base64
    assert check_signed(approved, as_base64, case.facts) == check_signed(approved, case.signed, case.facts)


@pytest.mark.parametrize("path", UNSIGNED, ids=_id)
def test_export__recorded_unsigned_file__same_bytes_again(path: Path) -> None:
    assert read_export(path.read_bytes()).file == path.read_bytes()


@pytest.mark.parametrize("path", SIGNED, ids=_id)
def test_read__recorded_signed_file__same_from_its_bytes(path: Path) -> None:
    signed = read_signed(path.read_bytes())
    assert from_raw(signed.raw) == signed


@pytest.mark.parametrize("path", UNSIGNED, ids=_id)
def test_check__file_nobody_signed__refused_for_that(path: Path) -> None:
    checked = check_signed(read_export(path.read_bytes()), path.read_bytes(), facts("v1", sequence=0, height=1))
    assert "not_signed" in {finding.name for finding in checked.findings if finding.phase is Phase.REFUSED}
    assert not checked.is_good


@pytest.mark.parametrize("path", HALVES, ids=_id)
def test_read__signature_of_one_member__says_what_to_do(path: Path) -> None:
    with pytest.raises(SignedFileError, match="multi-sign"):
        read_signed(path.read_bytes())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("x-changed-after-signing", "signature_invalid"),
        ("x-memo-changed-after-signing", "body_differs"),
        ("x-one-of-three", "too_few_signatures"),
        ("x-sums-differ", "sums_differ"),
        ("x-module-account-as-recipient", "module_account"),
        ("x-zero-amount", "amount_invalid"),
        ("x-not-bech32", "address_invalid"),
        ("x-memo-257-bytes", "memo_too_long"),
        ("x-expired", "expired"),
    ],
)
def test_check__recorded_failure__names_its_cause(name: str, expected: str) -> None:
    case = next(case for case in ALL if case.name == name)
    checked = check_signed(read_export(case.unsigned), case.signed, case.facts)
    assert expected in {finding.name for finding in checked.findings}
