"""How history rows and their facts are stored: the one writer of the live projection, a rebuild and the benchmark."""

# ruff: noqa: S608 - constants and names of the schema are pasted in, values are bound

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic_core import to_json

from projections.ports import OPEN, HistoryRow

CLOSE_ROW = f"UPDATE history SET until=? WHERE n=? AND until={OPEN}"
CLOSE_FACTS = f"UPDATE fact SET until=? WHERE n=? AND until={OPEN}"
INSERT_ROW = """INSERT INTO history(n,since,until,withdrawn,model,dataset,actor,session,experiment,at)
                VALUES (?,?,?,?,?,?,?,?,?,?)"""
INSERT_BODY = "INSERT INTO history_body(n,since,body) VALUES (?,?,?)"
INSERT_FACT = "INSERT INTO fact(name,value,n,since,until,withdrawn) VALUES (?,?,?,?,?,?)"

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NONE, FALSE, TRUE = b"\x00", b"\x01", b"\x02"
LARGEST = 2**63 - 1


def encode(value: Any) -> Any:
    """Return what SQLite stores for a value: none and truth values as blobs, which sort behind numbers and text."""
    if value is None:
        return NONE
    if isinstance(value, bool):
        return TRUE if value else FALSE
    if isinstance(value, int) and abs(value) > LARGEST:
        return _approximately(value)
    return microseconds(value) if isinstance(value, datetime) else value


def _approximately(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.copysign(math.inf, value)


def decode(value: Any) -> Any:
    """Return the value that was stored."""
    return {NONE: None, FALSE: False, TRUE: True}[value] if isinstance(value, bytes) else value


def microseconds(moment: datetime) -> int:
    """Return a time as whole microseconds since 1970, UTC."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def write_rows(connection: sqlite3.Connection, rows: Sequence[HistoryRow]) -> int:
    """Write new versions of rows, closing the ones before them; return how many rows are new."""
    following: dict[int, int] = {}
    versions: list[tuple[Any, ...]] = []
    facts: list[tuple[Any, ...]] = []
    for row in reversed(rows):
        until = following.get(row.n, OPEN)
        versions.append(_columns(row, until))
        key = (row.n, row.from_, until, row.withdrawn)
        facts.extend((name, encode(value), *key) for name, value in row.facts.items())
        following[row.n] = row.from_
    again = [(since, n) for n, since in following.items() if since != n // 1024]
    connection.executemany(CLOSE_ROW, again)
    connection.executemany(CLOSE_FACTS, again)
    connection.executemany(INSERT_ROW, versions)
    connection.executemany(INSERT_BODY, ((row.n, row.from_, to_json(row.body).decode()) for row in rows))
    connection.executemany(INSERT_FACT, facts)
    return len(following) - len(again)


def _columns(row: HistoryRow, until: int) -> tuple[Any, ...]:
    body = row.body
    known = (row.model, row.dataset, row.actor, body["session"], body["experiment"])
    return (row.n, row.from_, until, row.withdrawn, *known, microseconds(row.committed_at))
