"""Links to pull requests, and the requests by which a code host is asked about them (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

GITHUB = "github.com"
PER_PAGE = 100
MAX_PAGES = 30
"""Thirty pages of a hundred files: more than that the code host does not list either."""

_LINK = re.compile(
    r"https://([a-z0-9-]+(?:\.[a-z0-9-]+)+)/([a-z0-9_.-]{1,100})/([a-z0-9_.-]{1,100})/pull/([1-9][0-9]{0,8})/?",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class PullRequest:
    """One pull request; `repository` is `owner/name`."""

    host: str
    repository: str
    number: int

    @property
    def link(self) -> str:
        """Where people read it."""
        return f"https://{self.host}/{self.repository}/pull/{self.number}"

    @property
    def name(self) -> str:
        """`host/owner/repo#number`, as a claim's subject begins."""
        return f"{self.host}/{self.repository}#{self.number}"


def allowed_repositories(repositories: Iterable[str]) -> tuple[str, ...]:
    """The campaign's repositories as `host/owner/name`; one without a host is at GitHub."""
    return tuple(each if each.count("/") == 2 else f"{GITHUB}/{each}" for each in repositories)


def read_link(text: str, repositories: Iterable[str]) -> PullRequest:
    """The pull request of a link; host, owner and name are spelled as the campaign spells them.

    `repositories`: those that are allowed; none: any at GitHub. Raises ValueError that says how to mend.
    """
    allowed = allowed_repositories(repositories)
    match = _LINK.fullmatch(text)
    if match is None or any(part in {".", ".."} for part in match.groups()):
        where = allowed[0] if allowed else f"{GITHUB}/owner/name"
        raise ValueError(f"Give the link of the pull request itself, such as https://{where}/pull/12.")
    host, owner, name, number = match.groups()
    named = f"{host}/{owner}/{name}".lower()
    if not allowed:
        if host.lower() != GITHUB:
            raise ValueError(f"The pull request must be at {GITHUB}.")
        return PullRequest(GITHUB, f"{owner}/{name}", int(number))
    spelled = next((each for each in allowed if each.lower() == named), None)
    if spelled is None:
        raise ValueError(f"The pull request must be one of {' or '.join(allowed)}; this one is of {named[:200]}.")
    own_host, _, repository = spelled.partition("/")
    return PullRequest(own_host, repository, int(number))


def repository_request(pull: PullRequest) -> str:
    """The request for the repository itself."""
    return f"/repos/{pull.repository}"


def pull_request(pull: PullRequest) -> str:
    """The request for the pull request."""
    return f"/repos/{pull.repository}/pulls/{pull.number}"


def files_request(pull: PullRequest, page: int) -> str:
    """The request for one page of the files that it changes, pages from 1."""
    return f"/repos/{pull.repository}/pulls/{pull.number}/files?page={page}&per_page={PER_PAGE}"


def contents_request(pull: PullRequest, path: str, commit: str) -> str:
    """The request for a file as it is in a commit."""
    return f"/repos/{pull.repository}/contents/{quote(path, safe='/')}?ref={commit}"
