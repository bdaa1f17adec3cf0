"""Deployments and groups: creating, updating, paying in, pausing, closing."""

from __future__ import annotations

from collections.abc import Callable

from devnet.acts import (
    CloseDeployment,
    CloseGroup,
    CreateDeployment,
    DepositDeployment,
    OrderId,
    PauseGroup,
    StartGroup,
    UpdateDeployment,
)
from devnet.groups import GroupSpec
from devnet.state import escrow, events
from devnet.state.market import close_order, is_live
from devnet.state.objects import OPEN, OVERDRAWN, ChainError, Deployment, Group, Lease, Order
from devnet.state.world import World

MINIMUM_DEPOSIT = 500_000

Read = Callable[[CreateDeployment | UpdateDeployment], tuple[tuple[GroupSpec, ...], bytes]]
"""Gives the group specs and the hash of an act's SDL."""


def create_deployment(world: World, act: CreateDeployment, read: Read) -> None:
    """MsgCreateDeployment: the deployment, its groups, an order for each, the deposit."""
    denom = act.denom or world.generation.denom
    groups, digest = read(act)
    if (act.owner, act.dseq) in world.deployments:
        raise ChainError("deployment", 3, "Deployment exists")
    if denom != world.generation.denom or any(group.denom != denom for group in groups):
        raise ChainError("deployment", 20, "Deposit invalid")
    if act.deposit < MINIMUM_DEPOSIT:
        log = f"Deposit too low - {act.deposit} < {MINIMUM_DEPOSIT}{denom}: Deposit invalid"
        raise ChainError("deployment", 20, log)
    window = act.min_reclamation_seconds if world.generation.has_reclamation else None
    if window is not None and window < world.generation.min_reclamation_seconds:
        log = "min_window below governance minimum: invalid reclamation configuration"
        raise ChainError("deployment", 26, log)
    world.bank.check(act.owner, act.deposit, denom)
    world.events.typed(
        "akash.deployment.v1.EventDeploymentCreated",
        hash=digest,
        id=events.DeploymentKey(act.owner, act.dseq),
    )
    made = [Group(place, spec, world.height) for place, spec in enumerate(groups, start=1)]
    orders = [_new_order(world, act.owner, act.dseq, group, window) for group in made]
    account = escrow.open_account(
        world.bank,
        "deployment",
        f"{act.owner}/{act.dseq}",
        act.owner,
        act.deposit,
        denom,
        height=world.height,
        first_denom=denom,
    )
    deployment = Deployment(act.owner, act.dseq, digest, world.height, made, account, window, orders=orders)
    world.deployments[act.owner, act.dseq] = deployment
    world.touch(deployment)


def update_deployment(world: World, act: UpdateDeployment, read: Read) -> None:
    """MsgUpdateDeployment: only the hash changes."""
    deployment = world.deployment(act.owner, act.dseq)
    if deployment.state != "active":
        raise ChainError("deployment", 5, "Deployment closed")
    deployment.hash = read(act)[1]
    world.events.typed(
        "akash.deployment.v1.EventDeploymentUpdated",
        hash=deployment.hash,
        id=events.DeploymentKey(act.owner, act.dseq),
    )
    world.touch(deployment)


def deposit_deployment(world: World, act: DepositDeployment) -> None:
    """MsgAccountDeposit into the account of a deployment."""
    deployment = world.deployment(act.owner, act.dseq)
    denom = act.denom or world.generation.denom
    escrow.deposit(world.bank, deployment.account, act.signer, act.amount, denom, height=world.height)
    world.touch(deployment)
    for order in deployment.orders:
        for bid in order.bids.values():
            if bid.id in world.leases:
                world.touch(world.leases[bid.id])


def close_deployment(world: World, act: CloseDeployment) -> None:
    """MsgCloseDeployment: settle, pay, give back, close everything."""
    deployment = world.deployment(act.owner, act.dseq)
    if deployment.state != "active":
        raise ChainError("deployment", 5, "Deployment closed")
    escrow.close_account(world.bank, deployment.account, world.height)
    after_settlement(world, deployment)


def start_group(world: World, act: StartGroup) -> None:
    """MsgStartGroup: a paused group gets a new order."""
    deployment, group = _group(world, act.owner, act.dseq, act.gseq)
    if group.state != "paused":
        raise _group_error("open" if group.state == "open" else "closed")
    if any(order.id.gseq == group.gseq and order.state in {"open", "active"} for order in deployment.orders):
        raise ChainError("undefined", 1, "order active: create order: active order exists")
    group.state = "open"
    world.events.typed("akash.deployment.v1.EventGroupStarted", id=events.GroupKey(act.owner, act.dseq, group.gseq))
    new_order(world, deployment, group)


def pause_group(world: World, act: PauseGroup) -> None:
    """MsgPauseGroup."""
    deployment, group = _group(world, act.owner, act.dseq, act.gseq)
    if group.state != "open":
        raise _group_error("paused" if group.state == "paused" else "closed")
    _end_group(world, deployment, group, "paused", "akash.deployment.v1.EventGroupPaused")


def close_group(world: World, act: CloseGroup) -> None:
    """MsgCloseGroup."""
    deployment, group = _group(world, act.owner, act.dseq, act.gseq)
    if group.state not in {"open", "paused"}:
        raise _group_error("closed")
    _end_group(world, deployment, group, "closed", "akash.deployment.v1.EventGroupClosed")


def new_order(world: World, deployment: Deployment, group: Group) -> None:
    """Another order of a group that is open."""
    order = _new_order(world, deployment.owner, deployment.dseq, group, deployment.min_reclamation_seconds)
    deployment.orders.append(order)
    world.touch(deployment)


def after_settlement(world: World, deployment: Deployment) -> None:
    """What follows once an account was settled: every lease shows its payment, and an account that is closed or ran
    out closes its deployment, groups, orders, bids and leases."""
    account = deployment.account
    world.touch(deployment)
    for lease in _leases(world, deployment):
        world.touch(lease)
    if account.state == OPEN or deployment.state != "active":
        return
    broke = account.state == OVERDRAWN
    deployment.state = "closed"
    world.events.typed(
        "akash.deployment.v1.EventDeploymentClosed", id=events.DeploymentKey(deployment.owner, deployment.dseq)
    )
    for group in deployment.groups:
        if group.state in {"open", "paused"}:
            group.state = "insufficient_funds" if broke else "closed"
            ident = events.GroupKey(deployment.owner, deployment.dseq, group.gseq)
            world.events.typed("akash.deployment.v1.EventGroupClosed", id=ident)
            for order in _orders_to_close(world, deployment, group):
                close_order(world, order, broke=broke)


def _end_group(world: World, deployment: Deployment, group: Group, state: str, event: str) -> None:
    group.state = state
    world.events.typed(event, id=events.GroupKey(deployment.owner, deployment.dseq, group.gseq))
    world.touch(deployment)
    for order in _orders_to_close(world, deployment, group):
        leases = [bid.id for bid in order.bids.values() if bid.id in world.leases]
        ended = [world.leases[bid] for bid in leases if is_live(world.leases[bid])]
        close_order(world, order, broke=False)
        for lease in ended:
            escrow.close_payment(world.bank, deployment.account, lease.payment, world.height)
        if ended:
            after_settlement(world, deployment)


def _orders_to_close(world: World, deployment: Deployment, group: Group) -> list[Order]:
    """Active orders, and in v2 the open ones too (akash-recorded-v2/README.md)."""
    states = {"open", "active"} if world.generation.closes_open_orders else {"active"}
    return [order for order in deployment.orders if order.id.gseq == group.gseq and order.state in states]


def _leases(world: World, deployment: Deployment) -> list[Lease]:
    return [
        world.leases[bid.id] for order in deployment.orders for bid in order.bids.values() if bid.id in world.leases
    ]


def _new_order(world: World, owner: str, dseq: int, group: Group, window: int | None) -> Order:
    group.last_oseq += 1
    ident = OrderId(owner, dseq, group.gseq, group.last_oseq)
    order = Order(ident, group.spec, world.height, min_reclamation_seconds=window)
    world.orders[ident] = order
    world.events.typed("akash.market.v1.EventOrderCreated", id=ident)
    world.touch(order)
    return order


def _group_error(state: str) -> ChainError:
    return ChainError("deployment", {"closed": 15, "open": 16, "paused": 17}[state], f"Group {state}")


def _group(world: World, owner: str, dseq: int, gseq: int) -> tuple[Deployment, Group]:
    deployment = world.deployment(owner, dseq)
    if not 1 <= gseq <= len(deployment.groups):
        raise ChainError("deployment", 14, "Group not found")
    return deployment, deployment.groups[gseq - 1]
