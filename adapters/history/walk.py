"""A walk along the rows of a way: a first look at a few, then as many as the page takes, within a budget of work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from projections.ports import OPEN, HistoryQuery, Mark

FIRST_PIECE = 30  # candidates beyond what the page needs

Place = TypeVar("Place")  # where one stands on a way, as a store says it


@dataclass(frozen=True, slots=True)
class Hit:
    """A row of a page: where the next page would begin, and its body as stored."""

    mark: Mark
    body: str


class Candidates(Protocol[Place]):
    """Rows of a store along a way, in order, and the tests that those of the page pass."""

    untested: bool  # next to all of them pass
    lacking: bool  # those that pass lack the value that is sorted by

    @property
    def share(self) -> float:
        """Which part of them is in the window, estimated."""
        ...

    @property
    def cost(self) -> float:
        """What testing one costs."""
        ...

    def place(self, mark: Mark) -> Place:
        """Return the place of a mark."""
        ...

    def mark(self, place: Place) -> Mark:
        """Return the mark of a place."""
        ...

    def place_after(self, place: Place | None, size: int) -> Place | None:
        """Return the place of the candidate so far on, from the index alone; None where there are not so many."""
        ...

    def passing(self, after: Place | None, until: Place | None, most: int) -> list[Hit]:
        """Return rows that pass, from beyond one place up to another; where one is None, from or to the end."""
        ...

    def passing_in_time(self, after: Place | None, most: int) -> list[Hit] | None:
        """Return rows that pass up to the end; None where that was cut short, as it took much more than foreseen."""
        ...


class Walk(Generic[Place]):
    """Collects the rows that pass, one more than the page holds."""

    def __init__(self, candidates: Candidates[Place], query: HistoryQuery, budget: int) -> None:
        self.found: list[Hit] = []
        self.looked_at = 0
        self.ended = False
        self._candidates = candidates
        self._query = query
        self._budget = budget
        begins_here = query.after is not None and query.after.missing == candidates.lacking
        self.place = candidates.place(query.after) if begins_here and query.after else None

    @property
    def is_full(self) -> bool:
        """Whether the page is full and it is known that another follows."""
        return len(self.found) > self._query.limit

    def stopped(self) -> Mark | None:
        """Return where it has come to; None at the end, and where the page's own last row tells it."""
        if self.ended or self.is_full:
            return None
        if self.place is None:
            before_all = OPEN if self._query.sort.descending else 0  # the first commit has the numbers from 1024 on
            return Mark(before_all, before_all, missing=self._candidates.lacking)
        return self._candidates.mark(self.place)

    def expected(self) -> float:
        """Estimate how many more candidates the page takes, by the rate so far; finding none yet bodes ill.

        It may be good by chance: among equal values those of one time stand together.
        """
        each = max(self.looked_at / max(len(self.found), 0.2), 1 / max(self._candidates.share, 1 / self._budget))
        return min(self._wanted * each, self._budget)

    def cost(self) -> float:
        """Estimate what going on costs."""
        return self.expected() * self._candidates.cost

    def look(self) -> None:
        """Take the first candidates, a few more than the page needs."""
        if self._candidates.untested:
            self._to_the_end()
        else:
            self._piece(min(self._query.limit + FIRST_PIECE, self._budget))

    def go_on(self) -> None:
        """Go on until the page is full, the order ends, or the budget is spent."""
        if self.is_full or self.ended or self.looked_at >= self._budget:
            return
        if self.found and self.expected() >= self._budget:
            self._piece(self._budget - self.looked_at)
        else:
            self._to_the_end()

    @property
    def _wanted(self) -> int:
        return self._query.limit + 1 - len(self.found)

    def _to_the_end(self) -> None:
        found = self._candidates.passing_in_time(self.place, self._wanted)
        if found is None:
            self._piece(self._budget - self.looked_at)
        else:
            self.found.extend(found)
            self.ended = not self.is_full

    def _piece(self, size: int) -> None:
        """Take so many candidates and keep the place of the last, from which the walk can go on."""
        last = self._candidates.place_after(self.place, size)
        self.found.extend(self._candidates.passing(self.place, last, self._wanted))
        self.looked_at += size
        self.ended = last is None and not self.is_full
        self.place = self.place if last is None else last
