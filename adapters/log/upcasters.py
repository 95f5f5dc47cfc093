"""Old event names and how their facts become those of the next version; applied when read, never to what is stored.

To change an event: give its class the next name (`…v2`), add the old name here, keep the old golden file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Facts = dict[str, Any]
Upcaster = tuple[str, Callable[[Facts], Facts]]
"""The next name, and a pure function from the old facts (with `metadata`) to the next ones."""

BINARY = 2  # classes


def dataset_registered_v2(facts: Facts) -> Facts:
    """Say what was always so: classes to predict, of two the last in order is the positive one; how is not known."""
    classes = facts["content"]["classes"]
    more: Facts = {
        "task": "classification",
        "positive": classes[1] if len(classes) == BINARY else None,
        "reading": None,
        "notes": [],
    }
    return facts | {"content": facts["content"] | more}


def training_requested_v2(facts: Facts) -> Facts:
    """Add what was always so: classes, the usual target, columns and limits, a random split, and the first rules."""
    random: Facts = {"method": "random", "column": None, "dataset": None}
    nothing: Facts = dict.fromkeys(("target", "columns", "memory", "deadline", "search"))
    return facts | nothing | {"preparation": 1, "split": random, "learning_task": "classification"}


def evaluation_completed_v2(facts: Facts) -> Facts:
    """Add that nothing was noted beside the values."""
    return facts | {"notes": {}}


def evaluation_requested_v2(facts: Facts) -> Facts:
    """Add that the evaluation was plain: no folds, threshold, slices or importance."""
    return facts | {"folds": None, "threshold": None, "positive": None, "by": None, "importance": False}


def offered_v2(facts: Facts) -> Facts:
    """Say what was always so: models predict classes, and measures are of them."""
    return facts | {"description": facts["description"] | {"tasks": ["classification"]}}


UPCASTERS: dict[str, Upcaster] = {
    "dataset-registered.v1": ("dataset-registered.v2", dataset_registered_v2),
    "evaluation-completed.v1": ("evaluation-completed.v2", evaluation_completed_v2),
    "evaluation-requested.v1": ("evaluation-requested.v2", evaluation_requested_v2),
    "measure-offered.v1": ("measure-offered.v2", offered_v2),
    "model-offered.v1": ("model-offered.v2", offered_v2),
    "training-requested.v1": ("training-requested.v2", training_requested_v2),
}


def upcast(name: str, facts: Facts) -> tuple[str, Facts]:
    """Return the newest name and facts of an event that was stored under an older name."""
    while name in UPCASTERS:
        name, change = UPCASTERS[name]
        facts = change(facts)
    return name, facts
