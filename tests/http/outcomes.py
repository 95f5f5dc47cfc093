"""Prepared outcomes of tasks, small and recognisable."""

from __future__ import annotations

import hashlib
from typing import Any

MODEL = "0" * 63 + "1"


def _described(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    facts = {"distribution": "autolearn", "version": "1.0", "description": f"About {name}.", "settings": settings}
    return {"name": name, "description": facts | {"digest": f"digest of {name}"}}


AVERAGE = {"average": {"type": "choice", "choices": ["macro", "micro", "weighted", "binary"], "default": "macro"}}
C = {"C": {"type": "number", "default": 1.0, "exclusive_minimum": 0}}
BLOB = {"sha256": MODEL, "size": 5}
FIT = {
    "learned": {"coef": [0.25, 0.5]},
    "model_blob": BLOB,
    "learned_blob": BLOB,
    "split": {"train_rows": 112, "test_rows": 38, "sha256": "ab" * 32},
    "provenance": {"python": "3.11"},
    "fit_seconds": 0.01,
}
OUTCOMES: dict[str, dict[str, Any]] = {
    "describe": {
        "models": [_described("svm", C), _described("naive-bayes", {})],
        "measures": [_described("precision", AVERAGE), _described("recall", AVERAGE), _described("accuracy", {})],
    },
    "ingest": {
        "blob": {"sha256": "cd" * 32, "size": 10},
        "rows": 150,
        "columns": {"length": "number", "target": "category"},
        "classes": ["a", "b", "c"],
    },
    "fit": FIT,
    "predict": {
        "input": {"sha256": "ef" * 32, "size": 10},
        "output": {"sha256": hashlib.sha256(b"").hexdigest(), "size": 0},
        "row": {"prediction": "a", "probabilities": {}, "unseen_words": [], "beyond_range": []},
        "notes": [],
        "seconds": 0.01,
        "rows": 1,
        "missing": 0,
        "unseen": 0,
        "beyond": 0,
        "classes": {"a": 1},
        "numbers": None,
    },
    "score": {"measures": {"precision:macro": 0.9375, "recall:macro": 0.875}},
    "propose": {
        "trials": [{"model": "svm", "settings": {"C": value}, "rows": None} for value in (1, 10)],
        "last": True,
    },
    "trial": {
        "folds": [0.9, 1.0],
        "mean": 0.95,
        "std": 0.05,
        "lower_is_better": False,
        "seconds": 0.01,
        "warnings": [],
        "reason": None,
    },
    "reproduce": {"verdict": "bit-identical", "differences": []},
}
