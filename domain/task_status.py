"""The JSON objects about a task that both sides answer: their keys, in order; and the state of a training in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

MEASURED: Final = (
    "measures", "intervals", "resamples", "spread", "folds", "threshold", "reasons", "warnings", "positives",
)  # fmt: skip
KEYS: Final = {
    "training": (
        "experiment", "state", "standing", "session", "search", "dataset", "target", "columns", "model", "settings",
        "seed", "test_size", "split", "memory", "deadline", "attempt", "learned", "features", "fit_seconds", "error",
        *MEASURED, "withdrawn",
    ),
    "evaluation": ("evaluation", "experiment", "state", *MEASURED, "report", "on", "error"),
    "search": (
        "search", "state", "session", "owner", "dataset", "target", "columns", "models", "strategy", "planned",
        "proposed", "completed", "failed", "folds", "by", "seed", "split", "test_size", "memory", "keep", "deadline",
        "stopped",
        "best", "experiments", "error",
    ),
    "reproduction": ("reproduction", "experiment", "state", "verdict", "differences", "error"),
}  # fmt: skip
TRAINING_IN_WORDS: Final = {
    "blank": "it has no training",
    "requested": "its training has not started yet",
    "started": "its training is still running",
    "completed": "its training is completed",
    "failed": "its training failed",
    "cancelled": "its training was cancelled",
}


def task_status(kind: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object of `train`, `evaluate` or `reproduce`, and of `status` and `wait`."""
    return {key: facts[key] for key in KEYS[kind]}
