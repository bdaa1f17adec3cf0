"""Asks a code host about pull requests, politely: what is known for good is not asked again, and limits are kept."""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from tasks.moment import SECOND, Clock, Moment
from verifiers.codehost import answers
from verifiers.codehost.links import (
    GITHUB,
    MAX_PAGES,
    PER_PAGE,
    PullRequest,
    contents_request,
    files_request,
    pull_request,
    repository_request,
)
from verifiers.codehost.trouble import NotServed, RepositoryHidden, UnexpectedStatus
from verifiers.evidence import Observation, Source
from verifiers.http import Door, Limits, Reply
from verifiers.trouble import Denied, RateLimited, Redirected, ServerError, Trouble, Undecodable, WrongContentType

LIMITS = Limits(deadline_seconds=15, body_bytes=16 << 20)
KEPT_ANSWERS = 2_000
LONGEST_QUIET_SECONDS = 3_600.0
SHORT_QUIET_SECONDS = 60.0
_FULL_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?", re.ASCII)
_ETAG = re.compile(r'(W/)?"[\x21\x23-\x7e]{1,200}"', re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)

Reduce = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class _Kept:
    """An answer that may be used again: for good where `etag` is empty, else when the host says that it holds."""

    status: int
    body: bytes
    etag: str = ""


class CodeHost:
    """The REST API of one code host, as GitHub speaks it. Nothing here raises for trouble: observations carry it.

    `base_url`: of the API. `token`: optional, sent as a bearer token to that address only. `serves`: the hosts whose
    repositories it knows; another one is `not_connected`, never "does not exist". Thread safe.
    """

    def __init__(
        self,
        base_url: str,
        clock: Clock,
        *,
        token: str | None = None,
        serves: Iterable[str] = (GITHUB,),
        limits: Limits = LIMITS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._door = Door(base_url, limits)
        self._clock = clock
        self._monotonic = monotonic
        self._serves = frozenset(host.lower() for host in serves)
        self._headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()
        self._quiet_until = float("-inf")

    def close(self) -> None:
        """Close the connections."""
        self._door.close()

    def pull(self, pull: PullRequest) -> Sequence[Observation]:
        """The pull request; where it is not there also the repository, which shows whether we may see it at all.

        Status 404 on the first with 200 on the second is a clear "no such pull request".
        """
        found = self._observe(pull, pull_request(pull), answers.reduced_pull, may_be_absent=True)
        if found.status != 404:
            return (found,)
        return (found, self._observe(pull, repository_request(pull), answers.reduced_repository))

    def files(self, pull: PullRequest) -> Sequence[Observation]:
        """Every page of the files that it changes; a list that broke off ends with an observation of the trouble."""
        pages = []
        for page in range(1, MAX_PAGES + 1):
            found = self._observe(pull, files_request(pull, page), answers.reduced_files)
            pages.append(found)
            if found.trouble is not None or len(answers.read_files(found.body)) < PER_PAGE:
                break
        return pages

    def file(self, pull: PullRequest, path: str, commit: str) -> Observation:
        """One file as it is in a commit, read as an SDL. A commit by its full name is for good: asked once."""
        is_for_good = _FULL_COMMIT.fullmatch(commit) is not None
        target = contents_request(pull, path, commit)
        return self._observe(pull, target, answers.reduced_file, for_good=is_for_good)

    def _observe(
        self,
        pull: PullRequest,
        target: str,
        reduce: Reduce,
        *,
        may_be_absent: bool = False,
        for_good: bool = False,
    ) -> Observation:
        try:
            if pull.host.lower() not in self._serves:
                raise NotServed(f"No code host is connected for {pull.host}: set WAYMARK_CODEHOST_HOSTS.")
            kept = self._answer(target, reduce, may_be_absent=may_be_absent, for_good=for_good)
        except Trouble as trouble:
            return self._observation(target, b"", None, trouble.name)
        return self._observation(target, kept.body, kept.status, None)

    def _observation(self, target: str, body: bytes, status: int | None, trouble: str | None) -> Observation:
        return Observation(
            source=Source.CODEHOST,
            request=f"GET {target}",
            body=body,
            host=self._door.name,
            seen_at=self._clock.now(),
            status=status,
            trouble=trouble,
        )

    def _answer(self, target: str, reduce: Reduce, *, may_be_absent: bool, for_good: bool) -> _Kept:
        with self._lock:
            kept = self._kept.get(target)
        if kept is not None and not kept.etag:
            return kept
        reply = self._get(target, {"If-None-Match": kept.etag} if kept else {})
        if reply.status == 304 and kept is not None:
            return kept
        if reply.status == 404 and may_be_absent and _is_json(reply.headers):
            return _Kept(404, b"")
        self._refuse(target, reply)
        etag = reply.headers.get("etag", "")
        is_known_again = not for_good and _ETAG.fullmatch(etag) is not None
        fresh = _Kept(200, reduce(reply.body), etag if is_known_again else "")
        if fresh.etag or for_good:
            self._keep(target, fresh)
        return fresh

    def _keep(self, target: str, answer: _Kept) -> None:
        with self._lock:
            self._kept[target] = answer
            self._kept.move_to_end(target)
            while len(self._kept) > KEPT_ANSWERS:
                self._kept.popitem(last=False)

    def _get(self, target: str, headers: Mapping[str, str]) -> Reply:
        wait = self._quiet_until - self._monotonic()
        if wait > 0:
            raise RateLimited(f"{self._door.name} asked us to wait; we ask again in {wait:.0f} seconds.", wait)
        reply = self._door.get(target, {**self._headers, **headers})
        if reply.headers.get("x-ratelimit-remaining") == "0":
            self._be_quiet(reply.headers)
        return reply

    def _be_quiet(self, headers: Mapping[str, str]) -> float:
        """Ask nothing until the host's limit is over; returns for how many seconds."""
        after, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
        seconds = SHORT_QUIET_SECONDS
        if _SECONDS.fullmatch(after):
            seconds = float(after)
        elif _SECONDS.fullmatch(reset):
            seconds = int(reset) - self._their_time(headers)
        seconds = min(max(seconds, 1.0), LONGEST_QUIET_SECONDS)
        self._quiet_until = self._monotonic() + seconds
        return seconds

    def _their_time(self, headers: Mapping[str, str]) -> float:
        """Seconds since 1970 by the host's own clock, which its limits go by; by ours where it tells none."""
        try:
            return parsedate_to_datetime(headers.get("date", "")).timestamp()
        except (ValueError, OverflowError):
            return self._clock.now() / SECOND

    def _refuse(self, target: str, reply: Reply) -> None:
        """Raise the trouble that an answer other than a JSON of status 200 means."""
        status, name = reply.status, self._door.name
        if status == 429 or (status == 403 and _is_about_limits(reply)):
            seconds = self._be_quiet(reply.headers)
            raise RateLimited(f"{name} asks us to slow down. Set WAYMARK_GITHUB_TOKEN for more room.", seconds)
        if status in {401, 403, 451}:
            raise Denied(f"{name} refuses to answer ({status}). Check WAYMARK_GITHUB_TOKEN.")
        if 300 <= status < 400:
            raise Redirected(f"{name} redirects {target[:200]}; name the repository as it is called now.")
        if status >= 500:
            raise ServerError(f"{name} has an error ({status}). Waymark tries again.", status)
        if status == 404:
            raise RepositoryHidden(f"{name} does not show {target[:200]} to us.")
        if status != 200:
            raise UnexpectedStatus(f"{name} answers {status} to {target[:200]}.")
        if not _is_json(reply.headers):
            raise WrongContentType(f"{name} answers with something that is no JSON.")
        if not reply.body:
            raise Undecodable(f"{name} answers with nothing.")


def _is_json(headers: Mapping[str, str]) -> bool:
    return "json" in headers.get("content-type", "").partition(";")[0].lower()


def _is_about_limits(reply: Reply) -> bool:
    headers = reply.headers
    if headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers:
        return True
    return b"rate limit" in reply.body[:4_000].lower()


class NoCodeHost:
    """For a pass that asks no code host."""

    def pull(self, pull: PullRequest) -> Sequence[Observation]:  # noqa: ARG002 - the shape of the protocol
        """Nothing is seen."""
        return ()

    def files(self, pull: PullRequest) -> Sequence[Observation]:  # noqa: ARG002 - the shape of the protocol
        """Nothing is seen."""
        return ()

    def file(self, pull: PullRequest, path: str, commit: str) -> Observation:
        """Nothing is seen."""
        request = f"GET {contents_request(pull, path, commit)}"
        return Observation(Source.CODEHOST, request, b"", "none", Moment(0), trouble=NotServed.name)
