"""An SDL as the network understands it: the values that the manifest and the group specs are built from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """`http_options` of an expose; sizes in bytes, times in milliseconds; 0 stands for the default."""

    max_body_size: int = 0
    read_timeout: int = 0
    send_timeout: int = 0
    next_tries: int = 0
    next_timeout: int = 0
    proxy_buffer_size: int = 0
    next_cases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExposeTo:
    """One element of `to`."""

    service: str
    is_global: bool
    ip: str
    line: int


@dataclass(frozen=True, slots=True)
class Expose:
    """One element of `expose`; `external_port` is `as`, 0 where absent; `proto` as written."""

    port: int
    external_port: int
    proto: str
    to: tuple[ExposeTo, ...]
    hosts: tuple[str, ...] | None
    http: HttpOptions
    line: int
    path: str

    @property
    def protocol(self) -> str:
        """TCP or UDP."""
        return self.proto.upper() or "TCP"


@dataclass(frozen=True, slots=True)
class Mount:
    """One entry of `params.storage`."""

    name: str
    mount: str
    read_only: bool
    line: int
    path: str


@dataclass(frozen=True, slots=True)
class Params:
    """`params` of a service; `read` is None where no permissions stand, `tee` empty where none is asked."""

    storage: tuple[Mount, ...]
    read: tuple[str, ...] | None
    tee: str
    line: int


@dataclass(frozen=True, slots=True)
class Credentials:
    """The log-in to a private registry."""

    host: str
    email: str
    username: str
    password: str


@dataclass(frozen=True, slots=True)
class Service:
    """One service. `command`, `args`, `env` are None where absent, empty where an empty list was written."""

    name: str
    image: str
    command: tuple[str, ...] | None
    args: tuple[str, ...] | None
    env: tuple[str, ...] | None
    expose: tuple[Expose, ...]
    params: Params | None
    credentials: Credentials | None
    line: int
    path: str


@dataclass(frozen=True, slots=True)
class GpuModel:
    """One alternative of a GPU request; `model` is `*` for any. `ram` (such as 80Gi) and `interface` where given."""

    model: str
    ram: str | None = None
    interface: str | None = None

    @property
    def key(self) -> str:
        """The attribute key on the chain."""
        ram = "" if self.ram is None else f"/ram/{self.ram}"
        return f"vendor/nvidia/model/{self.model}{ram}" + (f"/interface/{self.interface}" if self.interface else "")


@dataclass(frozen=True, slots=True)
class Volume:
    """One volume; attributes sorted by key, None where no attributes map was written."""

    name: str
    size_bytes: int
    attributes: Mapping[str, str] | None
    line: int

    @property
    def persistent(self) -> str | None:
        """The text of the attribute `persistent`."""
        return None if self.attributes is None else self.attributes.get("persistent")

    @property
    def is_ram(self) -> bool:
        """Whether the volume lies in memory."""
        return self.attributes is not None and self.attributes.get("class") == "ram"


@dataclass(frozen=True, slots=True)
class Compute:
    """One compute profile. `gpu_models` holds the alternatives as written; empty where no attributes stand."""

    name: str
    cpu_thousandths: int
    cpu_arch: str | None
    memory_bytes: int
    volumes: tuple[Volume, ...]
    gpu_units: int
    gpu_models: tuple[GpuModel, ...]
    line: int
    path: str


@dataclass(frozen=True, slots=True)
class Price:
    """The highest price per block, as decimal text of `denom`."""

    denom: str
    amount: str
    line: int
    path: str


@dataclass(frozen=True, slots=True)
class Placement:
    """One placement profile: requirements and prices by compute profile."""

    name: str
    attributes: Mapping[str, str]
    all_of: tuple[str, ...]
    any_of: tuple[str, ...]
    pricing: Mapping[str, Price]
    line: int


@dataclass(frozen=True, slots=True)
class Deployed:
    """One (service, placement) pair of `deployment`."""

    service: str
    placement: str
    profile: str
    count: int
    line: int
    path: str


@dataclass(frozen=True, slots=True)
class Sdl:
    """A whole SDL. `shares_profiles` is the rule of 2.1: services of one profile share a resource unit."""

    shares_profiles: bool
    services: Mapping[str, Service]
    computes: Mapping[str, Compute]
    placements: Mapping[str, Placement]
    deployed: tuple[Deployed, ...]
    endpoints: Mapping[str, int] = field(default_factory=dict)
