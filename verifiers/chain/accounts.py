"""What a chain says of accounts and of its rules for transactions: typed reads, each with the height it holds at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import quote

from verifiers.chain.answers import (
    Account,
    AuthParams,
    BlockLimits,
    Rows,
    decode_account,
    decode_account_list,
    decode_auth_params,
    decode_balance,
    decode_balances,
    decode_consensus_params,
    decode_node_config,
    decode_rpc_consensus_params,
)
from verifiers.chain.client import Chain
from verifiers.chain.trouble import BadPage, NotImplementedThere
from verifiers.evidence import Observation
from verifiers.trouble import Undecodable

T = TypeVar("T")

AUTH = "/cosmos/auth/v1beta1"
BANK = "/cosmos/bank/v1beta1"
CONSENSUS_PARAMS = "/cosmos/consensus/v1/params"
MOST_PAGES = 50


@dataclass(frozen=True, slots=True)
class Read(Generic[T]):
    """A value and the raw answers it stands in; `height` is the state's that the answer says it holds at."""

    value: T
    observations: tuple[Observation, ...]

    @property
    def height(self) -> int | None:
        """None where the answer names no height: it speaks of the node, not of the chain's state."""
        return self.observations[0].height


def account(chain: Chain, address: str, height: int | None = None) -> Read[Account | None]:
    """An account with its number, sequence and key; None where the chain says that there is none. Raises Trouble."""
    seen = chain.get(f"{AUTH}/accounts/{quote(address, safe='')}", height=height)
    if seen.status == 404:
        return Read(None, (seen,))
    found = decode_account(seen.body, chain.api)
    if found.address != address:
        raise Undecodable(f"{seen.host} was asked for {address} and answered for {found.address}. Ask another host.")
    return Read(found, (seen,))


def spendable(chain: Chain, address: str, denom: str, height: int | None = None) -> Read[int]:
    """What an account can spend of a denom, vesting left out; 0 for an account nobody knows. Raises Trouble."""
    path = f"{BANK}/spendable_balances/{quote(address, safe='')}"
    try:
        return _spendable(chain, path, denom, height)
    except NotImplementedThere:
        # Nodes before SDK 0.46 tell the balance only.
        seen = _existing(chain, f"{BANK}/balances/{quote(address, safe='')}/by_denom", {"denom": denom}, height)
        return Read(decode_balance(seen.body, chain.api).amount, (seen,))


def _spendable(chain: Chain, path: str, denom: str, height: int | None) -> Read[int]:
    rows, seen = _all_pages(chain, path, height, lambda body: decode_balances(body, chain.api))
    return Read(sum(coin.amount for coin in rows if coin.denom == denom), seen)


def module_accounts(chain: Chain, height: int | None = None) -> Read[tuple[Account, ...]]:
    """The accounts of the chain's modules, which take no transfers. Raises Trouble."""
    rows, seen = _all_pages(
        chain, f"{AUTH}/module_accounts", height, lambda body: decode_account_list(body, chain.api)
    )
    return Read(rows, seen)


def auth_params(chain: Chain, height: int | None = None) -> Read[AuthParams]:
    """How long a memo and how many signatures may be. Raises Trouble."""
    seen = _existing(chain, f"{AUTH}/params", None, height)
    return Read(decode_auth_params(seen.body, chain.api), (seen,))


def block_limits(chain: Chain, height: int | None = None) -> Read[BlockLimits]:
    """How large a block may be, from REST, from RPC where the node is older than SDK 0.47. Raises Trouble."""
    try:
        seen = _existing(chain, CONSENSUS_PARAMS, None, height)
        return Read(decode_consensus_params(seen.body, chain.api), (seen,))
    except NotImplementedThere:
        seen = chain.rpc("consensus_params", {"height": str(height)} if height is not None else None)
        return Read(decode_rpc_consensus_params(seen.body, chain.api), (seen,))


def minimum_gas_price(chain: Chain) -> Read[str | None]:
    """The least price of gas that one node takes, such as `0.0025uakt`; None where it tells none. Raises Trouble."""
    try:
        seen = chain.node_config()
    except NotImplementedThere:
        return Read(None, (chain.latest_block(),))
    return Read(decode_node_config(seen.body, chain.api).minimum_gas_price, (seen,))


def _existing(chain: Chain, path: str, parameters: dict[str, str] | None, height: int | None) -> Observation:
    seen = chain.get(path, parameters, height)
    if seen.status != 200:
        raise NotImplementedThere(f"{seen.host} has nothing at {path}. Ask another host.")
    return seen


def _all_pages(
    chain: Chain, path: str, height: int | None, decode: Callable[[bytes], Rows[T]]
) -> tuple[tuple[T, ...], tuple[Observation, ...]]:
    """Every row of a short list at one height; never more than `MOST_PAGES` pages."""
    rows: list[T] = []
    seen: list[Observation] = []
    parameters: dict[str, str] = {}
    for _ in range(MOST_PAGES):
        answer = _existing(chain, path, parameters, height)
        height = answer.height if height is None else height
        page = decode(answer.body)
        rows += page.rows
        seen.append(answer)
        if not page.next_key:
            return tuple(rows), tuple(seen)
        parameters = {"pagination.key": page.next_key}
    raise BadPage(f"The list at {path} has more than {MOST_PAGES} pages. Ask another host.")
