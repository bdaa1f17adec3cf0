"""A challenge: whom it was given to, for which provider, until when, and the SDL that carries it (pure)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from tasks.moment import Moment, format_moment
from verifiers.benchmark.price import UAKT, price
from verifiers.provider.gpu_models import plain_name

IMAGE = "pytorch/pytorch:2.4.1-cuda12.4-cudnn9-runtime"
"""A public PyTorch image, by its tag; PyTorch 1.13 and newer will do."""

IMAGES = {
    **dict.fromkeys(("k80", "p4"), "pytorch/pytorch:2.0.1-cuda11.7-cudnn8-runtime"),
    **dict.fromkeys(
        ("b200", "b300", "rtx5090", "rtx5080", "pro6000se"), "pytorch/pytorch:2.7.1-cuda12.8-cudnn9-runtime"
    ),
}
"""By plain name, models that `IMAGE` has no code for: the oldest need CUDA 11.7 (programmes.md), the newest 12.8."""

PORT = 8080
LOOPBACK_KEY = b"only for a platform that nobody else reaches"


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge; `id` is 32 hex digits that only the holder of a server key can make for these facts."""

    id: str
    campaign: str
    participant: str
    provider: str
    issued_at: Moment
    expires_at: Moment


def server_keys(secrets: Sequence[str]) -> tuple[bytes, ...]:
    """Keys for challenges, derived from the platform's secrets, the newest first.

    Without secrets (loopback only, services/settings.py) one fixed key: challenges then survive a restart.
    """
    made = (hmac.digest(secret.encode(), b"waymark benchmark challenge", "sha256") for secret in secrets)
    return tuple(made) or (LOOPBACK_KEY,)


def issue(key: bytes, campaign: str, participant: str, provider: str, issued: Moment, expires: Moment) -> Challenge:
    """A new challenge."""
    name = _code(key, campaign, participant, provider, issued, expires)
    return Challenge(name, campaign, participant, provider, issued, expires)


def is_genuine(keys: Sequence[bytes], challenge: Challenge) -> bool:
    """Whether these facts were signed with one of our keys (security.md T13)."""
    facts = challenge.campaign, challenge.participant, challenge.provider, challenge.issued_at, challenge.expires_at
    return any(hmac.compare_digest(_code(key, *facts), challenge.id) for key in keys)


def _code(key: bytes, campaign: str, participant: str, provider: str, issued: Moment, expires: Moment) -> str:
    text = "\n".join(["challenge", campaign, participant, provider, format_moment(issued), format_moment(expires)])
    return hmac.digest(key, text.encode(), "sha256").hex()[:32]


def spot_challenge(key: bytes, spot_check: str, attempt: int, part: int) -> str:
    """The id of the challenge for one container of one attempt at a spot check."""
    return hmac.digest(key, f"spot challenge\n{spot_check}\n{attempt}\n{part}".encode(), "sha256").hex()[:32]


def is_spot_challenge(keys: Sequence[bytes], challenge_id: str, spot_check: str, attempt: int, part: int) -> bool:
    """Whether a challenge's id was made by us for this container."""
    made = (spot_challenge(key, spot_check, attempt, part) for key in keys)
    return any(hmac.compare_digest(each, challenge_id) for each in made)


def runner_token(key: bytes, challenge_id: str) -> str:
    """What the runner shows to the platform; it stands in the SDL only, never in a result."""
    return hmac.digest(key, f"runner\n{challenge_id}".encode(), "sha256").hex()


def is_runner(keys: Sequence[bytes], challenge_id: str, token: str) -> bool:
    """Whether a caller has the token of this challenge."""
    sent = token.encode("utf-8", "replace")
    return any(hmac.compare_digest(runner_token(key, challenge_id).encode(), sent) for key in keys)


def fresh_seed(key: bytes, challenge_id: str, moment: Moment) -> str:
    """The seed of an interactive proof, 64 hex digits: nobody knows it before it is given."""
    return hmac.digest(key, f"seed\n{challenge_id}\n{moment}".encode(), "sha256").hex()


def fresh_draw(key: bytes, challenge_id: str, root: str) -> str:
    """The draw of an interactive proof, 64 hex digits: bound to the commitment, unknown to whoever made it."""
    return hmac.digest(key, f"draw\n{challenge_id}\n{root}".encode(), "sha256").hex()


@cache
def runner_source() -> str:
    """The runner's text."""
    return files("verifiers.benchmark").joinpath("runner.py").read_text("utf-8")


@cache
def runner_digest() -> str:
    """SHA-256 of the runner's text, hex."""
    return hashlib.sha256(runner_source().encode()).hexdigest()


@cache
def packed_runner() -> str:
    """One line of Python that runs the runner: the container needs no download, and the manifest's hash pins it."""
    packed = base64.b85encode(zlib.compress(runner_source().encode(), 9)).decode()
    return f"import base64,zlib;exec(zlib.decompress(base64.b85decode(r'''{packed}''')))"


def image_for(gpu_model: str | None) -> str:
    """The image that runs on this model, as the network or a driver writes it; None: any model."""
    return IMAGES.get(plain_name(gpu_model or ""), IMAGE)


def sdl_text(
    challenge: Challenge, token: str, platform_url: str, gpu_model: str | None = None, denom: str = UAKT
) -> str:
    """The SDL that runs the runner with this challenge on a GPU, `gpu_model` as the network writes it or any.

    `platform_url` empty: the runner works alone. `denom`: the coin of its price.
    """
    model = f"\n                - model: {gpu_model}" if gpu_model else ""
    packed = packed_runner().replace("'", "''")
    return f"""\
---
version: "2.0"
# A benchmark for {challenge.campaign}; enter its result before {format_moment(challenge.expires_at)}.
services:
  benchmark:
    image: {image_for(gpu_model)}
    command: ["python3", "-c"]
    args:
      - '{packed}'
    env:
      - WAYMARK_CHALLENGE={challenge.id}
      - WAYMARK_URL={platform_url}
      - WAYMARK_RUNNER={token}
      - WAYMARK_PORT={PORT}
    expose:
      - port: {PORT}
        as: 80
        to:
          - global: true
profiles:
  compute:
    benchmark:
      resources:
        cpu: {{units: 4}}
        memory: {{size: 16Gi}}
        storage: {{size: 20Gi}}
        gpu:
          units: 1
          attributes:
            vendor:
              nvidia:{model}
  placement:
    anywhere:
      pricing:
        benchmark: {price(denom)}
deployment:
  benchmark:
    anywhere: {{profile: benchmark, count: 1}}
"""
