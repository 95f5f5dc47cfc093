"""Predictions of tables: the file is sent, and the answer, a file too, is read."""

from __future__ import annotations

from pathlib import Path

from autolearn.answers import Response
from autolearn.client import BackendClient
from autolearn.views import Facts

PROBABILITY, SEPARATOR = "probability_", "; "


def predict_table(client: BackendClient, file: Path, asked: Facts) -> tuple[Facts, Response]:
    """Return what is recorded, with the answer for each row as `predictions`, and the answer that has the record."""
    import csv  # noqa: PLC0415 - few need it
    import tempfile  # noqa: PLC0415 - idem

    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "answer.csv"
        location = client.upload_for_file("predictions", file=file, to=draft, **asked)
        recorded = client.get("predictions", location.rpartition("/")[2])
        with draft.open(encoding="utf-8", newline="") as lines:
            is_number = bool(recorded.body.get("numbers"))
            rows = [_answer(it, is_number=is_number) for it in csv.DictReader(lines)]
    return recorded.body | {"predictions": rows}, recorded


def _answer(row: dict[str, str], *, is_number: bool) -> Facts:
    """Return a line of the answer as JSON has it, as for a single row."""
    chances = {name: float(it) for name, it in row.items() if name.startswith(PROBABILITY)}
    return {
        "prediction": float(row["prediction"]) if is_number else row["prediction"],
        "probabilities": {name.removeprefix(PROBABILITY): it for name, it in chances.items()},
        **{name: row[name].split(SEPARATOR) if row[name] else [] for name in ("unseen_words", "beyond_range")},
    }
