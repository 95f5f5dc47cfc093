"""Which settings a search varies for each of its models, and which are fixed."""

from __future__ import annotations

from typing import Any

import pytest

from commands.training import request_search
from commands.training.request_search import plan_models
from domain.errors import BadInputError
from domain.offer import Description, Offer
from domain.search_space import Choices, Range
from domain.values import ModelRef

C = {"type": "number", "default": 1.0, "exclusive_minimum": 0}
PREPARE = {"prepare.missing": {"type": "choice", "default": "median", "choices": ["mean", "median"]}}


def offer(name: str, **settings: Any) -> Offer:
    it = Offer.create_blank(f"model:{name}")
    it.offer(Description(distribution="autolearn", version="1", description="", settings=settings, digest=name))
    return it


SVM = offer("svm", C=C, kernel={"type": "choice", "default": "rbf", "choices": ["rbf", "linear"]}, **PREPARE)
TREE = offer("tree", max_depth={"type": "integer", "default": 3, "minimum": 1})


def test_one_value_is_fixed_and_the_rest_has_its_default() -> None:
    given = {"C": "log:1e-2..1", "kernel": "linear", "max_depth": [2, 4], "prepare.missing": "mean,median"}
    (svm, tree), trials = plan_models([SVM, TREE], given, "random", 12)
    assert trials == 12
    assert svm.model == ModelRef(name="svm", version="1", distribution="autolearn")
    assert svm.settings == {"C": 1.0, "kernel": "linear", "prepare.missing": "median"}
    assert svm.space == {
        "C": Range(scale="log", low=0.01, high=1),
        "prepare.missing": Choices(values=("mean", "median")),
    }
    assert (svm.preparation, tree.preparation) == (2, 1)
    assert (tree.settings, tree.space) == ({"max_depth": 3}, {"max_depth": Choices(values=(2, 4))})


def test_an_unknown_strategy_is_refused_with_the_known_ones() -> None:
    with pytest.raises(BadInputError, match="'bayes' is not a strategy: one of grid, random, halving, tpe"):
        plan_models([SVM], {"C": [1, 2]}, "bayes", None)


def test_tpe_is_refused_where_optuna_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_search, "find_spec", lambda _: None)
    with pytest.raises(
        BadInputError, match=r"tpe needs Optuna: pip install 'autolearn\[optuna\]', or take the strategy random"
    ):
        plan_models([SVM], {"C": [1, 2]}, "tpe", None)
