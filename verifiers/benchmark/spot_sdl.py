"""The SDL of a spot check: all GPUs of a model in one lease, in as many containers as the machines need (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from verifiers.benchmark.challenge import PORT, image_for, packed_runner
from verifiers.benchmark.price import UAKT, price

MOST_CONTAINERS = 64


@dataclass(frozen=True, slots=True)
class Container:
    """One container: its challenge, what the platform knows its runner by, and how many GPUs it has."""

    challenge: str
    token: str
    gpus: int


def split(gpus: int, per_container: int) -> list[int]:
    """How many GPUs each container has: `per_container`, the last one what is left."""
    whole, rest = divmod(gpus, per_container)
    return [per_container] * whole + ([rest] if rest else [])


def spot_sdl(
    containers: Sequence[Container], platform_url: str, gpu_model: str, title: str, denom: str = UAKT
) -> str:
    """The SDL; `platform_url` empty: the runners work alone. `title`: one line that says what it is for; `denom`: the
    coin of its prices.

    The containers stand in one group, which becomes one lease; each serves its own result at an address of its own.
    """
    names = [f"benchmark-{number}" for number in range(1, len(containers) + 1)]
    named, image = list(zip(names, containers, strict=True)), image_for(gpu_model)
    services = "".join(
        _service(name, each, platform_url, image, is_first=place == 0) for place, (name, each) in enumerate(named)
    )
    profiles = "".join(_profile(name, each.gpus, gpu_model) for name, each in named)
    prices = "".join(f"        {name}: {price(denom, each.gpus)}\n" for name, each in named)
    placed = "".join(f"  {name}:\n    anywhere: {{profile: {name}, count: 1}}\n" for name in names)
    return f"""\
---
version: "2.0"
# {title}
services:
{services}profiles:
  compute:
{profiles}  placement:
    anywhere:
      pricing:
{prices}deployment:
{placed}"""


def _service(name: str, container: Container, platform_url: str, image: str, *, is_first: bool) -> str:
    packed = packed_runner().replace("'", "''")
    program = f"&runner '{packed}'" if is_first else "*runner"
    return f"""\
  {name}:
    image: {image}
    command: ["python3", "-c"]
    args:
      - {program}
    env:
      - WAYMARK_CHALLENGE={container.challenge}
      - WAYMARK_URL={platform_url}
      - WAYMARK_RUNNER={container.token}
      - WAYMARK_PORT={PORT}
      - WAYMARK_GPUS={container.gpus}
    expose:
      - port: {PORT}
        as: 80
        to:
          - global: true
"""


def _profile(name: str, gpus: int, gpu_model: str) -> str:
    return f"""\
    {name}:
      resources:
        cpu: {{units: 4}}
        memory: {{size: 16Gi}}
        storage: {{size: 20Gi}}
        gpu:
          units: {gpus}
          attributes:
            vendor:
              nvidia:
                - model: {gpu_model}
"""
