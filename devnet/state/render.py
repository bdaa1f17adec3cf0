"""The JSON of every object as the gateway writes it: proto names, 64-bit numbers as text, 18 decimals."""

from __future__ import annotations

import base64
import json

from devnet.acts import Attributes, BidId, OrderId
from devnet.amounts import format_decimal
from devnet.generation import Generation
from devnet.state.objects import (
    ESCROW_STATES,
    Account,
    Bid,
    Certificate,
    Deployment,
    Group,
    Lease,
    Order,
    Payment,
    Provider,
)

Pieces = tuple[bytes, ...]


def text(value: str) -> str:
    """A JSON string as Go writes it: `<`, `>` and `&` escaped, other letters as they are."""
    out = json.dumps(value, ensure_ascii=False)
    return out.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def dec_coin(denom: str, amount: int) -> str:
    """A coin with 18 decimals."""
    return f'{{"denom":"{denom}","amount":"{format_decimal(amount)}"}}'


def order_id(order: OrderId) -> str:
    """The id of an order."""
    return f'{{"owner":"{order.owner}","dseq":"{order.dseq}","gseq":{order.gseq},"oseq":{order.oseq}}}'


def bid_id(bid: BidId) -> str:
    """The id of a bid or a lease."""
    return f'{order_id(bid.order)[:-1]},"provider":"{bid.provider}","bseq":{bid.bseq}}}'


def attributes(pairs: Attributes) -> str:
    """A list of attributes in the order given."""
    return "[" + ",".join(f'{{"key":{text(key)},"value":{text(value)}}}' for key, value in pairs) + "]"


def account(item: Account) -> bytes:
    """An escrow account."""
    transferred = ",".join(dec_coin(denom, amount) for denom, amount in item.transferred.items())
    funds = ",".join(dec_coin(denom, amount) for denom, amount in item.funds.items())
    deposits = ",".join(
        f'{{"owner":"{each.owner}","height":"{each.height}","source":"balance",'
        f'"balance":{dec_coin(each.denom, each.amount)}}}'
        for each in item.deposits
    )
    return (
        f'{{"id":{{"scope":"{item.scope}","xid":"{item.xid}"}},"state":{{"owner":"{item.owner}",'
        f'"state":"{ESCROW_STATES[item.state]}","transferred":[{transferred}],"settled_at":"{item.settled_at}",'
        f'"funds":[{funds}],"deposits":[{deposits}]}}}}'
    ).encode()


def payment(item: Payment) -> bytes:
    """An escrow payment."""
    order = item.lease.order
    return (
        f'{{"id":{{"aid":{{"scope":"deployment","xid":"{order.owner}/{order.dseq}"}},'
        f'"xid":"{order.gseq}/{order.oseq}/{item.lease.provider}"}},"state":{{"owner":"{item.lease.provider}",'
        f'"state":"{ESCROW_STATES[item.state]}","rate":{dec_coin(item.denom, item.rate)},'
        f'"balance":{dec_coin(item.denom, item.balance)},"unsettled":{dec_coin(item.denom, item.unsettled)},'
        f'"withdrawn":{{"denom":"{item.denom}","amount":"{item.withdrawn}"}}}}}}'
    ).encode()


def group(owner: str, dseq: int, item: Group) -> Pieces:
    """A group."""
    head = f'{{"id":{{"owner":"{owner}","dseq":"{dseq}","gseq":{item.gseq}}},"state":"{item.state}","group_spec":'
    return head.encode(), item.spec.json, f',"created_at":"{item.created_at}"}}'.encode()


def deployment(item: Deployment, generation: Generation) -> Pieces:
    """A deployment with groups and account: the element of a list and the whole of an info."""
    digest = base64.b64encode(item.hash).decode()
    head = (
        f'{{"deployment":{{"id":{{"owner":"{item.owner}","dseq":"{item.dseq}"}},"state":"{item.state}",'
        f'"hash":"{digest}","created_at":"{item.created_at}"'
    )
    if generation.has_reclamation:
        head += f',"reclamation":{min_window(item.min_reclamation_seconds)}'
    pieces: list[bytes] = [(head + '},"groups":[').encode()]
    for place, each in enumerate(item.groups):
        if place:
            pieces.append(b",")
        pieces += group(item.owner, item.dseq, each)
    return (*pieces, b'],"escrow_account":', account(item.account), b"}")


def min_window(seconds: int | None) -> str:
    """What a deployment or an order asks for reclamation."""
    return "null" if seconds is None else f'{{"min_window":"{seconds}s"}}'


def order(item: Order, generation: Generation) -> Pieces:
    """An order."""
    tail = f',"created_at":"{item.created_at}"'
    if generation.has_reclamation:
        tail += f',"reclamation":{min_window(item.min_reclamation_seconds)}'
    head = f'{{"id":{order_id(item.id)},"state":"{item.state}","spec":'
    return head.encode(), item.spec.json, (tail + "}").encode()


def bid(item: Bid, generation: Generation) -> Pieces:
    """A bid with its deposit's account."""
    head = (
        f'{{"bid":{{"id":{bid_id(item.id)},"state":"{item.state}","price":{dec_coin(item.denom, item.price)},'
        f'"created_at":"{item.created_at}","resources_offer":'
    )
    tail = "},"
    if generation.has_reclamation:
        window = item.reclamation_window_seconds
        shown = "null" if window is None else f'"{window}s"'
        tail = f',"reclamation_window":{shown}' + tail
    return head.encode(), item.offer, tail.encode(), b'"escrow_account":', account(item.account), b"}"


def lease(item: Lease, generation: Generation) -> Pieces:
    """A lease with its payment."""
    head = (
        f'{{"lease":{{"id":{bid_id(item.id)},"state":"{item.state}","price":{dec_coin(item.denom, item.price)},'
        f'"created_at":"{item.created_at}","closed_on":"{item.closed_on}","reason":"{item.reason}"'
    )
    if generation.has_reclamation:
        head += f',"reclamation":{reclamation(item)}'
    return (head + '},"escrow_payment":').encode(), payment(item.payment), b"}"


def reclamation(item: Lease) -> str:
    """The terms of reclamation of a lease and how far it has gone."""
    if item.window_seconds is None:
        return "null"
    return (
        f'{{"window":"{item.window_seconds}s","started_at":"{item.reclaim_started_at}",'
        f'"deadline":"{item.reclaim_deadline}","reason":"{item.reclaim_reason}"}}'
    )


def provider(item: Provider) -> Pieces:
    """A provider."""
    return (
        (
            f'{{"owner":"{item.owner}","host_uri":{text(item.host_uri)},"attributes":{attributes(item.attributes)},'
            f'"info":{{"email":{text(item.email)},"website":{text(item.website)}}}}}'
        ).encode(),
    )


def certificate(item: Certificate) -> Pieces:
    """A certificate with its serial."""
    pem = base64.b64encode(item.pem).decode()
    public_key = base64.b64encode(item.public_key_pem).decode()
    return (
        (
            f'{{"certificate":{{"state":"{item.state}","cert":"{pem}","pubkey":"{public_key}"}},'
            f'"serial":"{item.serial}"}}'
        ).encode(),
    )


def audited(owner: str, auditor: str, pairs: Attributes) -> Pieces:
    """Attributes of a provider that an auditor signed, sorted by key."""
    return (f'{{"owner":"{owner}","auditor":"{auditor}","attributes":{attributes(tuple(sorted(pairs)))}}}'.encode(),)
