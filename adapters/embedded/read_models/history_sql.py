"""Filter trees as SQL over a candidate `c`: names become bound values or columns of the schema, no text."""
# ruff: noqa: S608 - constants and names of the schema are pasted in, values are bound

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from adapters.embedded.read_models.history_values import NONE, encode, microseconds
from adapters.history.conditions import is_fact, keeps_order
from projections.filters.conditions import And, Between, Compare, Condition, IsNone, IsSome, Not, OneOf, Or, Simple

NUMBERED_WORDS = ("model", "dataset", "actor")
WORD = "(SELECT id FROM word WHERE text=?)"
FACT_OF = f"FROM fact f INDEXED BY fact_of WHERE f.n=c.n AND f.name={WORD} AND f.since=c.since"
ROW_OF = "FROM history h WHERE h.n=c.n AND h.since=c.since"


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of SQL and the values bound in it, in order."""

    text: str
    values: tuple[Any, ...] = ()

    def __add__(self, other: Sql) -> Sql:
        """Put one behind the other."""
        return Sql(f"{self.text} {other.text}", self.values + other.values)

    @property
    def probes(self) -> bool:
        """Whether it looks into another table for each candidate."""
        return "EXISTS" in self.text


def holds(condition: Condition) -> Sql:
    """Say that a condition holds for the candidate `c`."""
    if isinstance(condition, (And, Or)):
        pieces = [holds(part) for part in condition.parts]
        word = " AND " if isinstance(condition, And) else " OR "
        return Sql(f"({word.join(piece.text for piece in pieces)})", sum((piece.values for piece in pieces), ()))
    if isinstance(condition, Not):
        inner = holds(condition.part)
        return Sql(f"NOT ({inner.text})", inner.values)
    return _fact(condition) if is_fact(condition.name) else _column(condition)


def all_hold(conditions: Iterable[Condition]) -> Sql:
    """Say that all conditions hold for the candidate `c`."""
    tests = Sql("true")
    for condition in conditions:
        tests += Sql("AND") + holds(condition)
    return tests


def has(name: str) -> Sql:
    """Say that the candidate has a fact of this name."""
    return Sql(f"EXISTS (SELECT 1 {FACT_OF})", (name,))


def value_of(name: str) -> Sql:
    """Return the candidate's fact of this name, NULL where it has none."""
    return Sql(f"(SELECT f.value {FACT_OF})", (name,))


def source(condition: Simple) -> Sql:
    """Return `FROM … c WHERE …` of the index that leads to the rows for which a condition holds."""
    if is_fact(condition.name):
        test = compare("c.value", condition)
        return Sql(f"FROM fact c WHERE c.name={WORD} AND {test.text}", (condition.name, *test.values))
    test = _named(f"c.{condition.name}", condition)
    return Sql(f"FROM history c INDEXED BY history_{condition.name} WHERE {test.text}", test.values)


def compare(column: str, condition: Simple) -> Sql:
    """Test one stored value."""
    if isinstance(condition, IsNone):
        return Sql(f"{column} = ?", (NONE,))
    if isinstance(condition, IsSome):
        return Sql(f"{column} <> ?", (NONE,))
    if isinstance(condition, OneOf):
        marks = ",".join("?" * len(condition.values))
        return Sql(f"{column} IN ({marks})", tuple(bound(value) for value in condition.values))
    if isinstance(condition, Between):
        return Sql(f"{column} BETWEEN ? AND ?", (bound(condition.low), bound(condition.high)))
    return _compared(column, condition)


def _compared(column: str, condition: Compare) -> Sql:
    """Keep order within a type: in the index numbers stand before all text, text before all blobs."""
    operator = "<>" if condition.operator == "!=" else condition.operator
    value = bound(condition.value)
    test = f"{column} {operator} ?"
    is_text = isinstance(value, str)
    if operator in {">", ">="}:
        return Sql(f"{test} AND {column} < {'x' if is_text else ''}''", (value,))
    if operator in {"<", "<="} and is_text:
        return Sql(f"{test} AND {column} >= ''", (value,))
    return Sql(test, (value,))


def _named(column: str, condition: Simple) -> Sql:
    """Test a text column; models, data sets and actors are stored as the numbers of their names."""
    if condition.name not in NUMBERED_WORDS:
        return compare(column, condition)
    if keeps_order(condition) and isinstance(condition, Compare):
        return Sql(f"{column} = {WORD}", (condition.value,))
    test = compare("text", condition)
    return Sql(f"{column} IN (SELECT id FROM word WHERE {test.text})", test.values)


def _column(condition: Simple) -> Sql:
    if condition.name == "position":
        return compare("(c.n >> 10)", condition)
    if condition.name in NUMBERED_WORDS:
        return _named(f"c.{condition.name}", condition)
    test = compare(f"h.{'at' if condition.name == 'committed_at' else condition.name}", condition)
    return Sql(f"EXISTS (SELECT 1 {ROW_OF} AND {test.text})", test.values)


def _fact(condition: Simple) -> Sql:
    name = condition.name
    if name.startswith("measure.") and isinstance(condition, (IsNone, IsSome)):
        known = has(name)
        return known if isinstance(condition, IsSome) else Sql(f"NOT {known.text}", known.values)
    test = compare("f.value", condition)
    return Sql(f"EXISTS (SELECT 1 {FACT_OF} AND {test.text})", (name, *test.values))


def bound(value: Any) -> Any:
    """Return a constant as it is compared with stored values."""
    return microseconds(value) if isinstance(value, datetime) else encode(value)
