"""From texts to typed columns: one pass finds what all values are, the next reads them so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from adapters.learning.preparation.frame import type_word
from adapters.learning.tables.columns import NAMELESS, nameless_error, value_type
from adapters.learning.tables.decisions import TYPES, Decision, decide, raise_refused, sentence_of
from adapters.learning.tables.given import Given
from adapters.learning.tables.source import Source
from adapters.learning.tables.spellings import NumberSpelling, TimeSpelling, swapped
from adapters.learning.tables.text_columns import TextColumn, clean
from autolearn.printable import visible
from domain.errors import BadInputError

MOST_NOTES = 20


@dataclass(frozen=True)
class Typed:
    """A source whose columns have their types, and how they were found."""

    source: Source
    columns: dict[str, TextColumn]
    decisions: dict[str, Decision]
    left_out: tuple[str, ...]
    notes: list[str]

    @property
    def missing(self) -> dict[str, int]:
        """Return the texts that were taken for missing values, with how often."""
        kept = [column.missing for name, column in self.columns.items() if name not in self.left_out]
        return dict(sum(kept, Counter[str]()))

    @property
    def spellings(self) -> dict[str, str]:
        """Return the spellings of columns that are not spelled plainly."""
        chosen = {name: decision.spelling for name, decision in self.decisions.items()}
        return {
            name: it.name
            for name, it in chosen.items()
            if isinstance(it, NumberSpelling | TimeSpelling) and not it.is_plain
        }


def find_types(source: Source, given: Given, target: str) -> Typed:
    """Decide each column of texts, and each whose type is given; leave out what holds no data."""
    source = source.remembered()
    missing = pa.array(given.missing_texts, pa.string())
    places = [place for place, field in enumerate(source.schema) if _is_asked(source, field, given)]
    columns = {source.schema.names[place]: TextColumn(source.schema.names[place], given) for place in places}
    rows = 0
    for batch in source.batches() if columns else ():
        for place, column in zip(places, columns.values(), strict=True):
            column.observe(_as_texts(source, batch.column(place)), missing, rows)
        rows += batch.num_rows
    decisions = dict(zip(columns, decide(list(columns.values()), given, source.found.get("separator")), strict=True))
    left_out, notes = _left_out(source, columns, {target, *given.types})
    kept = source.without(left_out)
    notes += _notes(kept, decisions)
    schema = pa.schema(
        [pa.field(it.name, TYPES[decisions[it.name].kind] if it.name in decisions else it.type) for it in kept.schema]
    )

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in kept.batches():
            arrays = dict(zip(schema.names, batch.columns, strict=True))
            for name in decisions.keys() & arrays.keys():
                raw = _as_texts(source, arrays[name])
                texts = raw.dictionary if columns[name].is_clean else clean(raw.dictionary, missing)[0]
                arrays[name] = decisions[name].convert(texts, raw.dictionary).take(raw.indices)
            yield pa.RecordBatch.from_arrays(list(arrays.values()), schema=schema)

    return Typed(replace(kept, schema=schema, batches=batches), columns, decisions, tuple(left_out), notes)


def _is_asked(source: Source, field: pa.Field, given: Given) -> bool:
    is_text = pa.types.is_string(value_type(field.type)) or pa.types.is_large_string(value_type(field.type))
    kind = given.types.get(field.name)
    if kind is not None:
        return source.is_text or kind != type_word(value_type(field.type))
    return source.is_text or (is_text and given.missing is not None)


def _as_texts(source: Source, column: pa.Array) -> pa.DictionaryArray:
    """Return texts with each once in the dictionary, in the order in which they come first."""
    if source.is_text:
        return column
    return pc.fill_null(column.cast(value_type(column.type)).cast(pa.string()), "").dictionary_encode()


def _left_out(source: Source, columns: dict[str, TextColumn], wanted: set[str]) -> tuple[list[str], list[str]]:
    """Leave out columns of pandas' index, and those without name and values; others without a name are refused."""
    index = [name for name in source.index if name not in wanted]
    names = source.schema.names
    for name in names:
        if not NAMELESS.fullmatch(name) or name in wanted:
            break
        if (not source.is_text or columns[name].count) and name not in index:
            index.append(name)
    empty = [name for name in names if NAMELESS.fullmatch(name) and name in columns and not columns[name].count]
    known = {*index, *empty, *wanted}
    bad = [place for place, name in enumerate(names, start=1) if NAMELESS.fullmatch(name) and name not in known]
    if bad and source.is_text:
        raise nameless_error(bad)
    notes = [f"Column {visible(name)!r} was left out: it is the index of pandas." for name in index]
    notes += [f"Column {names.index(name) + 1} was left out: it has no name and no values." for name in empty]
    return [*index, *empty], notes


def _notes(source: Source, decisions: dict[str, Decision]) -> list[str]:
    noted = {name: it for name, it in decisions.items() if it.note and name in source.schema.names}
    shown = dict(sorted(noted.items(), key=lambda it: not it[1].refused)[:MOST_NOTES])
    lines = source.lines_of({it.place[0] for it in shown.values() if it.place})
    notes = []
    for name, decision in shown.items():
        sentence = sentence_of(name, decision, lines)
        if decision.refused:
            raise_refused(sentence, decision)
        notes.append(sentence)
    if len(noted) > MOST_NOTES:
        notes.append(f"{len(noted) - MOST_NOTES} more columns have a remark of this kind.")
    return notes


def split_names(given: list[str], names: list[str]) -> list[str]:
    """Take `A,B` for two columns, unless one is called so."""
    return [part for name in given for part in ([name] if name in names else name.split(","))]


def check_wanted(source: Source, given: Given, target: str) -> None:
    """Refuse columns that are named and not there, and a target that is dropped."""
    names = source.schema.names
    wanted = {"wanted, as in the earlier version": given.columns}
    if given.columns is None:
        wanted = {"dropped": given.drop, "given a type": list(given.types)}
    for what, columns in wanted.items():
        lacking = [name for name in columns or () if name not in names]
        if lacking:
            shown = ", ".join(names[:50])
            raise BadInputError(f"There is no column {lacking[0]!r} to be {what}. The columns are: {shown}.")
    if target in given.drop:
        raise BadInputError(f"The target {target!r} cannot be dropped.")
    if names and not {*names} - {target, *given.drop} and len(names) > 1:
        raise BadInputError("All columns but the target are dropped: keep at least one to learn from.")


@contextmanager
def explain_conversions() -> Iterator[None]:
    """Say which values have not the type that was given."""
    try:
        yield
    except pa.ArrowInvalid as error:
        raise BadInputError(f"Some values have not the type that was given: {str(error)[:200]}.") from error


def reading_of(found: dict[str, Any], typed: Typed, given: Given, rows_dropped: int) -> dict[str, Any]:
    """Return how the file was read, as the event has it."""
    spelled = [decision.spelling for decision in typed.decisions.values()]
    numbers = [it for it in spelled if isinstance(it, NumberSpelling)]
    times = [it.name for it in spelled if isinstance(it, TimeSpelling) and swapped(it.name) != it.name]
    marks = {"decimal": given.decimal, "thousands": given.thousands or None}
    if numbers:
        marks["decimal"] = given.decimal or Counter(it.decimal for it in numbers).most_common(1)[0][0]
        marks["thousands"] = given.thousands or next((it.thousands for it in numbers if it.thousands), None)
    return (
        found
        | marks
        | {
            "dayfirst": any(name.startswith("%d") for name in times) if times else given.dayfirst or None,
            "spellings": typed.spellings,
            "missing": typed.missing,
            "missing_texts": given.missing,
            "dropped": given.drop,
            "left_out": list(typed.left_out),
            "rows_dropped": rows_dropped,
        }
    )
