"""An SDL written for others, by pull request or as text: what is asked."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tasks.fields import Fields
from tasks.kinds import ClaimField

KIND = "sdl_submission"
ATTRIBUTES = ("app", "gpu_model")

_REPOSITORY = re.compile(r"(?:[a-z0-9.-]+/)?[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
_SDL_HELP = "As it stands in the pull request and as you deployed it. Everybody can read it: leave secrets out."


def read_params(fields: Fields) -> Mapping[str, object]:
    """Params: `repositories (owner/name, or host/owner/name), state, active_ns, own_run, signed_by, author_proof`."""
    return {
        "repositories": tuple(fields.listed("repositories", _repository, "owner/name") or ()),
        "state": fields.choice("state", ("open", "merged"), default="open"),
        "active_ns": fields.duration("active", "10m"),
        "own_run": fields.flag("own_run", default=True),
        "signed_by": fields.choice("signed_by", ("refused", "allowed"), default="refused"),
        "author_proof": fields.choice("author_proof", ("code", "none"), default="code"),
    }


def _repository(text: str) -> str:
    if _REPOSITORY.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no repository")
    return text


def claim_fields(params: Mapping[str, object]) -> tuple[ClaimField, ...]:
    """The SDL, and its pull request where the campaign names repositories."""
    sdl = ClaimField("sdl", "The SDL", "sdl", help=_SDL_HELP)
    repositories = params.get("repositories")
    if not isinstance(repositories, tuple) or not repositories:
        return (sdl,)
    where = repositories[0] if repositories[0].count("/") == 2 else f"github.com/{repositories[0]}"
    return (sdl, ClaimField("pull_request", "Pull request", "url", help=f"Such as https://{where}/pull/12."))


def attributes(params: Mapping[str, object]) -> tuple[str, ...]:  # noqa: ARG001 - one signature for all kinds
    """`app` and `gpu_model`."""
    return ATTRIBUTES
