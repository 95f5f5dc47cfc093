"""Suspects of a table: what an analyst should look at before training, each with its reason and a command as remedy."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from adapters.learning.preparation.frame import class_name
from adapters.learning.profiling.columns import Array, Column
from adapters.learning.profiling.leaks import LeakTest
from adapters.learning.tables.given import Given
from adapters.learning.tables.spellings import NumberSpelling, TimeSpelling, TruthSpelling, WholeSpelling, tidy
from adapters.learning.tables.text_columns import Spelling, TextColumn, clean
from autolearn.printable import visible
from domain.dataset import SuspectKind

FEWEST_ROWS = 20  # below, chance makes columns alike and values distinct
IS_ID = 0.95  # of the values are distinct
NEARLY, FEW_TEXTS, MOST_TEXTS = 0.9, 5, 20  # share of numbers or times; other texts that may be in the way
MOST_MERGED = 0.1  # of the different values; measured numbers merge now and then, and that does no harm
LONGEST_WORD = 80  # characters of a text that may mean a missing value
RARE, IMBALANCED = 5, 10  # rows of a class; how many times larger the largest class is than the smallest
SHOWN, SHOWN_TEXT = 5, 40  # texts in a reason, and characters of each
KINDS = get_args(SuspectKind)
Suspect = dict[str, Any]


@dataclass(frozen=True)
class About:
    """A table's name, target and task, what was given to read it, and the texts that stood for missing values in it."""

    name: str
    target: str
    task: str
    given: Given
    missing: Mapping[str, int]


class Suspects:
    """Looks at one column after the other."""

    def __init__(self, about: About, target: Column) -> None:
        self._about, self._found = about, list[Suspect]()
        self._leaks = LeakTest(target, about.task)
        self._alike: dict[bytes, str] = {}
        self._rows: Array | None = np.zeros(len(target.codes), dtype=np.uint64)

    def look_at(self, column: Column) -> None:
        """Look at a column, and remember what tells whether others, or whole rows, are alike."""
        self._mix(column)
        if column.name != self._about.target:
            self._found += self._of_feature(column)
        elif self._about.task == "classification":
            self._found += self._of_classes(column)

    def finish(self) -> list[Suspect]:
        """Return what was found in all, the gravest kinds first."""
        rows = np.empty(0) if self._rows is None else np.sort(self._rows)
        if repeated := int(np.count_nonzero(rows[1:] == rows[:-1])):
            reason = f"{_counted(repeated, 'row is', 'rows are')} the same as an earlier one in every column"
            self._found.append(_suspect("duplicate-rows", [], reason, "awk '!seen[$0]++' FILE > distinct.csv"))
        return sorted(self._found, key=lambda it: KINDS.index(it["kind"]))

    def _of_feature(self, column: Column) -> Iterator[Suspect]:
        drop = self._drop(column.name)
        distinct = len(column.values)
        if not distinct:
            yield _suspect("constant", [column.name], "has no values", drop)
        elif distinct == 1 and (not column.missing or column.word != "string"):
            beside = " beside missing ones" if column.missing else ""
            value = visible(class_name(column.show(0)))
            yield _suspect("constant", [column.name], f"has one value only{beside}: {value}", drop)
        else:
            yield from self._of_varied(column, drop)
            merged = _merged(column)
            if merged:
                reason = f"{merged} of its {distinct} different values are the same number to a 32-bit float"
                parts = f"autolearn train {self._about.name} MODEL -p prepare.dates=parts"
                yield _suspect("float32", [column.name], reason, parts if column.word == "time" else drop)

    def _of_varied(self, column: Column, drop: str) -> Iterator[Suspect]:
        score = self._leaks.score(column)
        if score is not None:
            share = f"{100 * score:.1f} %"
            what = "explains {} of it" if self._about.task == "regression" else "finds {} of a class's rows"
            reason = f"alone predicts the target: a small tree {what.format(share)}, by cross-validation"
            yield _suspect("leak", [column.name], reason, drop)
        nearly = list(self._of_texts(column)) if column.word == "string" else []
        yield from nearly
        distinct, rows = len(column.values), column.rows
        if not nearly and column.word in {"integer", "string"} and FEWEST_ROWS <= rows <= distinct / IS_ID:
            yield _suspect("id", [column.name], f"has {distinct} different values in {rows} rows", drop)
        earlier = self._alike.setdefault(column.fingerprint(), column.name)
        if earlier != column.name and (rows >= FEWEST_ROWS or 2 * distinct > rows):
            reason = f"tells the same as {visible(earlier)!r}: where one has equal values, the other has, too"
            yield _suspect("duplicate-column", [column.name, earlier], reason, drop)

    def _of_texts(self, column: Column) -> Iterator[Suspect]:
        """Yield a suspect if most texts are numbers or times; it shows the other texts, which keep the column text."""
        if self._about.given.types.get(column.name) == "string":
            return
        missing = pa.array(self._about.given.missing_texts, pa.string())
        seen = TextColumn(column.name, Given())
        present = pa.array(column.codes[column.codes >= 0])
        seen.observe(pa.DictionaryArray.from_arrays(present, column.values), missing, 0)
        tries = [it for it in seen.tries if not isinstance(it.spelling, TruthSpelling)]
        best = max(tries, key=lambda it: it.count, default=None)
        too_large = seen.digits == seen.count and not seen.all_are(WholeSpelling)
        if best is None or seen.zero or too_large:
            return
        others = _not_of(best.spelling, clean(column.values, missing)[0].drop_null())
        if best.count < NEARLY * seen.count and not (2 * best.count >= seen.count and len(others) <= FEW_TEXTS):
            return
        kind, called = ("date", "times") if isinstance(best.spelling, TimeSpelling) else ("numeric", "numbers")
        shown = ", ".join(repr(visible(it[:SHOWN_TEXT])) for it in others[:SHOWN])
        but = f", but not {shown}{', …' if len(others) > SHOWN else ''}" if others else ""
        remedy = self._reread(column.name, "time" if kind == "date" else "number", others)
        yield _suspect(
            f"nearly-{kind}", [column.name], f"{best.count} of {seen.count} values are {called}{but}", remedy
        )

    def _reread(self, column: str, kind: str, others: list[str]) -> str:
        if len(others) > MOST_TEXTS or any(len(it) > LONGEST_WORD for it in others):
            return self._drop(column)
        words = [*(self._about.given.missing or [it for it in self._about.missing if it]), *others]
        missing = "".join(f" --missing {shlex.quote(word)}" for word in (words if others else []))
        typed = shlex.quote(f"{column}={kind}")
        return f"autolearn dataset add FILE --name {self._about.name} --like {self._about.name} --type {typed}{missing}"

    def _drop(self, column: str) -> str:
        name = '"{}"'.format(column.replace('"', '""')) if set(column) & set(',"') else column
        return f"autolearn train {self._about.name} MODEL --drop {shlex.quote(name)}"

    def _of_classes(self, target: Column) -> Iterator[Suspect]:
        sizes = {class_name(target.show(place)): int(count) for place, count in enumerate(target.counts)}
        rare = sorted((it for it in sizes if sizes[it] < RARE), key=sizes.__getitem__)
        if rare:
            shown = ", ".join(f"{visible(it)!r} {sizes[it]}" for it in rare[:SHOWN])
            reason = f"{_counted(len(rare), 'class has', 'classes have')} fewer than {RARE} rows: {shown}"
            more = ", …" if len(rare) > SHOWN else ""
            yield _suspect("rare-class", [target.name], reason + more, "autolearn evaluate -m confusion-matrix")
        least, most = min(sizes, key=sizes.__getitem__), max(sizes, key=sizes.__getitem__)
        if sizes[most] >= IMBALANCED * sizes[least]:
            share = sizes[most] / target.rows
            reason = f"{100 * share:.1f} % of the rows are {visible(most)!r}, {sizes[least]} are {visible(least)!r}"
            remedy = f"autolearn train {self._about.name} MODEL -p class_weight=balanced"
            yield _suspect("imbalance", [target.name], reason, remedy)

    def _mix(self, column: Column) -> None:
        """Mix the column into a number for each row; equal numbers are equal rows, but for chances of 64 bits."""
        if self._rows is None or (len(column.values) == len(column.codes)):
            self._rows = None  # all values are distinct, and so are all rows
            return
        mixed = self._rows * MULTIPLIER + column.codes.astype(np.uint64)
        mixed ^= mixed >> np.uint64(29)
        mixed *= SECOND_MULTIPLIER
        self._rows = mixed ^ (mixed >> np.uint64(32))


MULTIPLIER, SECOND_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)  # as of splitmix64


def _suspect(kind: str, columns: list[str], reason: str, remedy: str) -> Suspect:
    return {"kind": kind, "columns": columns, "reason": reason, "remedy": remedy}


def _counted(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"


def _not_of(spelling: Spelling, texts: pa.Array) -> list[str]:
    tidied = tidy(texts) if isinstance(spelling, NumberSpelling) else texts
    others: list[str] = pc.unique(texts.filter(pc.invert(spelling.matches(tidied))))[: MOST_TEXTS + 1].to_pylist()
    return others


def _merged(column: Column) -> int:
    """Return how many different values a 32-bit float cannot tell from another, if that does harm."""
    if not column.is_number:
        return 0
    values = column.numbers[column.order].astype(np.float64)
    with np.errstate(over="ignore"):
        narrow = values.astype(np.float32)
    merged = int(np.count_nonzero(narrow[1:] == narrow[:-1]))
    is_whole = bool((values == np.floor(values)).all())
    return merged if merged > (0 if is_whole else MOST_MERGED * len(values)) else 0
