"""In which coin an SDL that we issue offers its price: what the chain takes when it is issued."""

from __future__ import annotations

from sqlalchemy import select

from ledger.benchmarks import BenchmarkChallengeRow
from services import campaigns
from services.campaigns import Loaded
from services.house import House
from verifiers.benchmark.price import price_denom
from verifiers.chain.answers import decode_deployment_params
from verifiers.trouble import Trouble


def denom_now(house: House, loaded: Loaded) -> str:
    """The coin by the chain's deployment params. Asks the chain: never inside a transaction.

    Where it can't be asked: that of the campaign's newest challenge, without one the coin the campaign pays in.
    """
    return _of_chain(house, loaded) or _of_newest(house, loaded) or loaded.newest.reward.denom


def _of_chain(house: House, loaded: Loaded) -> str:
    chain, wanted = house.chain, campaigns.chain_id(house, loaded)
    if chain is None:
        return ""
    try:
        seen = chain.get(chain.api.deployment_params)
        if seen.status != 200 or (wanted is not None and seen.chain_id != wanted):
            return ""
        return price_denom(coin.denom for coin in decode_deployment_params(seen.body, chain.api).min_deposits)
    except Trouble:
        return ""


def _of_newest(house: House, loaded: Loaded) -> str:
    statement = (
        select(BenchmarkChallengeRow.price_denom)
        .where(BenchmarkChallengeRow.campaign == loaded.slug, BenchmarkChallengeRow.is_shipped.is_(False))
        .order_by(BenchmarkChallengeRow.issued_ns.desc(), BenchmarkChallengeRow.id)
        .limit(1)
    )
    with house.ledger.read() as session:
        return session.scalar(statement) or ""
