"""The runner for real, as a container starts it: Debian's PyTorch, small CPU mode, no GPU."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.benchmark_runs import CHALLENGE, cpu_result, run_once, start_runner
from tests.benchmark_worlds import CHALLENGE as FULL_CHALLENGE
from tests.benchmark_worlds import DRAW, full_size
from verifiers.benchmark import proof as proofs
from verifiers.benchmark.answers import ProofFacts, Result, decode_result
from verifiers.benchmark.challenge import packed_runner, runner_source
from verifiers.benchmark.plausible import SUITE_1, missing_tests
from verifiers.benchmark.proofs import NOT_OURS, mistake_of

RUNNER = Path(proofs.__file__).with_name("runner.py")


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The result of a run that reaches no platform."""
    out = tmp_path_factory.mktemp("run") / "result.json"
    run_once([str(RUNNER), "--challenge", CHALLENGE, "--out", str(out)])
    return out.read_text()


def test_runner__alone__writes_a_whole_result(alone: str) -> None:
    result = decode_result(alone)
    assert result.challenge == CHALLENGE
    assert (result.device.type, result.device.small, result.gpu) == ("cpu", True, None)
    assert missing_tests(result) == []
    assert {each.name for each in result.measurements} == set(SUITE_1)
    assert all(each.least_ns <= each.median_ns <= each.most_ns for each in result.measurements)


def test_runner__alone__proves_the_product_of_its_challenge(alone: str) -> None:
    proof = decode_result(alone).proof
    assert proof.mode == "alone"
    assert proof.seed == proofs.seed_alone(CHALLENGE)
    assert proof.draw == proofs.draw_alone(proof.seed, proof.n, proof.root)
    assert proofs.mistake_in(proof.proof) is None
    assert proofs.mistake_in(replace(proof.proof, seed=proofs.seed_alone("00" * 16))) is not None


def test_runner__fixed_challenge__gives_the_shipped_proof_on_every_machine(alone: str) -> None:
    assert decode_result(alone).proof == decode_result(cpu_result()).proof


@pytest.fixture(scope="module")
def of_three(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """The result of a run that was asked for three GPUs, and used the processor in their place."""
    out = tmp_path_factory.mktemp("run") / "result.json"
    run_once([str(RUNNER), "--challenge", CHALLENGE, "--gpus", "3", "--out", str(out)])
    return decode_result(out.read_text(), 3)


def test_runner__three_gpus__proves_a_product_of_its_own_on_each(of_three: Result) -> None:
    assert len(of_three.proofs) == len({proof.root for proof in of_three.proofs}) == 3
    assert missing_tests(of_three) == []
    assert mistake_of(CHALLENGE, of_three, None, 256) is None


def _with_others(run: Result, others: list[Any]) -> Result:
    return run.model_copy(update={"others": others})


def test_proofs__one_of_three_left_out_swapped_or_copied__is_found(of_three: Result) -> None:
    second, third = of_three.others
    for others in ([], [second], [third, second], [second, second], [second, third, third]):
        mistake = mistake_of(CHALLENGE, _with_others(of_three, others), None, 256)
        assert mistake is not None
        assert mistake.endswith(NOT_OURS)
    assert mistake_of("00" * 16, of_three, None, 256) == f"GPU 1 of 3: {NOT_OURS}"
    assert mistake_of(CHALLENGE, of_three, None, 4096) == "matrices of order 256 only"


def test_proofs__wrong_product_on_the_third__is_named(of_three: Result) -> None:
    second, third = of_three.others
    spoiled = third.proof.model_copy(update={"products": [third.proof.products[0], "00" * 32]})
    others = [second, third.model_copy(update={"proof": spoiled})]
    mistake = mistake_of(CHALLENGE, _with_others(of_three, others), None, 256)
    assert mistake is not None
    assert mistake.startswith("GPU 3 of 3: the product times the drawn vectors")


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, list[str]]]:
    """The packed runner of the SDL, its address once it is done, and what it said before."""
    process = start_runner(
        ["-c", packed_runner(), "--cpu", "--small"],
        WAYMARK_CHALLENGE=CHALLENGE,
        WAYMARK_URL="http://127.0.0.1:9",
        WAYMARK_RUNNER="no token that anybody knows",
        WAYMARK_PORT="0",
    )
    said: list[str] = []
    assert process.stderr is not None
    try:
        for line in process.stderr:
            said.append(line.strip())
            if line.startswith("serving on port"):
                break
        yield f"http://127.0.0.1:{said[-1].split()[-1]}", said
    finally:
        process.kill()
        process.wait(20)
        process.stderr.close()


def test_runner__from_its_sdl__serves_result_and_progress(served: tuple[str, list[str]]) -> None:
    address, said = served
    answer = requests.get(f"{address}/result.json", timeout=10)
    assert answer.headers["Content-Type"] == "application/json"
    assert decode_result(answer.content).challenge == CHALLENGE
    progress = requests.get(address, timeout=10).text
    assert "hf_Bert_large fp32" in progress
    assert any(line.startswith("gemm fp32") for line in said)


def test_runner__platform_out_of_reach__works_alone_and_says_so(served: tuple[str, list[str]]) -> None:
    address, said = served
    assert any(line.startswith("proof: the platform can't be used") for line in said)
    assert any(line.startswith("the platform did not take the result") for line in said)
    result = decode_result(requests.get(f"{address}/result.json", timeout=10).content)
    assert result.proof.mode == "alone"
    assert proofs.mistake_in(result.proof.proof) is None


@pytest.mark.parametrize("mode", ["alone", "interactive"])
def test_runner__proof_of_the_full_order__is_good(mode: str) -> None:
    facts: dict[str, Any] = full_size()[mode]
    proof = ProofFacts.model_validate(facts)
    assert proof.n == 4096
    assert proof.seed == proofs.seed_alone(FULL_CHALLENGE)
    assert proof.draw == (DRAW if mode == "interactive" else proofs.draw_alone(proof.seed, 4096, proof.root))
    assert proofs.mistake_in(proof.proof) is None


def test_runner__without_challenge__says_where_to_get_one() -> None:
    process = start_runner([str(RUNNER), "--cpu", "--small", "--once"])
    _, said = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "--challenge" in said


def test_runner__source__needs_torch_and_the_standard_library_alone() -> None:
    tree = ast.parse(runner_source(), feature_version=(3, 8))
    names = {
        (node.module or "").split(".")[0] if isinstance(node, ast.ImportFrom) else alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert names - set(sys.stdlib_module_names) == {"torch"}


def test_result__schema__refuses_every_missing_and_every_unknown_name() -> None:
    whole = json.loads(cpu_result())
    for name in whole:
        with pytest.raises(ValueError, match="as the runner wrote it"):
            decode_result(json.dumps({key: value for key, value in whole.items() if key != name}))
    with pytest.raises(ValueError, match="more"):
        decode_result(json.dumps({**whole, "more": 1}))
    assert isinstance(decode_result(json.dumps(whole)), Result)
