"""What a fitted pipeline learned: learned.json, written canonically, and the summary that the event carries."""

from __future__ import annotations

import json
import math
import types
from collections import Counter
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import is_regressor
from sklearn.pipeline import Pipeline

from adapters.learning.preparation.frame import class_name

FORMAT = "autolearn-learned.v1"
DEEPEST = 40
OBJECT_PARTS = 3  # of what __reduce_ex__ returns: how to make it, from what, and its state


def learned_bytes(fitted: Pipeline) -> bytes:
    """Return the canonical JSON of a fitted Pipeline, step by step."""
    steps = {name: to_jsonable(step) for name, step in fitted.steps}
    return json.dumps(
        {"format": FORMAT, "steps": steps}, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def to_jsonable(value: Any, depth: int = 0) -> Any:
    """Return a learned value exactly, as JSON can hold it."""
    if value is None or isinstance(value, bool | int | str | float):
        return str(value) if isinstance(value, float) and not math.isfinite(value) else value
    if depth > DEEPEST:
        return {"opaque": _name(type(value))}
    if isinstance(value, np.ndarray | np.generic):
        return _array(value, depth)
    if isinstance(value, dict):
        return {str(key): to_jsonable(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_jsonable(item, depth + 1) for item in value]
    return _object(value, depth)


def _array(value: Any, depth: int) -> Any:
    if isinstance(value, np.generic):
        return to_jsonable(value.item(), depth + 1)
    facts: dict[str, Any] = {"dtype": str(value.dtype), "shape": list(value.shape)}
    if value.dtype.names:  # field by field: the padding between fields is whatever the memory held
        return {**facts, "fields": {name: to_jsonable(value[name], depth + 1) for name in value.dtype.names}}
    data = value.ravel().tolist()
    if value.dtype.kind not in "biU" and not (value.dtype.kind == "f" and np.isfinite(value).all()):
        data = [to_jsonable(item, depth + 1) for item in data]
    return {**facts, "data": data}


def _object(value: Any, depth: int) -> Any:
    if isinstance(value, type | types.FunctionType | types.BuiltinFunctionType):
        return {"named": _name(value)}
    if isinstance(value, set | frozenset):
        return sorted((to_jsonable(item, depth + 1) for item in value), key=str)
    if sparse.issparse(value):
        rows = value.tocsr()
        return {"sparse": [to_jsonable(part, depth + 1) for part in (rows.data, rows.indices, rows.indptr, rows.shape)]}
    if isinstance(value, np.random.RandomState):
        return {"type": _name(type(value)), "state": to_jsonable(value.get_state(legacy=False), depth + 1)}
    if hasattr(value, "get_params"):
        own = {name: item for name, item in vars(value).items() if name not in value.get_params(deep=False)}
        return {"type": _name(type(value)), "learned": to_jsonable(own, depth + 1)}
    return _by_reduction(value, depth)


def _by_reduction(value: Any, depth: int) -> Any:
    """Take the state that copying would use: trees, losses, distance metrics and the like."""
    try:
        reduced = value.__reduce_ex__(4)
    except Exception:  # noqa: BLE001 - a foreign type may refuse in any way
        return {"opaque": _name(type(value))}
    if not isinstance(reduced, tuple):
        return {"named": str(reduced)}
    state = [to_jsonable(part, depth + 1) for part in reduced[1:OBJECT_PARTS]]
    return {"type": _name(type(value)), "state": state}


def _name(thing: Any) -> str:
    return f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', thing)}"


MAX_BYTES = 2000
MOST_VALUES = 24
MOST_NAMES = 10
LONGEST_TEXT = 200
NEVER_DROPPED = frozenset({"class_count", "features", "parameters", "shortened", "warnings"})
SHOWN_ELSEWHERE = frozenset({"classes_", "n_classes_", "n_features_in_", "n_outputs_"})


def summarize(fitted: Pipeline, warnings: list[str], positive: Any) -> dict[str, Any]:
    """Return classes, counts, the smaller learned parameters, the features that weigh most, and the fit's warnings.

    `positive` is the class that measures of two classes count; None of more.
    """
    model = fitted.named_steps["model"]
    names = _feature_names(fitted)
    found: dict[str, Any] = {
        "features": len(names),
        "parameters": {name: _short(value) for name, value in sorted(vars(model).items()) if _is_public(name, value)},
        **_trees(model),
        **_classes(model),
        **({} if positive is None else {"positive_class": class_name(positive)[:LONGEST_TEXT]}),
    }
    if hasattr(model, "feature_importances_"):
        found["top_features"] = _top(names, model.feature_importances_)
    coefficients = vars(model).get("coef_")
    if isinstance(coefficients, np.ndarray) and coefficients.size == len(names):  # one for each, not one for each class
        found["top_coefficients"] = _top(names, coefficients.ravel())
    if warnings:
        found["warnings"] = [text[:LONGEST_TEXT] for text in warnings[:3]]
    return _shrink_to_limit(found)


def _feature_names(fitted: Pipeline) -> list[str]:
    """Name each column that the model gets; two that would have one name are numbered (`a_b_c`, `a_b_c (2)`)."""
    names = [str(name) for name in fitted[:-1].get_feature_names_out()]
    if fitted.named_steps["prepare"].verbose_feature_names_out:
        names = [name.partition("__")[2] for name in names]
    seen: Counter[str] = Counter()
    for place, name in enumerate(names):
        seen[name] += 1
        names[place] = name if seen[name] == 1 else f"{name} ({seen[name]})"
    return names


def _is_public(name: str, value: Any) -> bool:
    learned = name.endswith("_") and not name.startswith("_")
    return learned and name not in SHOWN_ELSEWHERE and isinstance(value, np.ndarray | np.generic | int | float | str)


def _short(value: Any) -> Any:
    if isinstance(value, np.ndarray) and (value.size > MOST_VALUES or value.dtype.kind not in "bifU"):
        return {"shape": list(value.shape)}
    return _round(value.tolist() if isinstance(value, np.ndarray | np.generic) else value)


def _round(value: Any) -> Any:
    if isinstance(value, list):
        return [_round(item) for item in value]
    return to_jsonable(float(f"{value:.6g}")) if isinstance(value, float) else value


def _classes(model: Any) -> dict[str, Any]:
    if is_regressor(model):
        return {}
    labels = [class_name(label)[:LONGEST_TEXT] for label in getattr(model, "classes_", ())]
    return {"class_count": len(labels), "classes": labels[:MOST_VALUES]}


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


def _top(names: list[str], weights: Any) -> list[list[Any]]:
    order = np.argsort(-np.abs(weights), kind="stable")[:MOST_NAMES]
    return [[names[i][:LONGEST_TEXT], _round(float(weights[i]))] for i in order]


def _shrink_to_limit(found: dict[str, Any]) -> dict[str, Any]:
    """Drop the largest parameter, then the largest of the rest, then warnings; `shortened` says so."""
    while _size(found) > MAX_BYTES:
        found["shortened"] = True
        rest = {name: it for name, it in found.items() if name not in NEVER_DROPPED}
        if place := found["parameters"] or rest:
            largest = max(place, key=lambda name: _size(place[name]))
            del (found["parameters"] or found)[largest]
        else:
            found["warnings"].pop()
    return found


def _size(value: Any) -> int:
    return len(json.dumps(value))
