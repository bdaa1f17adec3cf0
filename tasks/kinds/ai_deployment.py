"""An AI app deployed on several providers: what is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tasks.fields import Fields
from tasks.kinds import ClaimField

KIND = "ai_deployment"
ATTRIBUTES = ("app", "gpu_model")

_IMAGE = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._:/@-]{0,254}")
_HASH = re.compile(r"[0-9a-f]{64}")


def read_params(fields: Fields) -> Mapping[str, object]:
    """Params: `group_by, providers, active_ns, gpu_models ('any' | 'listed' | ids), own_provider, apps`.

    Without `apps` any app counts, and claims are grouped by deployment (CAMPAIGN_FORMAT, "The kinds").
    """
    apps = tuple(_app(entry) for entry in fields.mappings("apps"))
    _no_slug_twice(fields, apps)
    group_by = fields.choice("group_by", ("app", "deployment"), default="app" if apps else "deployment")
    if group_by == "app" and not apps and fields.has("group_by"):
        fields.refuse("group_by", "there are no apps to group by", "list apps, or write group_by: deployment")
    return {
        "group_by": group_by,
        "providers": fields.whole("providers", least=1, most=100, default=3),
        "active_ns": fields.duration("active", "10m"),
        "gpu_models": gpu_models(fields, default="any"),
        "own_provider": fields.choice("own_provider", ("refused", "allowed"), default="refused"),
        "apps": apps,
    }


def gpu_models(fields: Fields, default: str) -> str | tuple[str, ...] | None:
    """`any`, `listed` (in the campaign's gpu_models), or a list of ids."""
    if fields.has("gpu_models") and fields.is_list("gpu_models"):
        return fields.texts("gpu_models")
    return fields.choice("gpu_models", ("any", "listed"), default=default)


def _app(entry: Fields) -> dict[str, object]:
    slug = entry.slug("slug") or ""
    app: dict[str, object] = {
        "slug": slug,
        "title": entry.text("title", slug, longest=200),
        "images": tuple(entry.listed("images", _image, "an image such as shimpa/falcon7b or ghcr.io/a/b:1.0") or ()),
        "hashes": tuple(entry.listed("hashes", _hash, "64 lower-case hex digits") or ()),
    }
    if not entry.has("images") and not entry.has("hashes"):
        entry.refuse("images", "no image and no hash says what this app is", "list the images it runs")
    entry.done()
    return app


def _no_slug_twice(fields: Fields, apps: tuple[dict[str, object], ...]) -> None:
    slugs = [app["slug"] for app in apps]
    for slug in sorted({str(each) for each in slugs if each and slugs.count(each) > 1}):
        fields.refuse("apps", f"the app {slug} stands twice", "give each app a slug of its own")


def _image(text: str) -> str:
    if _IMAGE.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no image name")
    return text


def _hash(text: str) -> str:
    if _HASH.fullmatch(text.lower()) is None:
        raise ValueError(f"{text!r} is no manifest hash")
    return text.lower()


def claim_fields(params: Mapping[str, object]) -> tuple[ClaimField, ...]:
    """Which deployment, and the SDL that its on-chain hash is compared with."""
    apps = params.get("apps")
    slugs = tuple(str(app["slug"]) for app in apps) if isinstance(apps, tuple) else ()
    return (
        ClaimField("owner", "Deployer address", "address"),
        ClaimField("dseq", "Deployment sequence (DSEQ)", "number"),
        ClaimField(
            "sdl",
            "The SDL as you deployed it",
            "sdl",
            help="We compare its hash with the one on the chain and read its images. After that the text is dropped, "
            "so secrets in it are not kept.",
        ),
        ClaimField("app", "App, where the SDL fits several", "choice", required=False, choices=slugs),
    )


def attributes(params: Mapping[str, object]) -> tuple[str, ...]:  # noqa: ARG001 - one signature for all kinds
    """`app` and `gpu_model`."""
    return ATTRIBUTES
