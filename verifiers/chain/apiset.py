"""API sets: which version of each Akash module a network serves, as one mapping each (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ApiSet:
    """One generation of the Akash API. The version of each module names its paths.

    `moves` says where a set of another shape keeps what the current one keeps: old dotted path to new dotted path
    within one object (`deployment.deployment_id` to `deployment.id`); a new path that ends in `[]` wraps the value
    into a list. `defaults` fills what that set does not have. `list_suffix` is the escrow lists' path ending.
    Source: shared reference akash-chain.md, sections 0 and 1.7.
    """

    name: str
    deployment: str
    market: str
    provider: str
    cert: str
    audit: str
    escrow: str
    escrow_list_suffix: str = ""
    moves: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)

    @property
    def modules(self) -> Mapping[str, str]:
        """Module name to version, as discovery spells them."""
        return {
            "deployment": self.deployment,
            "market": self.market,
            "provider": self.provider,
            "cert": self.cert,
            "audit": self.audit,
            "escrow": self.escrow,
        }

    @property
    def deployments_list(self) -> str:
        """Filters `filters.{owner,dseq,state}`."""
        return f"/akash/deployment/{self.deployment}/deployments/list"

    @property
    def deployments_info(self) -> str:
        """Takes `id.{owner,dseq}`."""
        return f"/akash/deployment/{self.deployment}/deployments/info"

    @property
    def groups_info(self) -> str:
        """Takes `id.{owner,dseq,gseq}`."""
        return f"/akash/deployment/{self.deployment}/groups/info"

    @property
    def deployment_params(self) -> str:
        """No parameters."""
        return f"/akash/deployment/{self.deployment}/params"

    @property
    def orders_list(self) -> str:
        """Filters `filters.{owner,dseq,gseq,oseq,state}`."""
        return f"/akash/market/{self.market}/orders/list"

    @property
    def orders_info(self) -> str:
        """Takes `id.{owner,dseq,gseq,oseq}`."""
        return f"/akash/market/{self.market}/orders/info"

    @property
    def bids_list(self) -> str:
        """Filters `filters.{owner,dseq,gseq,oseq,provider,bseq,state}`."""
        return f"/akash/market/{self.market}/bids/list"

    @property
    def bids_info(self) -> str:
        """Takes `id.{owner,dseq,gseq,oseq,provider,bseq}`."""
        return f"/akash/market/{self.market}/bids/info"

    @property
    def leases_list(self) -> str:
        """Filters `filters.{owner,dseq,gseq,oseq,provider,bseq,state}`."""
        return f"/akash/market/{self.market}/leases/list"

    @property
    def leases_info(self) -> str:
        """Takes `id.{owner,dseq,gseq,oseq,provider,bseq}`."""
        return f"/akash/market/{self.market}/leases/info"

    @property
    def market_params(self) -> str:
        """No parameters."""
        return f"/akash/market/{self.market}/params"

    @property
    def providers(self) -> str:
        """All providers; no filters."""
        return f"/akash/provider/{self.provider}/providers"

    def provider_info(self, owner: str) -> str:
        """One provider."""
        return f"{self.providers}/{owner}"

    @property
    def certificates_list(self) -> str:
        """Filters `filter.{owner,serial,state}`: singular."""
        return f"/akash/cert/{self.cert}/certificates/list"

    def audit_of(self, owner: str) -> str:
        """What every auditor signed for one provider; 404 where none did. The list of all is broken on real nodes."""
        return f"/akash/audit/{self.audit}/audit/attributes/{owner}/list"

    def audit_by(self, auditor: str, owner: str) -> str:
        """What one auditor signed for one provider."""
        return f"/akash/audit/{self.audit}/audit/attributes/{auditor}/{owner}"

    @property
    def escrow_accounts(self) -> str:
        """Filters `state` and `xid` (`deployment/<owner>/<dseq>`, a prefix, works only beside a state)."""
        return f"/akash/escrow/{self.escrow}/types/accounts{self.escrow_list_suffix}"

    @property
    def escrow_payments(self) -> str:
        """As `escrow_accounts`; xid `deployment/<owner>/<dseq>/<gseq>/<oseq>/<provider>`."""
        return f"/akash/escrow/{self.escrow}/types/payments{self.escrow_list_suffix}"


CURRENT = ApiSet(
    name="deployment v1beta4, market v1beta5",
    deployment="v1beta4",
    market="v1beta5",
    provider="v1beta4",
    cert="v1",
    audit="v1",
    escrow="v1",
)
"""Chain versions v1.0 to v2.1: everything that runs in 2026."""

KNOWN: tuple[ApiSet, ...] = (CURRENT,)


def reshape(document: Any, api: ApiSet) -> Any:
    """Rewrite an object of another set, or a list of them, into the current shape; the current set passes through."""
    if not api.moves and not api.defaults:
        return document
    if isinstance(document, list):
        return [reshape(item, api) for item in document]
    if not isinstance(document, dict):
        return document
    renamed = {key: reshape(value, api) for key, value in document.items()}
    for old, new in api.moves.items():
        _move(renamed, old.split("."), new.split("."))
    for path, value in api.defaults.items():
        _fill(renamed, path.split("."), value)
    return renamed


def _move(document: dict[str, Any], old: list[str], new: list[str]) -> None:
    holder: Any = document
    for step in old[:-1]:
        holder = holder.get(step) if isinstance(holder, dict) else None
    if not isinstance(holder, dict) or old[-1] not in holder:
        return
    value, last = holder.pop(old[-1]), new[-1]
    target: Any = document
    for step in new[:-1]:
        target = target.setdefault(step, {})
    if last.endswith("[]"):
        last = last[:-2]
        value = [*target.get(last, []), value]
    target[last] = value


def _fill(document: dict[str, Any], path: list[str], value: Any) -> None:
    holder: Any = document
    for step in path[:-1]:
        holder = holder.get(step) if isinstance(holder, dict) else None
    if isinstance(holder, dict):
        holder.setdefault(path[-1], value)
