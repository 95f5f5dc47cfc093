"""Tables as files that are sent: a file as it is, a frame or rows as Parquet, or as CSV without pyarrow."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from autolearn.errors import InvalidInputError
from autolearn.packages import find_package, need_package

PANDAS_MISSING = ("NAType", "NaTType")
TableSource = Any
"""A path, a pandas frame, an Arrow table (or what exports one, as polars does), or a list of dictionaries."""


@contextmanager
def table_file(source: TableSource) -> Iterator[Path]:
    """Yield the path of a table; one that is written here is gone at the end. Raises InvalidInputError."""
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        if not path.is_file():
            raise InvalidInputError(f"There is no file {path}.")
        yield path
        return
    import tempfile  # noqa: PLC0415 - few need it

    with tempfile.TemporaryDirectory() as folder:
        yield _write(source, Path(folder))


def row_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as JSON has it: a missing value of pandas or numpy is None."""
    return {str(name): None if _is_missing(value) else value for name, value in row.items()}


def _is_missing(value: Any) -> bool:
    return (isinstance(value, float) and math.isnan(value)) or type(value).__name__ in PANDAS_MISSING


def _write(source: TableSource, folder: Path) -> Path:
    parquet = find_package("pyarrow.parquet")
    file = folder / ("table.csv" if parquet is None else "table.parquet")
    try:
        if callable(getattr(source, "to_parquet", None)):  # pandas: its index is no column
            (source.to_csv if parquet is None else source.to_parquet)(file, index=False)
        elif hasattr(source, "__arrow_c_stream__"):
            need_package("pyarrow.parquet", "A table of Arrow").write_table(find_package("pyarrow").table(source), file)
        elif _are_rows(source):
            _write_rows(source, file, parquet)
        else:
            raise InvalidInputError(f"{type(source).__name__} is no table: give a file, a frame, or a list of dicts.")
    except (ValueError, TypeError, ArithmeticError) as wrong:  # pyarrow's errors are of these
        raise InvalidInputError(f"The table cannot be written: {wrong}") from None
    return file


def _are_rows(source: TableSource) -> bool:
    is_list = isinstance(source, Sequence) and not isinstance(source, str | bytes)
    return is_list and bool(source) and all(isinstance(row, Mapping) for row in source)


def _write_rows(rows: Sequence[Mapping[str, Any]], file: Path, parquet: Any) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    if parquet is None:
        import csv  # noqa: PLC0415 - few need it

        with file.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.DictWriter(lines, names)
            writer.writeheader()
            writer.writerows(rows)
        return
    columns = {name: [row.get(name) for row in rows] for name in names}
    parquet.write_table(find_package("pyarrow").table(columns), file)
