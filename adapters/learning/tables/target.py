"""The target of a table: classes, or numbers to predict."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from adapters.learning.preparation.frame import BINARY, FEWEST_CLASSES, HELD, MOST_CLASSES, class_name, type_word
from autolearn.printable import visible
from domain.errors import BadInputError

LONGEST_CLASS = 100
COUNTED, COUNTED_BYTES = 100_000, 1 << 26  # different values that are remembered, to say how many there are
KINDS = "classes (whole numbers, booleans or words)"
SHOWN = 5  # classes in a sentence


class Target:
    """Reads the target batch by batch and turns it into classes, or numbers; `finish` checks the whole.

    `missing` are the texts that stood for missing values in it.
    """

    def __init__(
        self, name: str, schema: pa.Schema, *, task: str = "classification", drop_missing: bool = False
    ) -> None:
        self._name, self._place, self._task = name, schema.get_field_index(name), task
        self._word = type_word(schema.field(name).type)
        whole = task == "classification" and self._word == "number"
        kind = pa.int64() if whole else pa.float64() if task == "regression" else schema.field(name).type
        self.schema = schema.set(self._place, pa.field(name, kind))
        self._drop_missing = drop_missing
        self._sizes, self._bytes = Counter[Any](), 0
        self._missing, self._fractions, self._uncounted = 0, False, False

    @property
    def rows_dropped(self) -> int:
        """Return how many rows had no target and were left out."""
        return self._missing if self._drop_missing else 0

    @property
    def class_rows(self) -> list[int]:
        """Return the rows of each class, in the order of the classes."""
        return [] if self._task == "regression" else [self._sizes[label] for label in sorted(self._sizes)]

    def observe(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Record a canonical batch; return it with classes or numbers as its target."""
        self._missing += batch.column(self._place).null_count
        if self._drop_missing and batch.column(self._place).null_count:
            batch = batch.filter(batch.column(self._place).is_valid())
        column = batch.column(self._place)
        if self._task == "regression":
            column = column.cast(pa.float64(), safe=False) if self._word in {"integer", "number"} else column
        elif self._word == "number":
            self._fractions |= pc.all(pc.equal(column, pc.round(column))).as_py() is False
            column = column.cast(pa.int64(), safe=False)
        self._count(column)
        if column.type != self.schema.field(self._place).type:  # `finish` refuses it
            column = pa.nulls(len(column), self.schema.field(self._place).type)
        arrays = [*batch.columns[: self._place], column, *batch.columns[self._place + 1 :]]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _count(self, column: pa.Array) -> None:
        if self._uncounted:
            return
        for one in pc.value_counts(column.drop_null()).to_pylist():
            if one["values"] not in self._sizes:
                self._bytes += len(one["values"]) if isinstance(one["values"], str) else 8
            self._sizes[one["values"]] += one["counts"]
        most = FEWEST_CLASSES if self._task == "regression" else COUNTED
        self._uncounted = len(self._sizes) >= most + (most == COUNTED) or self._bytes > COUNTED_BYTES

    def finish(
        self, missing: Counter[str], positive: str | None, earlier: str | None = None
    ) -> tuple[list[str], str | None, list[str]]:
        """Return the classes in order, the positive one of two (given, or as earlier), and notes; or BadInputError."""
        if self._missing and not self._drop_missing:
            values = "1 missing value" if self._missing == 1 else f"{self._missing} missing values"
            raise self._bad(f"has {values}{_spelled(missing)}: {_remedy(missing)}")
        if self._task == "regression":
            self._check_numbers(positive)
            return [], None, []
        self._check_classes()
        labels = sorted(self._sizes)
        names = [class_name(label) for label in labels]
        overlong = [name[:40] for name in names if len(name) > LONGEST_CLASS]
        if overlong:
            raise BadInputError(f"Classes longer than {LONGEST_CLASS} characters: {', '.join(overlong[:3])}…")
        sizes = dict(zip(names, (self._sizes[label] for label in labels), strict=True))
        return names, self._positive(sizes, positive, earlier), [*_class_notes(sizes)]

    def _check_numbers(self, positive: str | None) -> None:
        if self._word not in {"integer", "number"}:
            raise self._bad(f"holds {HELD[self._word]}: a regression needs numbers.")
        if len(self._sizes) < FEWEST_CLASSES:
            raise self._bad("has one value only: at least two different numbers are needed.")
        if positive is not None:
            raise BadInputError("A positive class is for two classes, and a regression has none: leave it out.")

    def _check_classes(self) -> None:
        to_numbers = "or give --task regression, to predict numbers" if self._word in {"integer", "number"} else ""
        as_text = f"give --type {self._name}=string to take them as words"
        if self._word == "time":
            raise self._bad(f"holds times: it must hold {KINDS}; {as_text}.")
        if self._fractions:
            raise self._bad(f"holds fractions: it must hold {KINDS}; {as_text}, {to_numbers}.")
        if len(self._sizes) > MOST_CLASSES:
            number = f"{len(self._sizes)}{' and more' if self._uncounted else ''}"
            what = f"has {number} different values: at most {MOST_CLASSES} classes"
            raise self._bad(f"{what}{', ' if to_numbers else ''}{to_numbers}.")
        if len(self._sizes) < FEWEST_CLASSES:
            only = "".join(f" ({visible(class_name(label)[:40])})" for label in self._sizes)
            raise self._bad(f"has one class only{only}: at least two are needed.")

    def _positive(self, sizes: dict[str, int], given: str | None, earlier: str | None) -> str | None:
        if given is None and earlier in sizes and len(sizes) == BINARY:
            return earlier
        if given is None:
            rarest = min(reversed(sizes), key=lambda name: sizes[name])  # of equals the last in order
            return rarest if len(sizes) == BINARY else None
        if len(sizes) != BINARY:
            raise BadInputError(f"A positive class is for two classes, and the target has {len(sizes)}: leave it out.")
        if given not in sizes:
            raise BadInputError(f"There is no class {given!r} to be the positive one: it is one of {', '.join(sizes)}.")
        return given

    def _bad(self, what: str) -> BadInputError:
        return BadInputError(f"The target {self._name!r} {what}")


def _spelled(missing: Counter[str]) -> str:
    shown = [
        f"{visible(text)!r} {count} times" if text else f"{count} empty" for text, count in missing.most_common(SHOWN)
    ]
    return f" ({', '.join(shown)})" if shown else ""


def _remedy(missing: Counter[str]) -> str:
    kept = " To keep such a word as a class, say which texts are missing values: --missing ''." if any(missing) else ""
    return f"drop those rows with --drop-missing-target, or fill them in.{kept}"


def _class_notes(sizes: dict[str, int]) -> list[str]:
    notes = []
    single = [visible(name) for name, size in sizes.items() if size == 1]
    if single:
        more = ", …" if len(single) > SHOWN else ""
        notes.append(
            f"Classes with one row only: {', '.join(single[:SHOWN])}{more}. Such rows go into the training part."
        )
    blank = [visible(name) for name in sizes if name != name.strip()]
    if blank:
        alike = any(name.strip() in sizes for name in sizes if name != name.strip())
        told = ": they are other classes than those without" if alike else ""
        notes.append(f"Classes with blanks at their ends: {', '.join(map(repr, blank[:SHOWN]))}{told}.")
    return notes
