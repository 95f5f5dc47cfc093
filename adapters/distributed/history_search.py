"""One history query at work: walk along the order, or let a rare condition lead; stop at the end of the work budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeGuard

from pymongo.collection import Collection

from adapters.distributed import history_plan
from adapters.distributed.history_filter import has, holds, lacks
from adapters.distributed.history_indexes import NUMBER
from adapters.distributed.history_keys import key
from adapters.distributed.history_plan import Lead
from adapters.distributed.history_walk import BUDGET, Hit, Walk, fields_of, hit, is_known
from adapters.distributed.history_way import Way, along_values, path_of
from adapters.distributed.history_window import window
from adapters.distributed.mongo import Fields
from adapters.history_order import cuts_order
from projections.conditions import Compare, Condition, conjuncts
from projections.ports import HistoryQuery, Mark, Sort


def is_on_one(condition: Condition) -> TypeGuard[Compare]:
    """Whether a condition leaves one data set."""
    return isinstance(condition, Compare) and condition.name == "dataset" and condition.operator == "="


class Search:
    """Finds a page's rows, and the mark to go on from."""

    def __init__(self, rows: Collection[Fields], query: HistoryQuery) -> None:
        self._rows = rows
        self._window = window(rows, query.at, list(conjuncts(query.where)))
        if any(history_plan.single_value(part, query) for part in self._window.rest):
            query = replace(query, sort=Sort("n", query.sort.descending))
        self._query = query
        self._sorts_fact = query.sort.name != "n"
        self._cuts = [part for part in self._window.rest if cuts_order(part, query)]

    def run(self) -> tuple[list[Hit], Mark | None]:
        """Return at most `limit` rows in order, and where to go on: after the last, or after what was looked at."""
        if self._window.is_empty:
            return [], None
        found, stopped = self._found()
        limit = self._query.limit
        return (found[:limit], found[limit - 1].mark) if len(found) > limit else (found, stopped)

    def _found(self) -> tuple[list[Hit], Mark | None]:
        after = self._query.after
        if self._sorts_fact and after is not None and after.missing:
            return self._lacking([], 0)
        way, rest = self._by_value() if self._sorts_fact else history_plan.by_number(self._rows, self._window)
        walk = self._walk(way, [holds(part) for part in rest], missing=False)
        walk.look()
        if not walk.is_full and not walk.ended and (lead := self._faster(walk)):
            return self._all_of(lead), None
        walk.go_on()
        if self._sorts_fact and walk.ended and not self._cuts:
            return self._lacking(walk.found, walk.looked_at)
        return walk.found, walk.stopped()

    def _by_value(self) -> tuple[Way, tuple[Condition, ...]]:
        name, rest = self._query.sort.name, [part for part in self._window.rest if part not in self._cuts]
        dataset = next((part for part in rest if is_on_one(part)), None)
        if dataset is None or not name.startswith("measure."):
            return along_values(name, self._cuts), tuple(rest)
        rest.remove(dataset)
        return along_values(name, self._cuts, str(dataset.value)), tuple(rest)

    def _lacking(self, found: list[Hit], looked_at: int) -> tuple[list[Hit], Mark | None]:
        """Go on with the rows that lack what is sorted by: they come last."""
        way, rest = history_plan.by_number(self._rows, self._window)
        tests = [lacks(self._query.sort.name), *(holds(part) for part in rest)]
        walk = self._walk(way, tests, missing=True)
        walk.found, walk.looked_at = found, looked_at
        walk.go_on()
        return walk.found, walk.stopped()

    def _walk(self, way: Way, tests: Sequence[Fields], *, missing: bool) -> Walk:
        return Walk(self._rows, self._query, self._window, way, tests, missing=missing)

    def _faster(self, walk: Walk) -> Lead | None:
        candidates = min(walk.expected(), BUDGET)
        cost = history_plan.walking_cost(walk.way, candidates)
        return history_plan.rare(self._rows, self._query, self._window, cost)

    # -- a rare condition leads ----------------------------------------------------------------------------------------

    def _all_of(self, lead: Lead) -> list[Hit]:
        """Find all rows of the rare condition, test and sort them; first those that have what is sorted by."""
        tests = [lead.where, is_known(self._query, self._window, bounded=False), *(holds(part) for part in lead.rest)]
        after, name = self._query.after, self._query.sort.name
        if not self._sorts_fact:
            return self._sorted(lead, [*tests, *self._beyond(after)], NUMBER, missing=False)
        found: list[Hit] = []
        if after is None or not after.missing:
            found = self._sorted(lead, [*tests, has(name), *self._beyond(after)], path_of(name), missing=False)
            after = None
        if len(found) <= self._query.limit and not self._cuts:
            rest = self._sorted(lead, [*tests, lacks(name), *self._beyond(after)], NUMBER, missing=True)
            found += rest[: self._query.limit + 1 - len(found)]
        return found

    def _sorted(self, lead: Lead, tests: list[Fields], path: str, *, missing: bool) -> list[Hit]:
        wanted, order = self._query.limit + 1, -1 if self._query.sort.descending else 1
        found = self._rows.find({"$and": tests}, fields_of(self._query)).sort(path, order).hint(list(lead.index))
        return [hit(row, self._query, missing=missing) for row in found.limit(wanted).batch_size(wanted)]

    def _beyond(self, mark: Mark | None) -> list[Fields]:
        """Say that a row comes after a mark; by `$expr`, so that no other index than the lead's is thought of."""
        if mark is None:
            return []
        beyond = "$lt" if self._query.sort.descending else "$gt"
        if not self._sorts_fact or mark.missing:
            return [{NUMBER: {beyond: mark.n}}]
        name = path_of(self._query.sort.name)
        return [{"$expr": {beyond: [f"${name}", key(mark.value, mark.n, mark.since)]}}]
