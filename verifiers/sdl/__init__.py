"""SDL: parsed safely, checked, made into manifest, hashes and group specs; pure, no network."""

from verifiers.sdl.findings import Finding
from verifiers.sdl.reading import Problem
from verifiers.sdl.report import (
    SDL_RULES_VERSION,
    Port,
    Request,
    SdlRefused,
    SdlReport,
    check,
    group_specs,
    reduce,
    report_json,
)
from verifiers.sdl.text import report_text

__all__ = [
    "SDL_RULES_VERSION", "Finding", "Port", "Problem", "Request", "SdlRefused", "SdlReport", "check", "group_specs",
    "reduce", "report_json", "report_text",
]  # fmt: skip
