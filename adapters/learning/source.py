"""A raw table as it lies in a file: its columns, and its rows batch by batch, as often as they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True)
class Source:
    """`schema` is true for every batch. A batch holds some tens of MiB; what is wrong with it is a BadInputError."""

    schema: pa.Schema
    batches: Callable[[], Iterator[pa.RecordBatch]]

    @classmethod
    def of(cls, table: pa.Table) -> Source:
        """Return a table that is in memory already."""
        return cls(table.schema, lambda: iter(table.to_batches()))
