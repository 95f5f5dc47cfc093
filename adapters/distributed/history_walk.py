"""A walk along a way: a first look at a few candidates, then as many as the page takes, within a budget of work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pymongo
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from adapters.distributed.history_indexes import NUMBER
from adapters.distributed.history_keys import field
from adapters.distributed.history_way import Place, Way
from adapters.distributed.history_window import Window
from adapters.distributed.mongo import Fields
from projections.ports import OPEN, HistoryQuery, Mark

BUDGET = 20_000  # candidates looked at for one page: beyond it a page comes back short, with a cursor
FIRST_PIECE = 30  # candidates beyond what the page needs
WALK_SECONDS = 0.25  # far more than so many candidates take, where it was not foreseen how many there would be


@dataclass(frozen=True, slots=True)
class Hit:
    """A row of a page: where the next page would begin, and its body."""

    mark: Mark
    body: str


class Walk:
    """Collects the rows that pass, one more than the page holds; `missing`: rows that lack the value come here."""

    def __init__(
        self, rows: Collection[Fields], query: HistoryQuery, window: Window, way: Way, tests: Sequence[Fields],
        *, missing: bool,
    ) -> None:  # fmt: skip
        self.found: list[Hit] = []
        self.looked_at = 0
        self.ended = False
        self.way = way
        self._rows = rows
        self._query = query
        self._missing = missing
        self._tests = [is_known(query, window, bounded=way.path == NUMBER), *tests]
        self._is_bare = not tests and way.path == NUMBER
        after = query.after if query.after is not None and query.after.missing == missing else None
        self._place = way.place(after, descending=query.sort.descending) if after is not None else None

    @property
    def is_full(self) -> bool:
        """Whether the page is full and it is known that another follows."""
        return len(self.found) > self._query.limit

    def stopped(self) -> Mark | None:
        """Return where it has come to; None at the end, and where the page's own last row tells it."""
        if self.ended or self.is_full:
            return None
        if self._place is None:
            before_all = OPEN if self._query.sort.descending else 0  # the first commit has the numbers from 1024 on
            return Mark(before_all, before_all, missing=self._missing)
        if isinstance(self._place, int):
            return Mark(self._place, 0, missing=self._missing)
        here = self._rows.find({self.way.path: self._place}, fields_of(self._query)).hint(list(self.way.index))
        return hit(next(iter(here)), self._query, missing=self._missing).mark

    def expected(self) -> float:
        """Estimate how many more candidates the page takes, by the rate so far; finding none yet bodes ill."""
        return (self._query.limit + 1 - len(self.found)) * self.looked_at / max(len(self.found), 0.2)

    def look(self) -> None:
        """Take the first candidates, a few more than the page needs."""
        if self._is_bare:
            self._to_the_end()
        else:
            self._piece(min(self._query.limit + FIRST_PIECE, BUDGET))

    def go_on(self) -> None:
        """Go on until the page is full, the order ends, or the budget is spent."""
        if self.is_full or self.ended or self.looked_at >= BUDGET:
            return
        if self.found and self.expected() > BUDGET:
            self._piece(BUDGET - self.looked_at)
        else:
            self._to_the_end()

    def _to_the_end(self) -> None:
        try:
            with pymongo.timeout(WALK_SECONDS):
                self._take(None)
        except PyMongoError as error:
            if not error.timeout:
                raise
            self._piece(BUDGET - self.looked_at)
        else:
            self.ended = not self.is_full

    def _piece(self, size: int) -> None:
        """Take so many candidates and keep the place of the last, from which the walk can go on."""
        last = self._place_after(size)
        self._take(last)
        self.looked_at += size
        self.ended = last is None and not self.is_full
        self._place = self._place if last is None else last

    def _place_after(self, size: int) -> Place | None:
        """Return the place of a candidate so far on, from the index alone."""
        found = self._find(self._between(None), self.way.project()).skip(size - 1).limit(1)
        return next((self.way.read(row) for row in found), None)

    def _take(self, until: Place | None) -> None:
        wanted = self._query.limit + 1 - len(self.found)
        passing = {"$and": [self._between(until), *self._tests]}
        found = self._find(passing, fields_of(self._query)).limit(wanted).batch_size(wanted)
        self.found.extend([hit(row, self._query, missing=self._missing) for row in found])

    def _between(self, until: Place | None) -> Fields:
        return self.way.between(descending=self._query.sort.descending, after=self._place, until=until)

    def _find(self, where: Fields, fields: Fields) -> Any:
        order = pymongo.DESCENDING if self._query.sort.descending else pymongo.ASCENDING
        return self._rows.find(where, fields).sort(self.way.path, order).hint(list(self.way.index))


def is_known(query: HistoryQuery, window: Window, *, bounded: bool) -> Fields:
    """Say that a row is in the window, true at the position, and not withdrawn if those are not asked for."""
    known: Fields = {"_id.since": {"$lte": query.at}, "until": {"$gt": query.at}}
    if not bounded:
        known[NUMBER] = {"$gte": window.low, "$lte": window.high}
    return known if query.withdrawn else {**known, "withdrawn": False}


def fields_of(query: HistoryQuery) -> Fields:
    """Return what is read of a row for a page."""
    read: Fields = {"_id": 1, "body": 1}
    return read if query.sort.name == "n" else {**read, f"f.{field(query.sort.name)}": 1}


def hit(row: Fields, query: HistoryQuery, *, missing: bool = False) -> Hit:
    """Read a row for a page."""
    by_value = query.sort.name != "n" and not missing
    value = row["f"][field(query.sort.name)] if by_value else None
    return Hit(Mark(row["_id"]["n"], row["_id"]["since"], value, missing), row["body"])
