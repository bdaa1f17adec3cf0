"""Acts as messages: the JSON that the gateway shows of them, from which the transaction's bytes are made too."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from devnet import acts
from devnet.amounts import format_decimal, parse_decimal
from devnet.generation import Generation
from devnet.groups import GroupSpec, offered_resources
from devnet.state.events import bid_id, deployment_id, group_id

Message = dict[str, Any]
Groups = Callable[[acts.CreateDeployment | acts.UpdateDeployment], tuple[tuple[GroupSpec, ...], bytes]]


class Messages:
    """Writes messages. `read` gives groups and hash of an SDL, `spec_of` the group spec of an order, `certificate`
    the PEM texts of a certificate."""

    def __init__(
        self,
        generation: Generation,
        read: Groups,
        spec_of: Callable[[acts.OrderId], GroupSpec | None],
        certificate: Callable[[str, int], tuple[bytes, bytes]],
    ) -> None:
        self._generation = generation
        self._read = read
        self._spec_of = spec_of
        self._certificate = certificate
        self._writers: dict[type[acts.Act], Callable[[Any], Message]] = {
            acts.CreateProvider: _provider,
            acts.UpdateProvider: _provider,
            acts.CreateCertificate: self._certificate_message,
            acts.RevokeCertificate: lambda act: {"id": {"owner": act.owner, "serial": str(act.serial)}},
            acts.SignAttributes: _signed,
            acts.DeleteAttributes: _deleted,
            acts.CreateDeployment: self._deployment,
            acts.UpdateDeployment: lambda act: {
                "id": deployment_id(act.owner, act.dseq),
                "hash": _base64(self._read(act)[1]),
            },
            acts.DepositDeployment: self._deposit,
            acts.CloseDeployment: lambda act: {"id": deployment_id(act.owner, act.dseq)},
            acts.CreateBid: self._bid,
            acts.CloseBid: lambda act: {"id": bid_id(act.bid), "reason": act.reason},
            acts.CreateLease: lambda act: {"bid_id": bid_id(act.bid)},
            acts.CloseLease: lambda act: {"id": bid_id(act.bid), "reason": "lease_closed_owner"},
            acts.WithdrawLease: lambda act: {"id": bid_id(act.bid)},
            acts.StartReclaim: lambda act: {"id": bid_id(act.bid), "reason": act.reason},
            acts.Send: _send,
        }
        for kind in (acts.StartGroup, acts.PauseGroup, acts.CloseGroup):
            self._writers[kind] = lambda act: {"id": group_id(act.owner, act.dseq, act.gseq)}

    def of(self, act: acts.Act) -> Message:
        """The message of an act, `@type` first."""
        real = act.of if isinstance(act, acts.Failed) else act
        return {"@type": real.MESSAGE, **self._writers[type(real)](real)}

    def _denom(self, denom: str) -> str:
        return denom or self._generation.denom

    def _certificate_message(self, act: acts.CreateCertificate) -> Message:
        pem, public_key = self._certificate(act.owner, act.serial)
        return {"owner": act.owner, "cert": _base64(pem), "pubkey": _base64(public_key)}

    def _deployment(self, act: acts.CreateDeployment) -> Message:
        groups, digest = self._read(act)
        message: Message = {
            "id": deployment_id(act.owner, act.dseq),
            "groups": [spec.document for spec in groups],
            "hash": _base64(digest),
            "deposit": _deposit(act.deposit, self._denom(act.denom)),
        }
        if self._generation.has_reclamation:
            seconds = act.min_reclamation_seconds
            message["reclamation"] = None if seconds is None else {"min_window": f"{seconds}s"}
        return message

    def _deposit(self, act: acts.DepositDeployment) -> Message:
        return {
            "signer": act.signer,
            "id": {"scope": "deployment", "xid": f"{act.owner}/{act.dseq}"},
            "deposit": _deposit(act.amount, self._denom(act.denom)),
        }

    def _bid(self, act: acts.CreateBid) -> Message:
        spec = self._spec_of(act.bid.order) if act.gpu_models else None
        message: Message = {
            "id": bid_id(act.bid),
            "price": {"denom": self._denom(act.denom), "amount": format_decimal(parse_decimal(act.price))},
            "deposit": _deposit(act.deposit, self._denom(act.deposit_denom)),
            "resources_offer": offered_resources(spec, act.gpu_models) if spec else [],
        }
        if self._generation.has_reclamation:
            seconds = act.reclamation_window_seconds
            message["reclamation_window"] = None if seconds is None else f"{seconds}s"
        return message


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _pairs(attributes: acts.Attributes) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in attributes]


def _deposit(amount: int, denom: str) -> Mapping[str, object]:
    return {"amount": {"denom": denom, "amount": str(amount)}, "sources": ["grant", "balance"]}


def _provider(act: acts.CreateProvider) -> Message:
    return {
        "owner": act.owner,
        "host_uri": act.host_uri,
        "attributes": _pairs(act.attributes),
        "info": {"email": act.email, "website": act.website},
    }


def _signed(act: acts.SignAttributes) -> Message:
    return {"owner": act.provider, "auditor": act.auditor, "attributes": _pairs(act.attributes)}


def _deleted(act: acts.DeleteAttributes) -> Message:
    return {"owner": act.provider, "auditor": act.auditor, "keys": list(act.keys)}


def _send(act: acts.Send) -> Message:
    coin = {"denom": act.denom, "amount": str(act.amount)}
    return {"from_address": act.sender, "to_address": act.recipient, "amount": [coin]}
