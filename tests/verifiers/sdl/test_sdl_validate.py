"""What is wrong with an SDL is said with its line, its path and how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from verifiers.sdl import check, group_specs, reduce, report_text
from verifiers.sdl.report import SdlRefused

BASE = (Path(__file__).parents[2] / "fixtures" / "sdl-recorded" / "typescript" / "a-ex1.yaml").read_text()
AS = "        as: 80\n"
STORAGE = "storage: {size: 8Gi}"
ENV = "    env:"

CASES = [
    ("no version", 'version: "2.0"\n', "", 1, "version", 'begins with version: "2.0"'),
    ("old version", '"2.0"', '"1.5"', 1, "version", '"2.0" or "2.1"'),
    ("unknown top-level field", 'version: "2.0"', 'version: "2.0"\nvolumes: {}', 2, "volumes", "remove 'volumes'"),
    ("service name", "  web:\n    image", "  Web:\n    image", 3, "services.Web", "rename the service"),
    ("no image", "image: example/notebook:1.4", "image: ", 4, "services.web.image", "name the container image"),
    ("env name", "TOKEN=9f2c", "9=x", 6, "services.web.env[0]", "NAME=value"),
    ("env no list", "    env:\n      - TOKEN=9f2c", "    env: A=1", 5, "services.web.env", "must be a list"),
    ("port", "port: 8888", "port: 0", 8, "services.web.expose[0].port", "between 1 and 65535"),
    ("quoted port", "port: 8888", 'port: "8888"', 8, "services.web.expose[0].port", "without quotes"),
    ("port too high", "port: 8888", "port: 70000", 8, "services.web.expose[0].port", "between 1 and 65535"),
    ("proto", AS, AS + "        proto: sctp\n", 10, "services.web.expose[0].proto", "tcp or udp"),
    ("no global", "global: true", "service: web", 26, "services", "global: true"),
    ("global no bool", "global: true", "global: maybe", 11, "services.web.expose[0].to[0].global", "true or false"),
    ("host", AS, AS + "        accept: [Not_A_Host]\n", 8, "services.web.expose[0]", "no lower-case host name"),
    ("host twice", AS, AS + "        accept: [a.example, a.example]\n", 8, "services.web.expose[0]", "twice"),
    (
        "ip undeclared",
        "global: true",
        "{global: true, ip: pub}",
        11,
        "services.web.expose[0]",
        "declare the endpoint",
    ),
    ("ip not global", "global: true", "{service: web, ip: pub}", 11, "services.web.expose[0]", "needs global: true"),
    ("endpoint unused", "profiles:", "endpoints: {pub: {kind: ip}}\nprofiles:", 12, "endpoints.pub", "remove it"),
    ("endpoint kind", "profiles:", "endpoints: {pub: {kind: dns}}\nprofiles:", 12, "endpoints.pub", "kind: ip"),
    (
        "next case",
        AS,
        AS + "        http_options: {next_cases: [501]}\n",
        10,
        "next_cases[0]",
        "a next case is one of",
    ),
    ("off alone", AS, AS + "        http_options: {next_cases: [off, error]}\n", 10, "next_cases", "stands alone"),
    ("body size", AS, AS + "        http_options: {max_body_size: 104857601}\n", 10, "max_body_size", "too large"),
    ("cpu", "units: 2", "units: lots", 16, "resources.cpu.units", "write CPUs such as"),
    ("cpu limit", "units: 2", "units: 385", 16, "resources.cpu.units", "0.01 to 384"),
    ("cpu unknown field", "{units: 2}", "{units: 2, cores: 2}", 16, "resources.cpu.cores", "remove 'cores'"),
    ("memory", "3Gi", "3 GB", 17, "resources.memory.size", "512Mi"),
    ("memory limit", "3Gi", "3Ti", 17, "resources.memory.size", "1Mi to 2Ti"),
    ("negative size", "3Gi", "-3Gi", 17, "resources.memory.size", "cannot be read"),
    ("gpu units", "gpu: {units: 1", "gpu: {units: 1.5", 18, "resources.gpu.units", "whole number of GPUs"),
    ("gpu limit", "gpu: {units: 1", "gpu: {units: 25", 18, "resources.gpu.units", "at most 24"),
    (
        "gpu without vendor",
        ", attributes: {vendor: {nvidia: [{model: t4}]}}",
        "",
        18,
        "resources.gpu",
        "name the vendor",
    ),
    ("gpu unknown field", "gpu: {units: 1", "gpu: {model: t4, units: 1", 18, "resources.gpu.model", "remove 'model'"),
    ("gpu interface", "{model: t4}", "{model: t4, interface: agp}", 18, "interface", "pcie or sxm"),
    ("gpu ram", "{model: t4}", "{model: t4, ram: 16 GB}", 18, "vendor.nvidia", "80Gi"),
    ("no storage", STORAGE, "storage:", 19, "resources.storage", "at least one volume"),
    (
        "volume twice",
        STORAGE,
        "storage: [{size: 1Gi, attributes: {persistent: true}}, {size: 2Gi}]",
        19,
        "resources.storage",
        "own name",
    ),
    ("volume size", STORAGE, "storage: {size: 1Mi}", 19, "resources.storage.size", "5Mi to 32Ti"),
    (
        "volume class",
        STORAGE,
        "storage: {size: 1Gi, attributes: {persistent: true, class: ssd}}",
        19,
        "class",
        "beta1",
    ),
    (
        "ram persistent",
        STORAGE,
        "storage: {size: 1Gi, attributes: {persistent: true, class: ram}}",
        19,
        "attributes",
        "never persistent",
    ),
    (
        "class alone",
        STORAGE,
        "storage: {size: 1Gi, attributes: {class: beta2, size: 1}}",
        19,
        "attributes",
        "persistent: true",
    ),
    (
        "persistent unmounted",
        STORAGE,
        "storage: {size: 1Gi, attributes: {persistent: true}}",
        19,
        "compute.web",
        "a mount",
    ),
    ("mount of nothing", ENV, "    params: {storage: {data: {mount: /d}}}\n" + ENV, 5, "storage.data", "no volume"),
    ("mount relative", ENV, "    params: {storage: {default: {mount: d}}}\n" + ENV, 5, "default.mount", "absolute"),
    ("credentials", ENV, "    credentials: {host: h.example, username: u}\n" + ENV, 5, "password", "need a password"),
    ("tee", ENV, "    params: {tee: sgx}\n" + ENV, 5, "params.tee", "cpu-gpu"),
    ("price", "amount: 900", "amount: 0.0", 23, "pricing.web.amount", "positive amount"),
    ("price text", "amount: 900", "amount: 1e3", 23, "pricing.web.amount", "positive amount"),
    ("no compute", "profile: web", "profile: big", 26, "deployment.web.west", "no compute profile 'big'"),
    ("no placement", "    west: {profile", "    east: {profile", 26, "deployment.web.east", "no placement 'east'"),
    ("no service", "deployment:\n  web:", "deployment:\n  api:", 26, "deployment.api.west", "no service 'api'"),
    ("count", "count: 1", "count: 0", 26, "deployment.web.west.count", "between 1 and 50"),
    ("count too high", "count: 1", "count: 51", 26, "deployment.web.west.count", "between 1 and 50"),
    ("reclamation", "profiles:", "reclamation: {min_window: soon}\nprofiles:", 12, "reclamation.min_window", "24h"),
    ("merge at gpu", "gpu: {units: 1", "gpu: {<<: {units: 1}", 18, "resources.gpu", "reads no <<"),
]


@pytest.mark.parametrize(
    ("old", "new", "line", "path", "message"), [pytest.param(*case[1:], id=case[0]) for case in CASES]
)
def test_check__one_mistake__is_named_with_line_and_path(
    old: str, new: str, line: int, path: str, message: str
) -> None:
    assert old in BASE
    report = check(BASE.replace(old, new, 1))
    assert not report.valid
    assert report.manifest_hashes == ()
    found = [problem for problem in report.errors if message in problem.message]
    assert found, report.errors
    assert found[0].line == line
    assert found[0].path.endswith(path)


SYNTAX = [
    ("empty", "", 1, "the file is empty"),
    ("only a comment", "# nothing\n", 1, "the file is empty"),
    ("not UTF-8", b"a: b\nc: \xff\xfe", 2, "not UTF-8"),
    ("control character", "a: b\nc: \x07", 2, "cannot be printed"),
    ("half a character", 'a: "\\ud800"', 1, "half a character"),
    ("escape out of range", 'a: "\\UFFFFFFFF"', 1, "cannot be read"),
    ("key twice", "a: 1\nb: 2\na: 3\n", 3, "stands twice"),
    ("list as key", "? [a, b]\n: c\n", 1, "a key must be a plain word"),
    ("unknown alias", "a: *b\n", 1, "names no anchor"),
    ("alias in itself", "a: &a [*a]\n", 1, "inside its own anchor"),
    ("merge of text", "a: {<<: text}\n", 1, "<< takes an alias"),
    ("python tag", "!!python/object/apply:os.system [ls]\n", 1, "remove the tag"),
    ("no YAML", "a: b: c\n", 1, "not valid YAML"),
    ("too large", "a: " + "x" * 65536, 1, "larger than 64 KiB"),
    ("too deep", "[" * 33 + "]" * 33, 1, "nested deeper than 32"),
    ("too deep by alias", "a: &a " + "[" * 20 + "]" * 20 + "\nb: " + "[" * 20 + "*a" + "]" * 20, 2, "nests deeper"),
]


@pytest.mark.parametrize(("source", "line", "message"), [pytest.param(*case[1:], id=case[0]) for case in SYNTAX])
def test_check__no_acceptable_yaml__says_where(source: str | bytes, line: int, message: str) -> None:
    (error,) = check(source).errors
    assert error.line == line
    assert message in error.message


def test_check__anchors_and_merge_keys__are_accepted_and_leave_the_go_rule_only() -> None:
    merged = BASE.replace("services:\n", "services:\n  base: &base {image: example/other, args: [a]}\n").replace(
        "    image: example/notebook:1.4", "    <<: *base\n    image: example/notebook:1.4"
    )
    report = check(merged)
    assert report.valid
    assert len(report.manifest_hashes) == 1
    assert report.images == ("example/notebook:1.4",)
    written = BASE.replace("    env:", "    args: [a]\n    env:")
    assert report.manifest_hashes[0] in check(written).manifest_hashes


def test_check__anchor_of_a_profile__gives_the_same_hash() -> None:
    shared = BASE.replace("cpu: {units: 2}", "cpu: &cpu {units: 2}").replace(
        "  placement:", "    big: {resources: {cpu: *cpu, memory: {size: 1Gi}, storage: {size: 1Gi}}}\n  placement:"
    )
    assert check(shared).manifest_hashes == check(BASE).manifest_hashes


WARNED = [
    ("other vendor", "nvidia: [{model: t4}]", "amd: [{model: mi300}]", "ignores 'amd'"),
    ("service not deployed", "services:\n", "services:\n  spare: {image: x}\n", "not deployed"),
    ("password in env", "TOKEN=9f2c", "DB_PASSWORD=hunter2", "secret in env"),
    ("token in env", "TOKEN=9f2c", "X=ghp_0123456789012345678901234567890123456", "access token"),
    ("key in env", "TOKEN=9f2c", "'X=-----BEGIN EC PRIVATE KEY-----'", "private key"),
    ("later version", '"2.0"', '"2.3"', "only the rules of 2.0 and 2.1"),
    ("second document", "deployment:", "deployment:", "first document"),
]


@pytest.mark.parametrize(("old", "new", "message"), [pytest.param(*case[1:], id=case[0]) for case in WARNED])
def test_check__something_to_know__is_a_warning(old: str, new: str, message: str) -> None:
    report = check(BASE.replace(old, new, 1) + ("---\nother\n" if message == "first document" else ""))
    assert report.valid
    assert any(message in warning.message for warning in report.warnings)


def test_hashes__too_many_mounts__cannot_be_decided() -> None:
    names = [f"v{index}" for index in range(8)]
    volumes = ", ".join(f"{{name: {name}, size: 1Gi}}" for name in names)
    mounts = ", ".join(f"{name}: {{mount: /{name}}}" for name in names)
    text = BASE.replace(STORAGE, f"storage: [{volumes}]").replace(
        ENV, f"    params: {{storage: {{{mounts}}}}}\n{ENV}"
    )
    report = check(text)
    assert report.valid
    assert any("cannot be decided" in warning.message for warning in report.warnings)
    assert report.manifest_hashes


def test_hashes__many_exposes_with_ties__hold_both_orders() -> None:
    exposes = "".join(f"      - {{port: {7000 + index}, to: [{{service: web}}]}}\n" for index in range(12))
    twins = [
        "      - {port: 9, as: 1, to: [{service: web}]}\n      - {port: 9, as: 2, to: [{service: web}]}\n",
        "      - {port: 9, as: 2, to: [{service: web}]}\n      - {port: 9, as: 1, to: [{service: web}]}\n",
    ]
    first, second = (check(BASE.replace("profiles:", exposes + twin + "profiles:")) for twin in twins)
    assert first.valid
    assert set(first.manifest_hashes) & set(second.manifest_hashes)
    assert len(first.manifest_hashes) >= 2


@pytest.mark.parametrize("function", [reduce, group_specs])
def test_reduce_and_group_specs__invalid_sdl__raise_what_is_wrong(function: object) -> None:
    with pytest.raises(SdlRefused, match="line 1"):
        function("a: b")


def test_report_text__valid_and_invalid__tells_what_matters() -> None:
    text = report_text(check(BASE))
    for part in (
        "This SDL is valid.",
        "1 x nvidia t4",
        "3 GiB",
        "example/notebook:1.4",
        "8888/tcp  to the world as 80",
    ):
        assert part in text
    assert "line 8  services.web.expose[0].port" in report_text(check(BASE.replace("port: 8888", "port: 0")))
