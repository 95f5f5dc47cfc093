"""What is wrong with read models that a comparison with the log does not show: rows that only some queries meet."""
# ruff: noqa: S608 - constants and names of the schema are pasted in

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Final

from adapters.embedded.schema import MAX_NAMED, as_text
from adapters.history.pager import COMMON_COLUMNS
from projections.fold import VERSIONS
from projections.ports import OPEN

REACHED: Final = "(SELECT min(position) FROM progress)"
COPIED_COLUMNS: Final = ("until", "withdrawn", *COMMON_COLUMNS)

# What is beyond the position that the read models have reached is compared with no commit, and yet served.
AHEAD: Final = {
    table: f"""SELECT {key} FROM {table}
        WHERE since > {REACHED} OR (until > {REACHED} AND until <> {OPEN}) LIMIT {MAX_NAMED}"""
    for table, key in (("document", "kind, id, since"), ("history", "n, since"), ("fact", "n, since, name"))
}
OF_NO_ROW: Final = {
    "history_body": f"""SELECT n, since FROM history_body b
        WHERE NOT EXISTS (SELECT 1 FROM history h WHERE h.n=b.n AND h.since=b.since) LIMIT {MAX_NAMED}""",
    "fact": f"""SELECT n, since, name FROM fact f WHERE NOT EXISTS (
        SELECT 1 FROM history h WHERE h.n=f.n AND h.since=f.since AND {
        " AND ".join(f"h.{name}=f.{name}" for name in COPIED_COLUMNS)
    }) LIMIT {MAX_NAMED}""",
}
USED: Final = "".join(f"SELECT {name} FROM history UNION " for name in COMMON_COLUMNS)
UNUSED: Final = f"SELECT text FROM word WHERE id NOT IN ({USED}SELECT name FROM fact) LIMIT {MAX_NAMED}"
VERSIONS_OF: Final = "SELECT projection, version FROM progress"
POSITIONS: Final = "SELECT count(DISTINCT position) FROM progress"


def read_model_faults(connection: sqlite3.Connection) -> Iterator[str]:
    """Name rows that no comparison with the log meets, and what stands twice and differs."""
    for table, query in AHEAD.items():
        for row in connection.execute(query):
            yield f"{table} row {', '.join(map(as_text, row))} is true at positions that are not reached"
    for table, query in OF_NO_ROW.items():
        for row in connection.execute(query):
            yield f"{table} row {', '.join(map(as_text, row))} belongs to no history row as it is"
    for (text,) in connection.execute(UNUSED):
        yield f"the name {as_text(text)!r} is numbered and nothing bears it"
    if (versions := dict(connection.execute(VERSIONS_OF))) != VERSIONS:
        yield f"progress has the versions {versions} of the projections, and not {VERSIONS}"
    if connection.execute(POSITIONS).fetchone() != (1,):
        yield "the projections are not all as far: one is being rebuilt, or progress is wrong"
