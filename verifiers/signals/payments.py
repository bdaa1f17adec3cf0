"""Who paid for whom, read from a node's answers: first funds, fee grants, deposits (pure).

Events are not proved by a block (reference/security.md 6): they are a witness good enough for a person to look.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from verifiers.chain.answers import DeploymentInfo, decode_rpc_txs, format_atto
from verifiers.chain.answers.border import Decoder, Pagination
from verifiers.chain.answers.events import Event
from verifiers.chain.answers.transactions import IndexedTx
from verifiers.chain.apiset import CURRENT, ApiSet
from verifiers.payout.wire import Fields, WireError

_CREATE = ".MsgCreateDeployment"
_DEPOSIT = ".MsgAccountDeposit"
DEPOSIT_ACTION = "/akash.escrow.v1.MsgAccountDeposit"
"""The message by which anybody pays into a deployment's escrow (recorded: v1.2.2 and v2.1)."""


@dataclass(frozen=True, slots=True)
class Payment:
    """Value that `payer` gave to, or for, `address`. `key` names the occasion, `said` what was seen.

    `height`, `tx`: of the transaction; None and empty where it was read from state.
    """

    payer: str
    address: str
    key: str
    said: str
    height: int | None = None
    tx: str = ""


# ---------------------------------------------------------------- questions


def incoming_query(address: str) -> str:
    """Transactions in which an address gets something; the oldest first is its first funds."""
    return f"transfer.recipient='{address}'"


def sent_before_query(address: str, height: int) -> str:
    """Transactions that an address signed or paid for below a height."""
    return f"message.sender='{address}' AND tx.height<{height}"


def signed_query(address: str) -> str:
    """Transactions that an address signed or paid in."""
    return f"message.sender='{address}'"


def granted_fees_query(grantee: str) -> str:
    """Transactions of an address whose fees a grant paid (x/feegrant, event `use_feegrant`)."""
    return f"use_feegrant.grantee='{grantee}'"


def deposits_query(payer: str) -> str:
    """Deposits that this address signed, or that were taken from it by a grant."""
    return f"message.action='{DEPOSIT_ACTION}' AND message.sender='{payer}'"


def fee_allowances_path(grantee: str) -> str:
    """REST: the fee allowances that an address has now (x/feegrant)."""
    return f"/cosmos/feegrant/v1beta1/allowances/{grantee}"


def grants_path(grantee: str) -> str:
    """REST: what an address may do now in the name of others (x/authz); deposits by grant are among it."""
    return f"/cosmos/authz/v1beta1/grants/grantee/{grantee}"


# ---------------------------------------------------------------- transactions


def first_funds(body: bytes, address: str, api: ApiSet = CURRENT) -> Payment | None:
    """The first transfer to an address, of RPC `tx_search` in ascending order; None where it names no sender."""
    for tx in decode_rpc_txs(body, api).txs:
        if tx.tx_result.code != 0:
            continue
        for event in tx.tx_result.events:
            told = _told(event)
            if event.type == "transfer" and told.get("recipient") == address:
                payer = told.get("sender") or _spender(tx.tx_result.events)
                said = f"{told.get('amount') or 'something'} came from {payer}"
                return Payment(payer, address, address, said, tx.height, tx.hash) if payer else None
    return None


def _spender(events: Sequence[Event]) -> str:
    """Who paid, where the transfer does not say (SDK 0.47's MsgMultiSend): the last who spent anything."""
    return next((_told(event).get("spender", "") for event in reversed(events) if event.type == "coin_spent"), "")


def fee_grants_used(body: bytes, grantee: str, api: ApiSet = CURRENT) -> list[Payment]:
    """Fees of this address that others' grants paid, one for each transaction; failed ones pay fees too."""
    found = []
    for tx in decode_rpc_txs(body, api).txs:
        for event in tx.tx_result.events:
            told = _told(event)
            granter = told.get("granter", "")
            if event.type == "use_feegrant" and told.get("grantee") == grantee and granter not in ("", grantee):
                said = f"{granter} paid the fee of a transaction of {grantee}"
                found.append(Payment(granter, grantee, f"{granter}/{grantee}", said, tx.height, tx.hash))
    return found


def fees_paid(body: bytes, signer: str, api: ApiSet = CURRENT) -> list[Payment]:
    """Fees of transactions that this address signed and another paid: by a grant, or as one of the signers."""
    found = []
    for tx in decode_rpc_txs(body, api).txs:
        told = [_told(event) for event in tx.tx_result.events if event.type == "tx"]
        signers = {each["acc_seq"].rpartition("/")[0] for each in told if "acc_seq" in each}
        payer = next((each["fee_payer"] for each in told if each.get("fee_payer")), "")
        if signer in signers and payer not in ("", signer):
            said = f"{payer} paid the fee of a transaction that {signer} signed"
            found.append(Payment(payer, signer, f"{payer}/{signer}", said, tx.height, tx.hash))
    return found


def deposits_paid(body: bytes, payer: str, api: ApiSet = CURRENT) -> list[Payment]:
    """Deposits that this address paid into deployments of others."""
    found = []
    for tx in decode_rpc_txs(body, api).txs:
        if tx.tx_result.code != 0:
            continue
        for position, deployment in _deployments_paid_for(tx):
            owner = deployment.partition("/")[0]
            if owner != payer and payer in _payers(tx, position):
                said = f"{payer} paid a deposit for deployment {deployment}"
                found.append(Payment(payer, owner, deployment, said, tx.height, tx.hash))
    return found


def _deployments_paid_for(tx: IndexedTx) -> Iterator[tuple[int, str]]:
    """(place of the message, `<owner>/<dseq>`) of each deposit in a transaction; unreadable ones are passed over."""
    try:
        messages = Fields(Fields(tx.tx).octets(1)).all(1)
        for position, packed in enumerate(messages):
            message = Fields(packed)
            kind, inner = message.text(1), Fields(message.octets(2))
            if kind.endswith(_DEPOSIT):
                named = Fields(inner.octets(2)).text(2)
            elif kind.endswith(_CREATE):
                identity = Fields(inner.octets(1))
                named = f"{identity.text(1)}/{identity.number(2)}"
            else:
                continue
            if named.count("/") == 1:
                yield position, named
    except WireError:
        return


def _payers(tx: IndexedTx, position: int) -> set[str]:
    """Whose money moved by one message."""
    transfers = [_told(event) for event in tx.tx_result.events if event.type == "transfer"]
    return {told.get("sender", "") for told in transfers if told.get("msg_index") == str(position)}


def _told(event: Event) -> dict[str, str]:
    return {attribute.key: attribute.value or "" for attribute in event.attributes}


# ---------------------------------------------------------------- state


@dataclass(frozen=True, slots=True)
class _Allowance:
    granter: str
    grantee: str


@dataclass(frozen=True, slots=True)
class _Allowances:
    allowances: tuple[_Allowance, ...] = ()
    pagination: Pagination | None = None


@dataclass(frozen=True, slots=True)
class _Grant:
    granter: str
    grantee: str
    authorization: dict[str, JsonValue] | None = field(default=None)


@dataclass(frozen=True, slots=True)
class _Grants:
    grants: tuple[_Grant, ...] = ()
    pagination: Pagination | None = None


_allowances: Decoder[_Allowances] = Decoder(_Allowances, "list of fee allowances")
_grants: Decoder[_Grants] = Decoder(_Grants, "list of grants")


def fee_allowances(body: bytes, grantee: str, api: ApiSet = CURRENT) -> list[Payment]:
    """The allowances that others give this address for its fees."""
    return [
        Payment(each.granter, grantee, f"{each.granter}/{grantee}", f"{each.granter} lets {grantee} spend on fees")
        for each in _allowances(body, api).allowances
        if each.grantee == grantee and each.granter != grantee
    ]


def deposit_grants(body: bytes, grantee: str, api: ApiSet = CURRENT) -> list[Payment]:
    """From whose account this address may deposit; grants for anything else are no payment."""
    found = []
    for each in _grants(body, api).grants:
        kind = str((each.authorization or {}).get("@type", "")).rpartition(".")[2]
        if each.grantee == grantee and each.granter != grantee and kind.startswith("Deposit"):
            said = f"{each.granter} lets {grantee} deposit from its account"
            found.append(Payment(each.granter, grantee, f"{each.granter}/{grantee}", said))
    return found


def foreign_deposits(info: DeploymentInfo, height: int | None) -> list[Payment]:
    """Deposits of others that lie in the escrow of a deployment; a closed one has none any more."""
    owner, key = info.id.owner, f"{info.id.owner}/{info.id.dseq}"
    return [
        Payment(
            deposit.owner,
            owner,
            key,
            f"{format_atto(deposit.balance.amount)} {deposit.balance.denom} of {deposit.owner} lie in the escrow of "
            f"deployment {key}, paid at block {deposit.height}",
            height,
        )
        for deposit in info.escrow_account.state.deposits
        if deposit.owner != owner
    ]
