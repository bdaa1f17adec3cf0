"""Balances, accounts and the chain's parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator

from verifiers.chain.answers.border import Decoder, Pagination, Rows
from verifiers.chain.answers.numbers import Coin, Whole
from verifiers.chain.apiset import CURRENT, ApiSet


@dataclass(frozen=True, slots=True)
class PublicKey:
    """`key` is base64 of a single key; a multisig has `threshold` and `public_keys` instead."""

    type: str
    key: str = ""
    threshold: int = 0
    public_keys: tuple[PublicKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """An account of any type, reduced to its base. `pub_key` is `None` until its first transaction.

    `module` is the module's name where the account is one's own.
    """

    type: str
    address: str
    account_number: Whole
    sequence: Whole
    pub_key: PublicKey | None = None
    module: str = ""


def _key(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    nested = value.get("public_keys")
    return {
        "type": value.get("@type", ""),
        "key": value.get("key", ""),
        "threshold": value.get("threshold", 0),
        "public_keys": [_key(entry) for entry in nested] if isinstance(nested, list) else (),
    }


def _account(value: Any) -> Any:
    """Module and vesting accounts wrap the base account once or twice."""
    if not isinstance(value, dict):
        return value
    base = value
    while isinstance(base, dict) and "address" not in base:
        base = base.get("base_account") or base.get("base_vesting_account") or {}
        if not base:
            return {}
    return {
        **base,
        "type": value.get("@type", ""),
        "pub_key": _key(base.get("pub_key")),
        "module": value.get("name", ""),
    }


AnyAccount = Annotated[Account, BeforeValidator(_account)]


@dataclass(frozen=True, slots=True)
class _Account:
    account: AnyAccount


@dataclass(frozen=True, slots=True)
class _AccountInfo:
    info: AnyAccount


@dataclass(frozen=True, slots=True)
class _AccountList:
    accounts: tuple[AnyAccount, ...]
    pagination: Pagination | None = None


@dataclass(frozen=True, slots=True)
class _Balances:
    balances: tuple[Coin, ...]
    pagination: Pagination | None = None


@dataclass(frozen=True, slots=True)
class _Balance:
    balance: Coin


@dataclass(frozen=True, slots=True)
class BlockLimits:
    """`max_gas` -1 is no limit."""

    max_bytes: Whole
    max_gas: Whole


@dataclass(frozen=True, slots=True)
class _BlockParams:
    block: BlockLimits


@dataclass(frozen=True, slots=True)
class _ConsensusParams:
    params: _BlockParams


@dataclass(frozen=True, slots=True)
class AuthParams:
    """What a transaction may hold: `max_memo_characters` counts bytes, `tx_sig_limit` all members of a multisig."""

    max_memo_characters: Whole
    tx_sig_limit: Whole


@dataclass(frozen=True, slots=True)
class _AuthParams:
    params: AuthParams


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """One node's own rules; `minimum_gas_price` reads like `0.0025uakt,0.1uother`."""

    minimum_gas_price: str


@dataclass(frozen=True, slots=True)
class _RpcConsensus:
    consensus_params: _BlockParams


@dataclass(frozen=True, slots=True)
class _RpcConsensusParams:
    result: _RpcConsensus


@dataclass(frozen=True, slots=True)
class DeploymentParams:
    """The smallest deposits; v2.1 lists uakt, and refuses it at creation all the same."""

    min_deposits: tuple[Coin, ...]


@dataclass(frozen=True, slots=True)
class MarketParams:
    """`order_max_bids` and what v2.1 adds about reclamation (`5s`)."""

    bid_min_deposit: Coin
    order_max_bids: int
    bid_min_deposits: tuple[Coin, ...] = ()
    min_reclamation_window: str | None = None
    max_reclamation_window: str | None = None


@dataclass(frozen=True, slots=True)
class _DeploymentParams:
    params: DeploymentParams


@dataclass(frozen=True, slots=True)
class _MarketParams:
    params: MarketParams


_account_answer: Decoder[_Account] = Decoder(_Account, "account")
_account_info: Decoder[_AccountInfo] = Decoder(_AccountInfo, "account")
_account_list: Decoder[_AccountList] = Decoder(_AccountList, "list of accounts")
_balances: Decoder[_Balances] = Decoder(_Balances, "list of balances")
_balance: Decoder[_Balance] = Decoder(_Balance, "balance")
_consensus: Decoder[_ConsensusParams] = Decoder(_ConsensusParams, "consensus parameters")
_rpc_consensus: Decoder[_RpcConsensusParams] = Decoder(_RpcConsensusParams, "consensus parameters")
_auth_params: Decoder[_AuthParams] = Decoder(_AuthParams, "auth parameters")
_deployment_params: Decoder[_DeploymentParams] = Decoder(_DeploymentParams, "deployment parameters")
_market_params: Decoder[_MarketParams] = Decoder(_MarketParams, "market parameters")


def decode_account(body: bytes, api: ApiSet = CURRENT) -> Account:
    """REST `accounts/{address}` and `module_accounts/{name}`."""
    return _account_answer(body, api).account


def decode_account_info(body: bytes, api: ApiSet = CURRENT) -> Account:
    """REST `account_info/{address}`: the same account without its type."""
    return _account_info(body, api).info


def decode_account_list(body: bytes, api: ApiSet = CURRENT) -> Rows[Account]:
    """REST `accounts` and `module_accounts`."""
    page = _account_list(body, api)
    return Rows(page.accounts, page.pagination.next_key if page.pagination else None)


def decode_balances(body: bytes, api: ApiSet = CURRENT) -> Rows[Coin]:
    """REST `balances/{address}`: one row per denom, sorted; an unknown account has none."""
    page = _balances(body, api)
    return Rows(page.balances, page.pagination.next_key if page.pagination else None)


def decode_balance(body: bytes, api: ApiSet = CURRENT) -> Coin:
    """REST `balances/{address}/by_denom`."""
    return _balance(body, api).balance


def decode_consensus_params(body: bytes, api: ApiSet = CURRENT) -> BlockLimits:
    """REST `/cosmos/consensus/v1/params`: how large a block may be."""
    return _consensus(body, api).params.block


def decode_rpc_consensus_params(body: bytes, api: ApiSet = CURRENT) -> BlockLimits:
    """RPC `consensus_params`: the same from chains before SDK 0.47."""
    return _rpc_consensus(body, api).result.consensus_params.block


def decode_auth_params(body: bytes, api: ApiSet = CURRENT) -> AuthParams:
    """REST `/cosmos/auth/v1beta1/params`."""
    return _auth_params(body, api).params


decode_node_config: Decoder[NodeConfig] = Decoder(NodeConfig, "node configuration")


def decode_deployment_params(body: bytes, api: ApiSet = CURRENT) -> DeploymentParams:
    """The deployment module's parameters."""
    return _deployment_params(body, api).params


def decode_market_params(body: bytes, api: ApiSet = CURRENT) -> MarketParams:
    """The market module's parameters."""
    return _market_params(body, api).params
