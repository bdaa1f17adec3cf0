"""The text that a wallet shows and signs (in the form of EIP-4361; wallet-and-payouts.md 1.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tasks.moment import SECOND, Moment, format_moment
from verifiers.wallet.addresses import Address

_FIRST_LINE = " wants you to sign in with your Akash account:"
_DOMAIN = re.compile(r"[A-Za-z0-9.\-\[\]:]{1,259}")


@dataclass(frozen=True, slots=True)
class SignInText:
    """All that goes into the text.

    `domain` (host, and port where there is one) and `uri` come from the settings, never from a request. `chain_id`
    is the payout chain's; None leaves its line out. `linked_to` is set where the proof links `address` to
    another account, `statement` where the text is about something else: it says what. `issued_at`, `expires_at` are
    written in whole seconds.
    """

    domain: str
    uri: str
    address: Address
    chain_id: str | None
    nonce: str
    issued_at: Moment
    expires_at: Moment
    request_id: str
    linked_to: Address | None = None
    statement: str | None = None

    def __str__(self) -> str:
        """Write the text: ASCII, lines parted by newlines, none at the end. Raises ValueError for other input."""
        lines = [
            f"{self.domain}{_FIRST_LINE}",
            self.address,
            "",
            self._statement(),
            "",
            f"URI: {self.uri}",
            "Version: 1",
            *([f"Chain ID: {self.chain_id}"] if self.chain_id else []),
            f"Nonce: {self.nonce}",
            f"Issued At: {_whole_seconds(self.issued_at)}",
            f"Expiration Time: {_whole_seconds(self.expires_at)}",
            f"Request ID: {self.request_id}",
        ]
        if any(not (line.isascii() and line.isprintable()) for line in lines):
            raise ValueError("the sign-in text must be printable ASCII; look at the public URL and the chain id")
        if not _DOMAIN.fullmatch(self.domain):
            raise ValueError(f"{self.domain!r} is not a host with an optional port")
        return "\n".join(lines)

    def _statement(self) -> str:
        if self.statement is not None:
            return self.statement
        if self.linked_to is None:
            return "Sign in to Waymark. This is free and sends no transaction."
        return (
            f"Link this account to {self.linked_to} in Waymark. Work done with it counts for that account, "
            "which is paid for it. This is free and sends no transaction."
        )


def is_sign_in_text(text: str) -> bool:
    """Whether `text` begins as our texts do: the domain line, then more lines."""
    first, newline, _ = text.partition("\n")
    domain = first.removesuffix(_FIRST_LINE)
    return bool(newline) and domain != first and _DOMAIN.fullmatch(domain) is not None and text.isascii()


def sign_in_memo(nonce: str, linked_to: Address | None = None) -> str:
    """The memo that proves the same in a transaction; at most 256 bytes (wallet-and-payouts.md 1.5)."""
    return f"waymark-login {nonce}" if linked_to is None else f"waymark-link {nonce} to {linked_to}"


def _whole_seconds(moment: Moment) -> str:
    return format_moment(Moment(moment - moment % SECOND))
