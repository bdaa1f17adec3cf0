"""Orders, bids and leases (akash-network/node `x/market`; events in the order of the recordings)."""

from __future__ import annotations

from devnet.acts import BidId, CreateBid
from devnet.amounts import parse_decimal
from devnet.groups import compact, meets, offered_resources
from devnet.state import escrow, events
from devnet.state.objects import CLOSED, Bid, ChainError, Lease, Order, Payment
from devnet.state.world import World

MINIMUM_BID_DEPOSIT = 500_000
MAXIMUM_BIDS = 20


def is_live(lease: Lease) -> bool:
    """Whether a lease runs: reclaiming still pays."""
    return lease.state in {"active", "reclaiming"}


def create_bid(world: World, act: CreateBid) -> None:
    """MsgCreateBid."""
    order = world.orders.get(act.bid.order)
    if order is None:
        raise ChainError("market", 15, "invalid order: order not found")
    if len([bid for bid in order.bids.values() if bid.state == "open"]) > MAXIMUM_BIDS:
        raise ChainError("market", 27, f"too many existing bids ({MAXIMUM_BIDS})")
    _check_bid(world, act, order)
    denom = act.denom or world.generation.denom
    deposit_denom = act.deposit_denom or world.generation.denom
    window = act.reclamation_window_seconds if world.generation.has_reclamation else None
    _check_window(world, order, window)
    world.bank.check(act.bid.provider, act.deposit, deposit_denom)
    price = parse_decimal(act.price)
    world.events.typed(
        "akash.market.v1.EventBidCreated",
        id=act.bid,
        price=events.Price(denom, price),
    )
    account = escrow.open_account(
        world.bank,
        "bid",
        bid_path(act.bid),
        act.bid.provider,
        act.deposit,
        deposit_denom,
        height=world.height,
        first_denom=deposit_denom,
    )
    offer = compact(offered_resources(order.spec, act.gpu_models)) if act.gpu_models else b"[]"
    bid = Bid(act.bid, price, denom, world.height, offer, account, reclamation_window_seconds=window)
    world.bids[act.bid] = order.bids[act.bid.provider] = bid
    world.touch(bid)


def bid_path(bid: BidId) -> str:
    """The xid of a bid's account."""
    order = bid.order
    return f"{order.owner}/{order.dseq}/{order.gseq}/{order.oseq}/{bid.provider}"


def close_order(world: World, order: Order, *, broke: bool) -> None:
    """An order ends with its group: its open or accepted bids are closed and paid back, its lease ends."""
    order.state = "closed"
    world.events.typed("akash.market.v1.EventOrderClosed", id=order.id)
    world.touch(order)
    for _, bid in sorted(order.bids.items()):
        if bid.state not in {"open", "active"}:
            continue
        close_bid_deposit(world, bid, "closed")
        world.events.typed("akash.market.v1.EventBidClosed", id=bid.id)
        lease = world.leases.get(bid.id)
        if lease is not None and is_live(lease):
            reason = "lease_closed_reason_insufficient_funds" if broke else "lease_closed_owner"
            end_lease(world, lease, "insufficient_funds" if broke else "closed", reason)


def close_bid_deposit(world: World, bid: Bid, state: str) -> None:
    """A bid ends: its deposit goes back to the provider."""
    bid.state = state
    bid.account.settled_at = world.height
    bid.account.state = CLOSED
    escrow.refund(world.bank, bid.account)
    world.touch(bid)


def end_lease(world: World, lease: Lease, state: str, reason: str) -> None:
    """A lease ends; its payment is the caller's."""
    lease.state = state
    lease.closed_on = world.height
    lease.reason = reason
    world.events.typed("akash.market.v1.EventLeaseClosed", id=lease.id, reason=reason)
    world.touch(lease)


def new_lease(world: World, bid: Bid) -> Lease:
    """The lease of an accepted bid with its payment; the caller has checked everything."""
    order = bid.id.order
    payment = Payment(bid.id, bid.price, bid.denom)
    account = world.deployments[order.owner, order.dseq].account
    escrow.settle_for_new_payment(account, world.height)
    account.payments[f"{order.gseq}/{order.oseq}/{bid.id.provider}"] = payment
    lease = Lease(bid.id, bid.price, bid.denom, world.height, payment, window_seconds=bid.reclamation_window_seconds)
    world.leases[bid.id] = lease
    world.touch(lease)
    return lease


def _check_bid(world: World, act: CreateBid, order: Order) -> None:
    """The checks of the handler in its order. Raises ChainError."""
    denom = act.denom or world.generation.denom
    if act.deposit < MINIMUM_BID_DEPOSIT:
        raise ChainError("market", 31, f"mismatched deposit: need {MINIMUM_BID_DEPOSIT}{denom}: invalid deposit")
    if order.state != "open":
        raise ChainError("market", 24, "order closed")
    if denom != order.spec.denom or parse_decimal(act.price) > order.spec.price:
        code, log = world.generation.price_too_high
        raise ChainError("market", code, log)
    provider = world.providers.get(act.bid.provider)
    if provider is None:
        raise ChainError("market", 30, "unknown provider")
    if act.bid.provider == order.id.owner:
        raise ChainError("market", 32, "provider and tenant are the same")
    signed = {auditor: pairs for (owner, auditor), pairs in world.audits.items() if owner == provider.owner}
    if not meets(order.spec, provider.attributes, signed):
        raise ChainError("market", 5, "attribute mismatch")
    if act.bid.provider in order.bids:
        raise ChainError("market", 21, "invalid bid: bid exists from provider")
    if parse_decimal(act.price) == 0:
        raise ChainError("market", 22, "bid price is invalid")


def _check_window(world: World, order: Order, window: int | None) -> None:
    wanted = order.min_reclamation_seconds
    if window is None:
        if wanted is not None:
            raise ChainError("market", 40, "order requires reclamation but bid does not offer it")
        return
    if wanted is not None and window < wanted:
        raise ChainError("market", 41, "reclamation window shorter than order minimum")
    if not world.generation.min_reclamation_seconds <= window <= world.generation.max_reclamation_seconds:
        raise ChainError("market", 39, "reclamation window outside governance bounds")
