"""The target column: whole numbers, booleans or words, of which there are at least two and not too many."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from adapters.learning.preparation.frame import class_name, type_word
from domain.errors import BadInputError

FEWEST_CLASSES, MOST_CLASSES = 2, 1000
LONGEST_CLASS = 100
COUNTED, COUNTED_BYTES = 100_000, 1 << 26  # different values that are remembered, to say how many there are
KINDS = "classes (whole numbers, booleans or words)"


class Target:
    """Looks at the target batch by batch and makes classes of it; `classes` judges the whole."""

    def __init__(self, name: str, schema: pa.Schema) -> None:
        self._name, self._place = name, schema.get_field_index(name)
        self._word = type_word(schema.field(name).type)
        kind = pa.int64() if self._word == "number" else schema.field(name).type
        self.schema = schema.set(self._place, pa.field(name, kind))
        self._values = pa.array([], kind)
        self._missing, self._fractions, self._uncounted = 0, False, False

    def seen(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Take note of a canonical batch; return it with classes as its target."""
        column = batch.column(self._place)
        self._missing += column.null_count
        if self._word == "number":
            self._fractions |= pc.all(pc.equal(column, pc.round(column))).as_py() is False
            column = column.cast(pa.int64(), safe=False)
        if not self._uncounted:
            self._values = pc.unique(pa.concat_arrays([self._values, pc.unique(column.drop_null())]))
            self._uncounted = len(self._values) > COUNTED or self._values.nbytes > COUNTED_BYTES
        return pa.RecordBatch.from_arrays(
            [*batch.columns[: self._place], column, *batch.columns[self._place + 1 :]], schema=self.schema
        )

    def classes(self) -> list[str]:
        """Return the names of the classes in order; raises BadInputError where the column cannot be a target."""
        if self._missing:
            raise self._bad(f"has {self._missing} missing values: remove those rows or fill them in.")
        if self._word == "time":
            raise self._bad(f"holds times: it must hold {KINDS}.")
        if self._fractions:
            raise self._bad(f"holds fractions: it must hold {KINDS}.")
        if len(self._values) > MOST_CLASSES:
            number = f"{len(self._values)}{' and more' if self._uncounted else ''}"
            raise self._bad(f"has {number} different values: at most {MOST_CLASSES} classes.")
        labels = self._values.to_pylist()
        if len(labels) < FEWEST_CLASSES:
            raise self._bad(f"has one class only ({class_name(labels[0])}): at least two are needed.")
        names = [class_name(label) for label in sorted(labels)]
        overlong = [name[:40] for name in names if len(name) > LONGEST_CLASS]
        if overlong:
            raise BadInputError(f"Classes longer than {LONGEST_CLASS} characters: {', '.join(overlong[:3])}…")
        return names

    def _bad(self, what: str) -> BadInputError:
        return BadInputError(f"The target {self._name!r} {what}")
