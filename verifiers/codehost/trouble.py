"""What can go wrong with a code host beyond what can with any host (pure)."""

from __future__ import annotations

from verifiers.trouble import Trouble


class RepositoryHidden(Trouble):
    """The repository itself is not shown to us: moved, private, or a token without the right."""

    name = "repository_hidden"


class NotServed(Trouble):
    """No code host is connected, or the one that is does not serve this host."""

    name = "not_connected"


class UnexpectedStatus(Trouble):
    """A status that says nothing about what was asked."""

    name = "unexpected_status"
