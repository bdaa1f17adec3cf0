from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.provider_double import encoded, framed, node, status_of, varint
from verifiers.provider.answers import decode_status, grpc_trouble
from verifiers.provider.gpu_models import ListedModel, ModelNames, names_of, plain_name
from verifiers.provider.inventory import decode_get_status
from verifiers.provider.messages import STATUS
from verifiers.provider.quantities import thousandths, whole
from verifiers.provider.trouble import TEXTS, WHOSE, NotReady, Whose, told, whose
from verifiers.provider.wire import MAX_FIELDS, read_message
from verifiers.trouble import Trouble, Undecodable

GI = 1 << 30


@pytest.mark.parametrize(
    ("text", "units", "milli"),
    [
        ("8", 8, 8000), ("500m", 0, 500), ("191800m", 191, 191_800), ("16Gi", 16 * GI, 16_000 * GI),
        ("1e3", 1000, 1_000_000), ("1E3", 1000, 1_000_000), ("1E", 10**18, 10**21), ("1e9", 10**9, 10**12),
        ("2164056064k", 2_164_056_064_000, 2_164_056_064_000_000), ("18500G", 18_500 * 10**9, 18_500 * 10**12),
        ("20T", 20 * 10**12, 20 * 10**15), ("262656Mi", 262_656 << 20, (262_656 << 20) * 1000), ("100u", 0, 0),
        ("0.5", 0, 500), ("1.5Gi", 3 * GI // 2, 1500 * GI), ("-1", -1, -1000), ("1e-3", 0, 1), ("", 0, 0),
        ("  4Ki ", 4096, 4_096_000), ("3Ei", 3 << 60, (3 << 60) * 1000),
    ],
)  # fmt: skip
def test_quantity__kubernetes_text__is_read_exactly(text: str, units: int, milli: int) -> None:
    assert (whole(text), thousandths(text)) == (units, milli)


@pytest.mark.parametrize(
    "text", ["x", "1K", "1gi", "1 Gi", "1e999", "1" * 65, "1e", "Gi", "١", "0x1", "1.", "NaN", "--1"]
)
def test_quantity__anything_else__is_unreadable(text: str) -> None:
    assert whole(text) is None


@given(st.text(max_size=70))
def test_quantity__any_text__never_raises(text: str) -> None:
    assert isinstance(whole(text), int | None)


@given(st.binary(max_size=300))
def test_decode_get_status__any_bytes__are_read_or_undecodable(data: bytes) -> None:
    with contextlib.suppress(Undecodable, NotReady):
        decode_get_status(framed(data))


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(b"\xff" * 11, id="number-too-long"),
        pytest.param(b"\x12\x7f", id="cut"),
        pytest.param(b"\x12\xff\xff\xff\xff\x0f", id="length-beyond-the-end"),
        pytest.param(b"\x12", id="no-length"),
        pytest.param(b"\x13", id="group"),
        pytest.param(b"\x00\x01", id="field-0"),
        pytest.param(b"\x10\x01", id="cluster-as-a-number"),
        pytest.param(b"\x2a\x01\xff", id="text-that-is-no-utf8"),
        pytest.param(b"\xf8\x01\x00" * (MAX_FIELDS + 1), id="too-many-fields"),
    ],
)
def test_read_message__malformed__is_undecodable(message: bytes) -> None:
    with pytest.raises(Undecodable):
        read_message(STATUS, message)


def test_read_message__unknown_fields__are_skipped() -> None:
    known = encoded(STATUS, status_of(node()))
    unknown = (
        varint(99 << 3) + b"\x07" + varint(98 << 3 | 1) + b"8" * 8 + varint(97 << 3 | 5) + b"4444" + b"\xda\x06\x01x"
    )
    assert read_message(STATUS, unknown + known + unknown) == read_message(STATUS, known)


def test_read_message__part_that_came_twice__is_merged() -> None:
    first = encoded(STATUS, {"cluster": {"leases": {"active": 3}}})
    second = encoded(STATUS, {"cluster": {"inventory": {}}})
    assert read_message(STATUS, first + second)["cluster"] == {"leases": {"active": 3}, "inventory": {}}


def test_read_message__reserved_storage__is_a_map() -> None:
    entry = encoded({1: STATUS[5].__class__("key", STATUS[5].kind)}, {"key": "beta3"})
    value = b"\x12\x04\x0a\x0210"
    data = entry + value
    storage = b"\x2a" + varint(len(data)) + data
    for number in (2, 2, 2, 2, 2):
        storage = varint(number << 3 | 2) + varint(len(storage)) + storage
    found = read_message(STATUS, storage)
    assert found["cluster"]["inventory"]["reservations"]["active"]["resources"]["storage"] == {
        "beta3": {"string": "10"}
    }


@pytest.mark.parametrize(
    "status",
    [
        pytest.param({"public_hostnames": ["a"]}, id="no-cluster"),
        pytest.param({"cluster": {"leases": {"active": 1}}}, id="no-inventory"),
        pytest.param({}, id="nothing"),
    ],
)
def test_decode_get_status__no_inventory_yet__is_not_ready(status: dict[str, object]) -> None:
    with pytest.raises(NotReady):
        decode_get_status(framed(encoded(STATUS, status)))


def test_decode_get_status__empty_cluster__has_no_gpus() -> None:
    inventory = decode_get_status(framed(encoded(STATUS, {"cluster": {"inventory": {}}})))
    assert inventory.nodes == ()


@pytest.mark.parametrize("frame", [b"", b"\0\0\0", b"\0\0\0\0\1", b"\1\0\0\0\0", framed(b"") + framed(b"")])
def test_decode_get_status__frame_that_does_not_fit__is_undecodable(frame: bytes) -> None:
    with pytest.raises(Undecodable):
        decode_get_status(frame)


@pytest.mark.parametrize(
    ("machine", "counts"),
    [
        pytest.param(node(gpus=[("a100", "80Gi")] * 8), {"a100": 8}, id="all"),
        pytest.param(node(gpus=[("a100", "80Gi")] * 8, capacity=6), {"a100": 6}, id="capacity-bounds"),
        pytest.param(node(gpus=[("a100", "80Gi")], capacity=9), {"a100": 1}, id="labels-bound"),
        pytest.param(node(gpus=[("a100", "80Gi")] * 2, capacity=0), {}, id="nothing-usable"),
        pytest.param(node(gpus=[("a100", "80Gi"), ("t4", "16Gi")]), {"a100": 1, "t4": 1}, id="mixed"),
        pytest.param(node(gpus=[("NVIDIA A100-SXM4-80GB", "80Gi")]), {"a100": 1}, id="alias"),
        pytest.param(node(gpus=[]), {}, id="none"),
    ],
)
def test_counts__labels_and_capacity__the_lower_counts(machine: dict[str, object], counts: dict[str, int]) -> None:
    inventory = decode_get_status(framed(encoded(STATUS, status_of(machine))))
    assert inventory.counts(ModelNames(None).id_of) == counts


@pytest.mark.parametrize(
    ("body", "is_ready"),
    [
        (b'{"cluster":{"leases":0,"inventory":{"available":{}}},"address":"a"}', True),
        (b'{"cluster":{"leases":0,"inventory":{"available":{},"error":{}}},"address":"a"}', False),
        (b'{"cluster":null,"address":"a"}', False),
        (b'{"address":"a"}', False),
    ],
)
def test_decode_status__error_in_the_inventory__is_not_ready(body: bytes, is_ready: bool) -> None:
    assert decode_status(body).is_inventory_ready is is_ready


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"[" * 100_000, b'{"cluster":7}', b"\xff", b'"x"'])
def test_decode_status__not_a_status__is_undecodable(body: bytes) -> None:
    with pytest.raises(Undecodable):
        decode_status(body)


@pytest.mark.parametrize(
    ("code", "message", "name"),
    [
        ("0", "", None), ("2", "inventory status not available yet", "not_ready"), ("2", "other", "server_error"),
        ("2", "inventory%20status%20not%20available%20yet", "not_ready"), ("4", "", "timeout"), ("7", "", "denied"),
        ("8", "", "rate_limited"), ("12", "", "unimplemented"), ("13", "", "server_error"),
        ("14", "", "server_error"),
        ("16", "", "denied"), ("9", "", "grpc_failed"), ("x", "", "grpc_failed"), ("-1", "", "grpc_failed"),
        ("99999", "", "grpc_failed"),
    ],
)  # fmt: skip
def test_grpc_trouble__status__has_its_name(code: str, message: str, name: str | None) -> None:
    trouble = grpc_trouble(code, message)
    assert (trouble.name if trouble else None) == name


def test_troubles__every_one__has_an_owner_and_a_text() -> None:
    assert set(WHOSE) == set(TEXTS)
    assert whose("something new") is Whose.OURS
    assert told("something_new") == "something new"
    assert issubclass(NotReady, Trouble)


NAMES = ModelNames(
    [
        ListedModel("a100", ("NVIDIA A100-SXM...", "NVIDIA A100-PCI")),
        ListedModel("a10", (), 24),
        ListedModel("rtx4090", ("4090", "NVIDIA GeForce RTX 4090"), 24),
        ListedModel("rtx3080ti", ("3080ti",)),
        ListedModel("rtx3080", ("3080",)),
        ListedModel("v100", ("Tesla V100",)),
    ]
)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("a100", "a100"), ("A100", "a100"), ("NVIDIA A100-SXM4-80GB", "a100"), ("NVIDIA A100 80GB PCIe", "a100"),
        ("NVIDIA A100 80 GB PCIe", "a100"), ("nvidia/a100", "a100"), ("a10", "a10"), ("NVIDIA A10G", None),
        ("rtx4090", "rtx4090"), ("4090", "rtx4090"), ("NVIDIA GeForce RTX 4090", "rtx4090"), ("rtx 4090", "rtx4090"),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", None), ("RTX 3080 Ti", "rtx3080ti"), ("RTX 3080", "rtx3080"),
        ("Tesla V100-SXM2-16GB", "v100"), ("h100", None), ("", None), ("*", None),
    ],
)  # fmt: skip
def test_model_names__many_spellings__mean_one_model(name: str, model: str | None) -> None:
    assert NAMES.id_of(name) == model


def test_model_names__no_list__every_model_counts() -> None:
    assert ModelNames(None).id_of("NVIDIA RTX A6000") == plain_name("rtxa6000") == "rtxa6000"


LISTED = ({"id": "a100", "aliases": ("NVIDIA A100-PCI",), "vram_gib": None}, {"id": "t4", "vram_gib": 16})


@pytest.mark.parametrize(
    ("params", "ids"),
    [
        ({"gpu_models": ("a100", "t4"), "campaign_gpu_models": LISTED}, ["a100", "t4", None]),
        ({"gpu_models": ("a100",), "campaign_gpu_models": LISTED}, ["a100", None, None]),
        ({"gpu_models": ("h100",), "campaign_gpu_models": LISTED}, [None, None, "h100"]),
        ({"gpu_models": "any", "campaign_gpu_models": LISTED}, ["a100", "t4", "h100"]),
        ({"gpu_models": ()}, ["a100", "t4", "h100"]),
        ({"gpu_models": ("h100",)}, [None, None, "h100"]),
        ({}, ["a100", "t4", "h100"]),
    ],
    ids=["listed", "one-of-the-list", "beside-the-list", "any", "no-list", "named", "nothing-said"],
)
def test_names_of__params__say_what_counts(params: dict[str, object], ids: list[str | None]) -> None:
    names = names_of(params)
    assert [names.id_of(name) for name in ("NVIDIA A100-PCI", "Tesla T4", "NVIDIA H100")] == ids
