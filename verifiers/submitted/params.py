"""The params of an `sdl_submission` task as its judge reads them (CAMPAIGN_FORMAT, "The kinds")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from verifiers.codehost.links import allowed_repositories
from verifiers.provider.gpu_models import ListedModel, ModelNames


@dataclass(frozen=True, slots=True)
class SubmissionParams:
    """`repositories` as `host/owner/name`: none, and no pull request is asked. `active_ns`: of the author's run.

    `models`: from a spelling of a GPU model to the campaign's id, any other to its plain spelling.
    """

    repositories: tuple[str, ...]
    must_be_merged: bool
    active_ns: int
    asks_own_run: bool
    refuses_signed_by: bool
    asks_code: bool
    models: ModelNames

    @property
    def asks_pull_request(self) -> bool:
        """Whether the SDL is judged where its pull request stands."""
        return bool(self.repositories)


def submission_params(params: Mapping[str, object]) -> SubmissionParams:
    """Read params that the campaign's loading has validated. Raises ValueError for a mapping of another form."""
    repositories, active = params.get("repositories", ()), params["active_ns"]
    if not isinstance(repositories, tuple | list) or not isinstance(active, int):
        raise ValueError("these are no params of an SDL submission")
    return SubmissionParams(
        repositories=allowed_repositories(map(str, repositories)),
        must_be_merged=params.get("state", "open") == "merged",
        active_ns=active,
        asks_own_run=bool(params.get("own_run", True)),
        refuses_signed_by=params.get("signed_by", "refused") == "refused",
        asks_code=params.get("author_proof", "code") == "code",
        models=ModelNames(_listed(params.get("campaign_gpu_models")), is_open=True),
    )


def _listed(models: object) -> list[ListedModel]:
    """The campaign's own list, which gives a model's spellings; what an SDL asks for need not stand there."""
    return [
        ListedModel(str(each["id"]), tuple(map(str, each.get("aliases") or ())))
        for each in (models if isinstance(models, tuple | list) else ())
        if isinstance(each, Mapping)
    ]
