"""Names of GPUs as drivers write them: model by the campaign's aliases, variant by memory and interface."""

from __future__ import annotations

import pytest

from tasks.moment import SECOND, Moment
from verifiers.benchmark.challenge import image_for, issue, sdl_text
from verifiers.benchmark.gpus import (
    GIB,
    fits_listed_memory,
    interface_of,
    is_known,
    named_gpu,
    nominal_gib,
    same_model,
)
from verifiers.benchmark.spot_sdl import Container, spot_sdl
from verifiers.provider.gpu_models import ListedModel, ModelNames, plain_name
from verifiers.sdl import check

NAMES = ModelNames(
    [
        ListedModel("h100", ("NVIDIA H100", "NVIDIA H100 PCIe", "NVIDIA H100 80GB HBM3"), 80),
        ListedModel("a100", ("NVIDIA A100-SXM...", "NVIDIA A100-PCI")),
        ListedModel("v100", ("Tesla V100",)),
        ListedModel("a10", (), 24),
        ListedModel("k80", ("Tesla K80",), 24),
        ListedModel("t4", ("Tesla T4",), 16),
        ListedModel("rtx4090", ("4090", "NVIDIA GeForce RTX 4090"), 24),
        ListedModel("rtx3080ti", ("3080ti", "NVIDIA GeForce RTX 3080 Ti"), 12),
        ListedModel("rtx3080", ("3080", "NVIDIA GeForce RTX 3080")),
    ]
)
MIB = 1 << 20


@pytest.mark.parametrize(
    ("name", "memory", "model", "variant"),
    [
        ("NVIDIA H100 PCIe", 81_079 * MIB, "h100", "h100 pcie 80GB"),
        ("NVIDIA H100 80GB HBM3", 81_101 * MIB, "h100", "h100 sxm 80GB"),
        ("NVIDIA H100 NVL", 95_830 * MIB, "h100", "h100 nvl 94GB"),
        ("NVIDIA A100-SXM4-40GB", 40_536 * MIB, "a100", "a100 sxm 40GB"),
        ("NVIDIA A100-SXM4-80GB", 81_251 * MIB, "a100", "a100 sxm 80GB"),
        ("NVIDIA A100-SXM...", 40_536 * MIB, "a100", "a100 sxm 40GB"),
        ("NVIDIA  A100-PCI", 81_251 * MIB, "a100", "a100 pcie 80GB"),
        ("NVIDIA A100 80GB PCIe", 81_251 * MIB, "a100", "a100 pcie 80GB"),
        ("Tesla V100-SXM2-16GB", 16_160 * MIB, "v100", "v100 sxm 16GB"),
        ("Tesla V100-PCIE-32GB", 32_510 * MIB, "v100", "v100 pcie 32GB"),
        ("Tesla T4", 15_109 * MIB, "t4", "t4 16GB"),
        ("Tesla K80", 11_441 * MIB, "k80", "k80 12GB"),
        ("NVIDIA A10", 22_731 * MIB, "a10", "a10 24GB"),
        ("NVIDIA A10G", 22_731 * MIB, None, "NVIDIA A10G 24GB"),
        ("NVIDIA GeForce RTX 4090 ", 24_217 * MIB, "rtx4090", "rtx4090 24GB"),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", 16_376 * MIB, None, "NVIDIA GeForce RTX 4090 Laptop GPU 16GB"),
        ("NVIDIA GeForce RTX 3080 Ti", 12_288 * MIB, "rtx3080ti", "rtx3080ti 12GB"),
        ("NVIDIA GeForce RTX 3080", 10_240 * MIB, "rtx3080", "rtx3080 10GB"),
    ],
)
def test_named_gpu__name_of_a_driver__is_model_and_variant(
    name: str, memory: int, model: str | None, variant: str
) -> None:
    gpu = named_gpu(name, memory, NAMES)
    assert gpu.model == model
    assert gpu.variant == variant


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("NVIDIA RTX 6000 Ada Generation", "rtx6000ada", True),
        ("NVIDIA GeForce RTX 4090", "4090", True),
        ("NVIDIA RTX A6000", "a6000", True),
        ("NVIDIA GeForce GTX 1080 Ti", "1080ti", True),
        ("NVIDIA A100-SXM4-80GB", "a100", True),
        ("NVIDIA A100 80GB PCIe", "a10", False),
        ("NVIDIA A10G", "a10", False),
        ("NVIDIA GeForce RTX 4080 SUPER", "rtx4080", False),
        ("NVIDIA GeForce RTX 3080 Ti", "3080", False),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", "rtx4090", False),
        ("NVIDIA L40", "l4", False),
        ("NVIDIA L40S", "l40", False),
        ("NVIDIA RTX 6000 Ada Generation", "rtx6000", False),
    ],
)
def test_same_model__spellings__are_one_where_only_brand_and_series_differ(one: str, other: str, same: bool) -> None:
    assert same_model(plain_name(one), plain_name(other)) is same
    assert same_model(plain_name(other), plain_name(one)) is same


@pytest.mark.parametrize(
    ("name", "known"),
    [("k80", True), ("4080", True), ("l40s", True), ("rtxa6000", True), ("none-such", False), ("rtx6000ada", False)],
)
def test_known__name__is_in_our_table_or_the_campaigns(name: str, known: bool) -> None:
    assert is_known(name, ModelNames(None)) is known
    assert is_known(name, NAMES) is known
    assert is_known(name, ModelNames([ListedModel("other", (name,))])) is True


@pytest.mark.parametrize("size", [8, 10, 11, 12, 16, 24, 32, 40, 48, 80, 94, 141, 180])
def test_nominal__exactly_or_a_little_less__is_the_size_sold(size: int) -> None:
    assert nominal_gib(size * GIB) == size
    assert nominal_gib(size * GIB * 99 // 100) == size


def test_interface__not_said__is_empty() -> None:
    assert interface_of("NVIDIA H100") == ""


@pytest.mark.parametrize(
    ("name", "memory", "listed", "fits"),
    [
        ("NVIDIA H100 PCIe", 80 * GIB, 80, True),
        ("NVIDIA H100 NVL", 94 * GIB, 80, False),
        ("Tesla K80", 12 * GIB, 24, True),
        ("NVIDIA A10", 12 * GIB, 24, False),
        ("NVIDIA A100-SXM4-40GB", 40 * GIB, None, True),
    ],
)
def test_memory__against_the_list__fits_or_not(name: str, memory: int, listed: int | None, fits: bool) -> None:
    assert fits_listed_memory(named_gpu(name, memory, NAMES), listed) is fits


@pytest.mark.parametrize(
    ("model", "cuda"),
    [("k80", "11.7"), ("p4", "11.7"), ("t4", "12.4"), ("h100", "12.4"), ("p40", "12.4"), (None, "12.4"),
     ("rtx5090", "12.8"), ("b200", "12.8")],
)  # fmt: skip
def test_image__of_a_model__has_code_for_it(model: str | None, cuda: str) -> None:
    issued = issue(b"key", "demo", "akash1a", "akash1p", Moment(0), Moment(SECOND))
    alone = check(sdl_text(issued, "token", "", model))
    containers = [Container("0" * 32, "token", 2), Container("1" * 32, "token", 1)]
    spot = check(spot_sdl(containers, "", model or "a100", "A test."))
    assert alone.valid
    assert spot.valid
    assert all(f"-cuda{cuda}-" in image for image in (*alone.images, *spot.images))


def test_image__name_of_a_driver__is_read_too() -> None:
    assert image_for("Tesla K80") == image_for("k80") != image_for("Tesla T4")
