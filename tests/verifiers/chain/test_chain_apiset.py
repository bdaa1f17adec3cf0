"""Another API set is one mapping: here the one of 2023, as the reference describes it."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

from tests.recordings import recorded
from verifiers.chain import answers
from verifiers.chain.answers import ATTO
from verifiers.chain.apiset import CURRENT, ApiSet

SET_2023 = ApiSet(
    name="deployment v1beta3, market v1beta4",
    deployment="v1beta3",
    market="v1beta4",
    provider="v1beta3",
    cert="v1beta3",
    audit="v1beta3",
    escrow="v1beta3",
    escrow_list_suffix="/list",
    moves={
        "deployment.deployment_id": "deployment.id",
        "deployment.version": "deployment.hash",
        "group_id": "id",
        "order_id": "id",
        "bid_id": "id",
        "lease_id": "id",
        "escrow_account.state": "escrow_account.state.state",
        "escrow_account.owner": "escrow_account.state.owner",
        "escrow_account.settled_at": "escrow_account.state.settled_at",
        "escrow_account.transferred": "escrow_account.state.transferred[]",
        "escrow_account.balance": "escrow_account.state.funds[]",
        "escrow_account.funds": "escrow_account.state.funds[]",
        "escrow_payment.state": "escrow_payment.state.state",
        "escrow_payment.account_id": "escrow_payment.id.aid",
        "escrow_payment.payment_id": "escrow_payment.id.xid",
        "escrow_payment.owner": "escrow_payment.state.owner",
        "escrow_payment.rate": "escrow_payment.state.rate",
        "escrow_payment.balance": "escrow_payment.state.balance",
        "escrow_payment.withdrawn": "escrow_payment.state.withdrawn",
    },
    defaults={
        "escrow_payment.state.unsettled": {"denom": "uakt", "amount": "0"},
    },
)

OWNER = "akash1wmj2u36ahu8d0ekt72ddc4rpsxeyzcr8pt0h0d"
COIN = {"denom": "uakt", "amount": "5.000000000000000000"}


def deployment() -> bytes:
    return json.dumps({
        "deployment": {"deployment_id": {"owner": OWNER, "dseq": "7"}, "state": "active",
                       "version": base64.b64encode(bytes(32)).decode(), "created_at": "9"},
        "groups": [{"group_id": {"owner": OWNER, "dseq": "7", "gseq": 1}, "state": "open", "created_at": "9",
                    "group_spec": {"name": "g", "requirements": {"signed_by": {}}, "resources": []}}],
        "escrow_account": {"id": {"scope": "deployment", "xid": f"{OWNER}/7"}, "owner": OWNER, "state": "open",
                           "balance": COIN, "transferred": COIN, "settled_at": "9", "depositor": OWNER,
                           "funds": COIN},
    }).encode()  # fmt: skip


def test_decode__deployment_of_2023__has_the_current_shape() -> None:
    read = answers.decode_deployment(deployment(), SET_2023)
    assert (read.id.dseq, read.deployment.hash, read.groups[0].id.gseq) == (7, "00" * 32, 1)
    account = read.escrow_account.state
    assert (account.state, account.settled_at, answers.amount_in(account.funds, "uakt")) == ("open", 9, 10 * ATTO)


def test_decode__lease_of_2023__has_the_current_shape() -> None:
    body = json.dumps({"leases": [{
        "lease": {"lease_id": {"owner": OWNER, "dseq": "7", "gseq": 1, "oseq": 1, "provider": "akash1p"},
                  "state": "active", "price": COIN, "created_at": "9", "closed_on": "0"},
        "escrow_payment": {"account_id": {"scope": "deployment", "xid": f"{OWNER}/7"}, "payment_id": "1/1/akash1p",
                           "owner": "akash1p", "state": "open", "rate": COIN, "balance": COIN,
                           "withdrawn": {"denom": "uakt", "amount": "3"}}}],
        "pagination": {"next_key": None, "total": "1"}}).encode()  # fmt: skip
    (row,) = answers.decode_leases(body, SET_2023).rows
    assert (row.lease.id.bseq, row.lease.runs, row.escrow_payment.state.withdrawn.amount) == (0, True, 3)
    assert row.escrow_payment.id.xid == "1/1/akash1p"


def test_paths__of_2023__name_its_versions() -> None:
    assert SET_2023.leases_list == "/akash/market/v1beta4/leases/list"
    assert SET_2023.escrow_accounts == "/akash/escrow/v1beta3/types/accounts/list"
    assert answers.LEASES.path(SET_2023) == SET_2023.leases_list


def test_decode__current_set_under_another_name__reads_the_recordings() -> None:
    later = replace(CURRENT, name="later", market="v1beta6")
    line = recorded("akash-recorded/rest-heights", "lease 20002/1 now")
    assert answers.decode_lease(line.body, later) == answers.decode_lease(line.body)


def packed(pairs: dict[str, str]) -> list[dict[str, object]]:
    def pack(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    return [{"key": pack(key), "value": pack(value), "index": True} for key, value in pairs.items()]


def test_events__of_2023__are_unpacked_and_named_alike() -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": -1, "result": {
        "height": "5", "begin_block_events": None, "end_block_events": None,
        "txs_results": [{"code": 0, "log": "[]", "gas_wanted": "1", "gas_used": "1", "events": [
            {"type": "message", "attributes": packed({"action": "/akash.market.v1beta3.MsgCreateLease"})},
            {"type": "akash.v1", "attributes": packed({
                "module": "market", "action": "lease-created", "owner": OWNER, "dseq": "7", "gseq": "1",
                "oseq": "1", "provider": "akash1p", "price-denom": "uakt", "price-amount": "1.5"})},
            {"type": "akash.v1", "attributes": packed({
                "module": "deployment", "action": "deployment-created", "version": "ab" * 32,
                "owner": OWNER, "dseq": "7"})}]}]}}).encode()  # fmt: skip
    lease, created = answers.akash_events(answers.decode_block_results(body))
    price = answers.DecCoin("uakt", answers.parse_atto("1.5"))
    assert (lease.name, lease.price) == ("LeaseCreated", price)
    assert lease.id == answers.ObjectId(OWNER, 7, 1, 1, "akash1p")
    assert (created.name, created.hash) == ("DeploymentCreated", "ab" * 32)


def test_events__of_cometbft_037__are_plain_and_stay_as_they_are() -> None:
    attribute = {"key": "id", "value": json.dumps({"owner": OWNER, "dseq": "7"}), "index": True}
    event = {"type": "akash.deployment.v1.EventDeploymentClosed", "attributes": [attribute]}
    results = {"height": "5", "begin_block_events": [], "txs_results": [{"code": 0, "events": [event]}]}
    body = json.dumps({"result": results}).encode()
    (closed,) = answers.akash_events(answers.decode_block_results(body))
    assert (closed.name, closed.id) == ("DeploymentClosed", answers.ObjectId(OWNER, 7))
