"""How far the read models are behind the log, how fast they catch up, and the header that tells it with an answer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Final

from adapters.http.backend import Backend

ONE_SECOND_OF_LOAD: Final = 1.0  # events that have waited for longer than this make an answer tell of them
FRESH_SECONDS: Final = 0.5  # so long a measurement serves all answers: it costs three look-ups
RATE_SECONDS: Final = 10.0  # over which the rate is measured
SHORTEST_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Lag:
    """Where the read models and the log end, the age in seconds of the oldest event not folded in, seconds to go.

    `to_go` is None where no rate could be measured yet, or nothing is folded.
    """

    folded: int
    log_position: int
    age: float = 0.0
    to_go: float | None = None

    @property
    def events(self) -> int:
        return max(self.log_position - self.folded, 0)

    @property
    def seconds(self) -> float:
        return max(self.age, 0.0)

    @property
    def is_behind(self) -> bool:
        """Whether more is missing than a second of load makes; a clock that went back must not hide it."""
        return bool(self.events) and abs(self.age) > ONE_SECOND_OF_LOAD

    def header_value(self, position: int) -> str:
        """Return the header's value for an answer that is true for `position`; '' where it need not tell."""
        if not self.is_behind or not self.folded <= position < self.log_position:
            return ""
        to_go = "" if self.to_go is None else f"; seconds={self.to_go:.0f}"
        return f"{position}/{self.log_position}{to_go}"

    @property
    def sentence(self) -> str | None:
        """Return what `ready` says while they are behind."""
        if not self.is_behind:
            return None
        to_go = "" if self.to_go is None else f", {self.to_go:,.0f} s to go"
        return f"The read models are at position {self.folded:,} of {self.log_position:,}{to_go}."


class LagMeter:
    """Measures the lag when it is asked for, and the rate from one question to the next."""

    def __init__(self, backend: Backend, now: Callable[[], float] = monotonic) -> None:
        self._backend, self._now = backend, now
        self._lock = Lock()
        self._samples: deque[tuple[float, int]] = deque()  # when, and where the read models were
        self._lag: Lag | None = None

    def recent(self) -> Lag:
        """Return the lag as it was a moment ago; raises NotAbleError."""
        with self._lock:
            is_fresh = bool(self._samples) and self._now() - self._samples[-1][0] < FRESH_SECONDS
            return self._lag if self._lag is not None and is_fresh else self._measured()

    def measure(self) -> Lag:
        """Return the lag as it is; raises NotAbleError."""
        with self._lock:
            return self._measured()

    def _measured(self) -> Lag:
        folded, end = self._backend.documents.position(), self._backend.feed.end()[0]
        rate = self._rate(folded)
        if folded >= end:
            self._lag = Lag(folded, end)
        else:
            waiting = self._backend.feed.raw_after(folded, 1)  # as stored: what cannot be read is behind, too
            age = (self._backend.clock.now() - waiting[0].at).total_seconds() if waiting else 0.0
            self._lag = Lag(folded, end, age, (end - folded) / rate if rate > 0 else None)
        return self._lag

    def _rate(self, folded: int) -> float:
        """Return events a second since a sample that is old enough; 0 where there is none."""
        now, samples = self._now(), self._samples
        if samples and samples[-1][1] > folded:  # other read models serve now
            samples.clear()
        while len(samples) > 1 and now - samples[1][0] > RATE_SECONDS:
            samples.popleft()
        since, before = samples[0] if samples else (now, folded)
        if not samples or now - samples[-1][0] >= SHORTEST_SECONDS:
            samples.append((now, folded))
        return (folded - before) / (now - since) if now - since >= SHORTEST_SECONDS else 0.0
