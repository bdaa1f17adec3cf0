"""The proofs of one container, one for each of its GPUs, against the challenge that they answer (pure)."""

from __future__ import annotations

from verifiers.benchmark import proof as one
from verifiers.benchmark.answers import ProofFacts, Result
from verifiers.benchmark.record import MeasuredFacts

NOT_OURS = "seed, commitment or draw are not those of this challenge"


def mistake_of(challenge: str, result: Result, measured: MeasuredFacts | None, least_order: int) -> str | None:
    """What is wrong with the proofs of a result, in words for its reader; None where every GPU's is good.

    `measured`: what we gave and got where the proof was interactive. Seed and draw of every further GPU follow from
    those of the first, and what was committed to covers all of them.
    """
    first, proofs = result.proof, result.proofs
    if (smallest := min(proof.n for proof in proofs)) < least_order:
        return f"matrices of order {smallest} only"
    if any((proof.mode, proof.n) != (first.mode, first.n) for proof in proofs):
        return NOT_OURS
    root = one.joint_root([proof.root for proof in proofs])
    if first.mode == "alone":
        seed = one.seed_alone(challenge)
        draw = one.draw_alone(seed, first.n, root)
    elif measured is None or (measured.n, measured.root) != (first.n, root):
        return NOT_OURS
    else:
        seed, draw = measured.seed, measured.draw
    for gpu, proof in enumerate(proofs):
        mistake = _mistake(proof, one.seed_of(seed, gpu), one.draw_of(draw, gpu))
        if mistake is not None:
            return mistake if len(proofs) == 1 else f"GPU {gpu + 1} of {len(proofs)}: {mistake}"
    return None


def _mistake(proof: ProofFacts, seed: str, draw: str) -> str | None:
    return one.mistake_in(proof.proof) if (proof.seed, proof.draw) == (seed, draw) else NOT_OURS
