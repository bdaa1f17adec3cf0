"""Which image an entry of a campaign means."""

from __future__ import annotations

import pytest

from verifiers.sdl.images import full_name, matches, matches_any

FULL = [
    ("nginx", "docker.io/library/nginx"),
    ("nginx:1.25", "docker.io/library/nginx:1.25"),
    ("shimpa/falcon7b", "docker.io/shimpa/falcon7b"),
    ("docker.io/nginx", "docker.io/library/nginx"),
    ("docker.io/a/b", "docker.io/a/b"),
    ("ghcr.io/a/b:1.0", "ghcr.io/a/b:1.0"),
    ("localhost/a", "localhost/a"),
    ("registry.example:5000/a", "registry.example:5000/a"),
]


@pytest.mark.parametrize(("image", "full"), FULL)
def test_full_name__short_image__gets_registry_and_namespace(image: str, full: str) -> None:
    assert full_name(image) == full


MATCHES = [
    ("any tag", "example/falcon7b", "example/falcon7b:2", True),
    ("no tag", "example/falcon7b", "docker.io/example/falcon7b", True),
    ("any digest", "example/falcon7b", "example/falcon7b@sha256:" + "a" * 64, True),
    ("tag and digest", "example/falcon7b", "example/falcon7b:1@sha256:" + "a" * 64, True),
    ("library", "library/nginx", "nginx:1", True),
    ("same tag", "example/falcon7b:2", "docker.io/example/falcon7b:2", True),
    ("other tag", "example/falcon7b:2", "example/falcon7b:3", False),
    ("tag against none", "example/falcon7b:2", "example/falcon7b", False),
    ("same digest", "a/b@sha256:" + "a" * 64, "a/b@sha256:" + "a" * 64, True),
    ("other digest", "a/b@sha256:" + "a" * 64, "a/b@sha256:" + "b" * 64, False),
    ("other registry", "example/falcon7b", "ghcr.io/example/falcon7b", False),
    ("longer name", "example/falcon7b", "example/falcon7b-fake", False),
    ("deeper name", "example/falcon7b", "evil/example/falcon7b", False),
    ("port is no tag", "registry.example:5000/a", "registry.example:5000/a:1", True),
]


@pytest.mark.parametrize(("entry", "image", "same"), [pytest.param(*case[1:], id=case[0]) for case in MATCHES])
def test_matches__entry_and_image__follow_the_campaign_format(entry: str, image: str, same: bool) -> None:
    assert matches(entry, image) is same
    assert matches_any(["other/one", entry], image) is same
