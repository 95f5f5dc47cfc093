"""The summary of learned parameters that the event carries: at most 2 KB of JSON, for people and tables."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from adapters.learning.fitting.learned import plain
from adapters.learning.preparation.frame import class_name

MAX_BYTES = 2000
MOST_VALUES = 24
MOST_NAMES = 10
LONGEST_TEXT = 200
BINARY = 2
TOLD_OTHERWISE = frozenset({"classes_", "n_classes_", "n_features_in_", "n_outputs_"})


def summary(fitted: Pipeline, warnings: list[str]) -> dict[str, Any]:
    """Return classes, counts, the smaller learned parameters, the features that matter most, and the fit's warnings."""
    model = fitted.named_steps["model"]
    names = [str(name) for name in fitted[:-1].get_feature_names_out()]
    found: dict[str, Any] = {
        "features": len(names),
        "parameters": {name: _short(value) for name, value in sorted(vars(model).items()) if _is_public(name, value)},
        **_trees(model),
        **_classes(model),
    }
    if hasattr(model, "feature_importances_"):
        found["top_features"] = _top(names, model.feature_importances_)
    if warnings:
        found["warnings"] = [text[:LONGEST_TEXT] for text in warnings[:3]]
    return _within_limit(found)


def _is_public(name: str, value: Any) -> bool:
    learned = name.endswith("_") and not name.startswith("_")
    return learned and name not in TOLD_OTHERWISE and isinstance(value, np.ndarray | np.generic | int | float | str)


def _short(value: Any) -> Any:
    if isinstance(value, np.ndarray) and (value.size > MOST_VALUES or value.dtype.kind not in "bifU"):
        return {"shape": list(value.shape)}
    return _rounded(value.tolist() if isinstance(value, np.ndarray | np.generic) else value)


def _rounded(value: Any) -> Any:
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return plain(float(f"{value:.6g}")) if isinstance(value, float) else value


def _classes(model: Any) -> dict[str, Any]:
    labels = [class_name(label)[:LONGEST_TEXT] for label in getattr(model, "classes_", ())]
    found: dict[str, Any] = {"class_count": len(labels), "classes": labels[:MOST_VALUES]}
    if len(labels) == BINARY:
        found["positive_class"] = labels[1]
    return found


def _trees(model: Any) -> dict[str, Any]:
    if hasattr(model, "tree_"):
        return {"depth": int(model.get_depth()), "leaves": int(model.get_n_leaves())}
    trees = getattr(model, "estimators_", None)
    if isinstance(trees, list) and trees and hasattr(trees[0], "tree_"):
        return {
            "trees": len(trees),
            "depth": max(int(tree.get_depth()) for tree in trees),
            "nodes": sum(int(tree.tree_.node_count) for tree in trees),
        }
    return {}


def _top(names: list[str], importances: Any) -> list[list[Any]]:
    order = np.argsort(-importances, kind="stable")[:MOST_NAMES]
    return [[names[i][:LONGEST_TEXT], round(float(importances[i]), 6)] for i in order]


def _within_limit(found: dict[str, Any]) -> dict[str, Any]:
    """Drop the largest parameter, then the largest of the rest, until the limit holds; `shortened` says so."""
    while _size(found) > MAX_BYTES:
        place = found["parameters"] or found
        del place[max(place, key=lambda name: _size(place[name]))]
        found["shortened"] = True
        found.setdefault("parameters", {})
    return found


def _size(value: Any) -> int:
    return len(json.dumps(value))
