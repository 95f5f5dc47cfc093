"""The JSON objects that the backend answers."""

from __future__ import annotations

from typing import Any

ID = "abcdefghijklmnop"
OTHER = "bbcdefghijklmnop"


def training(**changes: Any) -> dict[str, Any]:
    return {
        "experiment": ID,
        "state": "completed",
        "session": "ana-1",
        "dataset": {"name": "iris", "version": 1, "sha256": "0" * 64},
        "model": {"name": "svm", "version": "1.9.0"},
        "settings": {"C": 1.0, "class_weight": None},
        "seed": 7,
        "learned": {"classes": ["a", "b"]},
        "fit_seconds": 0.0123456,
        "error": None,
        "position": 12,
    } | changes


def evaluation(**changes: Any) -> dict[str, Any]:
    measures = {"precision:macro": 0.97368421, "confusion-matrix": [[1, 2], [3, 4]]}
    return {
        "evaluation": f"{ID}-e1",
        "experiment": ID,
        "state": "completed",
        "measures": measures,
        "on": None,
        "error": None,
        "position": 15,
    } | changes


def row(**changes: Any) -> dict[str, Any]:
    """Return one of history's rows."""
    return {
        "experiment": ID,
        "committed_at": "2025-11-24T22:38:01.123456Z",
        "actor": "ana",
        "session": "ana-1",
        "model": "svm",
        "dataset": {"name": "iris", "version": 1},
        "split": {"request": "time:date", "train_rows": 112, "test_rows": 38, "sha256": "d" * 64},
        "features": 4,
        "seed": 7,
        "fit_seconds": 0.0123,
        "settings": {"C": 1.0},
        "measures": {"precision:macro": 0.97368421},
        "withdrawn": False,
    } | changes


def history(*rows: dict[str, Any], next_: str | None = None) -> dict[str, Any]:
    return {"experiments": list(rows), "next": next_, "position": 20}
