"""What can go wrong between a question and its answer: the base of every client's error family (pure).

None of these says anything about a participant: each one makes `unknown` (DESIGN section 4).
"""

from __future__ import annotations

from typing import ClassVar


class Trouble(Exception):
    """We could not look. `name` is the short word that `Observation.trouble` carries; the message says what to do."""

    name: ClassVar[str] = "trouble"


class Timeout(Trouble):
    """The total deadline of a request passed."""

    name = "timeout"


class Unreachable(Trouble):
    """No connection: name not resolved, refused, reset, or no trusted certificate."""

    name = "unreachable"


class BadCertificate(Unreachable):
    """The host showed a certificate, and it is none that can be trusted for it."""

    name = "bad_certificate"


class RateLimited(Trouble):
    """The host asks us to slow down; `retry_after` in seconds where it says how long."""

    name = "rate_limited"

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ServerError(Trouble):
    """The host failed on its side; `status` is the HTTP status."""

    name = "server_error"

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class CutBody(Trouble):
    """The connection ended before the answer did."""

    name = "cut_body"


class TooLarge(Trouble):
    """The answer is larger than the limit, packed or unpacked."""

    name = "too_large"


class WrongContentType(Trouble):
    """The answer is no JSON at all: a proxy's page, or an encoding that was not asked for."""

    name = "wrong_content_type"


class Undecodable(Trouble):
    """The answer is JSON without what it must hold."""

    name = "undecodable"


class Redirected(Trouble):
    """The host answers with a redirect, which is never followed."""

    name = "redirected"


class Denied(Trouble):
    """The host wants credentials (401, 403)."""

    name = "denied"


__all__ = [
    "BadCertificate", "CutBody", "Denied", "RateLimited", "Redirected", "ServerError", "Timeout", "TooLarge",
    "Trouble", "Undecodable", "Unreachable", "WrongContentType",
]  # fmt: skip
