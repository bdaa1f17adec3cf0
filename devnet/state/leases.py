"""Leases: accepting a bid, withdrawing, closing from either side, reclaiming."""

from __future__ import annotations

from devnet.acts import BidId, CloseBid, CloseLease, CreateLease, StartReclaim, WithdrawLease
from devnet.state import escrow, events
from devnet.state.deployments import after_settlement, new_order
from devnet.state.market import close_bid_deposit, end_lease, is_live, new_lease
from devnet.state.objects import OPEN, Bid, ChainError, Deployment, Group, Lease
from devnet.state.world import World


def create_lease(world: World, act: CreateLease) -> None:
    """MsgCreateLease: one bid is accepted, the other open bids of the order become lost."""
    bid = world.bids.get(act.bid)
    if bid is None:
        raise ChainError("market", 18, "invalid bid: bid not found")
    if bid.state != "open":
        raise ChainError("market", 12, "bid not open")
    order = world.orders[act.bid.order]
    if order.state != "open":
        raise ChainError("market", 13, "order not open")
    deployment, group = _place(world, act.bid)
    if group.state != "open":
        raise ChainError("market", 17, "group not open")
    if escrow.would_overdraw(deployment.account, world.height):
        raise ChainError("escrow", 5, "account overdrawn")
    world.events.typed("akash.market.v1.EventLeaseCreated", id=act.bid, price=events.Price(bid.denom, bid.price))
    new_lease(world, bid)
    order.state = "active"
    bid.state = "active"
    world.touch(order)
    world.touch(bid)
    world.touch(deployment)
    for _, other in sorted(order.bids.items()):
        if other.state == "open":
            close_bid_deposit(world, other, "lost")


def withdraw_lease(world: World, act: WithdrawLease) -> None:
    """MsgWithdrawLease: settle the whole account, pay this lease. An account found empty closes everything."""
    lease = world.leases.get(act.bid)
    if lease is None:
        raise ChainError("market", 8, "unknown lease")
    if lease.payment.state != OPEN:
        raise ChainError("escrow", 7, "payment closed")
    deployment, _ = _place(world, act.bid)
    if deployment.account.settled_at == world.height:
        order = act.bid.order
        xid = f"{order.owner}/{order.dseq}/{order.gseq}/{order.oseq}/{act.bid.provider}"
        raise ChainError("sdk", 111222, f"recovered: couldn't find payment deployment/{xid}: panic")
    _, overdrawn = escrow.settle(world.bank, deployment.account, world.height)
    if overdrawn:
        escrow.refund(world.bank, deployment.account)
    else:
        escrow.withdraw(world.bank, lease.payment)
    after_settlement(world, deployment)


def close_lease(world: World, act: CloseLease) -> None:
    """MsgCloseLease by the tenant: while the group is open a new order follows."""
    order = world.orders.get(act.bid.order)
    if order is None:
        raise ChainError("market", 15, "invalid order: order not found")
    if order.state != "active":
        raise ChainError("market", 24, "order closed")
    bid = world.bids.get(act.bid)
    if bid is None:
        raise ChainError("market", 18, "invalid bid: bid not found")
    lease = world.leases.get(act.bid)
    if lease is None or not is_live(lease):
        raise ChainError("market", 10, "lease not active")
    deployment, group = _place(world, act.bid)
    _end(world, deployment, bid, lease, "lease_closed_owner")
    if group.state == "open":
        new_order(world, deployment, group)


def close_bid(world: World, act: CloseBid) -> None:
    """MsgCloseBid by the provider: of an open bid, or of a lease, whose group is then paused."""
    bid = world.bids.get(act.bid)
    if bid is None:
        raise ChainError("market", 7, "unknown bid")
    if bid.state == "open":
        close_bid_deposit(world, bid, "closed")
        world.events.typed("akash.market.v1.EventBidClosed", id=bid.id)
        return
    lease = world.leases.get(act.bid)
    if lease is None:
        raise ChainError("market", 9, "unknown lease for bid")
    if not is_live(lease):
        raise ChainError("market", 10, "lease not active")
    if lease.window_seconds is not None:
        if not lease.reclaim_started_at:
            raise ChainError("market", 37, "reclamation not started; call MsgLeaseStartReclaim first")
        if world.seconds < lease.reclaim_deadline:
            raise ChainError("market", 38, "reclamation window has not elapsed")
    deployment, group = _place(world, act.bid)
    group.state = "paused"
    ident = events.GroupKey(deployment.owner, deployment.dseq, group.gseq)
    world.events.typed("akash.deployment.v1.EventGroupPaused", id=ident)
    _end(world, deployment, bid, lease, act.reason)


def start_reclaim(world: World, act: StartReclaim) -> None:
    """MsgLeaseStartReclaim (v2): the lease goes on and ends when the provider closes it after the deadline."""
    lease = world.leases.get(act.bid)
    if lease is None or not world.generation.has_reclamation:
        raise ChainError("market", 8, "unknown lease")
    if lease.state != "active":
        raise ChainError("market", 10, "lease not active")
    if lease.window_seconds is None:
        raise ChainError("market", 35, "lease does not have reclamation configured")
    lease.state = "reclaiming"
    lease.reclaim_started_at = world.height
    lease.reclaim_deadline = world.seconds + lease.window_seconds
    lease.reclaim_reason = act.reason
    world.events.typed(
        "akash.market.v1.EventLeaseReclaimStarted",
        id=act.bid,
        reason=act.reason,
        deadline=str(lease.reclaim_deadline),
    )
    world.touch(lease)


def _end(world: World, deployment: Deployment, bid: Bid, lease: Lease, reason: str) -> None:
    """Close lease, bid, order and payment, in the order of the recorded events."""
    end_lease(world, lease, "closed", reason)
    close_bid_deposit(world, bid, "closed")
    world.events.typed("akash.market.v1.EventBidClosed", id=bid.id)
    order = world.orders[bid.id.order]
    order.state = "closed"
    world.events.typed("akash.market.v1.EventOrderClosed", id=order.id)
    world.touch(order)
    escrow.close_payment(world.bank, deployment.account, lease.payment, world.height)
    after_settlement(world, deployment)


def _place(world: World, bid: BidId) -> tuple[Deployment, Group]:
    deployment = world.deployment(bid.order.owner, bid.order.dseq)
    return deployment, deployment.groups[bid.order.gseq - 1]
