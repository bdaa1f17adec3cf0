"""A local code host for the story's pull requests, in the form of GitHub's REST API as far as they need it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from devnet.api.answer import Answer
from devnet.server import HttpRequest, HttpServer, Sent
from devnet.story.authors import PullTold

LOOPBACK = "127.0.0.1"
SECOND = 10**9
_MISSING = {"message": "Not Found", "documentation_url": "https://docs.github.com/rest", "status": "404"}


class CodeHost:
    """Serves pull requests on one port until `close`.

    `time_of`: the time of a height (Unix nanoseconds); `codes`: by participant, the code that stands in the text of
    their pull requests. Raises OSError where the port is taken.
    """

    def __init__(
        self,
        pulls: Sequence[PullTold],
        codes: Mapping[str, str],
        time_of: Callable[[int], int],
        now: Callable[[], int],
        port: int = 0,
    ) -> None:
        self._pulls = {(pull.repository, pull.number): pull for pull in pulls}
        self._codes, self._time_of, self._now = codes, time_of, now
        self._server = HttpServer(LOOPBACK, port, self._answer, lambda: now() / SECOND)
        self.url = f"http://{LOOPBACK}:{self._server.port}"

    def close(self) -> None:
        """Stop serving."""
        self._server.close()

    def _answer(self, request: HttpRequest) -> Sent:
        parts = urlsplit(request.target)
        if request.method != "GET":
            return Sent(_json({"message": "Method Not Allowed"}, 405))
        status, document = self._found(parts.path, dict(parse_qsl(parts.query)))
        return Sent(_json(document, status))

    def _found(self, path: str, query: Mapping[str, str]) -> tuple[int, Any]:
        names = [unquote(name) for name in path.strip("/").split("/")]
        repository = "/".join(names[1:3])
        if names[0] != "repos" or repository not in {name for name, _ in self._pulls}:
            return 404, _MISSING
        if len(names) == 3:
            return 200, {"full_name": repository, "private": False}
        if names[3] == "contents":
            return self._contents(repository, "/".join(names[4:]), query.get("ref", ""))
        number = names[4] if names[3] == "pulls" and len(names) > 4 else ""
        pull = self._pulls.get((repository, int(number))) if number.isdigit() else None
        return (404, _MISSING) if pull is None else self._pull(pull, query, shows_files=len(names) > 5)

    def _pull(self, pull: PullTold, query: Mapping[str, str], *, shows_files: bool) -> tuple[int, Any]:
        if pull.is_failing:
            return 503, {"message": "Service Unavailable"}
        if not shows_files:
            return 200, self._shown(pull)
        size, page = int(query.get("per_page", "30")), int(query.get("page", "1"))
        rows = [
            {"sha": _blob(text), "filename": name, "status": "added", "additions": text.count("\n")}
            for name, text in pull.files.items()
        ]
        return 200, rows[size * (page - 1) : size * page]

    def _shown(self, pull: PullTold) -> Mapping[str, Any]:
        merged, closed = self._reached(pull.merged_at), self._reached(pull.closed_at)
        code = self._codes.get(pull.code_of, "")
        return {
            "number": pull.number,
            "state": "closed" if merged or closed else "open",
            "title": pull.title,
            "body": f"A model that many asked for.\n\n{code}\n",
            "merged": merged is not None,
            "merged_at": merged,
            "closed_at": merged or closed,
            "head": {"sha": _head(pull)},
            "base": {"repo": {"full_name": pull.repository}},
            "changed_files": len(pull.files),
        }

    def _reached(self, height: int | None) -> str | None:
        """The time of a height that has come."""
        if height is None or self._time_of(height) > self._now():
            return None
        return datetime.fromtimestamp(self._time_of(height) // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _contents(self, repository: str, path: str, commit: str) -> tuple[int, Any]:
        for (name, _), pull in self._pulls.items():
            if name == repository and _head(pull) == commit and path in pull.files:
                raw = pull.files[path].encode()
                packed = base64.encodebytes(raw).decode()
                document = {"type": "file", "encoding": "base64", "size": len(raw), "path": path, "content": packed}
                return 200, {**document, "sha": _blob(pull.files[path])}
        return 404, _MISSING


def _head(pull: PullTold) -> str:
    named = json.dumps([pull.repository, pull.number, dict(pull.files)], sort_keys=True)
    return hashlib.sha1(named.encode(), usedforsecurity=False).hexdigest()


def _blob(text: str) -> str:
    raw = text.encode()
    return hashlib.sha1(b"blob %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest()


def _json(document: object, status: int) -> Answer:
    return Answer(status, json.dumps(document).encode(), (("Content-Type", "application/json; charset=utf-8"),))
