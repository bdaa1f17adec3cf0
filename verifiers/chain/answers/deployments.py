"""Deployments and their groups."""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator

from verifiers.chain.answers.border import Decoder, Listing, Pagination, Rows
from verifiers.chain.answers.escrow import EscrowAccount
from verifiers.chain.answers.numbers import Whole
from verifiers.chain.answers.resources import GpuRequest, GroupSpec
from verifiers.chain.apiset import CURRENT, ApiSet


def hex_of_base64(text: str) -> str:
    """Standard base64 to lower-case hex. Raises ValueError."""
    try:
        return binascii.a2b_base64(text, strict_mode=True).hex()
    except binascii.Error:
        raise ValueError("not base64") from None


HexHash = Annotated[str, AfterValidator(hex_of_base64)]
"""Read from base64, kept as lower-case hex."""


@dataclass(frozen=True, slots=True)
class DeploymentId:
    """Never used twice on one chain."""

    owner: str
    dseq: Whole


@dataclass(frozen=True, slots=True)
class GroupId:
    """One placement group of a deployment."""

    owner: str
    dseq: Whole
    gseq: int


@dataclass(frozen=True, slots=True)
class Reclamation:
    """The smallest notice a provider must give before taking the resources back, as the chain writes it: `8s`."""

    min_window: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """`hash` is the manifest's SHA-256 in hex; `state` is `active` or `closed`. It has no close height of its own."""

    id: DeploymentId
    state: str
    hash: HexHash
    created_at: Whole
    reclamation: Reclamation | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """`state`: `open`, `paused`, `insufficient_funds` or `closed`."""

    id: GroupId
    state: str
    group_spec: GroupSpec
    created_at: Whole

    @property
    def gpu_units(self) -> int:
        """GPUs the group asks for: units times count, summed."""
        return self.group_spec.gpu_units

    @property
    def gpu_requests(self) -> tuple[GpuRequest, ...]:
        """One entry for each resource unit that asks for GPUs."""
        return self.group_spec.gpu_requests

    @property
    def gpu_models(self) -> tuple[str, ...]:
        """Every alternative as `vendor/model`, sorted."""
        return self.group_spec.gpu_models


@dataclass(frozen=True, slots=True)
class DeploymentInfo:
    """A deployment with all it has: groups and escrow account."""

    deployment: Deployment
    groups: tuple[Group, ...]
    escrow_account: EscrowAccount

    @property
    def id(self) -> DeploymentId:
        """Owner and dseq."""
        return self.deployment.id

    @property
    def gpu_units(self) -> int:
        """GPUs asked for over all groups."""
        return sum(group.gpu_units for group in self.groups)

    @property
    def gpu_models(self) -> tuple[str, ...]:
        """Every alternative over all groups as `vendor/model`, sorted."""
        return tuple(sorted({model for group in self.groups for model in group.gpu_models}))


@dataclass(frozen=True, slots=True)
class _Deployments:
    deployments: tuple[DeploymentInfo, ...]
    pagination: Pagination | None = None


@dataclass(frozen=True, slots=True)
class _Group:
    group: Group


_deployments: Decoder[_Deployments] = Decoder(_Deployments, "list of deployments")
_group: Decoder[_Group] = Decoder(_Group, "group")

decode_deployment: Decoder[DeploymentInfo] = Decoder(DeploymentInfo, "deployment")


def decode_deployments(body: bytes, api: ApiSet = CURRENT) -> Rows[DeploymentInfo]:
    """A page of deployments."""
    page = _deployments(body, api)
    return Rows(page.deployments, page.pagination.next_key if page.pagination else None)


def decode_group(body: bytes, api: ApiSet = CURRENT) -> Group:
    """One group."""
    return _group(body, api).group


def _facts(row: DeploymentInfo) -> Mapping[str, str]:
    return {"owner": row.id.owner, "dseq": str(row.id.dseq), "state": row.deployment.state}


DEPLOYMENTS: Listing[DeploymentInfo] = Listing(
    "deployments", lambda api: api.deployments_list, decode_deployments, lambda row: row.id, _facts
)
