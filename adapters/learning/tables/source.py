"""A raw table in a file: its schema, and its rows batch by batch, as often as they are needed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa

from domain.errors import TooLargeError

MOST_VALUES = 1 << 28  # rows times columns: as numbers they take 2 GiB
MOST_REMEMBERED = 1 << 26  # bytes


@dataclass(frozen=True)
class Source:
    """`schema` holds for every batch. A batch has some tens of MiB; a fault in it raises BadInputError.

    `is_text`: all values are texts, and what they are is to be found. `found` says how the file was read, `index` which
    columns are the index of pandas, `notes` what may surprise, `lines_of` in which lines of the file
    rows stand, as far as that is known.
    """

    schema: pa.Schema
    batches: Callable[[], Iterator[pa.RecordBatch]]
    is_text: bool = False
    found: dict[str, Any] = field(default_factory=dict)
    index: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    lines_of: Callable[[Collection[int]], dict[int, int]] = lambda rows: {row: row + 1 for row in rows}

    @classmethod
    def of(cls, table: pa.Table) -> Source:
        """Return a source for a table that is in memory."""
        return cls(table.schema, lambda: iter(table.to_batches()))

    def without(self, names: Collection[str]) -> Source:
        """Return it less some columns."""
        places = [place for place, name in enumerate(self.schema.names) if name not in names]
        if len(places) == len(self.schema):
            return self
        schema = pa.schema([self.schema.field(place) for place in places])
        return replace(self, schema=schema, batches=lambda: (batch.select(places) for batch in self.batches()))

    def remembered(self) -> Source:
        """Return it with its batches in memory once all were read, unless that takes more than `MOST_REMEMBERED`."""
        kept: list[pa.RecordBatch] = []
        is_whole = False

        def batches() -> Iterator[pa.RecordBatch]:
            nonlocal is_whole
            if is_whole:
                yield from kept
                return
            size = 0
            kept.clear()
            for batch in self.batches():
                size += batch.nbytes
                kept.append(batch) if size <= MOST_REMEMBERED else kept.clear()
                yield batch
            is_whole = size <= MOST_REMEMBERED

        return replace(self, batches=batches)


def too_many_values_error(rows: int, columns: int) -> TooLargeError:
    """Say how many there may be."""
    return TooLargeError(
        f"The data set has {rows:,} rows of {columns:,} columns: at most {MOST_VALUES:,} values (rows times columns)."
    )
