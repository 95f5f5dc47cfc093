"""Which index leads a history query: the heart of the 10 ms, for a wrong one costs seconds.

A walk along the order comes first: rows come sorted, and common filters fill the page soon. Where it promises to be
long, conditions are counted (up to a cap), and a rare one leads instead: all its rows are found, tested and sorted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from pymongo.collection import Collection

from adapters.distributed.history_filter import can_lead, keeps_order
from adapters.distributed.history_indexes import BY_FACT, BY_NUMBER, BY_PAIR, NUMBER, Keys
from adapters.distributed.history_way import Way, along_numbers, selected
from adapters.distributed.history_window import Window
from adapters.distributed.mongo import Fields
from adapters.history_order import cuts_order
from projections.conditions import Compare, Condition, IsNone, Simple
from projections.ports import HistoryQuery

CAPS = (500, 4000, 20_000)  # counted so far in turns, so that a rare one ends the counting of the common ones;
# a condition with more rows than the last may not lead: they are found and sorted too slowly
DENSITY = 200  # rows of a value that tell how frequent it is
STEP = 0.2  # cost of an index entry, beside 1 for reading the row behind it
SCATTERED = 1.5  # cost of reading a row that does not lie beside the one before
ASKING = 300.0  # cost of one more question to the server
WORTH_ASKING = 5 * ASKING  # a walk that costs less is not worth looking for another way


@dataclass(frozen=True, slots=True)
class Lead:
    """An index, the filter that it answers, and the conditions that its rows have still to pass."""

    index: Keys
    where: Fields
    rest: tuple[Condition, ...]
    cost: float = STEP + SCATTERED  # of each of its entries


def by_number(rows: Collection[Fields], window: Window) -> tuple[Way, tuple[Condition, ...]]:
    """Return the narrowest way along `n` and what is left to test: a single value, the rarer the better, or all."""
    single = [part for part in window.rest if can_lead(part) and keeps_order(part)]
    if not single:
        return along_numbers(window), window.rest
    pairs = list(_pairs(single))
    in_pairs = {one.name for pair in pairs for one in pair}
    candidates = [*pairs, *((part,) for part in single if part.name not in in_pairs)]
    ways = [(along_numbers(window, parts), _without(window.rest, parts)) for parts in candidates]
    return ways[0] if len(ways) == 1 else min(ways, key=lambda way: _spread(rows, way[0]))


def walking_cost(way: Way, candidates: float) -> float:
    """Return what testing so many candidates costs."""
    return candidates * (STEP + (1 if way.path == NUMBER else SCATTERED))


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


def single_value(condition: Condition, query: HistoryQuery) -> bool:
    """Whether a condition leaves one value of what is sorted by, so that only `n` is left to sort by."""
    if isinstance(condition, IsNone):
        return condition.name == query.sort.name and can_lead(condition)
    return isinstance(condition, Compare) and condition.name == query.sort.name and condition.operator == "="


def _leads(query: HistoryQuery, window: Window) -> Iterator[Lead]:
    leading = [part for part in window.rest if can_lead(part) and not cuts_order(part, query)]
    all_in_it = {NUMBER: {"$gte": window.low, "$lte": window.high}}
    for parts in (*_pairs(leading), *((part,) for part in leading)):
        index, where = selected(parts)
        in_window = where if index == BY_FACT else where | all_in_it
        yield Lead(index, in_window, _without(window.rest, parts))
    if query.sort.name != "n":
        yield Lead(BY_NUMBER, all_in_it, window.rest, STEP + 1)


def _pairs(conditions: Sequence[Simple]) -> Iterator[tuple[Simple, Simple]]:
    """Find two columns with one value each that have an index together."""
    single = [part for part in conditions if keeps_order(part)]
    for pair in combinations(single, 2):
        if frozenset(part.name for part in pair) in BY_PAIR:
            yield pair


def _without(conditions: tuple[Condition, ...], some: Sequence[Condition]) -> tuple[Condition, ...]:
    return tuple(other for other in conditions if not any(other is one for one in some))


def _spread(rows: Collection[Fields], way: Way) -> int:
    """Return how many of all numbers DENSITY rows of a way take up, the newest: the rarer, the fewer rows it has."""
    found = rows.find(way.between(descending=True, after=None, until=None), {NUMBER: 1})
    last = list(found.sort(way.path, -1).hint(list(way.index)).skip(DENSITY - 1).limit(1))
    return int(last[0]["_id"]["n"]) if last else -1
