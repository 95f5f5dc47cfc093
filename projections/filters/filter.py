"""The filter language: `precision > 0.9 and C in (1, 10)` becomes a closed tree of conditions; never evaluated.

Comparisons `= != < <= > >=`, `in (…)`, `between a and b`, joined by `and`, `or`, `not` and parentheses. Values are
numbers, `true`, `false`, `none`, and texts, quoted where they hold blanks or could be read as something else.
"""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import cast

from domain.errors import FilterError
from projections.filters.columns import COLUMNS, Kind
from projections.filters.conditions import (
    And,
    Between,
    Compare,
    Condition,
    Constant,
    IsNone,
    IsSome,
    Not,
    OneOf,
    Operator,
    Or,
)
from projections.filters.grammar import Part, Written, read
from projections.filters.vocabulary import Vocabulary
from projections.ports import NEWEST_FIRST, Sort

LONGEST = 4096
MOST_NODES = 100
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
WORDS: dict[str, bool | None] = {"none": None, "true": True, "false": False}


def parse(text: str, vocabulary: Vocabulary) -> Condition:
    """Read a filter. Raises FilterError (`place`, `expected`) and AmbiguousNameError (`candidates`)."""
    if len(text.encode("utf-8", "replace")) > LONGEST:
        raise FilterError(f"A filter has at most {LONGEST} bytes.", place=LONGEST, expected=["the end"])
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise FilterError("A filter is Unicode text; this one holds half a character.", place=0, expected=[])
    part = read(text)
    if _nodes(part) > MOST_NODES:
        raise FilterError(f"A filter has at most {MOST_NODES} parts.", place=0, expected=["a shorter filter"])
    return _condition(part, vocabulary)


def parse_sort(text: str | None, vocabulary: Vocabulary) -> Sort:
    """Read a sort key: a name, `-` in front for descending; none means newest first."""
    if not text:
        return NEWEST_FIRST
    descending = text.startswith("-")
    name = vocabulary.resolve(text.removeprefix("-"), int(descending))
    if name in COLUMNS and not COLUMNS[name].has_order:
        sortable = [it for it, column in COLUMNS.items() if column.has_order]
        expected = ["a measure", "a setting", *sortable]
        raise FilterError(f"One cannot sort by {name}: expected {', '.join(expected)}.", place=0, expected=expected)
    return Sort("n" if name in COLUMNS and not COLUMNS[name].path else name, descending)


def _nodes(part: Part) -> int:
    count, waiting = 0, [part]
    while waiting:
        it = waiting.pop()
        count += 1 + len(it.values)
        waiting.extend(it.parts)
    return count


def _condition(part: Part, vocabulary: Vocabulary) -> Condition:
    if part.name is None:
        parts = tuple(_condition(inner, vocabulary) for inner in part.parts)
        return Not(parts[0]) if part.word == "not" else And(parts) if part.word == "and" else Or(parts)
    name = vocabulary.resolve(part.name.text, part.name.place)
    kind = vocabulary.kind_of(name)
    if part.word == "between":
        return _between(name, kind, part)
    if part.word == "in":
        return _one_of(name, kind, part.values)
    return _compare(name, kind, cast("Operator", part.word), part.values[0])


def _between(name: str, kind: Kind | None, part: Part) -> Between:
    low, high = (_ordered_value(kind, value) for value in part.values)
    if isinstance(low, str) != isinstance(high, str):
        place = part.values[1].place
        raise FilterError(
            "Both ends of 'between' are numbers, or both are texts.", place=place, expected=["the same kind"]
        )
    return Between(name, low, high)


def _one_of(name: str, kind: Kind | None, values: tuple[Written, ...]) -> Condition:
    read_ = [_value(kind, value) for value in values]
    some = tuple(dict.fromkeys((type(value), value) for value in read_ if value is not None))
    one_of = [OneOf(name, tuple(value for _, value in some))] if some else []
    none = [_is_none(name)] if None in read_ else []
    parts: list[Condition] = [*one_of, *none]
    return parts[0] if len(parts) == 1 else Or(tuple(parts))


def _compare(name: str, kind: Kind | None, operator: Operator, written: Written) -> Condition:
    if operator in {"=", "!="}:
        value = _value(kind, written)
        if value is None:
            return _is_none(name) if operator == "=" else IsSome(name)
        return Compare(name, operator, value)
    return Compare(name, operator, _ordered_value(kind, written))


def _is_none(name: str) -> Condition:
    """Say that a setting is none, or that a measure is not there: its value is always a number."""
    return Not(IsSome(name)) if name.startswith("measure.") else IsNone(name)


def _ordered_value(kind: Kind | None, written: Written) -> Constant:
    value = _value(kind, written)
    if value is None or isinstance(value, bool):
        sentence = f"{written.text!r} (character {written.place + 1}) has no order: use = or != with it."
        raise FilterError(sentence, place=written.place, expected=["a number", "a text"])
    return value


def _value(kind: Kind | None, written: Written) -> Constant | None:
    if kind == "time":
        return _time(written)
    if kind == "whole number":
        return int(written.text) if WHOLE.fullmatch(written.text) else _refuse(written, "a whole number")
    if kind == "text" or written.quoted:
        return written.text
    if kind == "list":
        return None if written.text.lower() == "none" else written.text
    if kind == "number" and not NUMBER.fullmatch(written.text) and written.text.lower() != "none":
        return _refuse(written, "a number", "none")
    return _bare_value(written)


def _bare_value(written: Written) -> Constant | None:
    text = written.text
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    if not NUMBER.fullmatch(text):
        return text
    if math.isinf(float(text)):
        return _refuse(written, "a number up to 1.7e308")
    return int(text) if WHOLE.fullmatch(text) else float(text)


def _time(written: Written) -> Constant:
    try:
        moment = datetime.fromisoformat(written.text)
    except ValueError:
        return _refuse(written, "a time like 2026-01-31T12:00:00Z")
    return moment if moment.tzinfo else _refuse(written, "a time with a zone, like 2026-01-31T12:00:00Z")


def _refuse(written: Written, *expected: str) -> Constant:
    sentence = f"{written.text!r} (character {written.place + 1}) does not fit: expected {' or '.join(expected)}."
    raise FilterError(sentence, place=written.place, expected=list(expected))
