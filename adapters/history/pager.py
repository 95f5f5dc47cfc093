"""How a history page is found, once for all stores: a store only reads index scans.

Rules, each with its measurement in docs/decisions/26-history-pager.md:

1. A page is scanned in its own order: by row number (a condition that leaves one value has an index in that order), or
   by the values of the fact that is sorted by, then the rows that lack it.
2. The first FIRST_LOOK entries decide. They fill the page, or the index ends: done. Of several indexes in the order of
   the page, the one that got farthest is scanned on.
3. If the rest promises to be longer than a condition has rows, all rows of that condition are read and sorted instead.
4. What is looked at for one page is bounded. At the bound the page ends short, with an offset to go on from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from pydantic_core import from_json

from adapters.history.ranges import Ranges, all_values, merge, ranges_of
from projections.filters.conditions import Condition, Simple, conjuncts
from projections.ports import ROWS_PER_COMMIT, HistoryQuery, Offset, Page, Sort

FIRST_LOOK: Final = 500  # index entries
COMMON_COLUMNS: Final = ("model", "dataset", "actor")  # asked for most: stores keep them beside every fact

Test = Ranges | Condition


@dataclass(frozen=True, slots=True)
class PageRow:
    """A row of a page: where the next page would begin, and its body as stored."""

    offset: Offset
    body: str


@dataclass(frozen=True, slots=True)
class IndexScan:
    """Entries of one index, the tests that rows of the page pass, and the order of the page.

    `index`: the entries of a fact with these keys; None: all rows, by number. Row numbers are in [low, high).
    Sorted by a fact, a scan finds either the rows that have it, those behind `after`, or the rows `lacking` it.
    """

    index: Ranges | None
    low: int
    high: int
    tests: tuple[Test, ...]
    sort: Sort
    at: int
    withdrawn: bool
    lacking: bool = False
    after: Offset | None = None

    @property
    def sorts_values(self) -> bool:
        """Whether the page is in the order of a fact's values, not of row numbers alone."""
        return self.sort.name != "n" and not self.lacking

    @property
    def by_value(self) -> bool:
        """Whether the index has the order of those values."""
        return self.sorts_values and self.index is not None and self.index.name == self.sort.name

    @property
    def in_order(self) -> bool:
        """Whether the index has the order of the page."""
        return self.by_value if self.sorts_values else self.index is None or self.index.single is not None

    def with_index(self, index: Ranges) -> IndexScan:
        """Return the same rows by the index of a condition, which then needs no test."""
        return replace(self, index=index, tests=tuple(test for test in self.tests if test is not index))

    def continue_after(self, offset: Offset) -> IndexScan:
        """Return what is left behind an offset."""
        if self.sorts_values:
            return replace(self, after=offset)
        if self.sort.descending:
            return replace(self, high=min(self.high, offset.n))
        return replace(self, low=max(self.low, offset.n + 1))


class Rows(Protocol):
    """A store's history rows. `budget`: what about 10 ms of work costs, in a unit of the store."""

    budget: int

    def cost(self, scan: IndexScan) -> int:
        """Return what one entry of a scan costs: reading it, and finding out whether its row passes."""
        ...

    def entry(self, scan: IndexScan, number: int) -> Offset | None:
        """Return the n-th entry of a scan in order, whatever its row number; None where there are fewer."""
        ...

    def read(self, scan: IndexScan, until: Offset | None, most: int) -> list[PageRow]:
        """Return rows that pass, in the order of the page; of a scan in order, up to and with an entry."""
        ...

    def count(self, scan: IndexScan, most: int) -> int:
        """Count a scan's entries, whatever their row numbers, but no further than that."""
        ...


def find_page(query: HistoryQuery, rows: Rows) -> Page:
    """Return at most `limit` rows in order, and where to go on: behind the last, or behind what was looked at."""
    found: list[PageRow] = []
    stopped: Offset | None = None
    rare: IndexScan | None = None
    wanted = query.limit + 1
    for scans in _plan_scans(query):
        if rare:  # led to the rows that have the value, so it leads to those that lack it
            found += rows.read(replace(rare, lacking=True, after=None), None, wanted - len(found))
        else:
            some, stopped, rare = _scan(scans, rows, wanted - len(found))
            found += some
        if stopped or len(found) == wanted:
            break
    if len(found) == wanted:
        stopped = found[query.limit - 1].offset
    return Page([from_json(row.body) for row in found[: query.limit]], stopped, query.at)


def _scan(scans: Sequence[IndexScan], rows: Rows, wanted: int) -> tuple[list[PageRow], Offset | None, IndexScan | None]:
    """Return rows, the last entry looked at where there may be more, and the rare condition's scan if there was one."""
    looks: list[tuple[Offset, list[PageRow], IndexScan]] = []
    for scan in scans:
        if scan.in_order:
            stopped = rows.entry(scan, FIRST_LOOK)
            found = rows.read(scan, stopped, wanted)
            if stopped is None or len(found) == wanted:
                return found, None, None
            looks.append((stopped, found, scan))
    farthest = min if scans[0].sort.descending else max
    stopped, found, scan = farthest(looks, key=lambda look: look[0].n)
    each, spent, size = rows.cost(scan), FIRST_LOOK * rows.cost(scan), FIRST_LOOK
    expected = (wanted - len(found)) * FIRST_LOOK / max(len(found), 0.5)
    rest = [one for one in scans if not one.in_order]
    if rare := _cheapest(rest, rows, min(expected * each, rows.budget)):
        return rows.read(rare, None, wanted), None, rare
    while stopped and len(found) < wanted and spent < rows.budget:
        scan, size = scan.continue_after(stopped), min(4 * size, (rows.budget - spent) // each + 1)
        stopped = rows.entry(scan, size)
        found += rows.read(scan, stopped, wanted - len(found))
        spent += size * each
    return found, stopped if len(found) < wanted else None, None


def _cheapest(scans: Sequence[IndexScan], rows: Rows, cost: float) -> IndexScan | None:
    """Return the scan that is the cheapest to read whole, if that costs less."""
    cheapest = None
    for scan in scans:
        each = rows.cost(scan)
        most = int(cost / each)
        if most and (count := rows.count(scan, most)) < most:
            cheapest, cost = scan, count * each
    return cheapest


def _plan_scans(query: HistoryQuery) -> Iterator[list[IndexScan]]:
    """Yield the scans that could find the page; sorted by a fact, those for rows that have it, then for the others."""
    conditions = list(conjuncts(query.where))
    known = merge([ranges_of(one) for one in conditions if isinstance(one, Simple)])
    if not all(one.ranges for one in known.values()):
        return
    sort, after = query.sort, query.after
    if sort.name in known and known[sort.name].single is not None:
        sort = Sort("n", sort.descending)  # one value is left, so only row numbers are left to sort by
    low, high = 0, (query.at + 1) * ROWS_PER_COMMIT
    if position := known.get("position"):
        low, high = max(low, position.ranges[0][0]), min(high, position.ranges[-1][1])
        if len(position.ranges) == 1:
            del known["position"]
    tests = (*known.values(), *(one for one in conditions if not isinstance(one, Simple)))
    known.pop("position", None)
    rows = IndexScan(None, low, high, tests, sort, query.at, query.withdrawn)
    if rows.sorts_values and not (after and after.missing):
        yield _value_scans(rows.continue_after(after) if after else rows, known)
        after = None
    if not rows.sorts_values or sort.name not in known:
        rows = replace(rows, lacking=rows.sorts_values)
        yield _number_scans(rows.continue_after(after) if after else rows, known)


def _value_scans(rows: IndexScan, known: dict[str, Ranges]) -> list[IndexScan]:
    name = rows.sort.name
    wanted = known.get(name, all_values(name))
    between = rows.with_index(wanted) if len(wanted.ranges) == 1 else rows
    along = replace(between, index=Ranges(name, ((wanted.ranges[0][0], wanted.ranges[-1][1]),)))
    return [along, *(rows.with_index(one) for one in known.values() if one.is_compact and one is not wanted), rows]


def _number_scans(rows: IndexScan, known: dict[str, Ranges]) -> list[IndexScan]:
    scans = [rows.with_index(one) for one in known.values() if one.is_compact]
    return scans if any(scan.in_order for scan in scans) else [*scans, rows]
