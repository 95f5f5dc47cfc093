"""What columns of texts are: a type and a spelling for each, and a sentence where one might have expected another."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from adapters.learning.tables.given import Given
from adapters.learning.tables.spellings import (
    NumberSpelling,
    TimeSpelling,
    TruthSpelling,
    WholeSpelling,
    swapped,
)
from adapters.learning.tables.text_columns import Place, Spelling, TextColumn, Try
from autolearn.printable import visible
from domain.errors import BadInputError

TYPES = {
    "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_(), "time": pa.timestamp("us"),
    "string": pa.string(),
}  # fmt: skip
CALLED = {"integer": "whole numbers", "number": "numbers", "boolean": "true or false", "time": "times"}
REMEDY = "Say which texts mean a missing value (--missing), or give another --type."
SHOWN = 40  # characters of a value in a sentence


@dataclass(frozen=True)
class Decision:
    """A column's type, the spelling of its values (None: text as it is), what to say of it and of which row.

    `refused`: the values are not what was given.
    """

    kind: str
    spelling: Spelling | None = None
    note: str = ""
    place: Place | None = None
    refused: bool = False

    def convert(self, texts: pa.Array, raw: pa.Array) -> pa.Array:
        """Return the values of clean texts; text stays as it was written."""
        if self.kind == "string":
            return raw if not texts.null_count else pc.if_else(texts.is_valid(), raw, pa.scalar(None, pa.string()))
        if self.spelling is None:  # nothing but missing values
            return pa.nulls(len(texts), TYPES[self.kind])
        return self.spelling.values(texts).cast(TYPES[self.kind])


@dataclass(frozen=True)
class Marks:
    """What the columns of a file tell about each other: its decimal mark, and whether the day comes first."""

    decimal: str
    decimal_is_sure: bool
    dayfirst: bool
    dayfirst_is_sure: bool


def decide(columns: list[TextColumn], given: Given, separator: str | None) -> list[Decision]:
    """Decide what each column is, by all its values and by what the others show."""
    marks = _marks(columns, given, separator)
    return [_decide(column, given.types.get(column.name), marks) for column in columns]


def _marks(columns: list[TextColumn], given: Given, separator: str | None) -> Marks:
    decimals, firsts = set(), set()
    for column in columns:
        found = {it.decimal for it in column.shared(NumberSpelling) if isinstance(it, NumberSpelling)}
        if column.fraction and len(found) == 1:
            decimals |= found
        names = {it.name for it in column.shared(TimeSpelling)}
        firsts |= {name[:2] == "%d" for name in names if swapped(name) != name and swapped(name) not in names}
    shown = given.decimal or (decimals.pop() if len(decimals) == 1 else None)
    first = True if given.dayfirst else firsts.pop() if len(firsts) == 1 else None
    return Marks(shown or ("," if separator == ";" else "."), shown is not None, first is True, first is not None)


def _decide(column: TextColumn, kind: str | None, marks: Marks) -> Decision:
    if kind == "string":
        return Decision("string")
    if not column.count:
        return Decision(kind or "number")
    if kind is None:
        return _found(column, marks)
    return _as_given(column, kind, marks) or _refused(column, kind)


def _as_given(column: TextColumn, kind: str, marks: Marks) -> Decision | None:
    if kind == "boolean":
        return Decision(kind, TruthSpelling(given=True)) if column.all_are(TruthSpelling) else None
    if kind == "time":
        return _time(column, marks)
    if column.all_are(WholeSpelling):
        return Decision(kind, WholeSpelling())
    number = _number(column, marks)
    return number and replace(number, kind=kind)


def _found(column: TextColumn, marks: Marks) -> Decision:
    if column.all_are(TruthSpelling) and not column.all_are(WholeSpelling):
        return Decision("boolean", TruthSpelling())
    number = _number(column, marks)
    if number and column.zero:
        return Decision("string", None, "has leading zeros, so it is text", column.zero)
    if column.all_are(WholeSpelling):
        return Decision("integer", WholeSpelling())
    if number and column.digits == column.count:
        sentence = "has whole numbers beyond 64 bits, which only text keeps apart"
        return Decision("string", None, sentence, _whole_miss(column))
    return number or _time(column, marks) or _text(column)


def _number(column: TextColumn, marks: Marks) -> Decision | None:
    shared = [it for it in column.shared(NumberSpelling) if isinstance(it, NumberSpelling)]
    if not shared:
        return None
    usual = [it for it in shared if it.decimal == marks.decimal]
    if not usual or (shared[0].is_plain and not marks.decimal_is_sure):
        usual = shared
    chosen = usual[0]
    others = [it for it in shared if it.decimal != chosen.decimal]
    if chosen.is_plain or not others or not column.fraction or column.given.decimal or column.given.spellings:
        return Decision("number", chosen)
    text = pa.array([column.fraction])
    read, other = (it.values(text)[0].as_py() for it in (chosen, others[0]))
    said = f"may be read in two ways: {column.fraction} was taken for {read:g}, --decimal {others[0].decimal}"
    return Decision("number", chosen, f"{said} takes it for {other:g}" if read != other else "")


def _time(column: TextColumn, marks: Marks) -> Decision | None:
    shared = {it.name: it for it in column.shared(TimeSpelling) if isinstance(it, TimeSpelling)}
    if not shared:
        return None
    names = list(shared)
    doubtful = [name for name in names if swapped(name) != name and swapped(name) in shared]
    if not doubtful:
        return Decision("time", shared[names[0]])
    name = next(it for it in doubtful if (it[:2] == "%d") == marks.dayfirst)
    if marks.dayfirst_is_sure:
        return Decision("time", shared[name])
    note = (
        "has dates whose day and month cannot be told apart: they were read as month, day; --dayfirst reads day, month"
    )
    return Decision("time", shared[name], note)


def _text(column: TextColumn) -> Decision:
    best = column.best
    if best is None:
        return Decision("string")
    return Decision("string", None, f"is text: {_share(column, best)}", best.miss)


def _refused(column: TextColumn, kind: str) -> Decision:
    best = column.best
    what = CALLED[kind]
    if best is None or _kind_of(best.spelling) not in {kind, "integer", "number"}:
        return Decision(kind, None, f"is to hold {what}, and most of its values are something else", None, refused=True)
    return Decision(kind, None, f"is to hold {what}, and {_share(column, best)}", best.miss, refused=True)


def _share(column: TextColumn, best: Try) -> str:
    kind = "time" if isinstance(best.spelling, TimeSpelling) else "number"
    return f"{best.count} of {column.count} values are {CALLED[kind]}"


def _kind_of(spelling: Spelling) -> str:
    if isinstance(spelling, WholeSpelling):
        return "integer"
    return "time" if isinstance(spelling, TimeSpelling) else "number"


def _whole_miss(column: TextColumn) -> Place | None:
    return next((one.miss for one in column.tries if isinstance(one.spelling, WholeSpelling)), None)


def sentence_of(name: str, decision: Decision, lines: dict[int, int]) -> str:
    """Say what `note` says, with the line: `Column 'x' is text: 59 of 60 values are numbers; line 39: n.d.`."""
    said = f"Column {visible(name)!r} {decision.note}"
    if decision.place is None:
        return f"{said}."
    text = visible(decision.place[1])
    shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
    row = decision.place[0]
    return f"{said}; {f'line {lines[row]}' if row in lines else f'row {row + 1}'}: {shown}"


def raise_refused(sentence: str, decision: Decision) -> None:
    """Refuse values that are not of the type that was given."""
    end = "" if decision.place is None else "."  # one that shows no value ends already
    raise BadInputError(f"{sentence}{end} {REMEDY}")
