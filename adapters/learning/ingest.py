"""The ingest-task: from an uploaded file, or a data set of scikit-learn, to a canonical Parquet blob."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from adapters.learning.builtin import BUILTIN, builtin_table
from adapters.learning.columns import canonical, check_names, described, write
from adapters.learning.frame import class_name, classes_of, type_word
from adapters.learning.parse import parsed, unpacked
from commands.ports import Blobs
from domain.errors import BadInputError, NotFoundError

MOST_CLASSES = 1000
LONGEST_CLASS = 100
FEWEST_CLASSES = 2


def ingest(facts: dict[str, Any], blobs: Blobs) -> dict[str, Any]:
    """Read, check and store; facts as in docs/architecture.md, or `{builtin, target}`. The given file stays."""
    raw = _builtin(facts["builtin"]) if "builtin" in facts else _uploaded(facts, blobs)
    check_names(raw.column_names)
    target = str(facts["target"])
    _check_shape(raw, target)
    table = canonical(raw)
    table = table.set_column(table.column_names.index(target), target, _as_classes(table.column(target), target))
    classes = _classes(table.column(target), target)
    path = Path(blobs.scratch(".parquet"))
    write(table, path)
    ref = blobs.put_file(str(path))
    return {"blob": ref.model_dump(), "rows": table.num_rows, "columns": described(table), "classes": classes}


def _builtin(name: str) -> pa.Table:
    if name not in BUILTIN:
        raise NotFoundError.named("built-in data set", name, list(BUILTIN))
    return builtin_table(name)


def _uploaded(facts: dict[str, Any], blobs: Blobs) -> pa.Table:
    path = Path(facts["path"])
    if not facts["gzip"]:
        return parsed(path, facts["format"])
    plain = Path(blobs.scratch(f".{facts['format']}"))
    try:
        return parsed(unpacked(path, plain), facts["format"])
    finally:
        plain.unlink(missing_ok=True)


def _check_shape(table: pa.Table, target: str) -> None:
    names = table.column_names
    if target not in names:
        shown = ", ".join(names[:50])
        raise BadInputError(f"There is no column {target!r} to be the target. The columns are: {shown}.")
    if len(names) == 1:
        raise BadInputError(f"The only column is the target {target!r}: at least one more is needed to learn from.")
    if not table.num_rows:
        raise BadInputError("The file has no rows: only the line with the column names was found.")


def _as_classes(column: pa.ChunkedArray, target: str) -> pa.ChunkedArray:
    """Check the target and return it as whole numbers, booleans or words."""
    if column.null_count:
        raise BadInputError(
            f"The target {target!r} has {column.null_count} missing values: remove those rows or fill them in."
        )
    word = type_word(column.type)
    if word == "time":
        raise BadInputError(
            f"The target {target!r} holds times: it must hold classes (whole numbers, booleans or words)."
        )
    if word == "number":
        if not pc.all(pc.equal(column, pc.round(column))).as_py():
            raise BadInputError(
                f"The target {target!r} holds fractions: it must hold classes (whole numbers, booleans or words)."
            )
        return column.cast(pa.int64(), safe=False)
    return column


def _classes(column: pa.ChunkedArray, target: str) -> list[str]:
    labels = classes_of(pa.chunked_array([pc.unique(column)]))
    if len(labels) < FEWEST_CLASSES:
        raise BadInputError(
            f"The target {target!r} has one class only ({class_name(labels[0])}): at least two are needed."
        )
    if len(labels) > MOST_CLASSES:
        raise BadInputError(
            f"The target {target!r} has {len(labels)} different values: at most {MOST_CLASSES} classes."
        )
    names = [class_name(label) for label in sorted(labels.tolist())]
    overlong = [name[:40] for name in names if len(name) > LONGEST_CLASS]
    if overlong:
        raise BadInputError(f"Classes longer than {LONGEST_CLASS} characters: {', '.join(overlong[:3])}…")
    return names
