"""How history rows are found in MongoDB for one question: ways to walk, conditions that lead, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from pymongo.collection import Collection

from adapters.distributed.mongo import Fields
from adapters.distributed.read_models.history_candidates import (
    SCATTERED,
    STEP,
    TOLD,
    MongoCandidates,
    fields_of,
    hit,
    is_known,
)
from adapters.distributed.read_models.history_filter import has, holds, lacks
from adapters.distributed.read_models.history_indexes import BY_FACT, BY_NUMBER, BY_PAIR, NUMBER, Keys
from adapters.distributed.read_models.history_keys import key
from adapters.distributed.read_models.history_way import (
    Way,
    along_numbers,
    along_values,
    inside,
    of_fact,
    path_of,
    selected,
)
from adapters.history.conditions import can_lead, cuts_order, is_fact, is_on_one_data_set, keeps_order
from adapters.history.search import Costs, Question
from adapters.history.walk import Hit
from projections.filters.conditions import Condition, Simple
from projections.ports import Mark

COSTS = Costs(budget=20_000, caps=(500, 4000), asking=300.0, worth_asking=1500.0, worth_leading=0.5)
DENSITY = 200  # rows of a value that tell how frequent it is


@dataclass(frozen=True, slots=True)
class Lead:
    """An index, the filters for rows of it to count and to read, and the conditions that they have still to pass."""

    index: Keys
    counted: Fields
    read: Fields
    rest: tuple[Condition, ...]
    cost: float


class MongoFinder:
    """`adapters.history.search.Finder` on a collection of rows."""

    def __init__(self, rows: Collection[Fields], asked: Question) -> None:
        self.costs = COSTS
        self._rows = rows
        self._asked = asked
        self._query = asked.query

    def along_numbers(self, *, lacking: bool) -> MongoCandidates:
        """Walk the narrowest way along `n`: a single value, or a pair of them, the rarer the better, or all."""
        window = self._asked.window
        single = [part for part in window.rest if can_lead(part) and keeps_order(part)]
        if not single:
            return self._candidates(along_numbers(window), window.rest, lacking=lacking)
        pairs = list(_pairs(single))
        in_pairs = {one.name for pair in pairs for one in pair}
        choice = [*pairs, *((part,) for part in single if part.name not in in_pairs)]
        ways = [(along_numbers(window, parts), _without(window.rest, parts)) for parts in choice]
        way, rest = ways[0] if len(ways) == 1 else min(ways, key=lambda way: self._spread(way[0]))
        return self._candidates(way, rest, lacking=lacking)

    def along_values(self) -> MongoCandidates:
        """Walk the values of a fact; those of a measure on one data set have an index of their own."""
        name, cuts, rest = self._query.sort.name, self._asked.cuts, self._asked.tests
        on_one = next((part for part in rest if is_on_one_data_set(part)), None)
        if on_one is None or not name.startswith("measure."):
            return self._candidates(along_values(self._asked.window, name, cuts), rest, lacking=False)
        way = along_values(self._asked.window, name, cuts, str(on_one.value))
        return self._candidates(way, _without(rest, [on_one]), lacking=False)

    def leads(self) -> Iterator[Lead]:
        """Yield all that is in the window, whose number can be estimated, and conditions that an index leads to."""
        window = self._asked.window
        leading = [part for part in window.rest if can_lead(part) and not cuts_order(part, self._query)]
        in_window = {NUMBER: {"$gte": window.low, "$lte": window.high}}
        if self._asked.sorts_fact:
            yield Lead(BY_NUMBER, in_window, in_window, window.rest, STEP + 1)
        for parts in (*_pairs(leading), *((part,) for part in leading if not is_fact(part.name))):
            index, where = selected(parts)
            where |= in_window
            yield Lead(index, where, where, _without(window.rest, parts), STEP + SCATTERED)
        for part in (part for part in leading if is_fact(part.name)):
            counted, read = of_fact(part, {}), of_fact(part, inside(window))
            each = STEP + TOLD + SCATTERED * self._asked.share  # counted outside of the window too
            yield Lead(BY_FACT, counted, read, _without(window.rest, [part]), each)

    def count(self, lead: Lead, most: int) -> int:
        """Count a lead's rows, but no further than that; those of a large window are not worth counting."""
        if lead.index == BY_NUMBER and self._in_window >= most:
            return most
        return self._rows.count_documents(lead.counted, hint=list(lead.index), limit=most)

    def all_of(self, lead: Lead) -> list[Hit]:
        """Find all rows of a lead, test and sort them; first those that have what is sorted by."""
        tests = [lead.read, is_known(self._asked, bounded=False), *(holds(part) for part in lead.rest)]
        after, name = self._query.after, self._query.sort.name
        if not self._asked.sorts_fact:
            return self._sorted(lead, [*tests, *self._beyond(after)], NUMBER, lacking=False)
        found: list[Hit] = []
        if after is None or not after.missing:
            found = self._sorted(lead, [*tests, has(name), *self._beyond(after)], path_of(name), lacking=False)
            after = None
        if len(found) <= self._query.limit and not self._asked.cuts:
            rest = self._sorted(lead, [*tests, lacks(name), *self._beyond(after)], NUMBER, lacking=True)
            found += rest[: self._query.limit + 1 - len(found)]
        return found

    @cached_property
    def _in_window(self) -> int:
        return int(self._asked.share * self._rows.estimated_document_count())

    def _candidates(self, way: Way, tests: Sequence[Condition], *, lacking: bool) -> MongoCandidates:
        return MongoCandidates(self._rows, self._asked, way, tests, lacking=lacking)

    def _sorted(self, lead: Lead, tests: list[Fields], path: str, *, lacking: bool) -> list[Hit]:
        wanted, order = self._query.limit + 1, -1 if self._query.sort.descending else 1
        found = self._rows.find({"$and": tests}, fields_of(self._query)).sort(path, order).hint(list(lead.index))
        return [hit(row, self._query, lacking=lacking) for row in found.limit(wanted).batch_size(wanted)]

    def _beyond(self, mark: Mark | None) -> list[Fields]:
        """Say that a row comes after a mark; by `$expr`, so that no other index than the lead's is thought of."""
        if mark is None:
            return []
        beyond = "$lt" if self._query.sort.descending else "$gt"
        if not self._asked.sorts_fact or mark.missing:
            return [{NUMBER: {beyond: mark.n}}]
        name = path_of(self._query.sort.name)
        return [{"$expr": {beyond: [f"${name}", key(mark.value, mark.n, mark.since)]}}]

    def _spread(self, way: Way) -> int:
        """Return how far back DENSITY rows of a way reach from the end of the window: the farther, the rarer it is."""
        found = self._rows.find(way.between(descending=True, after=None, until=None), {NUMBER: 1})
        last = list(found.sort(way.path, -1).hint(list(way.index)).skip(DENSITY - 1).limit(1))
        return int(last[0]["_id"]["n"]) if last else -1


def _pairs(conditions: Sequence[Simple]) -> Iterator[tuple[Simple, Simple]]:
    """Find two columns with one value each that have an index together."""
    single = [part for part in conditions if keeps_order(part)]
    for pair in combinations(single, 2):
        if frozenset(part.name for part in pair) in BY_PAIR:
            yield pair


def _without(conditions: tuple[Condition, ...], some: Sequence[Condition]) -> tuple[Condition, ...]:
    return tuple(other for other in conditions if not any(other is one for one in some))
