"""Fee allowances and grants: both modules are there as on every node, and in no scenario anybody gives one."""

from __future__ import annotations

from devnet.addresses import BadAddressError, account_bytes
from devnet.api.answer import INVALID, Request, RestError

_NONE = '"pagination":{"next_key":null,"total":"0"}'


def allowances(request: Request) -> str:
    """x/feegrant: what an address gives, or has, for fees."""
    _check(request.values[0])
    return f'{{"allowances":[],{_NONE}}}'


def grants(request: Request) -> str:
    """x/authz: what an address lets others do, or may do for them."""
    _check(request.values[0])
    return f'{{"grants":[],{_NONE}}}'


def _check(address: str) -> None:
    try:
        account_bytes(address)
    except BadAddressError as error:
        raise RestError(INVALID, f"invalid address: {error}") from None
