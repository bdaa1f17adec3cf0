"""SDLs that one of the network's two readers refuses and the other deploys, and rules that count only where used.

The digests were made with npm `@akashnetwork/chain-sdk` 1.0.0-alpha.25 (licence Apache-2.0), `generateManifest`.
Sizes such as 700GB and 8Gb stand in templates of akash-network/awesome-akash (Grok, Clawd-Bot); the Go rules are
those of akash-network/chain-sdk, `go/sdl`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from verifiers.sdl import check, group_specs, reduce

BASE = (Path(__file__).parents[2] / "fixtures" / "sdl-recorded" / "typescript" / "a-ex1.yaml").read_text()
BASE_HASH = "f58bc3b3afca7a832beb6cd87e082f7d345b12fedd67b8abff87ceaf7fdea9fa"
STORAGE = "storage: {size: 8Gi}"
ENV = "    env:"
AS = "        as: 80\n"
GLOBAL = "          - global: true\n"

Changes = list[tuple[str, str]]

CONSOLE_ONLY: list[tuple[str, Changes, str]] = [
    (
        "size in GB",
        [("3Gi", "700GB")],
        "b41e63f3036c022596f4460937cbcd7e8229df410c9b064bc791c42be12a5589",
    ),
    (
        "size in Gb",
        [("3Gi", "8Gb")],
        "5ff6b84b881a8cf0d7eb0a99377296d498e3887d42f8898657063653ccd06e0e",
    ),
    (
        "lower-case size",
        [("3Gi", "3gi")],
        "f58bc3b3afca7a832beb6cd87e082f7d345b12fedd67b8abff87ceaf7fdea9fa",
    ),
    (
        "size in GiB",
        [("3Gi", "3GiB")],
        "bdad887dbffa3d39e09b1f91b47ce7fbe6579ce0fa75dda43bdfbf3be9c351b1",
    ),
    (
        "storage in MB",
        [("8Gi", "500MB")],
        "9b2e7e2b8459570bf7abda5828e9e1e6b92e82688b65f0804c3c937941e73780",
    ),
    (
        "cpu in M",
        [("units: 2}", "units: 1500M}")],
        "09d1aae17522a3c62248f689b5394df8f28f9847070f21c22482a3d7efef22f5",
    ),
    (
        "gpu ram in G",
        [("{model: t4}", "{model: t4, ram: 16G}")],
        "09428187277b4e5d4e36bf68296c1b1d56cbaf4a30a64c99769d04048183c7a1",
    ),
    (
        "two volumes without a name",
        [(STORAGE, "storage: [{size: 1Gi}, {size: 2Gi}]")],
        "8ab13a17d15813f7b2c48241c1a410000f555d42a3108923f97ea9bfe9189beb",
    ),
    (
        "class alone",
        [(STORAGE, "storage: {size: 1Gi, attributes: {class: beta2}}")],
        "237da602a7eac1a8403dcb1f97be2887b057fe31114ce4708d1569e5e6cfa764",
    ),
    (
        "class of a provider's own",
        [
            (STORAGE, "storage: [{size: 8Gi}, {name: d, size: 1Gi, attributes: {persistent: true, class: ssd}}]"),
            (ENV, "    params: {storage: {d: {mount: /d}}}\n" + ENV),
        ],
        "c14453e7b746d6e2fdbc19817d79a88ddb5d2b7a259944c9b74ea8a9987dbf06",
    ),
    (
        "capital boolean",
        [
            (STORAGE, "storage: [{size: 8Gi}, {name: d, size: 1Gi, attributes: {persistent: True, class: beta3}}]"),
            (ENV, "    params: {storage: {d: {mount: /d}}}\n" + ENV),
        ],
        "c40ed43f6395421a47688fec37ac905c664caa614be6fea6833aee7457f6227a",
    ),
    (
        "one IP for two ports",
        [
            (
                GLOBAL,
                "          - {global: true, ip: pub}\n      - port: 22\n        to: [{global: true, ip: pub}]\n",
            ),
            (AS, ""),
            ("profiles:", "endpoints: {pub: {kind: ip}}\nprofiles:"),
        ],
        "a46a7fcd27e1c4310eac7181c321bbae6c6d2b6d6b2e5f2ab869594be796e2e7",
    ),
    (
        "memory read only",
        [
            ('"2.0"', '"2.1"'),
            (STORAGE, "storage: [{size: 8Gi}, {name: m, size: 1Gi, attributes: {persistent: false, class: ram}}]"),
            (ENV, "    params: {storage: {m: {mount: /dev/shm, readOnly: true}}}\n" + ENV),
        ],
        "64d187d1f56a7b7aa2cd787a360faa285c239b71a3bb0c7ca1def07775dfb6df",
    ),
]


def changed(changes: Changes) -> str:
    text = BASE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


@pytest.mark.parametrize(("changes", "made"), [pytest.param(*case[1:], id=case[0]) for case in CONSOLE_ONLY])
def test_check__what_only_the_console_reads__has_its_hash_and_a_warning(changes: Changes, made: str) -> None:
    text = changed(changes)
    report = check(text)
    assert report.errors == ()
    assert report.manifest_hashes[0] == made
    assert any(warning.message.startswith("only the Console deploys this") for warning in report.warnings)
    assert reduce(text)["hashes"] == list(report.manifest_hashes)
    assert group_specs(text)


@pytest.mark.parametrize("changes", [pytest.param(case[1], id=case[0]) for case in CONSOLE_ONLY])
def test_check__what_neither_reads__is_refused(changes: Changes) -> None:
    text = changed(changes)
    number = text.replace('version: "2.', "version: 2.")  # the Console's schema wants a text
    report = check(number)
    assert not report.valid
    assert report.manifest_hashes == ()


def test_group_specs__size_of_the_console__is_the_one_on_the_chain() -> None:
    (spec,) = group_specs(BASE.replace("3Gi", "700GB").replace("{model: t4}", "{model: t4, ram: 16G}"))
    (unit,) = spec["resources"]
    assert unit["resource"]["memory"]["quantity"] == {"val": "700000000000"}
    assert unit["resource"]["gpu"]["attributes"] == [{"key": "vendor/nvidia/model/t4/ram/16G", "value": "true"}]


UNUSED = (
    "    spare: {resources: {cpu: {units: 900}, memory: {}, gpu: {units: 99, attributes: {vendor: {nvidia: }}}}}\n"
)
UNMOUNTED = "storage: {size: 8Gi, attributes: {persistent: true}}"
ACCEPTED: list[tuple[str, Changes]] = [
    ("service not deployed", [("services:\n", "services:\n  Spare:\n    env: ['9=x']\n    expose: [{port: 0}]\n")]),
    ("profile not deployed", [("  placement:", UNUSED + "  placement:")]),
    ("persistent volume of 2.1 without a mount", [('"2.0"', '"2.1"'), (STORAGE, UNMOUNTED)]),
    ("GPU without a model", [("{model: t4}", "{ram: 16Gi}")]),
    ("external port too high", [("as: 80", "as: 70000")]),
]  # fmt: skip


@pytest.mark.parametrize("changes", [pytest.param(case[1], id=case[0]) for case in ACCEPTED])
def test_check__what_the_go_parser_accepts__is_valid_with_a_warning(changes: Changes) -> None:
    report = check(changed(changes))
    assert report.errors == ()
    assert report.manifest_hashes
    assert report.warnings


REFUSED: list[tuple[str, Changes, str]] = [
    ("attributes without GPUs", [("gpu: {units: 1", "gpu: {units: 0")], "units above 0"),
    ("model twice", [("[{model: t4}]", "[{model: t4}, {model: t4}]")], "stands twice"),
    ("any model with ram", [("{model: t4}", "{model: '*', ram: 16Gi}")], "cannot be asked for"),
    ("space in a model", [("{model: t4}", "{model: gtx 1080}")], "cannot be asked for"),
    ("window of zero", [("profiles:", "reclamation: {min_window: 0s}\nprofiles:")], "above zero"),
    ("no window", [("profiles:", "reclamation:\nprofiles:")], "above zero"),
    ("cpu that nobody reads", [("units: 2}", "units: m1500}")], "write CPUs such as"),
]


@pytest.mark.parametrize(("changes", "message"), [pytest.param(*case[1:], id=case[0]) for case in REFUSED])
def test_check__what_the_chain_refuses__is_an_error(changes: Changes, message: str) -> None:
    report = check(changed(changes))
    assert any(message in error.message for error in report.errors)
