"""How long a walk along the history promises to be, which decides whether another way is looked for."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from adapters.history.walk import Hit, Walk
from projections.ports import HistoryQuery, Mark

BUDGET = 20_000
LIMIT = 100


@dataclass
class InMemory:
    """Candidates 1, 2, 3, …, of which some pass."""

    passes: set[int]
    share: float = 1
    cost: float = 1
    untested: bool = False
    lacking: bool = False

    def place(self, mark: Mark) -> int:
        return mark.n

    def mark(self, place: int) -> Mark:
        return Mark(place, 0)

    def place_after(self, place: int | None, size: int) -> int | None:
        return (place or 0) + size

    def passing(self, after: int | None, until: int | None, most: int) -> list[Hit]:
        here = sorted(n for n in self.passes if (after or 0) < n <= (until or BUDGET))
        return [Hit(Mark(n, 0), "{}") for n in here[:most]]

    def passing_in_time(self, after: int | None, most: int) -> list[Hit] | None:
        return self.passing(after, None, most)


def looked(passes: set[int], share: float = 1) -> Walk[int]:
    walk = Walk(InMemory(passes, share), HistoryQuery(1, limit=LIMIT), BUDGET)
    walk.look()
    return walk


def test_it_is_expected_to_go_on_as_it_began() -> None:
    every_tenth = set(range(0, BUDGET, 10))
    assert looked(every_tenth).expected() == (LIMIT + 1 - 13) * 10


def test_no_more_of_them_pass_in_the_long_run_than_are_in_the_window() -> None:
    """As of 1 % of a history, sorted by a setting of few values, the early rows of the first value came at once."""
    only_the_first = set(range(1, 60))
    assert looked(only_the_first, share=0.01).expected() == pytest.approx((LIMIT + 1 - 59) * 100)


def test_none_found_yet_promises_a_long_walk_but_never_more_than_the_budget() -> None:
    assert looked(set()).expected() == BUDGET
    assert looked({1}, share=0).expected() == BUDGET
