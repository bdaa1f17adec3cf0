"""What leases on a participant's provider may become: one claim for each GPU that a tenant leased there (pure)."""

from __future__ import annotations

from collections.abc import Iterable

from verifiers.evidence import Candidate, IndexedDeployment
from verifiers.onboarding.entry import MOST
from verifiers.onboarding.params import OnboardingParams


def candidates_of(
    task: str, provider: str, deployments: Iterable[IndexedDeployment], params: OnboardingParams
) -> list[Candidate]:
    """Claims 1 to n for each model of which one tenant leased n GPUs at once.

    `deployments`: those with a lease on the provider, of registered tenants, within the window, the oldest first.
    """
    most: dict[str, IndexedDeployment] = {}
    for deployment in deployments:
        if params.tenants is not None and deployment.owner not in params.tenants:
            continue
        models = {params.names.id_of(name.partition("/")[2]) for name in deployment.gpu_models}
        model = next(iter(models), None)
        if len(models) == 1 and model and (model not in most or deployment.gpu_units > most[model].gpu_units):
            most[model] = deployment
    return [
        Candidate(
            task=task,
            owner=provider,
            dseq=deployment.dseq,
            subject=f"{provider}/{model}/{number}",
            app=None,
            gpu_models=(model,),
            providers=(provider,),
            fields={"provider": provider, "gpu_model": model, "count": str(number)},
        )
        for model, deployment in sorted(most.items())
        for number in range(1, min(deployment.gpu_units, MOST) + 1)
    ]
