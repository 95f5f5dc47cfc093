"""The numbers of history rows in SQLite: by time, and the newest."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from adapters.embedded.read_models.history_values import microseconds

FIRST = "SELECT n FROM history INDEXED BY history_at WHERE at {}? ORDER BY at, n LIMIT 1"
LAST = "SELECT n FROM history INDEXED BY history_at WHERE at {}? ORDER BY at DESC, n DESC LIMIT 1"


class EmbeddedNumbers:
    """`adapters.history.window.Numbers` on the read tables."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def first(self, since: datetime, *, included: bool) -> int | None:
        """Return the number of the first row from a time on, or after it."""
        return self._number(FIRST.format(">=" if included else ">"), since)

    def last(self, until: datetime, *, included: bool) -> int | None:
        """Return the number of the last row up to a time, or before it."""
        return self._number(LAST.format("<=" if included else "<"), until)

    def newest(self) -> int:
        """Return the number of the newest row, 0 where there is none."""
        return int(self._connection.execute("SELECT max(n) FROM history").fetchone()[0] or 0)

    def _number(self, sql: str, moment: datetime) -> int | None:
        row = self._connection.execute(sql, (microseconds(moment),)).fetchone()
        return int(row[0]) if row else None
