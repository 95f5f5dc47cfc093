"""Folds: those of scikit-learn's splitters, as the training was split; what cannot be a fold is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold, StratifiedKFold

from adapters.learning.preparation.folds import make_folds
from domain.errors import BadInputError
from domain.values import Folds

CLASSES = np.array(["a"] * 12 + ["b"] * 6)
NUMBERS = np.linspace(0, 1, 18)
GROUPS = np.arange(18) // 2  # of two rows each, six groups of class a


def kfold(k: int, repeats: int = 1) -> Folds:
    return Folds(kind="kfold", k=k, repeats=repeats)


def as_lists(folds: Any) -> list[tuple[list[int], list[int]]]:
    return [(learned.tolist(), held.tolist()) for learned, held in folds]


@pytest.mark.parametrize(
    ("target", "folds", "splitter"),
    [
        (CLASSES, kfold(3), StratifiedKFold(3, shuffle=True, random_state=5)),
        (CLASSES, kfold(3, 2), RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=5)),
        (NUMBERS, kfold(4, 2), RepeatedKFold(n_splits=4, n_repeats=2, random_state=5)),
    ],
)
def test_random_folds_are_those_of_scikit_learn(target: Any, folds: Folds, splitter: Any) -> None:
    assert as_lists(make_folds(target, folds, 5)) == as_lists(splitter.split(target, target))


@pytest.mark.parametrize("target", [CLASSES, NUMBERS])
def test_a_group_is_in_one_fold(target: Any) -> None:
    made = make_folds(target, kfold(3, 2), 5, "group", GROUPS)
    assert len(made) == 6
    assert all(not set(GROUPS[learned]) & set(GROUPS[held]) for learned, held in made)
    assert sorted(np.concatenate([held for _, held in made[3:]])) == list(range(18))
    assert as_lists(made[:3]) != as_lists(made[3:])


def test_folds_in_the_order_of_times_learn_from_what_was_before() -> None:
    times = np.random.default_rng(1).permutation(18)
    made = make_folds(NUMBERS, kfold(5), 5, "time", times)
    assert len(made) == 5
    assert all(times[learned].max() < times[held].min() for learned, held in made)
    assert all(len(held) == 3 for _, held in made)
    made = make_folds(NUMBERS, kfold(5), 5, "time", GROUPS)
    assert all(GROUPS[learned].max() < GROUPS[held].min() for learned, held in made), "rows of one time stay together"


def test_one_row_is_left_out_at_a_time() -> None:
    assert [held.tolist() for _, held in make_folds(CLASSES, Folds(kind="loo"), 5)] == [[row] for row in range(18)]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((NUMBERS, kfold(19)), "19 folds are more than the 18 rows: at most 18"),
        ((CLASSES, kfold(7)), "The rarest class, 'b', has 6 rows, fewer than 7 folds: at most 6 folds"),
        ((CLASSES[:13], kfold(2)), "Class 'b' has 1 row: no cross-validation"),
        ((CLASSES[:13], Folds(kind="loo")), "Class 'b' has 1 row: no cross-validation"),
        ((CLASSES, kfold(10), "group", GROUPS), "10 folds are more than the 9 groups"),
        ((CLASSES, kfold(5), "group", GROUPS), "holds out no row of class 'b'"),
        ((CLASSES, Folds(kind="loo"), "group", GROUPS), "keeps rows together: take a number of folds"),
        ((CLASSES, kfold(3), "time", np.arange(18)), "Fold 1 of 3 learns from no row of class 'b'"),
        ((NUMBERS, kfold(18), "time", np.arange(18)), "need more than 18 different times"),
        ((NUMBERS, kfold(3, 2), "time", np.arange(18)), "leave out the repeats"),
    ],
)
def test_what_cannot_be_folds_is_refused(arguments: tuple[Any, ...], sentence: str) -> None:
    target, folds, *split = arguments
    with pytest.raises(BadInputError, match=sentence):
        make_folds(target, folds, 5, *split)
