"""The code that links the text of a pull request to a participant: who can write it there is the author."""

from __future__ import annotations

import base64
import hmac

from services.settings import Settings

PREFIX = "waymark-"
_BYTES = 10
_ON_LOOPBACK = b"a platform without keys, which nobody else can reach"


def author_codes(settings: Settings, campaign: str, participant: str) -> tuple[str, ...]:
    """`waymark-` and 16 letters or digits, one for each secret key, the newest first.

    Bound to the campaign and the participant, so that it proves nothing anywhere else. An older key's code, shown
    before the keys were changed, still holds.
    """
    keys = [key.get_secret_value().encode() for key in settings.secret_keys] or [_ON_LOOPBACK]
    return tuple(dict.fromkeys(_code(key, campaign, participant) for key in keys))


def _code(key: bytes, campaign: str, participant: str) -> str:
    bound = f"author of a pull request\n{campaign}\n{participant}".encode()
    digest = hmac.digest(key, bound, "sha256")[:_BYTES]
    return PREFIX + base64.b32encode(digest).decode().lower()
