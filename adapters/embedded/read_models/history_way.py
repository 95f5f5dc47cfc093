"""A way through the rows: an index, the columns that order it, and the bounds between which it is walked.

SQLite takes one bound on each side of an index range and not always the tighter: so each side gets exactly one, and
tests that could compete bear a plus, which keeps them away from the choice of the index.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.embedded.read_models.history_sql import WORD, Sql, bound, compare
from adapters.history.window import Window
from projections.filters.conditions import Between, Compare

NUMBER = ("c.n", "c.since")
VALUE = ("c.value", "c.n", "c.since")
NO_TEXT_BELOW, NO_BLOB_BELOW = "", b""  # where texts and blobs begin in the order of values
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """`FROM … c WHERE …`, ordered by `by`; `low` and `high` are values of its first column, both included."""

    source: Sql
    by: tuple[str, ...]
    low: Any = None
    high: Any = None
    tests: Sql = Sql("true")  # noqa: RUF009 - a constant

    def between(self, *, descending: bool, after: Key | None, until: Key | None) -> Sql:
        """Return the source from beyond one key up to another, in order; where a key is None, from or to its bound."""
        down, up = ("<", ">=") if descending else (">", "<=")
        first, last = (self.high, self.low) if descending else (self.low, self.high)
        begin = self._beyond(down, after) if after else self._bound(f"{down}=", first)
        end = self._beyond(up, until) if until else self._bound(up, last)
        return self.source + begin + end

    def order(self, *, descending: bool) -> str:
        """Return what to order by, which the index does already."""
        return ", ".join(f"{name} {'DESC' if descending else 'ASC'}" for name in self.by)

    def _beyond(self, sign: str, key: Key) -> Sql:
        return Sql(f"AND ({', '.join(self.by)}) {sign} ({', '.join('?' * len(self.by))})", key)

    def _bound(self, sign: str, value: Any) -> Sql:
        return Sql("") if value is None else Sql(f"AND {self.by[0]} {sign} ?", (value,))


def along_numbers(source: Sql, window: Window) -> Way:
    """Walk rows of a source that has them in the order of `n`."""
    return Way(source, NUMBER, window.low, window.high)


def along_values(name: str, cuts: Sequence[Compare | Between]) -> Way:
    """Walk along the values of a fact, between those that the cuts leave."""
    tests = Sql("true")
    for cut in cuts:
        test = compare("+c.value", cut)
        tests += Sql(f"AND {test.text}", test.values)
    ends = [end for cut in cuts for end in _ends(cut)]
    low = max((value for is_low, value in ends if is_low), key=_rank, default=None)
    high = min((value for is_low, value in ends if not is_low), key=_rank, default=None)
    return Way(Sql(f"FROM fact c WHERE c.name={WORD}", (name,)), VALUE, low, high, tests)


def _ends(cut: Compare | Between) -> Iterator[tuple[bool, Any]]:
    """Yield (is a lower end, value): those said, and those of the type, for order holds within a type only."""
    if isinstance(cut, Between):
        yield True, bound(cut.low)
        yield False, bound(cut.high)
        return
    value = bound(cut.value)
    is_text = isinstance(value, str)
    if cut.operator in {">", ">="}:
        yield True, value
        yield False, NO_BLOB_BELOW if is_text else NO_TEXT_BELOW
    else:
        yield False, value
        if is_text:
            yield True, NO_TEXT_BELOW


def _rank(value: Any) -> tuple[int, Any]:
    """Order bounds as SQLite orders values: numbers, text, blobs."""
    return (2 if isinstance(value, bytes) else 1 if isinstance(value, str) else 0, value)
