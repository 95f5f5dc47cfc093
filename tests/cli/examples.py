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


def trial(number: int, **changes: Any) -> dict[str, Any]:
    """Return one trial of a search."""
    return {
        "rank": number,
        "trial": number,
        "state": "completed",
        "model": "svm",
        "settings": {"C": 0.5 * number},
        "rows": None,
        "mean": 1 - number / 100,
        "std": 0.01,
        "folds": [0.9, 1.0],
        "seconds": 0.25,
        "warnings": [],
        "reason": None,
        "attempt": 1,
    } | changes


def search(*trials: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a search as `GET /searches/{id}` answers it."""
    best = {key: trial(1)[key] for key in ("trial", "model", "settings", "mean", "std")}
    return {
        "search": OTHER,
        "state": "completed",
        "session": "ana-1",
        "dataset": {"name": "wine", "version": 1, "sha256": "0" * 64},
        "target": "cultivar",
        "models": [{"name": "svm", "version": "1.9.0", "settings": {"C": 1.0}, "space": {"C": {"values": [0.5, 1]}}}],
        "strategy": "grid",
        "planned": 12,
        "proposed": 12,
        "completed": len(trials),
        "failed": 0,
        "folds": {"kind": "kfold", "k": 5, "repeats": 1},
        "by": "accuracy",
        "seed": 7,
        "best": best if trials else None,
        "experiments": [ID],
        "error": None,
        "trials": list(trials),
        "position": 40,
    } | changes
