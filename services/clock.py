"""The clocks that `app.py` hands out."""

from __future__ import annotations

import time

from tasks.moment import Clock, Moment


class SystemClock:
    """The machine's clock."""

    def now(self) -> Moment:
        """The present."""
        return Moment(time.time_ns())


class StoppedClock:
    """A clock that stands where it was set; tests and the scenario's acts move it by hand."""

    def __init__(self, moment: Moment) -> None:
        self.moment = moment

    def now(self) -> Moment:
        """Where it stands."""
        return self.moment


class CappedClock:
    """A clock that runs like another and stops at `last`: the platform's side of `demo --until`."""

    def __init__(self, clock: Clock, last: Moment) -> None:
        self._clock = clock
        self._last = last

    def now(self) -> Moment:
        """The present, or `last` once that is past."""
        return min(self._clock.now(), self._last)
