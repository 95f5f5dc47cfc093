"""What is wrong with rows of the log that no chain can tell: events beside it, and streams as they are served."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final

from adapters.embedded.schema import MAX_NAMED, as_text

STRAYS: Final = """
SELECT rowid FROM stored_events WHERE rowid < 1 OR rowid > ifnull((SELECT max(position) FROM commits), 0)
ORDER BY rowid LIMIT ?"""
# Streams are served by this index, in the order of versions: it must give what the positions give.
OUT_OF_ORDER: Final = """
SELECT originator_id, originator_version, rowid FROM (
    SELECT originator_id, originator_version, rowid, lag(originator_version, 1, 0) OVER stream AS before,
        lag(rowid, 1, 0) OVER stream AS place
    FROM stored_events INDEXED BY sqlite_autoindex_stored_events_1
    WINDOW stream AS (PARTITION BY originator_id ORDER BY originator_version))
WHERE originator_version IS NOT before + 1 OR rowid <= place LIMIT ?"""


def events_of_no_commit(connection: sqlite3.Connection) -> Iterator[str]:
    """Name positions below the first commit and beyond the last one that hold events."""
    for (position,) in connection.execute(STRAYS, (MAX_NAMED,)):
        yield f"position {position} holds an event that no commit brought"


def streams_out_of_order(connection: sqlite3.Connection) -> Iterator[str]:
    """Name events that are not the next ones of their stream: versions are 1, 2, …, in the order of positions."""
    for stream, version, position in connection.execute(OUT_OF_ORDER, (MAX_NAMED,)):
        event = f"version {as_text(version)} of stream {as_text(stream)!r} (position {position})"
        yield f"{event} is not the next one there"
