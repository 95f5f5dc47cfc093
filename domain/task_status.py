"""The JSON objects about a task that both sides answer: their keys, in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

KEYS: Final = {
    "training": (
        "experiment", "state", "standing", "session", "dataset", "model", "settings", "seed", "test_size", "attempt",
        "learned", "fit_seconds", "error", "measures", "withdrawn",
    ),
    "evaluation": ("evaluation", "experiment", "state", "measures", "on", "error"),
    "reproduction": ("reproduction", "experiment", "state", "verdict", "differences", "error"),
}  # fmt: skip


def task_status(kind: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object of `train`, `evaluate` or `reproduce`, and of `status` and `wait`."""
    return {key: facts[key] for key in KEYS[kind]}
