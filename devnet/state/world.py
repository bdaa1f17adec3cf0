"""The state at the end of the last block, the versions before it, and the block that is being made."""

from __future__ import annotations

from collections.abc import Iterable

from devnet.acts import Attributes, BidId, OrderId, Person
from devnet.addresses import account_bytes
from devnet.generation import Generation
from devnet.state import render
from devnet.state.bank import Bank
from devnet.state.objects import (
    BID_STATES,
    CERTIFICATE_STATES,
    DEPLOYMENT_STATES,
    GROUP_STATES,
    LEASE_STATES,
    ORDER_STATES,
    Account,
    Bid,
    Certificate,
    ChainError,
    Deployment,
    Lease,
    Order,
    Payment,
    Provider,
)
from devnet.state.store import Key, Row, Table


class World:
    """Everything that exists. Who changes an object names it with `touch`; `finish_block` keeps its version."""

    def __init__(self, generation: Generation, people: Iterable[Person], others: Iterable[str]) -> None:
        self.generation = generation
        self.bank = Bank(generation, people, others)
        self.events = self.bank.events
        self.height = 0
        self.seconds = 0
        self.deployments: dict[tuple[str, int], Deployment] = {}
        self.orders: dict[OrderId, Order] = {}
        self.bids: dict[BidId, Bid] = {}
        self.leases: dict[BidId, Lease] = {}
        self.providers: dict[str, Provider] = {}
        self.certificates: dict[tuple[str, int], Certificate] = {}
        self.audits: dict[tuple[str, str], Attributes] = {}
        self.tables = {
            "deployments": Table(),
            "groups": Table(),
            "orders": Table(),
            "bids": Table(provider_place=4),
            "leases": Table(provider_place=4),
            "accounts": Table(),
            "payments": Table(),
            "providers": Table(),
            "certificates": Table(),
            "audits": Table(),
        }
        self._touched: dict[int, object] = {}
        self._audits_touched: set[tuple[str, str]] = set()

    def start_block(self, height: int, seconds: int) -> None:
        """Begin block `height` whose time is `seconds` of Unix time."""
        self.height = self.bank.height = height
        self.seconds = seconds

    def touch(self, item: Deployment | Order | Bid | Lease | Provider | Certificate) -> None:
        """This object changed in the block that is being made."""
        self._touched[id(item)] = item

    def touch_audit(self, provider: str, auditor: str) -> None:
        """What this auditor signed for this provider changed."""
        self._audits_touched.add((provider, auditor))

    def finish_block(self) -> None:
        """Keep the version of everything that was touched."""
        for item in self._touched.values():
            self._keep(item)
        for provider, auditor in self._audits_touched:
            pairs = self.audits.get((provider, auditor), ())
            key = (account_bytes(provider), account_bytes(auditor))
            row = Row(1 if pairs else 0, render.audited(provider, auditor, pairs))
            self.tables["audits"].put(key, self.height, row)
        self._touched.clear()
        self._audits_touched.clear()

    def deployment(self, owner: str, dseq: int) -> Deployment:
        """A deployment. Raises ChainError where there is none."""
        found = self.deployments.get((owner, dseq))
        if found is None:
            raise ChainError("deployment", 4, "Deployment not found")
        return found

    def _keep(self, item: object) -> None:
        if isinstance(item, Deployment):
            self._keep_deployment(item)
        elif isinstance(item, Order):
            self._put(
                "orders", order_key(item.id), ORDER_STATES.index(item.state), render.order(item, self.generation)
            )
        elif isinstance(item, Bid):
            self._put("bids", bid_key(item.id), BID_STATES.index(item.state), render.bid(item, self.generation))
            self._keep_account(item.account)
        elif isinstance(item, Lease):
            state = LEASE_STATES.index(item.state)
            self._put("leases", bid_key(item.id), state, render.lease(item, self.generation))
            self._keep_payment(item.payment)
        elif isinstance(item, Provider):
            self._put("providers", (account_bytes(item.owner),), 1, render.provider(item))
        elif isinstance(item, Certificate):
            state = CERTIFICATE_STATES.index(item.state)
            self._put("certificates", (account_bytes(item.owner), item.serial), state, render.certificate(item))

    def _keep_deployment(self, item: Deployment) -> None:
        state = DEPLOYMENT_STATES.index(item.state)
        self._put("deployments", (item.owner, item.dseq), state, render.deployment(item, self.generation))
        for group in item.groups:
            key = (item.owner, item.dseq, group.gseq)
            self._put("groups", key, GROUP_STATES.index(group.state), render.group(item.owner, item.dseq, group))
        self._keep_account(item.account)

    def _keep_account(self, item: Account) -> None:
        self._put("accounts", (f"/{item.scope}/{item.xid}",), item.state, (render.account(item),))

    def _keep_payment(self, item: Payment) -> None:
        order = item.lease.order
        path = f"/deployment/{order.owner}/{order.dseq}/{order.gseq}/{order.oseq}/{item.lease.provider}"
        self._put("payments", (path,), item.state, (render.payment(item),))

    def _put(self, table: str, key: Key, state: int, pieces: tuple[bytes, ...]) -> None:
        self.tables[table].put(key, self.height, Row(state, pieces))


def order_key(order: OrderId) -> Key:
    """Where an order stands in its table."""
    return (order.owner, order.dseq, order.gseq, order.oseq)


def bid_key(bid: BidId) -> Key:
    """Where a bid or a lease stands in its table."""
    return (*order_key(bid.order), bid.provider, bid.bseq)
