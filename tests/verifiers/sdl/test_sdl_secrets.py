"""What of an SDL is a secret: by its form, by the name that it is given, never what only looks like one."""

from __future__ import annotations

import base64

import pytest

from verifiers.sdl import check
from verifiers.sdl.submission import secrets_in_submission

TEXT = """\
version: "2.0"
services:
  web:
    image: example/notebook:1.4
    args: ARGS
    env: [ENTRY]
    expose: [{port: 80, to: [{global: true}]}]
profiles:
  compute:
    web:
      resources:
        cpu: {units: 2}
        memory: {size: 3Gi}
        gpu: {units: 1, attributes: {vendor: {nvidia: [{model: t4}]}}}
        storage: {size: 8Gi}
  placement: {west: {pricing: {web: {denom: uact, amount: 900}}}}
deployment: {web: {west: {profile: web, count: 1}}}
"""


def sorts(*, entry: str = "A=b", args: str = "[a]") -> list[str]:
    text = TEXT.replace("ENTRY", f"'{entry}'").replace("ARGS", args)
    report = check(text)
    assert report.valid, report.errors
    return [each.sort for each in secrets_in_submission(text, report)]


@pytest.mark.parametrize(
    "entry",
    ["TOKEN=9f2c", "DB_PASSWORD=hunter2", "PGPASSWORD=hunter2", "PASSWORD=1234", "dbPassword=x", "authToken=x",
     "API_KEY=x", "apiKey=x", "AWS_SECRET_ACCESS_KEY=x", "MASTER_KEY=x", "SSH_KEY=x", "WEBUI_SECRET_KEY=x",
     "SEED_PHRASE=one two", "BASIC_AUTH=joe:x", "CLIENT_SECRET=x"],
)  # fmt: skip
def test_secrets__name_says_so__is_one(entry: str) -> None:
    assert sorts(entry=entry) == ["secret in env"]


@pytest.mark.parametrize(
    "entry",
    ["SEED=42", "AUTH=false", "AUTH_TYPE=basic", "PAD_TOKEN_ID=0", "EOS_TOKEN=</s>", "MAX_TOKENS=4096", "PASSWORD=",
     "HF_TOKEN=<your token>", "HF_TOKEN=$HF_TOKEN", "HF_TOKEN=${HF_TOKEN}", "TOKEN_FILE=/run/token", "AUTHOR=joe",
     "SSH_KEY=ssh-ed25519 AAAAC3 me", "KEYBOARD=us", "BYPASS=all", "TOKENIZER=bpe", "BASIC_AUTH_USER=joe"],
)  # fmt: skip
def test_secrets__number_switch_or_place_to_fill_in__is_none(entry: str) -> None:
    assert sorts(entry=entry) == []


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        pytest.param('["--requirepass", "hunter2"]', 1, id="next argument"),
        pytest.param('["--password=hunter2"]', 1, id="option"),
        pytest.param('["-c", "export DB_PASSWORD=hunter2; run"]', 1, id="shell"),
        pytest.param('["-c", "lab --NotebookApp.token=\'abc\'"]', 1, id="quoted"),
        pytest.param('["serve --api-key abc --port 80"]', 1, id="one line"),
        pytest.param('["-c", "lab --NotebookApp.token=\'\'"]', 0, id="empty"),
        pytest.param('["--max-tokens", "4096", "--seed", "7"]', 0, id="numbers"),
        pytest.param('["--hf-token", "$HF_TOKEN"]', 0, id="variable"),
        pytest.param('["--token", "--listen"]', 0, id="another option"),
    ],
)
def test_secrets__in_arguments__are_found_by_what_they_set(args: str, expected: int) -> None:
    assert sorts(args=args) == ["secret in an argument"] * expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("OPENSSH PRIVATE KEY", ["private key"]), ("PRIVATE KEY", ["private key"]), ("CERTIFICATE", [])],
)
def test_secrets__pem_packed_as_base64__is_read(kind: str, expected: list[str]) -> None:
    packed = base64.b64encode(f"-----BEGIN {kind}-----\nb3Blbn\n".encode()).decode()
    assert sorts(entry=f"FILE={packed}") == expected


def test_secrets__pgp_private_key__is_one() -> None:
    assert sorts(entry="FILE=-----BEGIN PGP PRIVATE KEY BLOCK-----") == ["private key"]
