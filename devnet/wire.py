"""Protobuf bytes of transactions, written from the JSON of their messages by small tables of fields.

Field numbers: akash-network/chain-sdk `proto/node`, cosmos-sdk `proto/cosmos`; checked byte for byte against
recorded transactions. What is `null` or empty stays out, a message that may not be null is written even when empty.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from devnet.amounts import parse_decimal

Field = tuple[int, str, str]
"""Number, JSON name, kind: a scalar (`text`, `uint`, `base64`, `decimal`, `seconds`, `enum:NAME`) or a message;
a leading `*` stands for a list, a leading `?` for a message that may be null."""

ENUMS: Mapping[str, Mapping[str, int]] = {
    "endpoint": {"SHARED_HTTP": 0, "RANDOM_PORT": 1, "LEASED_IP": 2},
    "source": {"invalid": 0, "balance": 1, "grant": 2},
    "scope": {"invalid": 0, "deployment": 1, "bid": 2},
    "reason": {
        "lease_closed_invalid": 0,
        "lease_closed_owner": 1,
        "lease_closed_reason_unstable": 10000,
        "lease_closed_reason_decommission": 10001,
        "lease_closed_reason_unspecified": 10002,
        "lease_closed_reason_manifest_timeout": 10003,
        "lease_closed_reason_insufficient_funds": 20000,
    },
}

MESSAGES: Mapping[str, Sequence[Field]] = {
    "Attribute": ((1, "key", "text"), (2, "value", "text")),
    "Coin": ((1, "denom", "text"), (2, "amount", "text")),
    "DecCoin": ((1, "denom", "text"), (2, "amount", "decimal")),
    "Deposit": ((1, "amount", "Coin"), (5, "sources", "packed:source")),
    "DeploymentID": ((1, "owner", "text"), (2, "dseq", "uint")),
    "GroupID": ((1, "owner", "text"), (2, "dseq", "uint"), (3, "gseq", "uint")),
    "BidID": (
        (1, "owner", "text"),
        (2, "dseq", "uint"),
        (3, "gseq", "uint"),
        (4, "oseq", "uint"),
        (5, "provider", "text"),
        (6, "bseq", "uint"),
    ),
    "Value": ((1, "val", "text"),),
    "Units": ((1, "units", "Value"), (2, "attributes", "*Attribute")),
    "Memory": ((1, "quantity", "Value"), (2, "attributes", "*Attribute")),
    "Volume": ((1, "name", "text"), (2, "quantity", "Value"), (3, "attributes", "*Attribute")),
    "Endpoint": ((1, "kind", "enum:endpoint"), (2, "sequence_number", "uint")),
    "Resources": (
        (1, "id", "uint"),
        (2, "cpu", "?Units"),
        (3, "memory", "?Memory"),
        (4, "storage", "*Volume"),
        (5, "gpu", "?Units"),
        (6, "endpoints", "*Endpoint"),
    ),
    "Unit": ((1, "resource", "Resources"), (2, "count", "uint"), (3, "price", "DecCoin")),
    "Offer": ((1, "resources", "Resources"), (2, "count", "uint")),
    "SignedBy": ((1, "all_of", "*text"), (2, "any_of", "*text")),
    "Requirements": ((1, "signed_by", "SignedBy"), (2, "attributes", "*Attribute")),
    "GroupSpec": ((1, "name", "text"), (2, "requirements", "Requirements"), (3, "resources", "*Unit")),
    "Reclamation": ((1, "min_window", "seconds"),),
    "Info": ((1, "email", "text"), (2, "website", "text")),
    "Account": ((1, "scope", "enum:scope"), (2, "xid", "text")),
    "CertificateID": ((1, "owner", "text"), (2, "serial", "text")),
    "/akash.provider.v1beta4.MsgCreateProvider": (
        (1, "owner", "text"),
        (2, "host_uri", "text"),
        (3, "attributes", "*Attribute"),
        (4, "info", "Info"),
    ),
    "/akash.cert.v1.MsgCreateCertificate": ((1, "owner", "text"), (2, "cert", "base64"), (3, "pubkey", "base64")),
    "/akash.cert.v1.MsgRevokeCertificate": ((1, "id", "CertificateID"),),
    "/akash.audit.v1.MsgSignProviderAttributes": (
        (1, "owner", "text"),
        (2, "auditor", "text"),
        (3, "attributes", "*Attribute"),
    ),
    "/akash.audit.v1.MsgDeleteProviderAttributes": (
        (1, "owner", "text"),
        (2, "auditor", "text"),
        (3, "keys", "*text"),
    ),
    "/akash.deployment.v1beta4.MsgCreateDeployment": (
        (1, "id", "DeploymentID"),
        (2, "groups", "*GroupSpec"),
        (3, "hash", "base64"),
        (4, "deposit", "Deposit"),
        (5, "reclamation", "?Reclamation"),
    ),
    "/akash.deployment.v1beta4.MsgUpdateDeployment": ((1, "id", "DeploymentID"), (3, "hash", "base64")),
    "/akash.deployment.v1beta4.MsgCloseDeployment": ((1, "id", "DeploymentID"),),
    "/akash.deployment.v1beta4.MsgStartGroup": ((1, "id", "GroupID"),),
    "/akash.escrow.v1.MsgAccountDeposit": ((1, "signer", "text"), (2, "id", "Account"), (3, "deposit", "Deposit")),
    "/akash.market.v1beta5.MsgCreateBid": (
        (1, "id", "BidID"),
        (2, "price", "DecCoin"),
        (3, "deposit", "Deposit"),
        (4, "resources_offer", "*Offer"),
        (5, "reclamation_window", "seconds"),
    ),
    "/akash.market.v1beta5.MsgCloseBid": ((1, "id", "BidID"), (2, "reason", "enum:reason")),
    "/akash.market.v1beta5.MsgCreateLease": ((1, "bid_id", "BidID"),),
    "/akash.market.v1beta5.MsgWithdrawLease": ((1, "id", "BidID"),),
    "/cosmos.bank.v1beta1.MsgSend": ((1, "from_address", "text"), (2, "to_address", "text"), (3, "amount", "*Coin")),
    "Side": ((1, "address", "text"), (2, "coins", "*Coin")),
    "/cosmos.bank.v1beta1.MsgMultiSend": ((1, "inputs", "*Side"), (2, "outputs", "*Side")),
}

SAME_AS = {
    "/akash.provider.v1beta4.MsgUpdateProvider": "/akash.provider.v1beta4.MsgCreateProvider",
    "/akash.deployment.v1beta4.MsgPauseGroup": "/akash.deployment.v1beta4.MsgStartGroup",
    "/akash.deployment.v1beta4.MsgCloseGroup": "/akash.deployment.v1beta4.MsgStartGroup",
    "/akash.market.v1beta5.MsgCloseLease": "/akash.market.v1beta5.MsgCloseBid",
    "/akash.market.v1beta5.MsgLeaseStartReclaim": "/akash.market.v1beta5.MsgCloseBid",
}


def encode(kind: str, value: Mapping[str, Any]) -> bytes:
    """The bytes of one message from its JSON."""
    out = bytearray()
    for number, name, field_kind in MESSAGES[SAME_AS.get(kind, kind)]:
        item = value.get(name)
        if field_kind.startswith("*"):
            for each in item or ():
                out += _field(number, field_kind[1:], each, keep_empty=True)
        elif item is not None or field_kind[0] != "?":
            out += _field(number, field_kind.lstrip("?"), item, keep_empty=False)
    return bytes(out)


def transaction(messages: Sequence[Mapping[str, Any]], memo: str, auth_info: bytes, signature: bytes) -> bytes:
    """The bytes of a whole transaction (cosmos.tx.v1beta1.TxRaw)."""
    body = b"".join(
        octets(1, octets(1, message["@type"].encode()) + octets(2, encode(message["@type"], message)))
        for message in messages
    )
    if memo:
        body += octets(2, memo.encode())
    return octets(1, body) + octets(2, auth_info) + octets(3, signature)


def auth_info(public_key: bytes, sequence: int, fee: int, gas_limit: int) -> bytes:
    """The bytes of AuthInfo for one signer in the direct mode who pays in uakt."""
    key = octets(1, b"/cosmos.crypto.secp256k1.PubKey") + octets(2, octets(1, public_key))
    signer = octets(1, key) + octets(2, octets(1, number_field(1, 1))) + number_field(3, sequence)
    coin = encode("Coin", {"denom": "uakt", "amount": str(fee)})
    return octets(1, signer) + octets(2, octets(1, coin) + number_field(2, gas_limit))


def response_data(kind: str) -> bytes:
    """`data` of a transaction that succeeded: the empty response of its message."""
    return octets(2, octets(1, f"{kind}Response".encode()))


def _field(number: int, kind: str, value: Any, *, keep_empty: bool) -> bytes:
    writer = _SCALARS.get(kind)
    if writer is not None:
        return writer(number, value, keep_empty)
    if kind.startswith("enum:"):
        return number_field(number, ENUMS.get(kind[5:], {}).get(value, 0))
    if kind.startswith("packed:"):
        return octets(number, bytes(ENUMS[kind[7:]][each] for each in value)) if value else b""
    return octets(number, encode(kind, value))


def _text(number: int, value: Any, keep_empty: bool) -> bytes:  # noqa: FBT001
    return octets(number, str(value).encode()) if value or keep_empty else b""


def _seconds(number: int, value: Any, keep_empty: bool) -> bytes:  # noqa: ARG001, FBT001
    return b"" if value is None else octets(number, number_field(1, int(value[:-1])))


_SCALARS: Mapping[str, Callable[[int, Any, bool], bytes]] = {
    "text": _text,
    "uint": lambda number, value, _: number_field(number, int(value)),
    "base64": lambda number, value, _: octets(number, base64.b64decode(value)) if value else b"",
    "decimal": lambda number, value, _: octets(number, str(parse_decimal(value)).encode()),
    "seconds": _seconds,
}


def number_field(number: int, value: int) -> bytes:
    """A whole number as field `number`; 0 is left out."""
    return varint(number << 3) + varint(value) if value else b""


def octets(number: int, data: bytes) -> bytes:
    """Bytes as field `number`, written also where there are none."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    """A whole number in the fewest bytes."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
