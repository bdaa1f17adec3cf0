"""The archive's members about spot checks of claimed GPUs."""

from __future__ import annotations

from services.archive.member import member

SPOT_SEEDS = member(
    "spot_seeds.jsonl",
    "what the moments of a task's spot checks are drawn with, committed to before the first draw",
    "task",
    """
    task text slug of the task
    commitment text SHA-256 of the seed's hex digits
    made_ns int when it was published
    seed text? 64 hex digits; null as long as a spot check of the task may still come
    """,
)
SPOT_CHECKS = member(
    "spot_checks.jsonl",
    "every spot check that was opened, or whose moment came too late; those still to come are not told",
    "id",
    """
    id text the digest of campaign, task, participant, provider, model and number (verifiers/onboarding/draws.py)
    task text slug of the task
    participant text whose GPUs
    provider text address of the provider
    gpu_model text the model
    number int counts the spot checks of these GPUs from 1
    begins_ns int from when its moment was drawn
    ends_ns int the close of the task then
    parts int how many spot checks were to come then
    chain_id text the chain
    height int the first block from begins_ns on
    block_hash text its hash, upper-case hex
    moment_ns int the moment drawn: HMAC-SHA-256 under the seed (verifiers/onboarding/draws.py)
    state text open, over, or missed: less than 24 hours were left
    gpus int GPUs claimed when it opened
    opens_ns int? when it opened
    over_ns int? when it was over
    """,
)
