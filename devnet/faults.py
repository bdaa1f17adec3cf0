"""Misbehaviour on request: slow, refusing, cutting, dropping, lying answers of one host."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace

from devnet.api.answer import Answer
from devnet.server import Sent

KINDS = ("delay", "status", "cut", "drop", "lie")


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to misbehave.

    `kind`: `delay` (`seconds` before the answer), `status` (`status` with `retry_after` seconds, where given),
    `cut` (half of the body, then the end), `drop` (the end without a word), `lie` (in the body `find`, a regular
    expression, becomes `put`). `path`: a regular expression looked for in the request target; `api`: "rest", "rpc"
    or both where empty. `count`: so many times, None for ever. `probability`: of a matching request, by `seed`.
    """

    kind: str
    path: str = ""
    api: str = ""
    count: int | None = None
    probability: float = 1.0
    seed: str = ""
    seconds: float = 0.0
    status: int = 503
    retry_after: int | None = None
    find: str = ""
    put: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is no fault; there are {', '.join(KINDS)}")
        re.compile(self.path)
        re.compile(self.find)


class Faults:
    """The faults that one host has now. A request meets the first of each kind that fits it."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._faults: list[Fault] = list(faults)
        self._asked = 0
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        """Misbehave in these ways too."""
        with self._lock:
            self._faults.extend(faults)

    def clear(self) -> None:
        """Behave again."""
        with self._lock:
            self._faults.clear()

    def meeting(self, api: str, target: str) -> list[Fault]:
        """The faults that this request meets; each counts down."""
        met: list[Fault] = []
        with self._lock:
            self._asked += 1
            for place, fault in enumerate(self._faults):
                if fault.api not in {"", api} or not re.search(fault.path, target):
                    continue
                if fault.count == 0 or not self._happens(fault, place):
                    continue
                if fault.count is not None:
                    self._faults[place] = replace(fault, count=fault.count - 1)
                met.append(fault)
        return met

    def _happens(self, fault: Fault, place: int) -> bool:
        if fault.probability >= 1:
            return True
        drawn = hashlib.sha256(f"{fault.seed}|{place}|{self._asked}".encode()).digest()
        return int.from_bytes(drawn[:8]) < fault.probability * 2**64


def refusal(faults: Iterable[Fault]) -> Sent | None:
    """What is sent instead of an answer."""
    for fault in faults:
        if fault.kind == "drop":
            return Sent(Answer(200, b""), drop=True)
        if fault.kind == "status":
            headers = [("Content-Type", "text/plain; charset=utf-8")]
            if fault.retry_after is not None:
                headers.append(("Retry-After", str(fault.retry_after)))
            return Sent(Answer(fault.status, f"devnet fault {fault.status}\n".encode(), tuple(headers)))
    return None


def spoiled(answer: Answer, faults: Iterable[Fault]) -> Sent:
    """An answer with lies in it, or cut."""
    body = answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)
    cut_after = None
    for fault in faults:
        if fault.kind == "lie":
            body = re.sub(fault.find.encode(), fault.put.encode(), body)
        elif fault.kind == "cut":
            cut_after = len(body) // 2
    return Sent(Answer(answer.status, body, answer.headers), cut_after=cut_after)
