"""Projections that another version wrote: what they wrote goes, and they begin again at position 0."""

from __future__ import annotations

import sqlite3
from typing import Final

from adapters.embedded.database import Transaction
from projections.fold import KINDS_OF, VERSIONS

HISTORY_TABLES: Final = ("history", "history_body", "fact", "word")


def clear_outdated(connection: sqlite3.Connection) -> None:
    """Clear each projection that is not of today's version, all in one transaction."""
    stored = dict(connection.execute("SELECT projection, version FROM progress"))
    if stored == VERSIONS:
        return
    with Transaction(connection):
        for projection in {*stored, *VERSIONS}:
            if stored.get(projection) != VERSIONS.get(projection):
                clear(connection, projection)


def clear(connection: sqlite3.Connection, projection: str) -> None:
    """Remove what a projection wrote, and the projection itself where there is no such one any more."""
    for kind in KINDS_OF.get(projection, ()):
        connection.execute("DELETE FROM document WHERE kind = ?", (kind,))
    for table in HISTORY_TABLES if projection == "history" else ():
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 - a name of the schema
    connection.execute("DELETE FROM progress WHERE projection = ?", (projection,))
    if projection in VERSIONS:
        connection.execute("INSERT INTO progress VALUES (?, ?, 0)", (projection, VERSIONS[projection]))
