"""What the decoders make of recorded answers: exact amounts, states, GPUs, times, events."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.moment import format_moment
from tests.recordings import recorded, recordings
from verifiers.chain import answers
from verifiers.chain.answers import ATTO, Atto, Attribute, DecCoin, GpuModel
from verifiers.trouble import Undecodable

V1, V2 = "akash-recorded", "akash-recorded-v2"


def deployment(folder: str, dseq: int) -> answers.DeploymentInfo:
    for line in recordings(f"{folder}/rest-deployments"):
        if line.route.endswith("deployments/info") and line.status == 200 and f"dseq={dseq}" in line.path:
            return answers.decode_deployment(line.body)
    raise LookupError(dseq)


# ---------------------------------------------------------------------- amounts


@pytest.mark.parametrize(
    ("text", "amount", "shown"),
    [
        ("1000.000000000000000000", 1000 * ATTO, "1000"),
        ("-800000.000000000000000000", -800000 * ATTO, "-800000"),
        ("1499.250000000000000000", 149925 * ATTO // 100, "1499.25"),
        ("-0.000000000000000001", -1, "-0.000000000000000001"),
        ("13000045381623.681369992362732179", 13000045381623681369992362732179, "13000045381623.681369992362732179"),
        ("7", 7 * ATTO, "7"),
    ],
)
def test_parse_atto__chain_decimals__are_exact(text: str, amount: int, shown: str) -> None:
    assert answers.parse_atto(text) == amount
    assert answers.format_atto(Atto(amount)) == shown


@pytest.mark.parametrize(
    "text", ["", "1.", ".5", "1e3", "NaN", "1.0000000000000000001", "+1", " 1", "١", 1, 1.5, None]
)
def test_parse_atto__anything_else__is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="decimal"):
        answers.parse_atto(text)


@given(st.integers(-(10**40), 10**40))
def test_format_atto__any_amount__reads_back_the_same(amount: int) -> None:
    assert answers.parse_atto(answers.format_atto(Atto(amount))) == amount


def test_deployment__two_denoms__are_read_by_their_denom() -> None:
    funds = deployment(V2, 10002).escrow_account.state.funds
    assert {coin.denom: answers.amount_in(funds, coin.denom) for coin in funds} == {
        "uact": 6485600 * ATTO, "uakt": 700000 * ATTO}  # fmt: skip
    assert answers.amount_in(funds, "uatom") == 0


@pytest.mark.parametrize(
    ("folder", "dseq", "denom", "funds", "state"),
    [
        (V1, 20002, "uakt", -800000, "overdrawn"),
        (V1, 20003, "uakt", 500000, "open"),
        (V2, 20005, "uact", -1000000, "overdrawn"),
        (V2, 10001, "uact", 0, "closed"),
    ],
)
def test_escrow__run_dry_or_not__shows_what_the_chain_says(
    folder: str, dseq: int, denom: str, funds: int, state: str
) -> None:
    account = deployment(folder, dseq).escrow_account.state
    assert (answers.amount_in(account.funds, denom), account.state) == (funds * ATTO, state)


def test_lease__overdrawn__keeps_what_stayed_unpaid() -> None:
    read = answers.decode_lease(recorded(f"{V1}/rest-heights", "lease 20002/1 now").body)
    paid = read.escrow_payment.state
    assert (read.lease.state, read.lease.reason, read.lease.created_at, read.lease.closed_on) == (
        "insufficient_funds", "lease_closed_reason_insufficient_funds", 1535, 1542)  # fmt: skip
    assert (paid.rate, paid.unsettled.amount, paid.withdrawn.amount) == (
        DecCoin("uakt", Atto(200000 * ATTO)), 800000 * ATTO, 600000)  # fmt: skip


# ---------------------------------------------------------------------- states of v2


def test_lease__reclaiming__runs_and_says_when_it_began_and_ends() -> None:
    lease = answers.decode_lease(recorded(f"{V2}/rest-v2", "lease 30002 now").body).lease
    assert (lease.state, lease.runs, lease.closed_on, lease.reason) == ("reclaiming", True, 0, "lease_closed_invalid")
    assert lease.reclamation is not None
    assert (lease.reclamation.started_at, lease.reclamation.deadline) == (159, 1798112342)


def test_deployment__reclamation__is_null_or_a_window() -> None:
    assert deployment(V2, 10001).deployment.reclamation is None
    assert deployment(V2, 30001).deployment.reclamation == answers.Reclamation("8s")


def test_bids__of_reclaim_order__show_their_windows() -> None:
    bids = answers.decode_bids(recorded(f"{V2}/rest-v2", "bids of 30001 now").body).rows
    assert sorted(str(bid.bid.reclamation_window) for bid in bids) == ["12s", "7200s"]


# ---------------------------------------------------------------------- GPUs


@pytest.mark.parametrize(
    ("key", "value", "model"),
    [
        ("vendor/nvidia/model/a100", "true", GpuModel("nvidia", "a100")),
        ("vendor/nvidia/model/*", "true", GpuModel("nvidia", "*")),
        ("vendor/nvidia", "true", GpuModel("nvidia", "*")),
        ("vendor/NVIDIA/model/A100/ram/80Gi", "true", GpuModel("nvidia", "a100", "80gi")),
        ("vendor/nvidia/model/a100/ram/80Gi/interface/sxm4", "true", GpuModel("nvidia", "a100", "80gi", "sxm")),
        ("vendor/amd/model/mi100/interface/pcie", "true", GpuModel("amd", "mi100", "", "pcie")),
        ("vendor/nvidia/model/a100", "false", None),
        ("vendor/nvidia/model", "true", None),
        ("model/a100", "true", None),
        ("", "true", None),
        ("capabilities/gpu/vendor/nvidia/model/t4", "true", None),
    ],
)
def test_gpu_models__attribute_key__is_read_as_pairs(key: str, value: str, model: GpuModel | None) -> None:
    assert answers.gpu_models([Attribute(key, value)]) == ((model,) if model else ())


def test_provider__capabilities__are_its_models_in_order() -> None:
    provider = next(
        answers.decode_provider(line.body)
        for line in recordings(f"{V2}/rest-providers")
        if line.name == "provider" and line.status == 200
    )
    assert list(dict.fromkeys(str(model) for model in provider.gpu_models)) == [
        "nvidia/a100", "nvidia/h100", "nvidia/t4"]  # fmt: skip
    assert GpuModel("nvidia", "a100", "80gi", "sxm") in provider.gpu_models


def test_deployment__groups__sum_units_times_count() -> None:
    body = recorded(f"{V1}/rest-deployments", "info 13-replicas.yaml").body
    read = answers.decode_deployment(body)
    raw = json.loads(body)
    units = sum(
        int(unit["resource"]["gpu"]["units"]["val"]) * unit["count"]
        for group in raw["groups"]
        for unit in group["group_spec"]["resources"]
    )
    assert read.gpu_units == units > 1
    assert read.gpu_units == sum(
        request.units * request.count for group in read.groups for request in group.gpu_requests
    )


def test_deployment__alternatives__are_all_its_models() -> None:
    read = answers.decode_deployment(recorded(f"{V1}/rest-deployments", "info 04-model-alternatives.yaml").body)
    request = read.groups[0].gpu_requests[0]
    assert len(request.models) > 1
    assert read.gpu_models == tuple(sorted(str(model) for model in request.models))


def test_deployment__hash__is_hex() -> None:
    assert deployment(V2, 10001).deployment.hash == (
        "d3182426d93a55967eccceb31482a3f2d993974a2d9a41e486063aa708061c90")  # fmt: skip


# ---------------------------------------------------------------------- blocks and nodes


def test_block__rest_and_rpc__say_the_same() -> None:
    rest = answers.decode_block(recorded(f"{V2}/rest-node", "block of a deployment").body)
    rpc = answers.decode_block(recorded(f"{V2}/rpc", "block: deployment create").body)
    assert rest == rpc
    assert (rest.chain_id, rest.height, format_moment(rest.time)) == (
        "local-v2",
        41,
        "2026-11-24T11:38:02.989315895Z",
    )
    assert rest.hash == "89EE4798F9886F4DD77F5384FD21B9D8C62E1B0D86FE5D0419422EB5512EBD3C"
    assert [answers.tx_hash(raw) for raw in rest.txs] == [
        "33C36BCA75298197D10826F20A91FB02EB6B927B38F5E55CA8AE6466E3821AEA"]  # fmt: skip


def test_block__the_first__has_nothing_before_it() -> None:
    assert answers.decode_block(recorded(f"{V2}/rest-node", "block 1").body).is_first


@pytest.mark.parametrize(
    ("file", "chain_id", "earliest", "is_index_on"),
    [
        (f"{V1}/rpc", "local-1", 1, True),
        (f"{V1}/pruned-node", "local-3", 342, True),
        (f"{V1}/noindex-node", "local-3", 378, False),
        (f"{V2}/rpc", "local-v2", 1, True),
    ],
)
def test_status__nodes__say_what_they_keep(file: str, chain_id: str, earliest: int, is_index_on: bool) -> None:
    line = next(line for line in recordings(file) if line.route == "/status")
    status = answers.decode_status(line.body)
    assert (status.chain_id, status.earliest_height, status.tx_index_on, status.catching_up) == (
        chain_id, earliest, is_index_on, False)  # fmt: skip


def test_discovery__v2_node__serves_the_current_set() -> None:
    found = answers.decode_discovery(recorded(f"{V2}/rest-v2", "discovery").body)
    assert found.api_set() is not None
    assert "deployment v1beta4" in found.names()


# ---------------------------------------------------------------------- events


def events(file: str, name: str) -> list[answers.AkashEvent]:
    return list(answers.akash_events(answers.decode_block_results(recorded(file, name).body)))


def test_events__deployment_created__name_owner_dseq_and_hash() -> None:
    created, order = events(f"{V2}/rpc", "block_results: deployment create")
    assert (created.name, created.height, created.tx_index, created.hash) == (
        "DeploymentCreated", 41, 0, deployment(V2, 10001).deployment.hash)  # fmt: skip
    assert created.id == answers.ObjectId("akash1wmj2u36ahu8d0ekt72ddc4rpsxeyzcr8pt0h0d", 10001)
    assert (order.name, order.id and (order.id.gseq, order.id.oseq)) == ("OrderCreated", (1, 1))
    assert created.event_index < order.event_index


def test_events__lease_created_and_closed__carry_price_and_reason() -> None:
    (made,) = events(f"{V2}/rpc", "block_results: lease create")
    closed = events(f"{V2}/rpc", "block_results: deployment close")[-1]
    assert (made.name, made.price) == ("LeaseCreated", DecCoin("uact", Atto(90000 * ATTO)))
    assert (closed.name, closed.reason) == ("LeaseClosed", "lease_closed_owner")
    assert made.id == closed.id
    assert made.id is not None
    assert made.id.provider == "akash1ee2tjvu8gjwnpdrwt3n25s8myudn0d8pu5lttr"


def test_events__reclaim_started__carries_reason_and_deadline() -> None:
    (started,) = events(f"{V2}/rpc", "block_results: start reclaim")
    assert (started.name, started.reason, started.deadline) == (
        "LeaseReclaimStarted", "lease_closed_reason_decommission", 1795520350)  # fmt: skip


def test_events__failed_transaction__has_none() -> None:
    results = answers.decode_block_results(recorded(f"{V2}/rpc", "block_results: out of gas").body)
    assert [tx.code for tx in results.txs] == [11]
    assert answers.akash_events(results) == ()


def test_events__many_messages_in_one_transaction__come_in_order() -> None:
    found = events(f"{V1}/rpc", "block_results: many messages in one transaction")
    assert Counter(event.name for event in found) == {"DeploymentCreated": 17, "OrderCreated": 17}
    assert [event.event_index for event in found] == sorted(event.event_index for event in found)


def test_events__provider_and_auditor__carry_their_addresses() -> None:
    (made,) = events(f"{V2}/rpc", "block_results: provider create")
    (signed,) = events(f"{V2}/rpc", "block_results: audit sign")
    assert (made.name, made.owner) == ("ProviderCreated", "akash1ee2tjvu8gjwnpdrwt3n25s8myudn0d8pu5lttr")
    assert (signed.name, signed.auditor) == (
        "TrustedAuditorCreated", "akash1wlrf6a2rea0tyua54q34grnv7xym24q3dgt9kn")  # fmt: skip


# ---------------------------------------------------------------------- transactions and accounts


def test_broadcast__accepted__is_not_in_a_block_yet() -> None:
    answer = answers.decode_broadcast(recorded(f"{V1}/payout-broadcast", "good: broadcast").body)
    assert (answer.code, answer.height, answer.succeeded, answer.timestamp) == (0, 0, False, None)


def test_broadcast__every_recorded_answer__has_a_code_and_its_space() -> None:
    codes = {
        (answer.codespace, answer.code)
        for line in recordings(f"{V1}/payout-broadcast")
        if line.method == "POST" and line.status == 200
        for answer in [answers.decode_broadcast(line.body)]
    }
    assert {("", 0), ("sdk", 19), ("sdk", 4), ("sdk", 13), ("sdk", 12), ("sdk", 11)} <= codes


def test_tx__login_by_memo__shows_memo_message_and_time() -> None:
    line = next(
        line for line in recordings(f"{V2}/rest-txs") if b"AKTINC-LOGIN" in line.body and line.method == "GET"
    )
    read = answers.decode_tx(line.body)
    assert read.tx_response.succeeded
    assert (read.tx.body.memo.startswith("AKTINC-LOGIN"), read.tx.body.messages[0]["@type"]) == (
        True, "/cosmos.bank.v1beta1.MsgSend")  # fmt: skip
    assert read.tx_response.timestamp is not None


def test_account__multisig__shows_threshold_and_keys_once_it_sent() -> None:
    before = answers.decode_account(
        recorded(f"{V2}/rest-bank-auth", "multisig account at the payout's height -1").body
    )
    after = answers.decode_account(recorded(f"{V2}/rest-bank-auth", "account of payout").body)
    assert (before.pub_key, before.sequence, before.account_number) == (None, 0, 17)
    assert after.pub_key is not None
    assert (after.pub_key.threshold, len(after.pub_key.public_keys), after.sequence) == (2, 3, 3)


def test_accounts__modules__are_named() -> None:
    rows = answers.decode_account_list(recorded(f"{V2}/rest-bank-auth", "module accounts").body).rows
    assert {"bme", "escrow", "distribution"} <= {row.module for row in rows}


def test_audits__broken_list_of_all__names_no_auditor() -> None:
    rows = answers.decode_audits(recorded(f"{V2}/rest-providers", "audit, all").body).rows
    assert {row.auditor for row in rows} == {""}


# ---------------------------------------------------------------------- what can't be read


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(b"", "Invalid JSON", id="nothing"),
        pytest.param(b"{", "Invalid JSON", id="half"),
        pytest.param(b"[" * 100_000, "Invalid JSON", id="a deep nest"),
        pytest.param(b'{"lease":{}}', "lease.id", id="no id"),
        pytest.param(b'{"lease":null}', "lease", id="null"),
    ],
)
def test_decode_lease__broken_body__names_what_is_wrong(body: bytes, words: str) -> None:
    with pytest.raises(Undecodable, match=words):
        answers.decode_lease(body)


def test_decode_lease__keys_of_a_later_version__are_let_through() -> None:
    raw = json.loads(recorded(f"{V1}/rest-heights", "lease 20002/1 now").body)
    raw["lease"]["brand_new"] = raw["brand_new"] = {"x": [1]}
    raw["lease"]["state"] = "a_new_state"
    read = answers.decode_lease(json.dumps(raw).encode())
    assert (read.lease.state, read.lease.runs) == ("a_new_state", False)


@pytest.mark.parametrize("amount", ["1.5e3", "NaN", 1.5, None, ""])
def test_decode_lease__amount_that_is_no_decimal_text__is_refused(amount: object) -> None:
    raw = json.loads(recorded(f"{V1}/rest-heights", "lease 20002/1 now").body)
    raw["lease"]["price"]["amount"] = amount
    with pytest.raises(Undecodable, match=r"lease\.price\.amount"):
        answers.decode_lease(json.dumps(raw).encode())
