"""Whether one column alone tells the target: a small tree on that column, cross-validated on a sample of the rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from sklearn import config_context
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from adapters.learning.profiling.columns import Array, Column

FEWEST_ROWS, MOST_ROWS = 20, 20_000
FIRST_ROWS, ROWS_OF_A_CLASS = 1_000, 20  # of a first look, which most columns do not pass
FOLDS, LEAVES = 3, 128
PASSES, IS_LEAK = 0.75, 0.98  # of the rows of each class, or of the variance of the target's ranks


class LeakTest:
    """Knows the target of a sample; raises nothing."""

    def __init__(self, target: Column, task: str) -> None:
        self._random = np.random.default_rng(0)
        self._is_regression = task == "regression"
        wanted = ranks(target) if self._is_regression else target.codes
        rows = self._random.permutation(len(wanted))[:MOST_ROWS]
        if not self._is_regression:  # a class that is not in every fold tells nothing
            rows = rows[np.bincount(wanted[rows])[wanted[rows]] >= FOLDS]
        self._rows, self._wanted = rows, wanted[rows]
        self._classes = 0 if self._is_regression else len(np.unique(self._wanted))
        self.is_possible = len(rows) >= FEWEST_ROWS and len(np.unique(self._wanted)) > 1
        if self.is_possible:
            kind = KFold if self._is_regression else StratifiedKFold
            self._folds = list(kind(FOLDS, shuffle=True, random_state=0).split(self._wanted, self._wanted))

    def score(self, column: Column) -> float | None:
        """Return the share that the column alone explains, if that is nearly all; else None."""
        if not self.is_possible or len(column.values) < 2:  # noqa: PLR2004 - one value tells nothing
            return None
        values = (ranks(column) if column.is_number else self._shuffled(column))[self._rows].astype(np.float32)
        first = max(FIRST_ROWS, ROWS_OF_A_CLASS * self._classes)
        scores = self._scores(values[:, None], first)
        if next(scores) < PASSES:
            return None
        score = float(np.mean(list(scores)))
        return score if score >= IS_LEAK else None

    def _shuffled(self, column: Column) -> Array:
        """Give texts numbers in no order: that in which they come first could be the order of the target."""
        numbers: Array = np.append(self._random.permutation(len(column.values)), -1)[column.codes]
        return numbers

    def _scores(self, values: Array, first: int) -> Iterator[float]:
        """Yield the score of a first look, then that of each fold."""
        train, test = self._folds[0]
        yield self._fold(values, train[: 2 * first // FOLDS], test[: first // FOLDS])
        for train, test in self._folds:
            yield self._fold(values, train, test)

    def _fold(self, values: Array, train: Array, test: Array) -> float:
        if self._is_regression:
            tree = DecisionTreeRegressor(max_leaf_nodes=LEAVES, random_state=0)
        else:
            leaves = max(LEAVES, 2 * self._classes)
            tree = DecisionTreeClassifier(max_leaf_nodes=leaves, class_weight="balanced", random_state=0)
        with config_context(skip_parameter_validation=True):  # it, and the checks of input, take longer than the tree
            tree.fit(values[train], self._wanted[train], check_input=False)
        found, wanted = tree.predict(values[test], check_input=False), self._wanted[test]
        if self._is_regression:
            variance = float(((wanted - wanted.mean()) ** 2).sum())
            return 1 - float(((wanted - found) ** 2).sum()) / variance if variance else 0.0
        sizes = np.bincount(wanted)
        right = np.bincount(wanted, weights=found == wanted)
        return float(np.mean(right[sizes > 0] / sizes[sizes > 0]))


def ranks(column: Column) -> Array:
    """Return for each row the place of its number among the different ones; -1 where it is missing."""
    places = np.empty(len(column.order) + 1, dtype=np.int64)
    places[column.order], places[-1] = np.arange(len(column.order)), -1
    ranked: Array = places[column.codes]
    return ranked
