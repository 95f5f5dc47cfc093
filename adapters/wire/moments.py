"""Times as integers: microseconds since 1970-01-01T00:00Z, which is how logs store and hash them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def microseconds_now() -> int:
    """Return the time of day in microseconds."""
    return time.time_ns() // 1000


def to_microseconds(moment: datetime) -> int:
    """Return a time (with zone) in microseconds, exactly."""
    return (moment - EPOCH) // MICROSECOND


def from_microseconds(microseconds: int) -> datetime:
    """Return the UTC time; the inverse of `to_microseconds`."""
    return EPOCH + timedelta(microseconds=microseconds)
