"""Deployment, GPU, providers, own provider: what passes, fails, stays open, could not be seen."""

from __future__ import annotations

import pytest

from tests.deployed_cases import BY_DSEQ, CLOSED, ONE, Case, case, deployed, hold, three
from tests.deployed_worlds import OWNER, PROVIDERS, World, claim

P1, P2, *_ = PROVIDERS

CASES = [
    # 1 deployment
    case("in the window", lambda: deployed().lease(1), "passed", "deployment", "passed"),
    case("none yet", World, "pending", "deployment", "pending"),
    case("none at the close", World, "failed", "deployment", "failed", CLOSED),
    case("made before the window", lambda: deployed(created_at=40).lease(1), "pending", "deployment", "pending"),
    case(
        "that dseq made before",
        lambda: World().deploy(1, 40).lease(1),
        "failed",
        "deployment",
        "failed",
        ONE,
        **BY_DSEQ,
    ),
    case("first block of the window", lambda: deployed(created_at=50).lease(1), "passed", "deployment", "passed"),
    case("last block before it", lambda: deployed(created_at=49).lease(1), "pending", "deployment", "pending"),
    case(
        "first block after it",
        lambda: deployed(created_at=900).lease(1, created_at=901),
        "failed",
        "deployment",
        "failed",
        CLOSED,
    ),
    case(
        "last block of it",
        lambda: deployed(created_at=890).lease(1, created_at=899),
        "passed",
        "deployment",
        "passed",
        CLOSED,
    ),
    case("no such dseq", lambda: World().deploy(2), "failed", "deployment", "failed", ONE, **BY_DSEQ),
    case(
        "dseq entered before we saw its block",
        lambda: World(height=150).deploy(2),
        "pending",
        "deployment",
        "pending",
        ONE,
        **BY_DSEQ,
    ),
    case(
        "address of somebody else",
        lambda: deployed().lease(1),
        "failed",
        "deployment",
        "failed",
        claim(addresses=("akash1other",)),
    ),
    case(
        "list not readable",
        lambda: deployed().lease(1).trouble("deployments/list", "timeout"),
        "unknown",
        "deployment",
        "unknown",
    ),
    case(
        "window's blocks pruned",
        lambda: deployed().lease(1).trouble("blocks/", "pruned"),
        "unknown",
        "deployment",
        "unknown",
    ),
    case(
        "lease's side of the close pruned",
        lambda: (
            deployed()
            .lease(1, created_at=300)
            .trouble("blocks/899", "pruned")
            .trouble("blocks/900", "pruned")
            .trouble("blocks/300", "pruned")
        ),
        "unknown",
        "providers",
        "unknown",
        CLOSED,
    ),
    case(
        "one header is enough",
        lambda: deployed().lease(1).trouble("blocks/50", "pruned").trouble("blocks/49", "pruned"),
        "passed",
        "deployment",
        "passed",
    ),
    # 2 gpu
    case("no GPU", lambda: deployed(units=0).lease(1), "pending", "gpu", "pending"),
    case("no GPU at the close", lambda: deployed(units=0).lease(1), "failed", "gpu", "failed", CLOSED),
    case(
        "no GPU in that dseq", lambda: World().deploy(1, units=0).lease(1), "failed", "gpu", "failed", ONE, **BY_DSEQ
    ),
    case("model allowed", lambda: deployed().lease(1), "passed", "gpu", "passed", gpu_models=("A100", "h100")),
    case("model not allowed", lambda: deployed().lease(1), "pending", "gpu", "pending", gpu_models=("h100",)),
    case(
        "model not allowed, that dseq",
        lambda: World().deploy(1).lease(1),
        "failed",
        "gpu",
        "failed",
        ONE,
        gpu_models=("h100",),
        **BY_DSEQ,
    ),
    case(
        "alternatives, bid names an allowed one",
        lambda: deployed(models=("a100", "t4")).lease(1, offered=("a100",)),
        "passed",
        "gpu",
        "passed",
        gpu_models=("a100",),
    ),
    case(
        "alternatives, bid names another",
        lambda: deployed(models=("a100", "t4")).lease(1, offered=("t4",)),
        "pending",
        "gpu",
        "pending",
        gpu_models=("a100",),
    ),
    case(
        "any model, bid names an allowed one",
        lambda: deployed(models=("*",)).lease(1, offered=("a100",)),
        "passed",
        "gpu",
        "passed",
        gpu_models=("a100",),
    ),
    case(
        "any model, bid says nothing",
        lambda: deployed(models=("*",)).lease(1),
        "pending",
        "gpu",
        "pending",
        gpu_models=("a100",),
    ),
    case(
        "bid not readable",
        lambda: deployed(models=("a100", "t4")).lease(1).trouble("bids/info", "timeout"),
        "unknown",
        "gpu",
        "unknown",
        gpu_models=("a100",),
    ),
    case(
        "bid of the attribute not readable",
        lambda: deployed().lease(1).trouble("bids/info", "server_error"),
        "unknown",
        "gpu",
        "unknown",
    ),
    # 3 providers
    case("three of three", three, "passed", "providers", "passed", providers=3),
    case("none yet", deployed, "pending", "providers", "pending", providers=3),
    case("one of three", lambda: deployed().lease(1), "pending", "providers", "pending", providers=3),
    case(
        "one of three at the close", lambda: deployed().lease(1), "failed", "providers", "failed", CLOSED, providers=3
    ),
    case(
        "one of three and closed",
        lambda: World().deploy(1, state="closed", account="closed").lease(1, closed_on=400),
        "failed",
        "providers",
        "failed",
        ONE,
        providers=3,
        **BY_DSEQ,
    ),
    case(
        "the same provider thrice",
        lambda: deployed(groups=3).lease(1).lease(1, gseq=2).lease(1, gseq=3),
        "pending",
        "providers",
        "pending",
        providers=2,
    ),
    case(
        "two deployments together",
        lambda: deployed().lease(1).deploy(2).sdl(2).lease(2, P2, 120),
        "passed",
        "providers",
        "passed",
        providers=2,
    ),
    case(
        "not across owners",
        lambda: (
            deployed().lease(1).deploy(2, owner="akash1two").sdl(2, owner="akash1two").lease(2, P2, owner="akash1two")
        ),
        "pending",
        "providers",
        "pending",
        providers=2,
    ),
    case(
        "leases not readable",
        lambda: deployed().lease(1).trouble("leases/list", "rate_limited"),
        "unknown",
        "providers",
        "unknown",
    ),
    case(
        "order in the block not readable",
        lambda: deployed().lease(1).trouble("block_results", "timeout"),
        "unknown",
        "providers",
        "unknown",
    ),
    case(
        "order in the block pruned",
        lambda: deployed().lease(1).trouble("block_results", "pruned"),
        "passed",
        "providers",
        "passed",
    ),
    # 4 own provider
    case(
        "own refused", lambda: deployed().lease(1), "pending", "own_provider", "pending", claim(addresses=(OWNER, P1))
    ),
    case(
        "own refused at the close",
        lambda: deployed().lease(1),
        "failed",
        "own_provider",
        "failed",
        claim(addresses=(OWNER, P1), closes=CLOSED.closes),
    ),
    case(
        "own allowed",
        lambda: deployed().lease(1),
        "passed",
        "own_provider",
        "passed",
        claim(addresses=(OWNER, P1)),
        own_provider="allowed",
    ),
    case(
        "own beside enough others",
        lambda: deployed(groups=2).lease(1).lease(1, P2, gseq=2),
        "passed",
        "own_provider",
        "passed",
        claim(addresses=(OWNER, P1)),
    ),
]


@pytest.mark.parametrize("row", CASES)
def test_judge__one_situation__gives_outcome_and_check(row: Case) -> None:
    hold(row)
