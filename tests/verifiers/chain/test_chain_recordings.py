"""Every answer that a real node gave is read by the right decoder, or is the right member of the error family."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.recordings import Recording, files, recordings
from verifiers.chain import answers
from verifiers.chain.refusals import refusal
from verifiers.chain.trouble import (
    BadRequest,
    DoesNotExist,
    IndexOff,
    Lagging,
    NotImplementedThere,
    NotIndexed,
    Pruned,
)
from verifiers.trouble import Redirected, ServerError, Trouble

# api, method, path, decoder: the first that fits. `load` stands for answers that nothing reads but JSON.
DECODERS: list[tuple[str, str, str, Callable[[bytes], Any]]] = [
    ("rest", "GET", r"/akash/deployment/v1beta4/deployments/list", answers.decode_deployments),
    ("rest", "GET", r"/akash/deployment/v1beta4/deployments/info", answers.decode_deployment),
    ("rest", "GET", r"/akash/deployment/v1beta4/groups/info", answers.decode_group),
    ("rest", "GET", r"/akash/deployment/v1beta4/params", answers.decode_deployment_params),
    ("rest", "GET", r"/akash/market/v1beta5/orders/list", answers.decode_orders),
    ("rest", "GET", r"/akash/market/v1beta5/orders/info", answers.decode_order),
    ("rest", "GET", r"/akash/market/v1beta5/bids/list", answers.decode_bids),
    ("rest", "GET", r"/akash/market/v1beta5/bids/info", answers.decode_bid),
    ("rest", "GET", r"/akash/market/v1beta5/leases/list", answers.decode_leases),
    ("rest", "GET", r"/akash/market/v1beta5/leases/info", answers.decode_lease),
    ("rest", "GET", r"/akash/market/v1beta5/params", answers.decode_market_params),
    ("rest", "GET", r"/akash/provider/v1beta4/providers", answers.decode_providers),
    ("rest", "GET", r"/akash/provider/v1beta4/providers/\w+", answers.decode_provider),
    ("rest", "GET", r"/akash/provider/v1/auditor/\w+/list", answers.decode_audits),
    ("rest", "GET", r"/akash/audit/v1/audit/attributes/.+", answers.decode_audits),
    ("rest", "GET", r"/akash/cert/v1/certificates/list", answers.decode_certificates),
    ("rest", "GET", r"/akash/escrow/v1/types/accounts", answers.decode_accounts),
    ("rest", "GET", r"/akash/escrow/v1/types/payments", answers.decode_payments),
    ("rest", "GET", r"/akash/discovery/v1/info", answers.decode_discovery),
    ("rest", "GET", r"/akash/(bme|oracle|wasm)/.+", answers.load),
    ("rest", "GET", r"/cosmwasm/.+|/cosmos/(epochs|staking|distribution|upgrade)/.+", answers.load),
    ("rest", "GET", r"/cosmos/base/tendermint/v1beta1/node_info", answers.decode_node_info),
    ("rest", "GET", r"/cosmos/base/tendermint/v1beta1/syncing", answers.decode_syncing),
    ("rest", "GET", r"/cosmos/base/tendermint/v1beta1/blocks/\w+", answers.decode_block),
    ("rest", "GET", r"/cosmos/base/tendermint/v1beta1/(validatorsets/latest|abci_query)", answers.load),
    ("rest", "GET", r"/cosmos/base/node/v1beta1/status", answers.decode_state_status),
    ("rest", "GET", r"/cosmos/base/node/v1beta1/config", answers.load),
    ("rest", "GET", r"/cosmos/consensus/v1/params", answers.decode_consensus_params),
    ("rest", "GET", r"/cosmos/bank/v1beta1/(spendable_)?balances/\w+", answers.decode_balances),
    ("rest", "GET", r"/cosmos/bank/v1beta1/balances/\w+/by_denom", answers.decode_balance),
    ("rest", "GET", r"/cosmos/bank/v1beta1/(params|supply(/by_denom)?|denoms_metadata|send_enabled)", answers.load),
    ("rest", "GET", r"/cosmos/auth/v1beta1/(accounts|module_accounts)/\w+", answers.decode_account),
    ("rest", "GET", r"/cosmos/auth/v1beta1/account_info/\w+", answers.decode_account_info),
    ("rest", "GET", r"/cosmos/auth/v1beta1/(accounts|module_accounts)", answers.decode_account_list),
    ("rest", "GET", r"/cosmos/auth/v1beta1/(params|bech32)", answers.load),
    ("rest", "GET", r"/cosmos/tx/v1beta1/txs/block/\d+", answers.decode_block_txs),
    ("rest", "GET", r"/cosmos/tx/v1beta1/txs/\w+", answers.decode_tx),
    ("rest", "GET", r"/cosmos/tx/v1beta1/txs", answers.decode_txs),
    ("rest", "POST", r"/cosmos/tx/v1beta1/txs", answers.decode_broadcast),
    ("rest", "POST", r"/cosmos/tx/v1beta1/decode", answers.decode_decoded_tx),
    ("rpc", "GET", r"/status", answers.decode_status),
    ("rpc", "GET", r"/block", answers.decode_block),
    ("rpc", "GET", r"/block_results", answers.decode_block_results),
    ("rpc", "GET", r"/tx", answers.decode_rpc_tx),
    ("rpc", "GET", r"/tx_search", answers.decode_rpc_txs),
    ("rpc", "GET", r"/akash", answers.decode_discovery),
    ("rpc", "GET", r"/(health|\w+_info|consensus_params|validators|header|commit|blockchain)", answers.load),
    ("rpc", "GET", r"/(block_search|abci_query|\w+_tx_sync|check_tx|num_unconfirmed_txs)", answers.load),
    ("rpc", "POST", r"/", answers.load),
]  # fmt: skip

# status, what the body says, member: the first that fits. 500 has no rule for the rest: each text is named.
REFUSALS: list[tuple[int, str, type[Trouble]]] = [
    (301, r"", Redirected),
    (501, r"", NotImplementedThere),
    (404, r'"code":5,', DoesNotExist),
    (404, r"404 page not found", NotImplementedThere),
    (400, r"requested block height is bigger then the chain length", Lagging),
    (400, r"", BadRequest),
    (200, r"must be less than or equal to the current blockchain height", Lagging),
    (200, r'"error":\{"code":-32601,"message":"Method not found"', BadRequest),
    (200, r"batch request exceeds maximum", BadRequest),
    (500, r"codespace sdk code 38: not found: failed to load state at height", Pruned),
    (500, r"height \d+ is not available, lowest height is \d+", Pruned),
    (500, r"min height \d+ can't be greater than max height \d+", Pruned),
    (500, r"must be less than or equal to the current blockchain height", Lagging),
    (500, r"codespace sdk code 26: invalid height", Lagging),
    (500, r"(transaction|block) indexing is disabled", IndexOff),
    (500, r"tx \(\w{64}\) not found", NotIndexed),
    (500, r'"code":-32602,"message":"Invalid params"', BadRequest),
    (500, r"Parse error. Invalid JSON", BadRequest),
    (500, r"codespace sdk code 18: invalid request", BadRequest),
    (500, r"decoding bech32 failed", BadRequest),
    (500, r"encoding/hex: (invalid byte|odd length)", BadRequest),
    (500, r"height must be greater than 0", BadRequest),
    (500, r"query cannot be empty|page should be within|offset \d+: |expected order_by", BadRequest),
    (500, r"transaction hash cannot be empty|tx parse error|unsupported return type", BadRequest),
    (500, r"account sequence mismatch|tx timeout height", BadRequest),
    (500, r"string is not allowed to have the string delimiter", BadRequest),
    (500, r"nil pointer dereference", ServerError),
    (500, r"price stalled|collections: not found|no such code|no such contract", ServerError),
]

PAGE_OF_TEXT = re.compile(rb"\s*<html>")


def expected(line: Recording) -> type[Trouble] | None:
    """What the table says of one line; fails where it says nothing."""
    text = line.body.decode()
    if line.status == 200 and not (line.api == "rpc" and '"error":{' in text):
        return None
    for status, words, member in REFUSALS:
        if status == line.status and re.search(words, text):
            return member
    raise AssertionError(f"{line.where}: no rule for {line.status} {text[:200]}")


def decoder(line: Recording) -> Callable[[bytes], Any]:
    for api, method, path, decode in DECODERS:
        if api == line.api and method == line.method and re.fullmatch(path, line.route):
            return decode
    raise AssertionError(f"{line.where}: no decoder for {line.method} {line.route}")


@pytest.mark.parametrize("file", files())
def test_refusal__every_recorded_answer__becomes_the_member_that_the_table_names(file: str) -> None:
    wrong = []
    for line in recordings(file):
        if line.status is None:
            continue
        trouble = refusal(line.status, line.headers, line.body)
        if type(trouble) is not (expected(line) or type(None)):
            wrong.append(f"{line.where}: {line.status} {line.body[:120]!r} became {trouble!r}")
    assert wrong == []


@pytest.mark.parametrize("file", files())
def test_decoders__every_recorded_200__is_read_by_the_decoder_of_its_path(file: str) -> None:
    wrong = []
    for line in recordings(file):
        skipped = line.method == "HEAD" or PAGE_OF_TEXT.match(line.body) or line.route == "/block_by_hash"
        if line.status != 200 or expected(line) is not None or skipped:
            continue
        try:
            read = decoder(line)(line.body)
            if isinstance(read, answers.BlockResults):
                answers.akash_events(read)
        except Trouble as trouble:
            wrong.append(f"{line.where}: {line.name}: {trouble}")
    assert wrong == []


def test_recordings__both_sets__are_complete() -> None:
    assert [sum(len(recordings(file)) for file in files() if file.startswith(f"{folder}/"))
            for folder in ("akash-recorded", "akash-recorded-v2")] == [935, 923]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "body", "member", "lowest"),
    [
        pytest.param(500, b'{"code":2,"message":"codespace sdk code 38: not found: failed to load state at height 1; '
                     b'version does not exist"}', Pruned, None, id="forgotten state reads like absence"),
        pytest.param(500, b'{"code":2,"message":"height 1 is not available, lowest height is 342"}', Pruned, 342,
                     id="forgotten block"),
        pytest.param(404, b'{"code":2,"message":"not found"}', NotImplementedThere, None, id="404 without code 5"),
        pytest.param(500, b'{"code":5,"message":"not found"}', ServerError, None, id="code 5 without 404"),
        pytest.param(404, b"<html>not found</html>", NotImplementedThere, None, id="a proxy's 404"),
        pytest.param(502, b"<html>bad gateway</html>", ServerError, None, id="a proxy's 502"),
        pytest.param(503, b"", ServerError, None, id="an empty 503"),
        pytest.param(500, b'{"jsonrpc":"2.0","id":-1,"error":{"code":-32603,"message":"Internal error",'
                     b'"data":"could not find results for height #7"}}', Pruned, None, id="forgotten results"),
    ],
)  # fmt: skip
def test_refusal__texts_that_mislead__are_told_apart(
    status: int, body: bytes, member: type[Trouble], lowest: int | None
) -> None:
    trouble = refusal(status, {}, body)
    assert type(trouble) is member
    assert getattr(trouble, "lowest", None) == lowest


@pytest.mark.parametrize(("text", "seconds"), [("7", 7.0), ("", None), ("Wed, 21 Oct 2026", None), ("99999", 3600.0)])
def test_refusal__429__says_how_long_to_wait(text: str, seconds: float | None) -> None:
    trouble = refusal(429, {"retry-after": text}, b"slow down")
    assert trouble is not None
    assert (trouble.name, getattr(trouble, "retry_after", None)) == ("rate_limited", seconds)
