"""The error family of the chain client (pure): what a node's refusal means."""

from __future__ import annotations

from verifiers.trouble import Trouble


class DoesNotExist(Trouble):
    """The chain's clear no: HTTP 404 with code 5, and nothing else (akash-recorded/README.md, 1)."""

    name = "does_not_exist"


class Pruned(Trouble):
    """This node forgot that height; `lowest` is the lowest it still has, where it says so. Never absence."""

    name = "pruned"

    def __init__(self, message: str, lowest: int | None = None) -> None:
        super().__init__(message)
        self.lowest = lowest


class Lagging(Trouble):
    """This node has not reached that height yet; `tip` is where it stands, where it says so."""

    name = "lagging"

    def __init__(self, message: str, tip: int | None = None) -> None:
        super().__init__(message)
        self.tip = tip


class Syncing(Trouble):
    """This node is still catching up with its chain."""

    name = "syncing"


class IndexOff(Trouble):
    """This node keeps no index of transactions."""

    name = "index_off"


class NotIndexed(Trouble):
    """The node's RPC does not know that transaction; only REST's 404 says that there is none."""

    name = "not_indexed"


class NotImplementedThere(Trouble):
    """This node does not serve that path: another API set, another version, or a path cut off by a proxy."""

    name = "not_implemented"


class UnknownApiSet(Trouble):
    """The node speaks an API set that Waymark has no mapping for; `found` names it."""

    name = "unknown_api_set"

    def __init__(self, message: str, found: str = "") -> None:
        super().__init__(message)
        self.found = found


class BadRequest(Trouble):
    """The node understood the path and refuses the question; another node would do the same."""

    name = "bad_request"


class WrongChain(Trouble):
    """The node answers for another chain id than expected."""

    name = "wrong_chain"

    def __init__(self, message: str, expected: str, found: str) -> None:
        super().__init__(message)
        self.expected = expected
        self.found = found


class WrongHeight(Trouble):
    """The node answered for another height than asked."""

    name = "wrong_height"


class Disagree(Trouble):
    """Too few hosts gave the same answer at the same height."""

    name = "disagree"


class BadPage(Trouble):
    """A list's pages run in a circle or never end."""

    name = "bad_page"


class NotConnected(Trouble):
    """No host is configured for this."""

    name = "not_connected"


__all__ = [
    "BadPage", "BadRequest", "Disagree", "DoesNotExist", "IndexOff", "Lagging", "NotConnected",
    "NotImplementedThere", "NotIndexed", "Pruned", "Syncing", "UnknownApiSet", "WrongChain", "WrongHeight",
]  # fmt: skip
