"""What the index shows of a participant's deployments that may become claims (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from verifiers.deployed.apps import AppFinding, app_of, given_sdls
from verifiers.deployed.gates import model_names
from verifiers.deployed.params import DeploymentParams
from verifiers.evidence import Candidate, IndexedDeployment, Observation


def candidates_of(
    task: str, deployments: Iterable[IndexedDeployment], entered: Iterable[Observation], params: DeploymentParams
) -> list[Candidate]:
    """One candidate for each GPU deployment, in the order they were made.

    `needs` is empty where the app is known, and then subject and fields are set.
    """
    given = given_sdls(entered)
    found = []
    for row in sorted(deployments, key=lambda row: (row.created_at, row.owner, row.dseq)):
        if row.gpu_units < 1:
            continue
        finding = app_of(row.hash, row.owner, row.dseq, params.apps, given)
        has_sdl = any((sdl.owner, sdl.dseq) == (row.owner, row.dseq) for sdl in given)
        needs = _needs(params, row, finding, has_sdl=has_sdl)
        last = finding.app if params.groups_by_app else str(row.dseq)
        found.append(
            Candidate(
                task=task,
                owner=row.owner,
                dseq=row.dseq,
                subject=None if needs or last is None else f"{row.owner}/{last}",
                app=finding.app,
                gpu_models=tuple(sorted(model_names(row.gpu_models))),
                providers=tuple(dict.fromkeys(row.providers)),
                needs=needs,
                fields={} if needs else _fields(row, finding),
            )
        )
    return found


def _fields(row: IndexedDeployment, finding: AppFinding) -> Mapping[str, str]:
    fields = {"owner": row.owner, "dseq": str(row.dseq)}
    return fields if finding.app is None else fields | {"app": finding.app}


def _needs(params: DeploymentParams, row: IndexedDeployment, finding: AppFinding, *, has_sdl: bool) -> str:
    asked = model_names(row.gpu_models)
    if params.gpu_models is not None and asked and not asked & params.gpu_models and "*" not in asked:
        return "This GPU model does not count for the task."
    if not params.apps or finding.app is not None:
        return ""
    if len(finding.matching) > 1:
        return f"Name the app that you deployed: {', '.join(finding.matching)}."
    if finding.is_proven:
        return "Its SDL runs none of the task's apps."
    if has_sdl:
        return "Add the SDL exactly as deployed: the one you gave has another hash than the chain."
    return "Add your SDL."
