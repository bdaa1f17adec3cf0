"""Static files: named by their content so that browsers keep them for good, and sent compressed."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from typing import Any

from flask import Flask, Response, request

STATIC_ENDPOINTS = frozenset({"static", "bootstrap.static"})
KEPT_FOR_GOOD = "public, max-age=31536000, immutable"
WORTH_COMPRESSING = 1000
_TEXT_TYPES = frozenset(
    {
        "application/javascript",
        "application/json",
        "application/problem+json",
        "application/openapi+json",
        "image/svg+xml",
        "text/css",
        "text/csv",
        "text/html",
        "text/javascript",
        "text/plain",
    }
)


class Digests:
    """The first digits of each static file's SHA-256, read once for each change of the file."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[int, str]] = {}

    def of(self, path: Path) -> str | None:
        """Twelve hex digits, or None where there is no such file."""
        try:
            changed = path.stat().st_mtime_ns
        except OSError:
            return None
        known = self._known.get(path)
        if known is None or known[0] != changed:
            known = (changed, hashlib.sha256(path.read_bytes()).hexdigest()[:12])
            self._known[path] = known
        return known[1]


def init_app(app: Flask) -> None:
    """Put each static file's digest into its address, and compress what is text."""
    digests = Digests()
    compressed: dict[tuple[str, str], bytes] = {}

    def file_of(endpoint: str, filename: str) -> Path | None:
        owner = app if endpoint == "static" else app.blueprints[endpoint.partition(".")[0]]
        return Path(owner.static_folder) / filename if owner.static_folder else None

    @app.url_defaults
    def add_digest(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint in STATIC_ENDPOINTS and "v" not in values:
            path = file_of(endpoint, str(values.get("filename", "")))
            digest = digests.of(path) if path else None
            if digest:
                values["v"] = digest

    @app.after_request
    def keep_and_compress(response: Response) -> Response:
        digest = request.args.get("v", "")
        is_static = request.endpoint in STATIC_ENDPOINTS
        if is_static and response.status_code == 200:
            path = file_of(request.endpoint or "", str((request.view_args or {}).get("filename", "")))
            is_current = bool(digest) and path is not None and digests.of(path) == digest
            response.headers["Cache-Control"] = KEPT_FOR_GOOD if is_current else "public, no-cache"
        _compress(response, compressed, (request.path, digest) if is_static else None)
        return response


def _compress(response: Response, kept: dict[tuple[str, str], bytes], key: tuple[str, str] | None) -> None:
    if response.mimetype not in _TEXT_TYPES:
        return
    response.vary.add("Accept-Encoding")
    if (
        response.status_code != 200
        or "Content-Encoding" in response.headers
        or request.accept_encodings["gzip"] <= 0
        or (response.content_length or WORTH_COMPRESSING) < WORTH_COMPRESSING
    ):
        return
    if response.is_streamed and key is None:
        return
    body = kept.get(key) if key is not None and key[1] else None
    file = response.response
    if body is None:
        response.direct_passthrough = False
        body = gzip.compress(response.get_data(), compresslevel=6, mtime=0)
        if key is not None and key[1]:
            kept[key] = body
    response.direct_passthrough = False
    response.set_data(body)
    close = getattr(file, "close", None)
    if close is not None:
        close()
    response.headers["Content-Encoding"] = "gzip"
    if response.headers.get("ETag"):
        tag, _weak = response.get_etag()
        response.set_etag(tag or "", weak=True)
