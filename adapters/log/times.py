"""Times as integers: microseconds since 1970-01-01T00:00Z, which is how logs store and hash them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from domain.errors import NotAbleError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
A_MONTH = timedelta(days=31)  # the end of what is kept for a day or a week must be a time, too


def microseconds_now() -> int:
    """Return the time of day in microseconds; raises NotAbleError for one before 1980, or after 9999."""
    now = time.time_ns() // 1000
    if not FIRST <= now < LAST:
        raise NotAbleError(
            f"The clock of this machine says {now // 1_000_000} s since 1970, which is before 1980 or after 9999:"
            " nothing is served until it is set."
        )
    return now


def to_microseconds(moment: datetime) -> int:
    """Return a time (with zone) in microseconds, exactly."""
    return (moment - EPOCH) // MICROSECOND


def from_microseconds(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


FIRST = to_microseconds(datetime(1980, 1, 1, tzinfo=UTC))
LAST = to_microseconds(datetime.max.replace(tzinfo=UTC) - A_MONTH)
