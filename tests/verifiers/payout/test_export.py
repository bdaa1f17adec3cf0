"""The exported bytes, the wire form, the limits, the commands: the same for ever."""

from __future__ import annotations

import json
import shlex
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.recordings import recordings
from verifiers.chain.answers import BlockLimits, decode_account, decode_account_list
from verifiers.payout import wire
from verifiers.payout.commands import Join, Network, multisig, single_signer
from verifiers.payout.export import ExportError, Fee, export
from verifiers.payout.facts import gas_price_of, key_of
from verifiers.payout.files import read_export
from verifiers.payout.gas import bytes_of, fee_uakt, gas_limit, rows_that_fit
from verifiers.payout.recipients import module_addresses, refusals
from verifiers.wallet.multisig import MultisigKey

PAYER = "akash1jwfktla8rqvp59n0yxjtdwdpl7hzhurejryva9"
ADA = "akash1ax4ejsll48hx8kzgtaw62yfpahgmt372tdfrky"
BOB = "akash12jd4vl6mcraff5sfj8gd9l7x983h7fd70xhc0c"
MEMO = "waymark/1/falcon-7/p1-0001/0123456789abcdef"
ROWS = [(ADA, 1_234_567), (BOB, 5)]
FEE = Fee(6_250, 250_000)

GOLDEN_MULTI = (
    '{"body":{"messages":[{"@type":"/cosmos.bank.v1beta1.MsgMultiSend","inputs":[{"address":"' + PAYER + '",'
    '"coins":[{"denom":"uakt","amount":"1234572"}]}],"outputs":[{"address":"' + ADA + '","coins":[{"denom":"uakt",'
    '"amount":"1234567"}]},{"address":"' + BOB + '","coins":[{"denom":"uakt","amount":"5"}]}]}],'
    '"memo":"' + MEMO + '","timeout_height":"1980","extension_options":[],"non_critical_extension_options":[]},'
    '"auth_info":{"signer_infos":[],"fee":{"amount":[{"denom":"uakt","amount":"6250"}],"gas_limit":"250000",'
    '"payer":"","granter":""},"tip":null},"signatures":[]}'
)
GOLDEN_SENDS = (
    '{"body":{"messages":[{"@type":"/cosmos.bank.v1beta1.MsgSend","from_address":"' + PAYER + '","to_address":"'
    + ADA + '","amount":[{"denom":"uakt","amount":"1234567"}]},{"@type":"/cosmos.bank.v1beta1.MsgSend",'
    '"from_address":"' + PAYER + '","to_address":"' + BOB + '","amount":[{"denom":"uakt","amount":"5"}]}],'
    '"memo":"' + MEMO + '","timeout_height":"1980","extension_options":[],"non_critical_extension_options":[]},'
    '"auth_info":{"signer_infos":[],"fee":{"amount":[],"gas_limit":"250000","payer":"","granter":""},"tip":null},'
    '"signatures":[]}'
)  # fmt: skip


def test_export__multi_send__golden_bytes() -> None:
    made = export(PAYER, ROWS, MEMO, 1980, FEE)
    assert made.file == GOLDEN_MULTI.encode()
    assert read_export(made.file) == made


def test_export__many_sends__golden_bytes() -> None:
    made = export(PAYER, ROWS, MEMO, 1980, Fee(0, 250_000), as_sends=True)
    assert made.file == GOLDEN_SENDS.encode()
    assert read_export(made.file) == made


@pytest.mark.parametrize("as_sends", [False, True], ids=["multi-send", "sends"])
def test_export__body_bytes__same_as_the_sdk_classes_write(as_sends: bool) -> None:
    from cosmpy.protos.cosmos.bank.v1beta1 import tx_pb2  # registers the messages
    from cosmpy.protos.cosmos.tx.v1beta1.tx_pb2 import TxBody
    from google.protobuf.json_format import ParseDict

    assert tx_pb2 is not None
    made = export(PAYER, ROWS, MEMO, 1980, FEE, as_sends=as_sends)
    body = ParseDict(json.loads(made.file)["body"], TxBody())
    assert body.SerializeToString(deterministic=True) == made.body_bytes


@pytest.mark.parametrize(
    ("rows", "memo", "timeout", "fee"),
    [
        ([], MEMO, 10, FEE),
        ([(ADA, 0)], MEMO, 10, FEE),
        ([(ADA, -1)], MEMO, 10, FEE),
        ([(ADA, True)], MEMO, 10, FEE),
        (ROWS, "m" * 257, 10, FEE),
        (ROWS, "a<b", 10, FEE),
        (ROWS, "größe", 10, FEE),
        (ROWS, "two\nlines", 10, FEE),
        (ROWS, MEMO, 0, FEE),
        (ROWS, MEMO, 10, Fee(1, 0)),
    ],
    ids=["empty", "zero", "negative", "no-number", "long", "escaped", "ascii", "newline", "no-timeout", "no-gas"],
)
def test_export__what_a_chain_or_a_signer_would_refuse__refused(
    rows: list[tuple[str, int]], memo: str, timeout: int, fee: Fee
) -> None:
    with pytest.raises(ExportError):
        export(PAYER, rows, memo, timeout, fee)


@given(st.lists(st.tuples(st.integers(1, 1_000), st.integers(0, 2**64 - 1) | st.binary(max_size=40)), max_size=8))
def test_wire__fields__read_back(fields: list[tuple[int, int | bytes]]) -> None:
    written = b"".join(
        wire.message(number, value) if isinstance(value, bytes) else wire.varint(number, value)
        for number, value in fields
    )
    expected = [wire.Field(number, value) for number, value in fields if value != 0 or isinstance(value, bytes)]
    assert list(wire.read_fields(written)) == expected


@given(st.binary(max_size=60))
def test_wire__any_bytes__fields_or_wire_error(data: bytes) -> None:
    try:
        list(wire.read_fields(data))
    except wire.WireError:
        return


@pytest.mark.parametrize(
    ("limits", "options", "expected"),
    [
        (BlockLimits(22_020_096, -1), {}, 200),
        (BlockLimits(-1, -1), {}, 200),
        (BlockLimits(22_020_096, -1), {"has_ledger": True}, 40),
        (BlockLimits(22_020_096, gas_limit(77)), {}, 77),
        (BlockLimits(bytes_of(33), -1), {}, 33),
        (BlockLimits(bytes_of(12, 7, as_sends=True), -1), {"members": 7, "as_sends": True}, 12),
        (BlockLimits(22_020_096, 1_000), {}, 0),
    ],
    ids=["usual", "no-limits", "ledger", "gas", "bytes", "sends", "nothing-fits"],
)
def test_rows_that_fit__limits__rows(limits: BlockLimits, options: dict[str, int], expected: int) -> None:
    assert rows_that_fit(limits, **options) == expected  # type: ignore[arg-type]


def test_fee__gas_at_the_usual_price__rounded_up() -> None:
    price = gas_price_of("0.1uother,0.0025uakt")
    assert price == Fraction(25, 10_000)
    assert [fee_uakt(gas, price) for gas in (190_000, 190_001, 1)] == [475, 476, 1]
    assert gas_price_of("") is None
    assert gas_price_of("0.1uother") is None


@pytest.mark.parametrize("chain", ["akash-recorded", "akash-recorded-v2"])
def test_recipients__recorded_chain__its_modules_and_the_payer_refused(chain: str) -> None:
    (body,) = [line.body for line in recordings(f"{chain}/rest-bank-auth") if line.name == "module accounts"]
    modules = module_addresses(decode_account_list(body).rows)
    assert len(modules) > 5
    refusal = refusals(PAYER, modules)
    assert all(refusal(module) for module in modules)
    assert refusal(PAYER)
    assert refusal(ADA) is None


def test_key_of__recorded_multisig__its_address() -> None:
    (body,) = [line.body for line in recordings("akash-recorded/rest-bank-auth") if line.name == "account of payout"]
    account = decode_account(body)
    key = key_of(account.pub_key)
    assert isinstance(key, MultisigKey)
    assert (key.threshold, key.address) == (2, PAYER)
    assert key_of(None) is None


NETWORK = Network("akashnet-2", "https://rpc.example:443")


def test_commands__single_signer__exact_lines() -> None:
    assert single_signer("p1-0001.unsigned.json", "treasurer", NETWORK) == (
        "akash tx sign p1-0001.unsigned.json --from treasurer --chain-id akashnet-2 --node https://rpc.example:443"
        " --output-document p1-0001.signed.json\n"
        "akash tx validate-signatures p1-0001.signed.json --chain-id akashnet-2 --node https://rpc.example:443\n"
        "akash tx broadcast p1-0001.signed.json --chain-id akashnet-2 --node https://rpc.example:443 --output json\n"
    )


def test_commands__ledger__amino_json_on_the_device() -> None:
    text = single_signer("p1-0001.unsigned.json", "treasurer", NETWORK, has_ledger=True)
    assert "--from treasurer --ledger --sign-mode amino-json --chain-id" in text


@pytest.mark.parametrize("join", list(Join))
def test_commands__multisig__exact_lines(join: Join) -> None:
    offline = Network("akashnet-2", "tcp://127.0.0.1:26657", account_number=17, sequence=4)
    text = multisig("b.unsigned.json", "payout", PAYER, ["ada", "bob"], offline, join=join, with_ledger=["bob"])
    numbers = "--offline --account-number 17 --sequence 4 --chain-id akashnet-2"
    asked = "--chain-id akashnet-2 --node tcp://127.0.0.1:26657"
    assert text.splitlines() == [
        (
            f"akash tx sign b.unsigned.json --from ada --multisig {PAYER} --sign-mode amino-json {numbers}"
            " --output-document b.ada.sig.json"
        ),
        (
            f"akash tx sign b.unsigned.json --from bob --multisig {PAYER} --ledger --sign-mode amino-json {numbers}"
            " --output-document b.bob.sig.json"
        ),
        (
            f"akash tx {join} b.unsigned.json payout b.ada.sig.json b.bob.sig.json {numbers}"
            " --output-document b.signed.json"
        ),
        f"akash tx validate-signatures b.signed.json {asked}",
        f"akash tx broadcast b.signed.json {asked} --output json",
    ]


def test_commands__names_with_shell_characters__quoted() -> None:
    text = single_signer("a b.json", "key; rm -rf /", NETWORK)
    words = shlex.split(text.splitlines()[0])
    assert words[3:6] == ["a b.json", "--from", "key; rm -rf /"]
