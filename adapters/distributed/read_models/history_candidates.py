"""Rows of the history in MongoDB along a way, and the tests that those of a page pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pymongo
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from adapters.distributed.mongo import Fields
from adapters.distributed.read_models.history_filter import holds, lacks
from adapters.distributed.read_models.history_indexes import NUMBER
from adapters.distributed.read_models.history_keys import field
from adapters.distributed.read_models.history_way import Place, Way
from adapters.history.search import Question
from adapters.history.walk import Hit
from projections.filters.conditions import Condition
from projections.ports import HistoryQuery, Mark

STEP = 0.2  # cost of an index entry, beside 1 for reading the row behind it
TOLD = 0.5  # cost of an index entry that tells whether its row is in the window
SCATTERED = 3.0  # cost of reading a row that does not lie beside the one before; if from the disk, much more
WALK_SECONDS = 0.25  # far more than a budget of candidates takes, where it was not foreseen how many there would be


class MongoCandidates:
    """`adapters.history.walk.Candidates` of a way."""

    def __init__(
        self, rows: Collection[Fields], asked: Question, way: Way, tests: Sequence[Condition], *, lacking: bool
    ) -> None:
        self.way = way
        self.lacking = lacking
        self.untested = not tests and way.path == NUMBER and not lacking
        self._rows = rows
        self._asked = asked
        self._query = asked.query
        self._tests = [*way.inside, is_known(asked, bounded=way.path == NUMBER), *(holds(part) for part in tests)]
        if lacking:
            self._tests.append(lacks(asked.query.sort.name))

    @property
    def share(self) -> float:
        """Which part of them is in the window: all, where the way has its bounds."""
        return self._asked.share if self.way.inside else 1

    @property
    def cost(self) -> float:
        """What testing one costs: those outside the window are not read."""
        if self.way.path == NUMBER:
            return STEP + 1
        return (TOLD if self.way.inside else STEP) + SCATTERED * self.share

    def place(self, mark: Mark) -> Place:
        """Return the place of a mark."""
        return self.way.place(mark, descending=self._query.sort.descending)

    def mark(self, place: Place) -> Mark:
        """Return the mark of a place."""
        if isinstance(place, int):
            return Mark(place, 0, missing=self.lacking)
        here = self._rows.find({self.way.path: place}, fields_of(self._query)).hint(list(self.way.index))
        return hit(next(iter(here)), self._query, lacking=self.lacking).mark

    def place_after(self, place: Place | None, size: int) -> Place | None:
        """Return the place of the candidate so far on, from the index alone; None where there are not so many."""
        found = self._find(self._between(place, None), self.way.project()).skip(size - 1).limit(1)
        return next((self.way.read(row) for row in found), None)

    def passing(self, after: Place | None, until: Place | None, most: int) -> list[Hit]:
        """Return rows that pass, from beyond one place up to another."""
        tests = {"$and": [self._between(after, until), *self._tests]}
        found = self._find(tests, fields_of(self._query)).limit(most).batch_size(most)
        return [hit(row, self._query, lacking=self.lacking) for row in found]

    def passing_in_time(self, after: Place | None, most: int) -> list[Hit] | None:
        """Return rows that pass up to the end; None where that took too long."""
        try:
            with pymongo.timeout(WALK_SECONDS):
                return self.passing(after, None, most)
        except PyMongoError as error:
            if not error.timeout:
                raise
            return None

    def _between(self, after: Place | None, until: Place | None) -> Fields:
        return self.way.between(descending=self._query.sort.descending, after=after, until=until)

    def _find(self, where: Fields, fields: Fields) -> Any:
        order = pymongo.DESCENDING if self._query.sort.descending else pymongo.ASCENDING
        return self._rows.find(where, fields).sort(self.way.path, order).hint(list(self.way.index))


def is_known(asked: Question, *, bounded: bool) -> Fields:
    """Say that a row is in the window, true at the position, and not withdrawn if those are not asked for."""
    query, window = asked.query, asked.window
    known: Fields = {"_id.since": {"$lte": query.at}, "until": {"$gt": query.at}}
    if not bounded:
        known[NUMBER] = {"$gte": window.low, "$lte": window.high}
    return known if query.withdrawn else {**known, "withdrawn": False}


def fields_of(query: HistoryQuery) -> Fields:
    """Return what is read of a row for a page."""
    read: Fields = {"_id": 1, "body": 1}
    return read if query.sort.name == "n" else {**read, f"f.{field(query.sort.name)}": 1}


def hit(row: Fields, query: HistoryQuery, *, lacking: bool = False) -> Hit:
    """Read a row for a page."""
    by_value = query.sort.name != "n" and not lacking
    value = row["f"][field(query.sort.name)] if by_value else None
    return Hit(Mark(row["_id"]["n"], row["_id"]["since"], value, lacking), row["body"])
