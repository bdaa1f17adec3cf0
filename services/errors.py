"""What a use case answers when it says no: each message tells the reader what to do next."""

from __future__ import annotations


class UseCaseError(Exception):
    """A use case refused. `field` names the entered field that is to be mended, where there is one."""

    status = 400
    title = "Not done"

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class SignInRefused(UseCaseError):
    """No proof, or not a good one; says the same whatever was wrong with it."""

    status = 401
    title = "Not signed in"


class NotAllowed(UseCaseError):
    """The person is known and may not do this."""

    status = 403
    title = "Not allowed"


class NotFound(UseCaseError):
    """There is no such thing here."""

    status = 404
    title = "Not found"


class Conflict(UseCaseError):
    """It clashes with what is already kept."""

    status = 409
    title = "Conflict"


class Refused(UseCaseError):
    """What was entered can't be taken; `field` says which part."""

    status = 422
    title = "Please mend this"


class TooMany(UseCaseError):
    """Asked too often; `retry_after_seconds` says when to come back."""

    status = 429
    title = "Too many requests"

    def __init__(self, message: str, retry_after_seconds: int = 60) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(UseCaseError):
    """We can't do it now for a reason of ours; trying again later helps."""

    status = 503
    title = "Not now"
