"""The report of `sdl check` for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from verifiers.sdl.reading import Problem
from verifiers.sdl.report import Port, Request, SdlReport

_BINARY_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def report_text(report: SdlReport) -> str:
    """A few short sections: what is wrong, what is asked for, images, ports, warnings, hashes."""
    if not report.valid:
        count = len(report.errors)
        title = f"This SDL is not valid: {count} {'error' if count == 1 else 'errors'}."
        return "\n".join([title, *_problems("Errors", report.errors), *_problems("Warnings", report.warnings)]) + "\n"
    lines = [
        "This SDL is valid.",
        *_section("Requested", _requested(report)),
        *_section("Images", report.images),
        *_section("Exposed ports", [_port(port) for port in report.ports]),
        *_problems("Warnings", report.warnings),
        *_section("Manifest hashes that a deployment of it may carry", report.manifest_hashes),
    ]
    return "\n".join(lines) + "\n"


def _section(title: str, lines: Iterable[str]) -> list[str]:
    shown = [f"  {line}" for line in lines]
    return ["", title, *shown] if shown else []


def _problems(title: str, problems: Sequence[Problem]) -> list[str]:
    return _section(title, [f"line {item.line}  {item.path or 'the file'}: {item.message}" for item in problems])


def _requested(report: SdlReport) -> list[str]:
    rows = [("service", "group", "count", "GPU", "CPU", "memory", "storage"), *map(_row, report.requests)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    total = f"{report.gpu_units} GPU{'s' if report.gpu_units != 1 else ''} in all"
    return [*table, total if report.gpu_units else "no GPU"]


def _row(request: Request) -> tuple[str, ...]:
    models = ", ".join("any model" if model == "*" else model for model in request.gpu_models)
    return (
        request.service,
        request.group,
        str(request.count),
        f"{request.gpu_units} x nvidia {' or '.join(models.split(', '))}" if request.gpu_units else "none",
        f"{request.cpu_thousandths / 1000:g}",
        _size(request.memory_bytes),
        _size(request.storage_bytes),
    )


def _size(size_bytes: int) -> str:
    size, unit = float(size_bytes), _BINARY_UNITS[0]
    for name in _BINARY_UNITS[1:]:
        if size < 1024:
            break
        size, unit = size / 1024, name
    return f"{size:.4g} {unit}"


def _port(port: Port) -> str:
    name = f"{port.service}  {port.port}/{port.proto.lower()}"
    if not port.is_global:
        return f"{name}  inside only" + (f", for {port.to}" if port.to else "")
    where = f"the world as {port.external_port}" + (f" on IP {port.ip}" if port.ip else "")
    return f"{name}  to {where}" + (f" under {', '.join(port.hosts)}" if port.hosts else "")
