"""What the payout chain says before a payout: the paying account, block limits, fees, who can't be paid."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction

from services import campaigns
from services.errors import Refused, Unavailable
from services.house import House
from tasks.payout.batches import DENOM
from verifiers.chain import accounts
from verifiers.chain.answers import BlockLimits
from verifiers.chain.client import Chain
from verifiers.chain.trouble import WrongChain
from verifiers.payout.facts import PayerFacts, gas_price_of, key_of
from verifiers.payout.recipients import module_addresses, refusals
from verifiers.trouble import Trouble

NOT_CONNECTED = (
    "Payouts are not connected: set WAYMARK_PAYOUT_REST and WAYMARK_PAYOUT_RPC to nodes of the payout chain."
)


@dataclass(frozen=True, slots=True)
class PayoutLimits:
    """The chain's rules at one height. `gas_price` in uakt for a unit of gas, None where the node tells none."""

    chain_id: str
    height: int
    block: BlockLimits
    gas_price: Fraction | None
    module_accounts: frozenset[str]


def connected(house: House) -> Chain:
    """The payout chain. Raises Unavailable where none is set or it is known to be another chain than is paid on."""
    chain = _chain_of(house)
    if chain is None:
        raise Unavailable(NOT_CONNECTED)
    expected = chain_id_of(house)
    if chain.chain_id is not None and chain.chain_id != expected:
        raise Unavailable(_other_chain(expected, chain.chain_id))
    return chain


def is_connected(house: House) -> bool:
    """Whether nodes of the payout chain are set."""
    return _chain_of(house) is not None


def _chain_of(house: House) -> Chain | None:
    """Its own nodes; where payouts are made on the campaign's own chain and no others are set, the campaign's."""
    if house.payout_chain is not None or house.chain is None:
        return house.payout_chain
    loaded = campaigns.current(house)
    return house.chain if campaigns.payout_chain_id(house, loaded) == campaigns.chain_id(house, loaded) else None


def chain_id_of(house: House) -> str:
    """The id of the chain that is paid on, by the settings, else the campaign. Raises Unavailable where none is."""
    wanted = campaigns.payout_chain_id(house, campaigns.current(house))
    if wanted is None:
        raise Unavailable(
            "No payout chain is named: set WAYMARK_PAYOUT_CHAIN_ID, or payout_chain_id in the campaign."
        )
    return wanted


def payout_limits(house: House) -> PayoutLimits:
    """What a block takes, the price of gas and the modules' accounts. Raises Unavailable."""
    with asking(house) as chain:
        block = accounts.block_limits(chain)
        modules = accounts.module_accounts(chain, block.height)
        price = accounts.minimum_gas_price(chain)
        height = modules.height or block.height or 0
        return PayoutLimits(
            chain_id=chain_id_of(house),
            height=height,
            block=block.value,
            gas_price=gas_price_of(price.value or ""),
            module_accounts=module_addresses(modules.value),
        )


def refused_recipients(limits: PayoutLimits, payer: str, *, contracts: bool = False) -> Callable[[str], str | None]:
    """The question of a plan: why can't this address be paid? See verifiers.payout.recipients."""
    return refusals(payer, limits.module_accounts, contracts=contracts)


def payer_facts(house: House, payer: str) -> PayerFacts:
    """The paying account and the chain's rules, all at one height but for the node's price of gas.

    Raises Unavailable where the chain can't be asked, Refused where it knows no such account.
    """
    with asking(house) as chain:
        found = accounts.account(chain, payer)
        account, height = found.value, found.height
        if account is None:
            raise Refused(
                f"The chain {chain_id_of(house)} knows no account {payer}: send it the money to be paid first.",
                "payer",
            )
        params = accounts.auth_params(chain, height).value
        price = accounts.minimum_gas_price(chain).value
        return PayerFacts(
            address=payer,
            chain_id=chain_id_of(house),
            account_number=account.account_number,
            sequence=account.sequence,
            key=key_of(account.pub_key),
            height=height,
            balance_uakt=accounts.spendable(chain, payer, DENOM, height).value,
            module_accounts=module_addresses(accounts.module_accounts(chain, height).value),
            gas_price=gas_price_of(price or ""),
            memo_bytes=params.max_memo_characters,
            signature_limit=params.tx_sig_limit,
            other_chain_ids=_other_ids(house),
        )


def tip_height(house: House) -> int:
    """The newest height of the payout chain. Raises Unavailable."""
    with asking(house) as chain:
        return chain.tip().height


@contextmanager
def asking(house: House) -> Iterator[Chain]:
    """The payout chain for some reads, its identity checked first. What goes wrong comes out as Unavailable.

    Nothing here holds a transaction of the ledger: a Session never spans a network call.
    """
    chain = connected(house)
    try:
        if chain.chain_id is None:
            chain.tip()
            chain = connected(house)
        yield chain
    except WrongChain as error:
        raise Unavailable(_other_chain(error.expected, error.found)) from error
    except Trouble as error:
        raise Unavailable(f"The payout chain can't be asked now ({error.name}): {error}") from error


def _other_chain(expected: str, found: str) -> str:
    return (
        f"The payout nodes stand on {found}, and payouts are made on {expected}: "
        "point WAYMARK_PAYOUT_REST and WAYMARK_PAYOUT_RPC at nodes of that chain."
    )


def _other_ids(house: House) -> tuple[str, ...]:
    """Chains whose id a signer may have given by mistake."""
    own = chain_id_of(house)
    others = (house.chain.chain_id if house.chain else None, campaigns.chain_id(house, campaigns.current(house)))
    return tuple(dict.fromkeys(name for name in (*others, "akashnet-2") if name is not None and name != own))
