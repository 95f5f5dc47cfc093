"""Which index leads a history query: the heart of the 10 ms, for a wrong one costs seconds.

A walk along the order comes first: rows come sorted, and common filters fill the page soon. Where it promises to be
long, conditions are counted (up to a cap), and a rare one leads instead: all its rows are found, tested and sorted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeGuard

from pymongo.collection import Collection

from adapters.distributed.history_filter import can_lead, keeps_order
from adapters.distributed.history_indexes import AT_HAND, BY_NUMBER, NUMBER, Keys
from adapters.distributed.history_way import Way, along_numbers, selected
from adapters.distributed.history_window import Window
from adapters.distributed.mongo import Fields
from projections.conditions import Between, Compare, Condition, IsNone, Simple
from projections.ports import HistoryQuery

CAPS = (500, 4000, 20_000)  # counted so far in turns, so that a rare one ends the counting of the common ones;
# a condition with more rows than the last may not lead: they are found and sorted too slowly
DENSITY = 200  # rows of a value that tell how frequent it is
STEP = 0.2  # cost of an index entry, beside 1 for reading the row behind it
SCATTERED = 1.5  # cost of reading a row that does not lie beside the one before
ASKING = 300.0  # cost of one more question to the server
WORTH_ASKING = 5 * ASKING  # a walk that costs less is not worth looking for another way
PASSING = 0.2  # which part of candidates is assumed to pass a test that the index has at hand


@dataclass(frozen=True, slots=True)
class Lead:
    """An index, the filter that it answers, and the conditions that its rows have still to pass."""

    index: Keys
    where: Fields
    rest: tuple[Condition, ...]
    row_cost: float = SCATTERED

    @property
    def cost(self) -> float:
        """What each of its entries costs."""
        return STEP + self.row_cost * passing(self.index, self.rest)


def by_number(rows: Collection[Fields], window: Window) -> tuple[Way, tuple[Condition, ...]]:
    """Return the narrowest way along `n` and what is left to test: a single value, the rarer the better, or all."""
    single = [part for part in window.rest if can_lead(part) and keeps_order(part)]
    if not single:
        return along_numbers(window, None), window.rest
    ways = [(along_numbers(window, part), _without(window.rest, part)) for part in single]
    return ways[0] if len(ways) == 1 else min(ways, key=lambda way: _spread(rows, way[0]))


def walking_cost(way: Way, rest: Sequence[Condition], candidates: float) -> float:
    """Return what testing so many candidates costs."""
    row = 1 if way.path == NUMBER else SCATTERED
    return candidates * (STEP + row * passing(way.index, rest))


def passing(index: Keys, rest: Sequence[Condition]) -> float:
    """Return which part of the rows must be read, as the index alone tells that the others do not pass."""
    known = {name for name, _ in index} & AT_HAND
    return float(PASSING ** sum(isinstance(part, Simple) and part.name in known for part in rest))


def rare(rows: Collection[Fields], query: HistoryQuery, window: Window, cost: float) -> Lead | None:
    """Return the rarest condition where finding all its rows costs less than `cost`, that of walking on."""
    leads = list(_leads(query, window)) if cost >= WORTH_ASKING else []
    for cap in CAPS:
        best = None
        for lead in leads:
            most = min(cap, int((cost - ASKING) / lead.cost))
            if most > 0 and (count := _count(rows, lead, most)) < most:
                best, cost = lead, count * lead.cost
        if best is not None:
            return best
        leads = [lead for lead in leads if cost - ASKING > cap * lead.cost]
    return None


def _count(rows: Collection[Fields], lead: Lead, most: int) -> int:
    return rows.count_documents(lead.where, hint=list(lead.index), limit=most)


def cuts_order(condition: Condition, query: HistoryQuery) -> TypeGuard[Compare | Between]:
    """Whether a condition only cuts a piece out of the order: a range on the name that is sorted by."""
    if isinstance(condition, Compare):
        return condition.name == query.sort.name and condition.operator not in {"=", "!="}
    return isinstance(condition, Between) and condition.name == query.sort.name


def single_value(condition: Condition, query: HistoryQuery) -> bool:
    """Whether a condition leaves one value of what is sorted by, so that only `n` is left to sort by."""
    if isinstance(condition, IsNone):
        return condition.name == query.sort.name and can_lead(condition)
    return isinstance(condition, Compare) and condition.name == query.sort.name and condition.operator == "="


def _leads(query: HistoryQuery, window: Window) -> Iterator[Lead]:
    for condition in window.rest:
        if can_lead(condition) and not cuts_order(condition, query):
            yield Lead(*selected(condition), _without(window.rest, condition))
    if query.sort.name != "n":
        all_in_it = {NUMBER: {"$gte": window.low, "$lte": window.high}}
        yield Lead(BY_NUMBER, all_in_it, window.rest, 1)


def _without(conditions: tuple[Condition, ...], one: Condition) -> tuple[Condition, ...]:
    return tuple(other for other in conditions if other is not one)


def _spread(rows: Collection[Fields], way: Way) -> int:
    """Return how many of all numbers DENSITY rows of a way take up, the newest: the rarer, the fewer rows it has."""
    found = rows.find(way.between(descending=True, after=None, until=None), {NUMBER: 1})
    last = list(found.sort(way.path, -1).hint(list(way.index)).skip(DENSITY - 1).limit(1))
    return int(last[0]["_id"]["n"]) if last else -1
