"""The numbers of history rows in MongoDB: by time, and the newest."""

from __future__ import annotations

from datetime import datetime

from pymongo.collection import Collection

from adapters.distributed.mongo import Fields
from adapters.distributed.read_models.history_indexes import BY_NUMBER, BY_TIME, NUMBER
from adapters.distributed.read_models.history_rows import microseconds


class MongoNumbers:
    """`adapters.history.window.Numbers` on a collection of rows."""

    def __init__(self, rows: Collection[Fields]) -> None:
        self._rows = rows

    def first(self, since: datetime, *, included: bool) -> int | None:
        """Return the number of the first row from a time on, or after it."""
        return self._nearest({"$gte" if included else "$gt": microseconds(since)}, 1)

    def last(self, until: datetime, *, included: bool) -> int | None:
        """Return the number of the last row up to a time, or before it."""
        return self._nearest({"$lte" if included else "$lt": microseconds(until)}, -1)

    def newest(self) -> int:
        """Return the number of the newest row, 0 where there is none; known from the index alone."""
        found = list(self._rows.find({}, {NUMBER: 1}).sort(NUMBER, -1).hint(list(BY_NUMBER)).limit(1))
        return int(found[0]["_id"]["n"]) if found else 0

    def _nearest(self, times: Fields, direction: int) -> int | None:
        """Return the number of the first row in the order of time; known from the index alone."""
        order = [("at", direction), (NUMBER, direction)]
        found = list(self._rows.find({"at": times}, {NUMBER: 1}).sort(order).hint(list(BY_TIME)).limit(1))
        return int(found[0]["_id"]["n"]) if found else None
