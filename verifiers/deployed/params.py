"""The params of an `ai_deployment` task as its judge reads them (CAMPAIGN_FORMAT, "The kinds")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class App:
    """One app of the catalogue: the images it runs and the manifest hashes that are known to be it."""

    slug: str
    title: str
    images: tuple[str, ...]
    hashes: frozenset[str]


@dataclass(frozen=True, slots=True)
class DeploymentParams:
    """`gpu_models`: lower-case names that count, None for any. Without `apps` any app counts."""

    providers: int
    active_ns: int
    groups_by_app: bool
    gpu_models: frozenset[str] | None
    allows_own_provider: bool
    apps: tuple[App, ...]

    def app(self, slug: str) -> App | None:
        """The app with this slug."""
        return next((app for app in self.apps if app.slug == slug), None)


def deployment_params(params: Mapping[str, object]) -> DeploymentParams:
    """Read params that the campaign's loading has validated and completed with defaults.

    `listed` models are expected to be written out already. Raises ValueError for a mapping of another form.
    """
    apps = tuple(_app(entry) for entry in _each(params.get("apps", ())))
    models = params.get("gpu_models", "any")
    return DeploymentParams(
        providers=_whole(params["providers"]),
        active_ns=_whole(params["active_ns"]),
        groups_by_app=params.get("group_by", "app") == "app" and bool(apps),
        gpu_models=None if isinstance(models, str) else frozenset(str(model).lower() for model in _each(models)),
        allows_own_provider=params.get("own_provider", "refused") == "allowed",
        apps=apps,
    )


def _app(entry: object) -> App:
    if not isinstance(entry, Mapping):
        raise ValueError("an app is a mapping")
    return App(
        slug=str(entry["slug"]),
        title=str(entry.get("title") or entry["slug"]),
        images=tuple(str(image) for image in _each(entry.get("images", ()))),
        hashes=frozenset(str(known).lower() for known in _each(entry.get("hashes", ()))),
    )


def _each(value: object) -> Iterable[object]:
    if value is None:
        return ()
    if not isinstance(value, Iterable) or isinstance(value, str):
        raise ValueError("a list was expected")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise ValueError("a whole number was expected")
    return value
