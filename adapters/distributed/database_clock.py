"""Times on the database's own clock, as expressions of update pipelines and queries: no process' clock decides.

`$$NOW` is the primary's clock; after a fail-over it is another machine's, so leases are as exact as those agree.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)  # the end of a lease that nobody has
NOW: Final = "$$NOW"
RUNS: Final[dict[str, Any]] = {"$expr": {"$gt": ["$until", NOW]}}
RAN_OUT: Final[dict[str, Any]] = {"$expr": {"$lte": ["$until", NOW]}}


def from_now(seconds: float) -> dict[str, Any]:
    """Return the time that many seconds ahead (negative: ago), to the millisecond."""
    return {"$dateAdd": {"startDate": NOW, "unit": "millisecond", "amount": round(seconds * 1000)}}


def exactly(value: Any) -> dict[str, Any]:
    """Return a value of ours as it is, also where it begins with a dollar."""
    return {"$literal": value}
