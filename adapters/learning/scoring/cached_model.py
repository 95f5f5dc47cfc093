"""A fitted model that computes each of its answers about some rows only once."""

from __future__ import annotations

from copy import copy
from functools import partial
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

ANSWERS = frozenset({"predict", "predict_proba", "decision_function"})


class CachedModel:
    """Stands for a fitted model in scorers, and is asked about one frame of features; others go to the model itself."""

    def __init__(self, model: Any, features: Any, known: dict[str, Any] | None = None) -> None:
        self.model = model
        self.features = features
        self.known = {} if known is None else known

    def __getattr__(self, name: str) -> Any:
        """Return what the model has, so that a scorer sees what it can answer."""
        if name not in ANSWERS:
            return getattr(self.model, name)
        model = _one_per_class(self.model) if name == "decision_function" else self.model
        return partial(self._answer, name, getattr(model, name))

    def of_rows(self, chosen: np.ndarray[Any, Any]) -> CachedModel:
        """Return the same for some of the rows, by number, with all that is known of them."""
        known = {name: answer[chosen] for name, answer in self.known.items()}
        return CachedModel(self.model, self.features.iloc[chosen], known)

    def _answer(self, name: str, compute: Any, features: Any) -> Any:
        if features is not self.features:
            return compute(features)
        if name not in self.known:
            self.known[name] = compute(features)
        return self.known[name]


def _one_per_class(model: Any) -> Any:
    """Return the model with a decision value for each class: as it was set, an SVM may give one for each pair."""
    final = model[-1] if isinstance(model, Pipeline) else model
    if final.get_params(deep=False).get("decision_function_shape") != "ovo":
        return model
    ours = copy(final).set_params(decision_function_shape="ovr")
    return Pipeline([*model.steps[:-1], (model.steps[-1][0], ours)]) if final is not model else ours
