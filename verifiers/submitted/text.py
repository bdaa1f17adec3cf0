"""The rules that an SDL's own text must meet (pure)."""

from __future__ import annotations

from verifiers.deployed.wording import count_of, listed
from verifiers.evidence import Outcome
from verifiers.submitted.finding import Finding, Findings
from verifiers.submitted.params import SubmissionParams
from verifiers.submitted.record import Submission

MEND = "Mend the SDL and send it again: the time of the mended version counts."


def text_findings(submission: Submission, params: SubmissionParams, make: Findings) -> tuple[Finding, ...]:
    """The checks `gpu`, `images`, `exposed` and `signed_by`."""
    ids = (submission.observation,)

    def made(name: str, expected: str, seen: str, *, is_met: bool, mend: str) -> Finding:
        outcome = Outcome.PASSED if is_met else Outcome.FAILED
        return make.made(name, expected, seen, outcome, ids, f"{mend} {MEND}")

    unpinned, exposed = submission.texts("unpinned"), submission.texts("exposed")
    images = [str(each.get("image", "")) for each in submission.services]
    found = [
        _gpu(submission, make),
        made(
            "images",
            "every image pinned by a tag other than latest, or by a digest",
            f"not pinned: {listed(unpinned)}" if unpinned else listed(dict.fromkeys(images)),
            is_met=not unpinned,
            mend="Name the version of each image.",
        ),
        made(
            "exposed",
            "a port open to the world",
            listed(exposed) or "none",
            is_met=bool(exposed),
            mend="Expose a port with to: [{global: true}].",
        ),
    ]
    if params.refuses_signed_by:
        filtered = submission.texts("signed_by")
        seen = f"in placement {listed(filtered)}" if filtered else "none"
        mend = "Take signedBy out: it keeps providers from bidding."
        found.append(made("signed_by", "no signedBy filter", seen, is_met=not filtered, mend=mend))
    return tuple(found)


def _gpu(submission: Submission, make: Findings) -> Finding:
    expected = "a deployed service whose own profile asks for a GPU"
    ids = (submission.observation,)
    asking = [
        f"{each.get('name')}: {_gpus(each)}"
        for each in submission.services
        if isinstance(each.get("gpu"), dict) and _units(each)
    ]
    if asking:
        return make.made("gpu", expected, listed(asking), Outcome.PASSED, ids)
    idle = submission.texts("idle_gpus")
    seen = f"only in {listed(idle)}, a profile that no service is deployed with" if idle else "no GPU asked for"
    missing = f"Put the GPU into the profile of the service that needs it. {MEND}"
    return make.made("gpu", expected, seen, Outcome.FAILED, ids, missing)


def _units(service: object) -> int:
    gpu = service.get("gpu") if isinstance(service, dict) else None
    units = gpu.get("units") if isinstance(gpu, dict) else None
    return units if isinstance(units, int) else 0


def _gpus(service: object) -> str:
    gpu = service.get("gpu") if isinstance(service, dict) else None
    models = gpu.get("models") if isinstance(gpu, dict) else None
    names = listed("any model" if name == "*" else str(name) for name in models) if isinstance(models, list) else ""
    return f"{count_of(_units(service), 'GPU')} ({names})"


def asked_model(submission: Submission) -> str | None:
    """The one GPU model that the SDL asks for; None for several or any."""
    found: set[str] = set()
    for service in submission.services:
        gpu = service.get("gpu")
        models = gpu.get("models") if isinstance(gpu, dict) else None
        found |= set(map(str, models)) if isinstance(models, list) else set()
    return found.pop() if len(found) == 1 and "*" not in found else None
