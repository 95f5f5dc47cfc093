"""The Pipeline of a training: impute, encode, scale where the model needs it, then the estimator."""

from __future__ import annotations

from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.ensemble import BaggingClassifier, ExtraTreesClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import BaseDecisionTree

# Their result does not depend on a column's scale. Everything else, plug-ins included, gets scaled columns.
NEEDS_NO_SCALING = (BaseDecisionTree, RandomForestClassifier, ExtraTreesClassifier, BaggingClassifier, GaussianNB)
MISSING = "(missing)"
MOST_WORDS = 256  # of one column; the rarer words share one more: an id column must not fill the memory


def build_pipeline(estimator: Any, types: dict[str, str]) -> Pipeline:
    """Return the unfitted Pipeline for features of these types (name -> integer, number, boolean, time or string)."""
    words = [name for name, word in types.items() if word == "string"]
    switches = [name for name, word in types.items() if word == "boolean"]
    numbers = [name for name, word in types.items() if word not in {"string", "boolean"}]
    branches = [
        ("numbers", SimpleImputer(strategy="median", keep_empty_features=True), numbers),
        ("switches", SimpleImputer(strategy="most_frequent", keep_empty_features=True), switches),
        ("words", _words(), words),
    ]
    used = [branch for branch in branches if branch[2]]
    steps: list[tuple[str, Any]] = [("prepare", ColumnTransformer(used, verbose_feature_names_out=False))]
    if not isinstance(estimator, NEEDS_NO_SCALING):
        steps.append(("scale", StandardScaler()))
    return Pipeline([*steps, ("model", estimator)])


def _words() -> Pipeline:
    encoder = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=MOST_WORDS, sparse_output=False)
    imputer = SimpleImputer(missing_values=None, strategy="constant", fill_value=MISSING, keep_empty_features=True)
    return Pipeline([("impute", imputer), ("encode", encoder)])
