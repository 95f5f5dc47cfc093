"""Rows of the history in SQLite along a way, and the tests that those of a page pass."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from adapters.embedded.read_models.history_sql import Sql
from adapters.embedded.read_models.history_values import decode, encode
from adapters.embedded.read_models.history_way import NUMBER, Key, Way
from adapters.history.search import Question
from adapters.history.walk import Hit
from projections.ports import Mark

OPERATIONS = 800_000  # of SQLite's virtual machine: what about a budget of candidates takes
CHECKED_EVERY = 50_000
STEP = 0.1  # cost of a candidate whose test needs no look elsewhere, beside 1 for one that does
BODY_OF = "(SELECT b.body FROM history_body b WHERE b.n=c.n AND b.since=c.since)"


class EmbeddedCandidates:
    """`adapters.history.walk.Candidates` of a way."""

    def __init__(self, connection: sqlite3.Connection, asked: Question, way: Way, tests: Sql, *, lacking: bool) -> None:
        self.way = way
        self.lacking = lacking
        self.untested = False  # a first look costs less than a question to a server would
        self._connection = connection
        self._asked = asked
        self._probes = tests.probes
        self._descending = asked.query.sort.descending
        self._passes = way.tests + Sql("AND") + is_known(asked) + Sql("AND") + tests

    @property
    def share(self) -> float:
        """Which part of them is in the window: all, where the way has its bounds."""
        return 1 if self.way.by == NUMBER else self._asked.share

    @property
    def cost(self) -> float:
        """What testing one costs: those outside the window are passed over at once."""
        return STEP + (self.share if self._probes else 0)

    def place(self, mark: Mark) -> Key:
        """Return the place of a mark."""
        here = (mark.n, mark.since)
        return here if self.way.by == NUMBER else (encode(mark.value), *here)

    def mark(self, place: Key) -> Mark:
        """Return the mark of a place."""
        *value, n, since = place
        return Mark(n, since, decode(value[0]) if value else None, self.lacking)

    def place_after(self, place: Key | None, size: int) -> Key | None:
        """Return the place of the candidate so far on; None where there are not so many."""
        rows = self.way.between(descending=self._descending, after=place, until=None)
        sql = Sql(f"SELECT {', '.join(self.way.by)}") + rows + self._in_order(1) + Sql("OFFSET ?", (size - 1,))
        found: Key | None = self._connection.execute(sql.text, sql.values).fetchone()
        return found

    def passing(self, after: Key | None, until: Key | None, most: int) -> list[Hit]:
        """Return rows that pass, from beyond one place up to another."""
        value = "NULL" if self.way.by == NUMBER else "c.value"
        rows = self.way.between(descending=self._descending, after=after, until=until)
        sql = Sql(f"SELECT c.n, c.since, {value}, {BODY_OF}") + rows + Sql("AND") + self._passes + self._in_order(most)
        return [hit(row, lacking=self.lacking) for row in self._connection.execute(sql.text, sql.values)]

    def passing_in_time(self, after: Key | None, most: int) -> list[Hit] | None:
        """Return rows that pass up to the end; None where that took too many operations."""
        with self._at_most(OPERATIONS) as work:
            found = self.passing(after, None, most)
        return None if work.is_cut_short else found

    def _in_order(self, most: int) -> Sql:
        return Sql(f"ORDER BY {self.way.order(descending=self._descending)} LIMIT ?", (most,))

    @contextmanager
    def _at_most(self, operations: int) -> Iterator[Work]:
        """Cut a statement short after so many operations."""
        work = Work(operations)
        self._connection.set_progress_handler(work.is_spent, CHECKED_EVERY)
        try:
            yield work
        except sqlite3.OperationalError:
            if not work.is_cut_short:
                raise
        finally:
            self._connection.set_progress_handler(None, 0)


class Work:
    """Counts operations, CHECKED_EVERY at a time."""

    def __init__(self, operations: int) -> None:
        self._left = operations
        self.is_cut_short = False

    def is_spent(self) -> bool:
        """Whether the statement is to be cut short here."""
        self._left -= CHECKED_EVERY
        self.is_cut_short = self._left < 0
        return self.is_cut_short


def is_known(asked: Question) -> Sql:
    """Say that the candidate is in the window, true at the position, and not withdrawn if those are not asked for."""
    query, window = asked.query, asked.window
    live = "" if query.withdrawn else "AND c.withdrawn=0"
    known = f"+c.n BETWEEN ? AND ? AND c.since<=? AND c.until>? {live}"
    return Sql(known, (window.low, window.high, query.at, query.at))


def hit(row: tuple[Any, ...], *, lacking: bool) -> Hit:
    """Read a row for a page: its number, its version, what is sorted by, its body."""
    n, since, stored, body = row
    return Hit(Mark(n, since, decode(stored), lacking), body)
