"""A way through the rows: an index, the one field of it that is walked along, and the bounds of the walk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from adapters.distributed.mongo import Fields
from adapters.distributed.read_models import history_keys
from adapters.distributed.read_models.history_filter import column, spans
from adapters.distributed.read_models.history_indexes import (
    BY_BOARD,
    BY_COLUMN,
    BY_FACT,
    BY_NUMBER,
    BY_PAIR,
    NUMBER,
    Keys,
)
from adapters.distributed.read_models.history_keys import ALL, BEYOND, place
from adapters.distributed.read_models.history_rows import board
from adapters.history.conditions import is_fact
from adapters.history.window import Window
from projections.filters.conditions import Between, Compare, Simple
from projections.ports import Mark

LAST: Final = 2**63 - 1
Place = int | str  # a row's number, or its key


@dataclass(frozen=True, slots=True)
class Way:
    """Rows of `index` with `where`, ordered by the field `path`, from `low` up to but without `high`.

    `prefix`: what all keys begin with where `path` is a fact of a single value, so that the order is that of `n`.
    `inside`: what its index tells alone of being in the window, where the bounds do not.
    """

    index: Keys
    where: Fields
    path: str
    low: Place
    high: Place
    prefix: str | None = None
    inside: tuple[Fields, ...] = ()

    def between(self, *, descending: bool, after: Place | None, until: Place | None) -> Fields:
        """Return the filter for what lies beyond one place, up to another; where one is None, from or to the end."""
        begin, end = ("$lt", "$gte") if descending else ("$gt", "$lte")
        bounds: Fields = {"$gte": self.low, "$lt": self.high}
        if after is not None:
            bounds[begin] = after
        if until is not None:
            bounds[end] = until
        return {**self.where, self.path: bounds}

    def place(self, mark: Mark, *, descending: bool) -> Place:
        """Return the place behind which a page goes on; in the order of `n`, behind all versions of the row."""
        if self.path == NUMBER:
            return mark.n
        if self.prefix is None:
            return history_keys.key(mark.value, mark.n, mark.since)
        return self.prefix + place(mark.n, 0 if descending else LAST)

    def project(self) -> Fields:
        """Return the projection that an index answers alone."""
        return {self.path: 1} if self.path == NUMBER else {"_id": 0, self.path: 1}

    def read(self, row: Fields) -> Place:
        """Return the place of what was read by that projection."""
        found: Any = row
        for name in self.path.split("."):
            found = found[name]
        return cast("Place", found)


def along_numbers(window: Window, single: Sequence[Simple] = ()) -> Way:
    """Walk along `n` through all rows, or those for which a condition on a single value, or such a pair, holds."""
    if not single:
        return Way(BY_NUMBER, {}, NUMBER, window.low, window.high + 1)
    if not is_fact(single[0].name):
        return Way(*selected(single), NUMBER, window.low, window.high + 1)
    prefix = spans(single[0])[0][0]
    low, high = prefix + place(window.low, 0), prefix + place(window.high, LAST) + BEYOND
    return Way(BY_FACT, {}, path_of(single[0].name), low, high, prefix)


def along_values(window: Window, name: str, cuts: Sequence[Compare | Between], dataset: str | None = None) -> Way:
    """Walk along the values of a fact, between those that the cuts leave; a measure's also on one data set alone."""
    left = [ALL, *(span for cut in cuts for span in spans(cut))]
    low, high = max(low for low, _ in left), min(high for _, high in left)
    index, path = BY_FACT, path_of(name)
    if dataset is not None:
        index, path = BY_BOARD, f"b.{board(dataset)}.{history_keys.field(name)}"
    return Way(index, {}, path, low, high, inside=({path: inside(window)},))


def path_of(name: str) -> str:
    """Return where a fact's keys are."""
    return f"k.{history_keys.field(name)}"


def selected(conditions: Sequence[Simple]) -> tuple[Keys, Fields]:
    """Return the index of a column, or of a pair, and the filter that it answers."""
    if len(conditions) > 1:
        tests = [column(condition) for condition in conditions]
        return BY_PAIR[frozenset(condition.name for condition in conditions)], {"$and": tests}
    return BY_COLUMN[conditions[0].name], column(conditions[0])


def of_fact(condition: Simple, more: Fields) -> Fields:
    """Return the filter that the index of facts answers for a condition, and more that it tells alone."""
    path = path_of(condition.name)
    pieces = [{path: {"$gte": low, "$lt": high, **more}} for low, high in spans(condition)]
    return pieces[0] if len(pieces) == 1 else {"$or": pieces}


def inside(window: Window) -> Fields:
    """Say of a key that its row is in a window, or next to it."""
    return {"$regex": history_keys.within(window.low, window.high), "$options": "s"}
