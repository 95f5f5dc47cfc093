"""Index scans of the history as SQL over an entry `c`: names become bound values or columns of the schema, no text."""
# ruff: noqa: S608 - constants and names of the schema are pasted in, values are bound

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any, Final

from adapters.history.pager import COMMON_COLUMNS, IndexScan, PageRow, Test
from adapters.history.ranges import Ranges, all_values, decode, encode, ranges_of
from projections.filters.conditions import And, Not, Or
from projections.ports import Offset

LOOK_COST: Final = 8  # of rows with some 27 facts, as most are
WORD: Final = "(SELECT id FROM word WHERE text=?)"
FACT_OF: Final = f"FROM fact f INDEXED BY fact_of WHERE f.n=c.n AND f.name={WORD} AND f.since=c.since"
SORTED_BY: Final = f"CROSS JOIN fact s INDEXED BY fact_of ON s.n=c.n AND s.name={WORD} AND s.since=c.since"
BODY: Final = "(SELECT body FROM history_body b WHERE b.n=page.n AND b.since=page.since)"


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of SQL and the values bound in it, in order."""

    text: str
    values: tuple[Any, ...] = ()

    def __add__(self, other: Sql) -> Sql:
        """Put one behind the other."""
        return Sql(f"{self.text} {other.text}", self.values + other.values)


class SqliteRows:
    """`adapters.history.pager.Rows` on the read tables."""

    budget = 60_000

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def cost(self, scan: IndexScan) -> int:
        """Return 1 for an entry, and more where facts of its row are looked for: to test it, to sort by."""
        looks = ("EXISTS" in _passing(scan).text) * (1 + scan.by_value) + (scan.sorts_values and not scan.by_value)
        return 1 + LOOK_COST * looks

    def entry(self, scan: IndexScan, number: int) -> Offset | None:
        """Return the n-th entry of a scan in order."""
        value = "c.value" if scan.by_value else "NULL"
        sql = Sql(f"SELECT c.n, {value}") + _entries(scan) + _order(scan) + Sql("LIMIT 1 OFFSET ?", (number - 1,))
        found = self._run(sql).fetchone()
        return _offset(scan, *found) if found else None

    def read(self, scan: IndexScan, until: Offset | None, most: int) -> list[PageRow]:
        """Return rows that pass; their bodies are read at last, as a sort would carry them along."""
        sql = Sql(f"WITH page AS MATERIALIZED (SELECT c.n AS n, c.since AS since, {_value(scan)} AS value")
        sql += _entries(scan, until, is_joined=True) + Sql("AND +c.n >= ? AND +c.n < ?", (scan.low, scan.high))
        sql += _passing(scan) + _order(scan) + Sql(f"LIMIT ?) SELECT n, value, {BODY} FROM page", (most,))
        return [PageRow(_offset(scan, n, key), body) for n, key, body in self._run(sql)]

    def count(self, scan: IndexScan, most: int) -> int:
        """Count a scan's entries."""
        sql = Sql("SELECT count(*) FROM (SELECT 1") + _entries(scan) + Sql("LIMIT ?)", (most,))
        return int(self._run(sql).fetchone()[0])

    def _run(self, sql: Sql) -> sqlite3.Cursor:
        return self._connection.execute(sql.text, sql.values)


def _entries(scan: IndexScan, until: Offset | None = None, *, is_joined: bool = False) -> Sql:
    """Return `FROM … c WHERE …`, also joined with the values `s` that are sorted by.

    SQLite takes one bound on each side of an index range and not always the tighter, so each side gets exactly one;
    tests that could compete bear a plus, which keeps them away from the choice of the index.
    """
    join = Sql(SORTED_BY, (scan.sort.name,)) if is_joined and scan.sorts_values and not scan.by_value else Sql("")
    low, high = scan.low, scan.high
    if until is not None and not scan.by_value:
        low, high = (until.n, high) if scan.sort.descending else (low, until.n + 1)
    if scan.index is None:
        return Sql("FROM history c") + join + Sql("WHERE c.n >= ? AND c.n < ?", (low, high))
    fact = Sql("FROM fact c") + join + Sql(f"WHERE c.name={WORD} AND", (scan.index.name,))
    if scan.index.single is not None:
        return fact + Sql("c.value = ? AND c.n >= ? AND c.n < ?", (scan.index.single, low, high))
    return fact + (_between(scan, until) if scan.by_value else _in("c.value", scan.index))


def _between(scan: IndexScan, until: Offset | None) -> Sql:
    """Say that an entry is one of the values to walk along, behind `after` and not behind `until`."""
    assert scan.index is not None  # noqa: S101 - by value there is an index
    ((first, last),) = scan.index.ranges
    begin, end = Sql("c.value >= ?", (first,)), Sql("c.value < ?", (last,))
    if scan.sort.descending:
        begin, end = end, begin
    if scan.after:
        begin = _beyond("c.value", scan, scan.after)
    if until:
        end = Sql(f"(c.value, c.n) {'>=' if scan.sort.descending else '<='} (?, ?)", (encode(until.value), until.n))
    return begin + Sql("AND") + end


def _beyond(value: str, scan: IndexScan, after: Offset) -> Sql:
    return Sql(f"({value}, c.n) {'<' if scan.sort.descending else '>'} (?, ?)", (encode(after.value), after.n))


def _passing(scan: IndexScan) -> Sql:
    """Say that the row was known at the position and passes all tests."""
    sql = Sql("AND c.since <= ? AND c.until > ?", (scan.at, scan.at))
    if not scan.withdrawn:
        sql += Sql("AND c.withdrawn = 0")
    if scan.lacking:
        sql += Sql("AND NOT") + _holds(all_values(scan.sort.name))
    if scan.after and not scan.by_value:
        sql += Sql("AND") + _beyond("s.value", scan, scan.after)
    for test in scan.tests:
        sql += Sql("AND") + _holds(test)
    return sql


def _holds(test: Test) -> Sql:
    match test:
        case And(parts) | Or(parts):
            word = " AND " if isinstance(test, And) else " OR "
            pieces = [_holds(part) for part in parts]
            return Sql(f"({word.join(piece.text for piece in pieces)})", sum((piece.values for piece in pieces), ()))
        case Not(part):
            return Sql("NOT") + _holds(part)
        case Ranges("position"):
            return _in("+c.n", test)
        case Ranges(name) if name in COMMON_COLUMNS and test.single is not None:
            return Sql(f"(c.{name} IS {WORD})", (decode(test.single),))
        case Ranges(name):
            return Sql(f"EXISTS (SELECT 1 {FACT_OF} AND", (name,)) + _in("+f.value", test) + Sql(")")
        case _:
            return _holds(ranges_of(test))


def _in(column: str, ranges: Ranges) -> Sql:
    if ranges.keys:
        return Sql(f"{column} IN ({','.join('?' * len(ranges.keys))})", ranges.keys)
    texts = " OR ".join(f"{column} >= ? AND {column} < ?" for _ in ranges.ranges) or "false"
    return Sql(f"({texts})", tuple(key for span in ranges.ranges for key in span))


def _value(scan: IndexScan) -> str:
    return "c.value" if scan.by_value else "s.value" if scan.sorts_values else "NULL"


def _order(scan: IndexScan) -> Sql:
    """Return the order of the page, which the index of a scan in order has already."""
    way = "DESC" if scan.sort.descending else "ASC"
    return Sql(f"ORDER BY {_value(scan)} {way}, c.n {way}" if scan.sorts_values else f"ORDER BY c.n {way}")


def _offset(scan: IndexScan, n: int, key: bytes | None) -> Offset:
    return Offset(n, None if key is None else decode(key), scan.lacking)
