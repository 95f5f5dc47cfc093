"""Typed settings, read from an estimator's own parameter constraints and defaults (shape: docs/architecture.md)."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable
from typing import Any

from sklearn.utils._param_validation import Hidden, Interval, Options, RealNotInt

from domain.settings_check import is_allowed

# Set by the task (seed, one thread, silence, which columns are words), or paths: no client decides about them.
NOT_SETTINGS = frozenset(
    {"random_state", "n_jobs", "verbose", "warm_start", "memory", "copy_X", "categorical_features"}
)
# They need what no setting can give: distances in place of rows, a function, a matrix, or two columns exactly.
NOT_CHOICES = frozenset({"precomputed", "pyfunc", "mahalanobis", "seuclidean", "haversine"})
# Of HistGradientBoosting: with early stopping the model keeps the scorer of any other, and skops cannot store it.
ONLY_CHOICES: dict[str, list[Any]] = {"scoring": ["loss"]}
NEVER_NONE = frozenset({"n_neighbors", "p"})  # scikit-learn's constraints let None pass, and then fitting fails
ANY_SCALAR: list[dict[str, Any]] = [{"type": name} for name in ("integer", "number", "boolean", "string")]
NOTHING: dict[str, Any] = {"type": "choice", "choices": [None]}


def settings_of(estimator: Any) -> dict[str, dict[str, Any]]:
    """Return name -> description of every parameter that a client may set, by name."""
    defaults = estimator.get_params(deep=False)
    constraints = getattr(estimator, "_parameter_constraints", None) or {}
    described = {
        name: _describe_parameter(name, default, constraints.get(name))
        for name, default in sorted(defaults.items())
        if name not in NOT_SETTINGS
    }
    return {name: description for name, description in described.items() if description is not None}


def convert_value(value: Any, description: dict[str, Any]) -> Any:
    """Return a JSON value as the estimator expects it: JSON's 1 for a number becomes 1.0."""
    if description["type"] == "any-of":
        fitting = [each for each in description["any_of"] if is_allowed(each, value)]
        return convert_value(value, fitting[0]) if fitting else value
    if description["type"] == "number" and not isinstance(value, bool) and isinstance(value, int):
        return float(value)
    return value


def _describe_parameter(name: str, default: Any, constraints: Any) -> dict[str, Any] | None:
    """Return the description of one parameter; None for one that JSON cannot set or that has no other value."""
    default = default.item() if hasattr(default, "item") else default
    if not (default is None or isinstance(default, bool | int | str) or _is_finite(default)):
        return None
    alternatives = _from_default(default) if constraints is None else _from_constraints(constraints)
    if default in ONLY_CHOICES.get(name, ()):
        alternatives = [{"type": "choice", "choices": ONLY_CHOICES[name]}]
    if name in NEVER_NONE:
        alternatives = [each for each in alternatives if each != NOTHING]
    # a default that its own constraints refuse is a deprecation's marker ("deprecated", "warn")
    if not any(is_allowed(each, default) for each in alternatives) or alternatives == [NOTHING]:
        return None
    if len(alternatives) == 1:
        return {**alternatives[0], "default": default}
    return {"type": "any-of", "any_of": alternatives, "default": default}


def _is_finite(value: Any) -> bool:
    return isinstance(value, float) and math.isfinite(value)


def _from_default(default: Any) -> list[dict[str, Any]]:
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string")):
        if isinstance(default, kind):
            return [{"type": name}]
    return [*ANY_SCALAR, NOTHING]


def _from_constraints(constraints: Any) -> list[dict[str, Any]]:
    listed = constraints if isinstance(constraints, list) else []
    found = [alternative for each in listed if (alternative := _alternative(each)) is not None]
    choices = [choice for each in found if each["type"] == "choice" for choice in each["choices"]]
    plain = [each for each in found if each["type"] != "choice"]
    return [*plain, {"type": "choice", "choices": _in_order(choices)}] if choices else plain


def _alternative(constraint: Any) -> dict[str, Any] | None:
    if constraint is None:
        return NOTHING
    if isinstance(constraint, Interval):
        return _interval(constraint)
    if isinstance(constraint, Options) and not isinstance(constraint, Hidden):
        choices = constraint.options - constraint.deprecated - NOT_CHOICES
        return {"type": "choice", "choices": _in_order(choices)} if choices else None
    if isinstance(constraint, str):
        return {"type": "boolean"} if constraint == "boolean" else None
    simple = {bool: "boolean", str: "string", numbers.Integral: "integer", int: "integer", numbers.Real: "number"}
    name = simple.get(constraint) if isinstance(constraint, type) else None
    return {"type": name} if name else None


def _in_order(choices: Iterable[Any]) -> list[Any]:
    """Return each choice once, sorted (sets have no order that two processes share), `None` last."""
    return sorted(set(choices), key=lambda choice: (choice is None, str(choice)))


def _interval(interval: Interval) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "number" if interval.type in {numbers.Real, RealNotInt, float} else "integer"}
    left_open, right_open = interval.closed in {"right", "neither"}, interval.closed in {"left", "neither"}
    for edge, is_open, name in ((interval.left, left_open, "minimum"), (interval.right, right_open, "maximum")):
        if edge is not None and math.isfinite(edge):
            found[f"exclusive_{name}" if is_open else name] = edge
    return found
