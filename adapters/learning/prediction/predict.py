"""The predict task: what a fitted model says of new rows, row by row, and what of each row it could not use."""

from __future__ import annotations

import csv
import hashlib
import io
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from sklearn.pipeline import Pipeline

from adapters.learning.fitting.fit import find_model
from adapters.learning.fitting.model_file import load_model_and_ranges
from adapters.learning.prediction.rows import canonical_row, read_rows
from adapters.learning.preparation.frame import Frame, class_name
from adapters.learning.tables.ingest import scratch_file
from commands.ports import Blobs
from domain.errors import BadInputError

UNSEEN, BEYOND = "unseen_words", "beyond_range"
PROBABILITY = "probability_"
NO_RANGES = "The model is of release 0.1.0: it cannot tell which values are beyond the range of its training."
SEPARATOR = "; "  # between names of columns


def predict(facts: dict[str, Any], blobs: Blobs) -> dict[str, Any]:
    """Predict; facts and answer as in docs/architecture.md. The answer of a table goes into the file `out`."""
    begin = time.perf_counter()
    model, ranges = load_model_and_ranges(blobs, facts["model_blob"], find_model(facts))
    asked = facts["asked"]
    if asked["probabilities"] and not hasattr(model, "predict_proba"):
        raise BadInputError(f"The model {facts['model']['name']} gives no probabilities: leave them out.")
    with ExitStack() as stack:
        rows = read_rows(facts, partial(scratch_file, stack, blobs))
        answers = Answers(model, ranges, probabilities=asked["probabilities"])
        tables = (answers.of(frame, missing) for frame, missing in rows.frames())
        if "row" in facts:
            shown: dict[str, Any] | None = _as_object(next(tables).to_pylist()[0])
            given = canonical_row(facts["row"])
            files: list[BinaryIO] = [io.BytesIO(given), io.BytesIO(canonical_row(shown))]
        else:
            shown, path = None, Path(facts["out"])
            _write(tables, path, asked["format"])
            files = [stack.enter_context(file.open("rb")) for file in (Path(facts["path"]), path)]
        measure = partial(_keep, blobs) if asked["kept"] else _measure
        return {
            "input": measure(files[0]),
            "output": measure(files[1]),
            "row": shown,
            "notes": [*rows.notes, *([] if ranges is not None else [NO_RANGES])],
            "seconds": round(time.perf_counter() - begin, 6),
            **answers.summary(),
        }


@dataclass
class Answers:
    """Predicts part by part, and counts."""

    model: Pipeline
    ranges: dict[str, list[float]] | None
    probabilities: bool
    rows: int = 0
    missing: int = 0
    unseen: int = 0
    beyond: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    total: float = 0.0
    least: float = np.inf
    greatest: float = -np.inf

    def __post_init__(self) -> None:
        self._labels = getattr(self.model, "classes_", None)
        self._words = {name: pa.array(known, pa.string()) for name, known in _known_words(self.model)}

    def of(self, frame: Frame, missing: int) -> pa.Table:
        """Return the answer's columns for some rows."""
        features = frame.features
        self.rows, self.missing = self.rows + len(features), self.missing + missing
        try:
            predicted = self.model.predict(features)
            shares = self.model.predict_proba(features) if self.probabilities else None
        except ValueError as error:
            raise BadInputError(f"The model cannot predict these rows: {error}") from error
        columns: dict[str, Any] = {"prediction": self._observed(predicted)}
        if shares is not None:
            names = [f"{PROBABILITY}{class_name(label)}" for label in self.model.classes_]
            columns |= {name: pa.array(shares[:, place]) for place, name in enumerate(names)}
        columns[UNSEEN], unseen = _names_where(self._unseen(frame), len(features))
        columns[BEYOND], beyond = _names_where(self._beyond(frame), len(features))
        self.unseen, self.beyond = self.unseen + unseen, self.beyond + beyond
        return pa.table(columns)

    def summary(self) -> dict[str, Any]:
        """Return the counts; `classes` of classes, `numbers` of a regression."""
        numbers = (
            {"least": self.least, "mean": self.total / self.rows, "greatest": self.greatest} if self.rows else None
        )
        return {
            "rows": self.rows,
            "missing": self.missing,
            "unseen": self.unseen,
            "beyond": self.beyond,
            "classes": dict(sorted(self.classes.items())),
            "numbers": numbers if self._labels is None else None,
        }

    def _observed(self, predicted: np.ndarray[Any, Any]) -> pa.Array:
        if self._labels is None:
            numbers = np.asarray(predicted, dtype=float)
            self.total += float(numbers.sum())
            self.least, self.greatest = min(self.least, float(numbers.min())), max(self.greatest, float(numbers.max()))
            return pa.array(numbers)
        labels, places, counts = np.unique(predicted, return_inverse=True, return_counts=True)
        self.classes.update(dict(zip(map(class_name, labels), counts.tolist(), strict=True)))
        return pa.array(labels.tolist()).take(pa.array(places))

    def _unseen(self, frame: Frame) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
        """Yield columns with words that the training part had not, and in which rows."""
        for name, known in self._words.items():
            words = pa.array(frame.features[name], pa.string(), from_pandas=True)
            strange = pa.compute.invert(pa.compute.is_in(words, known, skip_nulls=True))
            yield name, pa.compute.and_(strange, words.is_valid()).to_numpy(zero_copy_only=False)

    def _beyond(self, frame: Frame) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
        """Yield columns with values below the least or above the greatest of the training part, and in which rows."""
        for name, (least, greatest) in (self.ranges or {}).items():
            values = frame.features[name].to_numpy()
            yield name, (values < least) | (values > greatest)


def _known_words(model: Pipeline) -> Iterator[tuple[str, list[str]]]:
    """Yield the columns of words, with the words that the encoder has learned."""
    for branch, fitted, columns in model.named_steps["prepare"].transformers_:
        if branch == "words":
            encoder = next(step for _, step in fitted.steps if hasattr(step, "categories_"))
            for name, known in zip(columns, encoder.categories_, strict=True):
                yield name, [word for word in known if isinstance(word, str)]


def _names_where(found: Iterator[tuple[str, np.ndarray[Any, Any]]], rows: int) -> tuple[pa.Array, int]:
    """Return for each row the names of the columns that apply to it (null: none), and how many values do in all."""
    texts: np.ndarray[Any, Any] = np.full(rows, None, dtype=object)
    count = 0
    for name, where in found:
        if number := int(where.sum()):
            count += number
            texts[where] = [f"{text}{SEPARATOR}{name}" if text else name for text in texts[where]]
    return pa.array(texts, pa.string()), count


def _as_object(row: dict[str, Any]) -> dict[str, Any]:
    """Return the answer for one row as JSON has it."""
    chances = {name.removeprefix(PROBABILITY): it for name, it in row.items() if name.startswith(PROBABILITY)}
    value = row["prediction"]
    lists = {name: (row[name] or "").split(SEPARATOR) if row[name] else [] for name in (UNSEEN, BEYOND)}
    return {"prediction": value if isinstance(value, float) else class_name(value), "probabilities": chances} | lists


def _write(tables: Iterator[pa.Table], path: Path, form: str) -> None:
    """Write the answer into a file that is there already; raises BadInputError if there is no row."""
    first = next(tables, None)
    if first is None or not first.num_rows:
        raise BadInputError("The file has no rows: only the line with the column names was found.")
    with path.open("r+b") as file:
        if form == "parquet":
            writer: Any = pq.ParquetWriter(file, first.schema, compression="zstd")
        else:
            names = io.StringIO()
            csv.writer(names, lineterminator="\n").writerow(first.schema.names)
            file.write(names.getvalue().encode())
            plain = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")
            writer = pyarrow.csv.CSVWriter(file, first.schema, write_options=plain)
        with writer:
            writer.write_table(first)
            for table in tables:
                writer.write_table(table)


def _measure(file: BinaryIO) -> dict[str, Any]:
    return {
        "sha256": hashlib.file_digest(cast("io.BytesIO", file), "sha256").hexdigest(),
        "size": file.seek(0, io.SEEK_END),
    }


def _keep(blobs: Blobs, file: BinaryIO) -> dict[str, Any]:
    path = Path(blobs.scratch(".kept"))
    with path.open("wb") as copy:
        shutil.copyfileobj(file, copy)
    return blobs.put_file(str(path)).model_dump()
