"""Hashes of the TypeScript SDK's class `SDL`, which the Console used until March 2026, and tabs in YAML.

The digests were made with npm `@akashnetwork/chain-sdk` 1.0.0-alpha.25 (licence Apache-2.0):
`SDL.fromString(text, "beta3").manifestVersion()`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from verifiers.sdl import check

BASE = (Path(__file__).parents[2] / "fixtures" / "sdl-recorded" / "typescript" / "a-ex1.yaml").read_text()
BASE_HASH = "f58bc3b3afca7a832beb6cd87e082f7d345b12fedd67b8abff87ceaf7fdea9fa"
WEST = "    west:\n      pricing"
RUNS = "    west: {profile"
AS = "        as: 80\n"
ENV = "    env:"

CLASS_HASHES = [
    (
        "placements in the order written",
        [
            (WEST, "    zeta:\n      pricing:\n        web: {denom: uakt, amount: 900}\n" + WEST),
            (RUNS, "    zeta: {profile: web, count: 1}\n" + RUNS),
        ],
        "04a294de633e9246aa396510e71f79ed1319094de3d8d0d65c950b0c6d0d2b9c",
    ),
    (
        "empty lists stay",
        [(ENV, "    command: []\n    args: []\n" + ENV)],
        "1a65ace39b9f7e4188b363814cfc5686e5342077773e9269a369de29dca327c4",
    ),
    (
        "empty accept stays",
        [(AS, AS + "        accept: []\n")],
        "283f71a1acba785675ae008fa2b899e4d45c602f649cfa5ef25b63caf0970203",
    ),
    (
        "zeros are defaults",
        [(AS, AS + "        http_options: {max_body_size: 0, read_timeout: 0, next_tries: 0}\n")],
        BASE_HASH,
    ),
    (
        "IPs numbered anew in each expose",
        [
            (
                "- global: true\n",
                "- {global: true, ip: pub}\n      - port: 9\n        to: [{global: true, ip: other}]\n",
            ),
            ("profiles:", "endpoints: {pub: {kind: ip}, other: {kind: ip}}\nprofiles:"),
        ],
        "a404a5d9ed249c01eaf78e4e0deeaf798da3a467aab01e28a44d4d6e09ccba15",
    ),
    (
        "empty attributes stay",
        [("cpu: {units: 2}", "cpu: {units: 2, attributes: {}}")],
        "9c1437962762a82136d7edc95c979528e6949fe7cf6af60ce13a6dfc51e4f202",
    ),
    (
        "gpu units as written",
        [("gpu: {units: 1", 'gpu: {units: "01"')],
        "e9099cc38aff5b518d0f3dd4f55d09933f612f77d8fd8c5ed72135cfa5489930",
    ),
    ("empty params are none", [(ENV, "    params: {}\n" + ENV)], BASE_HASH),
    (
        "params without mounts",
        [(ENV, "    params: {permissions: {read: [logs]}}\n" + ENV)],
        "d7d58f600b1e82faf129da863505a71b893da1b04d806aa1bc67a5eafe7e8650",
    ),
    (
        "params without mounts before alpha.25",
        [(ENV, "    params: {permissions: {read: [logs]}}\n" + ENV)],
        "bf0e425304b0b91191b1b3d25e89a7c200deb101a9f86eb6019ac693345724f5",
    ),
    (
        "own ids where two share a profile",
        [
            ("profiles:", "  api:\n    image: x\n    expose: [{port: 1, to: [{service: web}]}]\nprofiles:"),
            ("deployment:\n", "deployment:\n  api: {west: {profile: web, count: 1}}\n"),
            ('"2.0"', '"2.1"'),
        ],
        "77a004ad2daafec00e99df2dae76b1918cb3e1ef83c8e6ab6c3d61258e172a84",
    ),
]


def changed(changes: list[tuple[str, str]]) -> str:
    text = BASE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


@pytest.mark.parametrize(("changes", "made"), [pytest.param(*case[1:], id=case[0]) for case in CLASS_HASHES])
def test_hashes__sdl_that_the_deprecated_class_read__hold_its_hash(changes: list[tuple[str, str]], made: str) -> None:
    assert made in check(changed(changes)).manifest_hashes


TABS = [
    ("after a colon", "image: example", "image:\texample"),
    ("behind a key", "services:\n", "services:\t\n"),
    ("before a comment", "        as: 80\n", "        as: 80\t# the web\n"),
    ("in a flow mapping", "{size: 3Gi}", "{\tsize:\t3Gi\t}"),
    ("on an empty line", "profiles:", "\t\nprofiles:"),
    ("between entries", "      - port: 8888", "  \t# open\n      - port: 8888"),
]


@pytest.mark.parametrize(("old", "new"), [pytest.param(*case[1:], id=case[0]) for case in TABS])
def test_check__tab_that_is_no_indentation__changes_nothing(old: str, new: str) -> None:
    assert old in BASE
    assert check(BASE.replace(old, new, 1)).manifest_hashes == (BASE_HASH,)


@pytest.mark.parametrize("text", [BASE.replace("    image", "\timage"), BASE.replace("    env", "  \tenv")])
def test_check__tab_as_indentation__is_refused(text: str) -> None:
    assert not check(text).valid


def test_hashes__mounts_of_the_sdk__stand_as_written_or_by_name_and_in_no_other_order() -> None:
    volumes = ", ".join(f"{{name: {name}, size: 2Gi}}" for name in "cab")
    mounts = ", ".join(f"{name}: {{mount: /{name}}}" for name in "cab")
    text = BASE.replace("storage: {size: 8Gi}", f"storage: [{volumes}]")
    text = text.replace(ENV, f"    params: {{storage: {{{mounts}}}}}\n{ENV}")
    # Go walked a map: six orders of three mounts; the SDK's volumes keep their order, so its two hashes are its own
    assert len(check(text).manifest_hashes) == 6 + 2
