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


def report(**changes: Any) -> dict[str, Any]:
    """Return the report of a classification, as `evaluate --by island --importance` makes one."""
    table = {"threshold": [None, 0.9, 0.2], "recall": [0, 0.5, 1], "false_positive_rate": [0, 0, 1]}
    curve = {
        "class": "Gentoo", "rows": 3, "roc_area": 0.875, "average_precision": 0.9,
        "thresholds": table | {"precision": [1, 1, 0.6]},
        "calibration": {"predicted": [0.2, 0.9], "observed": [0.25, 1], "rows": [4, 2], "error": 0.0625, "brier": 0.1},
        "histogram": {"edges": [0, 0.5, 1], "of_class": [1, 2], "of_others": [3, 0]},
    }  # fmt: skip
    per_class = {"rows": 3, "predicted": 3, "precision": 0.5, "recall": 0.6667, "f1": None}
    return {
        "format": "autolearn-report.v1", "experiment": ID, "evaluation": f"{ID}-e1", "task": "classification",
        "model": {"name": "svm", "version": "1.9.0", "distribution": "autolearn"}, "settings": {"C": 1.0},
        "dataset": {"name": "penguins", "version": 1, "sha256": "0" * 64}, "on": None, "target": "species",
        "seed": 7, "cross_validation": None,
        "rows": 6, "positive": None, "measures": {"recall:macro": 0.75}, "intervals": {"recall:macro": [0.5, 1.0]},
        "resamples": 1000, "spread": {}, "threshold": None, "reasons": {}, "warnings": [],
        "classes": [{"class": name, **per_class} for name in ("Adelie", "Gentoo")],
        "confusion": {"counts": [[2, 1], [1, 2]], "cells": None, "rows_left_out": 0},
        "residuals": None, "points": None,
        "wrong": [
            {"row": 17, "true": "Adelie", "predicted": "Gentoo", "score_of_true": 0.1, "score_of_predicted": 0.9}
        ],
        "curves": {"scores": "probabilities", "of_classes": [curve], "classes_left_out": 0},
        "slices": {
            "column": "island", "values_left_out": 2, "rows_left_out": 3,
            "slices": [
                {"value": "Biscoe", "rows": 4, "measures": {"recall:macro": 0.5}},
                {"value": None, "rows": 2, "measures": {"recall:macro": None}},
            ],
        },
        "importance": {
            "measure": "balanced-accuracy", "value": 0.75, "repeats": 5, "rows": 6, "columns_left_out": 0,
            "columns": [{"column": "bill", "mean": 0.25, "std": 0.03125}],
        },
        "position": 15,
    } | changes  # fmt: skip


def report_of_numbers(**changes: Any) -> dict[str, Any]:
    """Return the report of a regression."""
    of_classes = dict.fromkeys(("classes", "confusion", "curves", "slices", "importance"))
    of_numbers = {
        "task": "regression",
        "residuals": {
            "mean": 0.5,
            "std": 2.0,
            "quartiles": [-3, -1, 0.25, 1, 4],
            "histogram": {"edges": [-3, 0.5, 4], "counts": [3, 3]},
        },
        "points": {"true": [1, 2, 3], "predicted": [1.5, 2, 7], "rows_left_out": 0},
        "wrong": [{"row": 3, "true": 3, "predicted": 7, "residual": 4}],
    }
    return report(**of_classes) | of_numbers | changes
