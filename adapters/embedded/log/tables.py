"""The tables of the log: the library's own, made STRICT, and the commits beside it.

`rowid` is a column of its own, so that no VACUUM gives events other positions.
"""

from __future__ import annotations

from typing import Final

from adapters.embedded.schema import Column, Schema, Table

FORMAT: Final = 2  # of the data directory; 1 had tables that were not STRICT
YEARS_1_TO_9999: Final = "at BETWEEN -62135596800000000 AND 253402300799999999"

EVENTS: Final = Table(
    "stored_events",
    ("rowid",),
    (
        Column("rowid", "INTEGER", "rowid >= 1", "PRIMARY KEY"),
        Column("originator_id", "TEXT"),
        Column("originator_version", "INTEGER", "originator_version >= 0"),
        Column("topic", "TEXT"),
        Column("state", "BLOB"),
    ),
    "UNIQUE (originator_id, originator_version)",
)
COMMITS: Final = Table(
    "commits",
    ("position",),
    (
        Column("position", "INTEGER", "position >= 1", "PRIMARY KEY"),
        Column("first", "INTEGER", "first BETWEEN 1 AND position"),
        Column("at", "INTEGER", YEARS_1_TO_9999),
        Column("command_id", "BLOB", "length(command_id) = 16"),
        Column("append_id", "BLOB", "length(append_id) = 16", "UNIQUE"),
        Column("digest", "TEXT"),
        Column("hash", "BLOB", "length(hash) = 32"),
    ),
)
LOG: Final = Schema(0x414C6576, FORMAT, (EVENTS, COMMITS))  # "ALev"
