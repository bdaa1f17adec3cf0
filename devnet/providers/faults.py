"""Misbehaviour of providers: of connection, certificate or answer; by height or on request."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

CONNECTION = ("refuse", "silent", "no_tls")
CERTIFICATE = ("expired", "foreign", "unlisted")
ANSWER = (
    "delay",
    "slow_header",
    "slow_body",
    "status",
    "redirect",
    "content_type",
    "cut",
    "drop",
    "not_ready",
    "no_kubernetes",
)
KINDS = CONNECTION + CERTIFICATE + ANSWER


@dataclass(frozen=True, slots=True)
class ProviderFault:
    """One way to misbehave.

    `kind`: of the connection: `refuse` (nobody listens), `silent` (accepted, then nothing), `no_tls` (plain text).
    Of the certificate: `expired`, `foreign` (another owner's), `unlisted` (its own, never published). Of the answer:
    `delay` (`seconds` before it), `slow_header` and `slow_body` (`seconds` between single bytes), `status` (`status`,
    `retry_after`), `redirect` (302 to `location`), `content_type` (text/html), `cut` (half of the body, then the
    end), `drop` (the end without a word), `not_ready` (no inventory yet), `no_kubernetes` (/version fails).
    `api`: "rest", "grpc" or both where empty; `path`: a regular expression looked for in the route.
    `count`: so many times, None for ever. `probability`: of a matching request, by `seed`.
    By height, so that the same block always sees the same: only in `[first, end)` (None: for ever), and of each
    `every` blocks from `first` on only the first `lasts`.
    """

    kind: str
    api: str = ""
    path: str = ""
    count: int | None = None
    probability: float = 1.0
    seed: str = ""
    first: int = 0
    end: int | None = None
    every: int | None = None
    lasts: int = 0
    seconds: float = 0.0
    status: int = 503
    retry_after: int | None = None
    location: str = "http://169.254.169.254/latest/meta-data/"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is no fault of a provider; there are {', '.join(KINDS)}")
        if self.api not in {"", "rest", "grpc"}:
            raise ValueError(f"{self.api!r} is no API of a provider: rest, grpc, or nothing for both")
        if self.every is not None and self.every < 1:
            raise ValueError("`every` counts blocks, at least one")
        re.compile(self.path)

    def holds(self, height: int) -> bool:
        """Whether the height is one of this fault's."""
        if height < self.first or (self.end is not None and height >= self.end):
            return False
        return self.every is None or (height - self.first) % self.every < self.lasts


class ProviderFaults:
    """The faults of one provider: those of the scenario and those added since."""

    def __init__(self, own: Iterable[ProviderFault] = ()) -> None:
        self._own = tuple(own)
        self._faults = list(self._own)
        self._asked = 0
        self._lock = threading.Lock()
        self.when_changed: Callable[[], None] = _nothing
        """Called after each change."""

    def add(self, *faults: ProviderFault) -> None:
        """Misbehave in these ways too."""
        self._put([*self._faults, *faults])

    def clear(self) -> None:
        """Behave as the scenario says again."""
        self._put(self._own)

    def behave(self) -> None:
        """Behave well, whatever the scenario says."""
        self._put(())

    def _put(self, faults: Iterable[ProviderFault]) -> None:
        with self._lock:
            self._faults = list(faults)
        self.when_changed()

    def refuses(self, api: str, newest: Callable[[], int]) -> bool:
        """Whether nobody listens at the `newest` height; it is not counted down."""
        shut = [fault for fault in self._faults if fault.kind == "refuse" and fault.api in {"", api}]
        if not shut:
            return False
        height = newest()
        return any(fault.holds(height) and fault.count is None and fault.probability >= 1 for fault in shut)

    def meeting(self, kinds: Iterable[str], api: str, target: str, newest: Callable[[], int]) -> list[ProviderFault]:
        """The faults of these kinds that something meets at the `newest` height; each counts down."""
        if not self._faults:
            return []
        met: list[ProviderFault] = []
        height = newest()
        with self._lock:
            self._asked += 1
            for place, fault in enumerate(self._faults):
                if fault.kind not in kinds or fault.api not in {"", api} or not fault.holds(height):
                    continue
                if fault.count == 0 or not re.search(fault.path, target) or not self._happens(fault, place):
                    continue
                if fault.count is not None:
                    self._faults[place] = replace(fault, count=fault.count - 1)
                met.append(fault)
        return met

    def _happens(self, fault: ProviderFault, place: int) -> bool:
        if fault.probability >= 1:
            return True
        drawn = hashlib.sha256(f"{fault.seed}|{place}|{self._asked}".encode()).digest()
        return int.from_bytes(drawn[:8]) < fault.probability * 2**64


def _nothing() -> None:
    pass
