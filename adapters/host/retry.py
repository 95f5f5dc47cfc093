"""The one retry policy: a bounded number of attempts, with exponential backoff and full jitter between them."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

RANDOM = random.Random()  # noqa: S311 - no secret; its own state, as the module's belongs to the whole process


@dataclass(frozen=True, slots=True)
class Retry:
    """Before attempt k + 1 a random pause of up to `shortest * 2 ** (k - 1)` seconds, never more than `longest`.

    Random over the whole range, so that rivals spread out: https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
    """

    limit: int = 100
    shortest: float = 0.001
    longest: float = 0.1

    def attempts(self) -> Iterator[int]:
        """Yield 1, 2, … `limit`, with a pause before each but the first."""
        for attempt in range(1, self.limit + 1):
            if attempt > 1:
                time.sleep(self.pause(attempt - 1))
            yield attempt

    def pause(self, failures: int) -> float:
        """Return how many seconds to pause after so many failures in a row, in an outage of hours, too."""
        doublings = min(failures - 1, 64)  # 2.0 ** 1024 is an OverflowError
        return RANDOM.uniform(0, min(self.longest, self.shortest * 2.0**doublings))
