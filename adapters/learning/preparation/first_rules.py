"""The preparation before it had settings. It never changes, so that trainings of that time can be reproduced."""

from __future__ import annotations

from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.ensemble import BaggingClassifier, ExtraTreesClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import BaseDecisionTree

NOT_SCALED = (BaseDecisionTree, RandomForestClassifier, ExtraTreesClassifier, BaggingClassifier, GaussianNB)


def build_first_pipeline(estimator: Any, types: dict[str, str]) -> Pipeline:
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
    if not isinstance(estimator, NOT_SCALED):
        steps.append(("scale", StandardScaler()))
    return Pipeline([*steps, ("model", estimator)])


def _words() -> Pipeline:
    encoder = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=256, sparse_output=False)
    imputer = SimpleImputer(missing_values=None, strategy="constant", fill_value="(missing)", keep_empty_features=True)
    return Pipeline([("impute", imputer), ("encode", encoder)])
