"""What a participant enters for a deployment, checked and reduced (pure)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from verifiers.deployed.apps import REQUEST
from verifiers.deployed.params import App, DeploymentParams
from verifiers.evidence import EnteredSdl, Entry, EntryRefused
from verifiers.sdl import SdlRefused, reduce
from verifiers.sdl.images import matches_any

__all__ = ["REQUEST", "entered_deployment"]

_DSEQ = re.compile(r"[1-9][0-9]{0,19}", re.ASCII)


def entered_deployment(fields: Mapping[str, str], params: DeploymentParams, addresses: Sequence[str]) -> Entry:
    """The claim that `owner, dseq, sdl, app` make. Raises EntryRefused with the field and how to mend it."""
    owner, dseq = fields.get("owner", "").strip(), fields.get("dseq", "").strip()
    if owner not in addresses:
        raise EntryRefused("owner", "Enter one of your own addresses; link another one first, by its signature.")
    if _DSEQ.fullmatch(dseq) is None:
        raise EntryRefused("dseq", "The DSEQ is a whole number, such as 1234567.")
    named = fields.get("app", "").strip() or None
    if named is not None and params.app(named) is None:
        raise EntryRefused("app", f"There is no app {named[:60]!r} here; choose one of the list.")
    reduced = _reduced(fields.get("sdl", ""))
    app = _app(params, reduced, named)
    sdls = () if reduced is None else (EnteredSdl(owner, int(dseq), named, _canonical(reduced, named)),)
    subject = f"{owner}/{app if params.groups_by_app else dseq}"
    kept = {"owner": owner, "dseq": dseq}
    return Entry(subject, kept | {"app": app} if app else kept, sdls)


def _reduced(text: str) -> dict[str, object] | None:
    if not text.strip():
        return None
    try:
        return reduce(text)
    except SdlRefused as refused:
        raise EntryRefused("sdl", f"This SDL is not valid: {refused}") from refused


def _canonical(reduced: Mapping[str, object], named: str | None) -> bytes:
    content = dict(reduced) if named is None else {**reduced, "app": named}
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _app(params: DeploymentParams, reduced: Mapping[str, object] | None, named: str | None) -> str | None:
    """The app of the SDL; None where none is asked for. Raises EntryRefused where it can't be said."""
    if not params.apps:
        return None
    if reduced is None:
        if named is None and params.groups_by_app:
            raise EntryRefused("sdl", "Add the SDL exactly as you deployed it: it shows which app runs.")
        return named
    matching = [app.slug for app in params.apps if _runs(app, reduced)]
    if not matching:
        titles = ", ".join(app.title for app in params.apps[:8])
        raise EntryRefused("sdl", f"No service with a GPU in this SDL runs an image of the task's apps: {titles}.")
    if named is not None and named not in matching:
        raise EntryRefused("app", f"This SDL does not run it; it runs {', '.join(matching)}.")
    if named is None and len(matching) > 1:
        raise EntryRefused("app", f"This SDL fits several apps; name one: {', '.join(matching)}.")
    return named or matching[0]


def _runs(app: App, reduced: Mapping[str, object]) -> bool:
    hashes, services = reduced["hashes"], reduced["services"]
    if isinstance(hashes, list) and app.hashes.intersection(hashes):
        return True
    if not isinstance(services, list):
        return False
    return any(service["gpu"] and matches_any(app.images, service["image"]) for service in services)
