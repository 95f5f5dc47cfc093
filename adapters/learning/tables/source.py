"""A raw table in a file: its schema, and its rows batch by batch, as often as they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from domain.errors import TooLargeError

MOST_VALUES = 1 << 28  # rows times columns: as numbers they take 2 GiB


@dataclass(frozen=True)
class Source:
    """`schema` holds for every batch. A batch has some tens of MiB; a fault in it raises BadInputError."""

    schema: pa.Schema
    batches: Callable[[], Iterator[pa.RecordBatch]]

    @classmethod
    def of(cls, table: pa.Table) -> Source:
        """Return a source for a table that is in memory."""
        return cls(table.schema, lambda: iter(table.to_batches()))


def too_many_values_error(rows: int, columns: int) -> TooLargeError:
    """Say how many there may be."""
    return TooLargeError(
        f"The data set has {rows:,} rows of {columns:,} columns: at most {MOST_VALUES:,} values (rows times columns)."
    )
