"""SDLs that were deployed on real nodes: their hashes and group specs come out of our rules."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from verifiers.sdl import check, group_specs, reduce, report_json
from verifiers.sdl.manifest import canonical, exposed_entries, groups, ip_sequence_numbers
from verifiers.sdl.parse import parse
from verifiers.sdl.reading import Problems
from verifiers.sdl.validate import read_sdl

RECORDED = Path(__file__).parents[2] / "fixtures" / "sdl-recorded"


def load(path: str) -> object:
    return json.loads((RECORDED / path).read_text())


DEPLOYED = [
    pytest.param(f"{version}/{row['sdl']}", row["hash_hex"], id=f"{version}-{row['dseq']}-{row['kind']}")
    for version in ("v1", "v2")
    for row in load(f"{version}/hashes.json")["deployed"]
]
TYPESCRIPT = [
    pytest.param(f"{folder}/{name}", wanted, id=f"{folder}-{name}")
    for folder, table in (("v1", "v1/typescript-hashes.json"), ("typescript", "typescript/hashes.json"))
    for name, wanted in load(table).items()
]
SPECS = [
    pytest.param(f"{version}/{row['sdl']}", row["group_specs"], id=f"{version}-{row['dseq']}")
    for version in ("v1", "v2")
    for row in load(f"{version}/group-specs.json")
]

EXAMPLE_1 = (RECORDED / "typescript" / "a-ex1.yaml").read_text()
EXAMPLE_1_HASH = "f58bc3b3afca7a832beb6cd87e082f7d345b12fedd67b8abff87ceaf7fdea9fa"
EXAMPLE_2 = (RECORDED / "typescript" / "b-ex2.yaml").read_text()


@pytest.mark.parametrize(("path", "on_chain"), DEPLOYED)
def test_hashes__deployed_sdl__hold_the_hash_on_the_chain(path: str, on_chain: str) -> None:
    assert on_chain in check((RECORDED / path).read_bytes()).manifest_hashes


@pytest.mark.parametrize("path", sorted(f"{v}/{p.name}" for v in ("v1", "v2") for p in (RECORDED / v).glob("*.yaml")))
def test_check__recorded_sdl__is_valid(path: str) -> None:
    report = check((RECORDED / path).read_text())
    assert report.errors == ()
    assert report.manifest_hashes


@pytest.mark.parametrize(("path", "wanted"), TYPESCRIPT)
def test_hashes__sdl_that_the_typescript_sdk_read__hold_its_hash(path: str, wanted: object) -> None:
    report = check((RECORDED / path).read_bytes())
    if isinstance(wanted, str) and report.valid:
        assert wanted in report.manifest_hashes
    elif not isinstance(wanted, str) and report.valid:
        text = (RECORDED / path).read_text()
        assert len(report.manifest_hashes) == 1, f"the SDK refuses {text[:40]}: only the Go rule may stand"


@pytest.mark.parametrize(("path", "specs"), SPECS)
def test_group_specs__recorded_deployment__equal_the_chain(path: str, specs: object) -> None:
    assert group_specs((RECORDED / path).read_text()) == specs


def test_hashes__worked_example_1__is_one_for_both_rules() -> None:
    assert check(EXAMPLE_1).manifest_hashes == (EXAMPLE_1_HASH,)


def test_hashes__worked_example_2__begin_with_both_documented_ones() -> None:
    assert check(EXAMPLE_2).manifest_hashes[:2] == (
        "fcf4b30d10709fae68aa7b18fb65d34a7a3beb3e5127b318a0988bce07a64cc5",
        "b5276f8fec6ee3ff5247af1842b128f8df839e78c6c9789d9a3fc5d29a67fb1d",
    )


def test_canonical__worked_example_1__is_the_documented_text() -> None:
    problems = Problems()
    sdl = read_sdl(parse(EXAMPLE_1).root, problems)
    numbers = ip_sequence_numbers(sdl)
    text = canonical(groups(sdl, {"web": exposed_entries(sdl.services["web"], numbers)}))
    assert '"endpoints":[{"sequence_number":0}]' in text
    assert text.startswith('[{"name":"west","services":[{"args":null,"command":null,"count":1,"credentials":null')
    assert hashlib.sha256(text.encode()).hexdigest() == EXAMPLE_1_HASH


def test_hashes__price_denom_and_reclamation__are_not_in_the_manifest() -> None:
    changed = EXAMPLE_1.replace("denom: uakt", "denom: uact").replace(
        "services:", "reclamation: {min_window: 8s}\nservices:"
    )
    assert check(changed).manifest_hashes == (EXAMPLE_1_HASH,)


def test_reduce__deployed_sdl__keeps_services_and_no_text() -> None:
    reduced = reduce((RECORDED / "v1" / "03-rag-three-services.yaml").read_text())
    assert reduced["services"] == [
        {"name": "answer", "image": "example/answerer:2", "count": 1, "gpu": {"units": 1, "models": ["a100"]}},
        {"name": "embed", "image": "example/embedder:2", "count": 1, "gpu": {"units": 1, "models": ["t4"]}},
        {"name": "ui", "image": "example/rag-ui:0.9", "count": 1, "gpu": None},
    ]
    assert set(reduced) == {"hashes", "version", "services", "findings"}


def test_reduce__sdl_with_secrets__names_them_without_telling_them() -> None:
    text = (RECORDED / "v1" / "11-credentials-20.yaml").read_text()
    with_token = text.replace("    expose:", '    env: ["HF_TOKEN=hf_abcdefghijklmnopqrstuvwxyz"]\n    expose:')
    reduced = reduce(with_token)
    assert [finding["sort"] for finding in reduced["findings"]] == ["registry password", "access token"]
    assert "hf_abc" not in json.dumps(reduced)
    assert "not-a-real-password" not in json.dumps(reduced)


def test_report_json__gpu_sdl__has_the_documented_keys() -> None:
    document = report_json(check((RECORDED / "v1" / "05-ram-interface.yaml").read_text()))
    assert list(document) == ["valid", "errors", "warnings", "gpu", "images", "manifest_hashes"]
    assert document["gpu"]["units"] == 4
    assert document["gpu"]["models"] == ["a100", "h100"]
    assert json.loads(json.dumps(document)) == document
