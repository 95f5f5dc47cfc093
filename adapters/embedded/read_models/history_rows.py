"""How history rows and their facts are stored: the one writer of the live projection, a rebuild and the benchmark."""
# ruff: noqa: S608 - constants and names of the schema are pasted in, values are bound

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic_core import to_json

from adapters.history.pager import COMMON_COLUMNS
from adapters.history.ranges import encode
from projections.ports import OPEN, ROWS_PER_COMMIT, HistoryRow

CLOSE_ROW = f"UPDATE history SET until=? WHERE n=? AND until={OPEN}"
CLOSE_FACTS = f"UPDATE fact SET until=? WHERE n=? AND until={OPEN}"
VERSION_COLUMNS = ("n", "since", "until", "withdrawn", *COMMON_COLUMNS)
INSERT_ROW = f"INSERT INTO history({','.join(VERSION_COLUMNS)}) VALUES ({','.join('?' * len(VERSION_COLUMNS))})"
INSERT_BODY = "INSERT INTO history_body(n,since,body) VALUES (?,?,?)"
INSERT_FACT = (
    f"INSERT INTO fact(name,value,{','.join(VERSION_COLUMNS)}) VALUES (?,?,{','.join('?' * len(VERSION_COLUMNS))})"
)

Values = tuple[Any, ...]


def write_rows(connection: sqlite3.Connection, rows: Sequence[HistoryRow]) -> None:
    """Write new versions of rows, closing the ones before them."""
    words = _words(connection, rows)
    following: dict[int, int] = {}
    versions: list[Values] = []
    facts: list[Values] = []
    for row in reversed(rows):
        names = (words[row.facts[column]] for column in COMMON_COLUMNS)
        at_hand = (row.n, row.from_, following.get(row.n, OPEN), row.withdrawn, *names)
        versions.append(at_hand)
        facts.extend((words[name], encode(value), *at_hand) for name, value in row.facts.items())
        following[row.n] = row.from_
    again = [(since, n) for n, since in following.items() if since != n // ROWS_PER_COMMIT]
    connection.executemany(CLOSE_ROW, again)
    connection.executemany(CLOSE_FACTS, again)
    connection.executemany(INSERT_ROW, versions)
    connection.executemany(INSERT_BODY, ((row.n, row.from_, to_json(row.body).decode()) for row in rows))
    facts.sort()  # in the order of the table, which then touches each page once
    connection.executemany(INSERT_FACT, facts)


def _words(connection: sqlite3.Connection, rows: Iterable[HistoryRow]) -> dict[str, int]:
    """Return the numbers of all names in the rows, new ones added."""
    names = {name for row in rows for name in (*(row.facts[column] for column in COMMON_COLUMNS), *row.facts)}
    connection.executemany("INSERT OR IGNORE INTO word(text) VALUES (?)", ((name,) for name in sorted(names)))
    return {name: connection.execute("SELECT id FROM word WHERE text=?", (name,)).fetchone()[0] for name in names}
