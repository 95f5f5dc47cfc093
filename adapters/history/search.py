"""How a history page is found: the heart of the 10 ms, for a wrong way costs seconds.

A walk along the order comes first: rows come sorted, and common filters fill the page soon. Where it promises to be
long, conditions are counted (up to a cap), and a rare one leads instead: all its rows are found, tested and sorted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar

from adapters.history.conditions import cuts_order, leaves_one_value
from adapters.history.walk import Candidates, Hit, Walk
from adapters.history.window import Numbers, window
from projections.filters.conditions import Condition, conjuncts
from projections.ports import HistoryQuery, Mark, Sort


class Question:
    """A query whose conditions are sorted by what they mean for the way to the page."""

    def __init__(self, query: HistoryQuery, numbers: Numbers) -> None:
        self.window = window(numbers, query.at, list(conjuncts(query.where)))
        if any(leaves_one_value(part, query) for part in self.window.rest):
            query = replace(query, sort=Sort("n", query.sort.descending))
        self.query = query
        self.sorts_fact = query.sort.name != "n"  # rows that lack it come last
        self.cuts = [part for part in self.window.rest if cuts_order(part, query)]
        self._numbers = numbers

    @property
    def tests(self) -> tuple[Condition, ...]:
        """What is left to test where the values that are sorted by are walked along."""
        return tuple(part for part in self.window.rest if part not in self.cuts)

    @cached_property
    def share(self) -> float:
        """Which part of all rows is in the window, estimated."""
        return self.window.share(self._numbers.newest())


@dataclass(frozen=True, slots=True)
class Costs:
    """What work costs in a store, in a unit of its own; rows are counted so far in turns, to the last cap."""

    budget: int  # candidates looked at for one page: beyond it a page comes back short, with a cursor
    caps: Sequence[int]  # so that a rare condition ends the counting of common ones; with more rows it may not lead
    asking: float  # one more question
    worth_asking: float  # a walk that costs less is not worth looking for another way
    worth_leading: float  # which part of a walk's cost a lead may have: a walk goes astray less than a lead


class Lead(Protocol):
    """A condition, or a pair, that an index leads straight to."""

    @property
    def cost(self) -> float:
        """What finding and testing each of its rows costs."""
        ...


L = TypeVar("L", bound=Lead)


class Finder(Protocol[L]):
    """How a store finds rows for one question; places are of several kinds, each way has its own."""

    costs: Costs

    def along_numbers(self, *, lacking: bool) -> Candidates[Any]:
        """Return candidates in the order of `n`; `lacking`: of which those pass that lack what is sorted by."""
        ...

    def along_values(self) -> Candidates[Any]:
        """Return candidates in the order of the values that are sorted by."""
        ...

    def leads(self) -> Iterable[L]:
        """Return what could lead instead."""
        ...

    def count(self, lead: L, most: int) -> int:
        """Count a lead's rows, but no further than that."""
        ...

    def all_of(self, lead: L) -> list[Hit]:
        """Find all rows of a lead, test and sort them, and return one more than the page holds."""
        ...


class Search(Generic[L]):
    """Finds a page's rows, and the mark to go on from."""

    def __init__(self, asked: Question, finder: Finder[L]) -> None:
        self._asked = asked
        self._query = asked.query
        self._finder = finder

    def run(self) -> tuple[list[Hit], Mark | None]:
        """Return at most `limit` rows in order, and where to go on: after the last, or after what was looked at."""
        if self._asked.window.is_empty:
            return [], None
        found, stopped = self._found()
        limit = self._query.limit
        return (found[:limit], found[limit - 1].mark) if len(found) > limit else (found, stopped)

    def _found(self) -> tuple[list[Hit], Mark | None]:
        after, sorts_fact = self._query.after, self._asked.sorts_fact
        if sorts_fact and after is not None and after.missing:
            return self._lacking([], 0)
        walk = self._walk(self._finder.along_values() if sorts_fact else self._finder.along_numbers(lacking=False))
        walk.look()
        if not walk.is_full and not walk.ended and (lead := self._rare(walk.cost())):
            return self._finder.all_of(lead), None
        walk.go_on()
        if sorts_fact and walk.ended and not self._asked.cuts:
            return self._lacking(walk.found, walk.looked_at)
        return walk.found, walk.stopped()

    def _lacking(self, found: list[Hit], looked_at: int) -> tuple[list[Hit], Mark | None]:
        """Go on with the rows that lack what is sorted by: they come last."""
        walk = self._walk(self._finder.along_numbers(lacking=True))
        walk.found, walk.looked_at = found, looked_at
        walk.go_on()
        return walk.found, walk.stopped()

    def _walk(self, candidates: Candidates[Any]) -> Walk[Any]:
        return Walk(candidates, self._query, self._finder.costs.budget)

    def _rare(self, cost: float) -> L | None:
        """Return the rarest condition where finding all its rows costs enough less than that: the cost of walking."""
        costs = self._finder.costs
        leads = list(self._finder.leads()) if cost >= costs.worth_asking else []
        cost *= costs.worth_leading
        for cap in costs.caps:
            best = None
            for lead in leads:
                most = min(cap, int((cost - costs.asking) / lead.cost))
                if most > 0 and (count := self._finder.count(lead, most)) < most:
                    best, cost = lead, count * lead.cost
            if best is not None:
                return best
            leads = [lead for lead in leads if cost - costs.asking > cap * lead.cost]
        return None
