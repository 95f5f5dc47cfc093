"""The profile of a stored table: a JSON blob (docs/schemas/dataset-profile.v1.json), and a summary for the event."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from adapters.learning.preparation.frame import class_name
from adapters.learning.profiling.columns import MOST_ROWS, Column, read_columns, show
from adapters.learning.profiling.suspects import About, Suspects
from adapters.learning.store import store_json
from commands.ports import Blobs

VERSION = 1
FIRST_ROWS, FIRST_VALUES = 100, 20_000  # of a table with many columns fewer rows are kept
MOST_SUSPECTS = 20  # in the event; the blob has all


def store_profile(path: Path, about: About, blobs: Blobs) -> dict[str, Any]:
    """Make the profile of a stored table, put it among the blobs and return its summary."""
    made = make_profile(path, about)
    suspects = made["suspects"]
    return {"blob": store_json(blobs, made), "suspects": suspects[:MOST_SUSPECTS], "suspects_found": len(suspects)}


def make_profile(path: Path, about: About) -> dict[str, Any]:
    """Return the profile of a stored Parquet file."""
    rows = pq.read_metadata(path).num_rows
    every = -(-rows // MOST_ROWS)
    wanted = next(read_columns(path, every, [about.target]))
    suspects, columns = Suspects(about, wanted), []
    for column in read_columns(path, every):
        suspects.look_at(column)
        columns.append(column.describe())
    return {
        "version": VERSION,
        "rows": rows,
        "rows_profiled": len(wanted.codes),
        "target": about.target,
        "task": about.task,
        "classes": _sizes(wanted) if about.task == "classification" else {},
        "columns": columns,
        "suspects": suspects.finish(),
        "first_rows": _first_rows(path),
    }


def _sizes(target: Column) -> dict[str, int]:
    order = sorted(range(len(target.values)), key=lambda place: target.values[place].as_py())
    return {class_name(target.values[place].as_py()): int(target.counts[place]) for place in order}


def _first_rows(path: Path) -> list[list[Any]]:
    file = pq.ParquetFile(path, pre_buffer=False)
    most = max(1, min(FIRST_ROWS, FIRST_VALUES // max(file.metadata.num_columns, 1)))
    batch = next(file.iter_batches(batch_size=most, use_threads=False))
    return [list(row) for row in zip(*([show(value) for value in column] for column in batch.columns), strict=True)]
