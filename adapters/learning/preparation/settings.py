"""The settings of preparation (`prepare.…`), typed like an estimator's own, with defaults that suit the estimator."""

from __future__ import annotations

from typing import Any

from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import BaseDecisionTree
from sklearn.utils import get_tags

PREFIX = "prepare."
TREES_OF_FLOAT32 = (
    BaseDecisionTree, RandomForestClassifier, ExtraTreesClassifier, BaggingClassifier, GradientBoostingClassifier,
    RandomForestRegressor, ExtraTreesRegressor, BaggingRegressor, GradientBoostingRegressor,
)  # fmt: skip
HISTOGRAM_BOOSTING = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)
# Their result does not depend on a column's scale. Everything else, plug-ins included, gets scaled columns.
NEEDS_NO_SCALING = (*TREES_OF_FLOAT32, *HISTOGRAM_BOOSTING, GaussianNB)
MOST_WORDS = 256  # of one column; the rarer words share one more: an id column must not fill the memory
MOST_WORDS_DENSE = 32  # where every row has a number for each word
MOST_WORDS_NATIVE = 255
WHAT = {
    "dates": "A time as one number, or as its parts: year, month, weekday, hour",
    "encode": "How words become numbers",
    "missing": "What stands for a missing number",
    "missing-flag": "Add a column that says whether a value was missing",
    "rare": "Words kept per column; the rarer ones share one more",
    "scale": "How numbers are scaled",
}


def preparation_settings(estimator: Any) -> dict[str, dict[str, Any]]:
    """Return name -> description, as `model-offered` has them (shape: docs/architecture.md)."""
    missing = ["constant", "mean", "median", "most-frequent", *(["native"] if takes_missing(estimator) else [])]
    is_native = takes_words(estimator)
    words = MOST_WORDS_NATIVE if is_native else MOST_WORDS if takes_sparse(estimator) else MOST_WORDS_DENSE
    described = {
        "dates": _choice("auto", "auto", "number", "parts"),
        "encode": _choice("auto", "auto", "onehot", "ordinal", "target"),
        "missing": _choice("native" if is_native else "median", *missing),
        "missing-flag": {"type": "boolean", "default": False},
        "rare": {"type": "integer", "minimum": 2, "maximum": 10_000, "default": words},
        "scale": _choice("auto", "auto", "minmax", "robust", "standard", None),
    }
    return {f"{PREFIX}{name}": setting | {"what": WHAT[name]} for name, setting in described.items()}


def complete_preparation(estimator: Any, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the values of all `prepare.…` by their short names: those given, else the defaults."""
    known = preparation_settings(estimator)
    return {name.removeprefix(PREFIX): settings.get(name, setting["default"]) for name, setting in known.items()}


def takes_words(estimator: Any) -> bool:
    """Tell whether it splits words into groups by itself."""
    return isinstance(estimator, HISTOGRAM_BOOSTING)


def takes_sparse(estimator: Any) -> bool:
    return bool(_input_tag(estimator, "sparse"))


def takes_missing(estimator: Any) -> bool:
    return bool(_input_tag(estimator, "allow_nan"))


def _input_tag(estimator: Any, name: str) -> Any:
    try:
        return getattr(get_tags(estimator).input_tags, name)
    except Exception:  # noqa: BLE001 - a plug-in may have no tags, or tags of another scikit-learn
        return False


def _choice(default: Any, *choices: Any) -> dict[str, Any]:
    return {"type": "choice", "choices": list(choices), "default": default}
