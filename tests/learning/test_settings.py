"""Settings are read from the estimators' own constraints; what they admit, the estimators accept."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sklearn.base import BaseEstimator
from sklearn.datasets import load_iris
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from adapters.learning.offers.catalog import MODELS, make_estimator, offers
from adapters.learning.offers.describe import describe
from adapters.learning.offers.parameters import explain_parameters
from adapters.learning.offers.settings import NEVER_NONE, NOT_SETTINGS, ONLY_CHOICES, convert_value, settings_of
from domain.settings_check import is_allowed

OWN = {offer.name: offer for offer in offers(MODELS) if offer.distribution == "autolearn"}


@pytest.fixture(scope="module")
def described() -> dict[str, dict[str, dict[str, Any]]]:
    return {name: settings_of(make_estimator(offer)) for name, offer in OWN.items()}


def test_the_models_are_offered() -> None:
    """After a change of pyproject.toml, `make install` tells the environment."""
    assert sorted(OWN) == [
        "decision-tree", "decision-tree-regressor", "dummy", "dummy-regressor", "extra-trees", "extra-trees-regressor",
        "gradient-boosting", "gradient-boosting-regressor", "k-nearest", "k-nearest-regressor", "linear-regression",
        "linear-svm", "logistic-regression", "naive-bayes", "random-forest", "random-forest-regressor", "ridge", "svm",
        "svm-regressor",
    ]  # fmt: skip


# what needs another setting beside it, two classes, or numbers above 0
TOGETHER = {("dummy", "strategy"), ("dummy-regressor", "strategy"), ("extra-trees", "oob_score"),
            ("extra-trees-regressor", "oob_score"), ("gradient-boosting-regressor", "loss"),
            ("logistic-regression", "dual"), ("logistic-regression", "solver"), ("random-forest", "oob_score"),
            ("ridge", "solver")}  # fmt: skip


@pytest.mark.parametrize("name", OWN)
@pytest.mark.filterwarnings("ignore")
def test_every_choice_on_offer_can_be_trained_with(name: str) -> None:
    features, target = load_iris(return_X_y=True)
    for setting, description in settings_of(make_estimator(OWN[name])).items():
        if (name, setting) in TOGETHER:
            continue
        for each in description.get("any_of", [description]):
            for choice in each.get("choices", [True, False] if each["type"] == "boolean" else []):
                made = make_estimator(OWN[name]).set_params(**{setting: choice})
                assert len(made.fit(features[::5], target[::5]).predict(features)) == len(target), (setting, choice)


def test_what_each_setting_does_is_told_in_a_few_words() -> None:
    found = {each["name"]: each["description"]["settings"] for each in describe()["models"]}
    silent = [(name, key) for name in OWN for key, setting in found[name].items() if not setting.get("what")]
    assert silent == []
    assert found["svm"]["kernel"]["what"] == "Specifies the kernel type to be used in the algorithm"
    assert found["gradient-boosting"]["max_iter"]["what"].endswith(
        "i.e. the maximum number of trees for binary classification"
    )
    assert "precomputed" not in json.dumps(found)


@pytest.mark.parametrize("name", ["gradient-boosting", "gradient-boosting-regressor"])
def test_early_stopping_scores_by_what_can_be_stored(described: dict[str, dict[str, Any]], name: str) -> None:
    assert described[name]["scoring"] == {"type": "choice", "choices": ["loss"], "default": "loss"}


def test_words_about_parameters_are_those_of_the_docstring() -> None:
    class Documented:
        """Learns.

        Parameters
        ----------
        depth, width : int, default=3
            How far it looks. More is slower.

            A second paragraph.
        mode : {'a', 'b'}
            What ``it`` does with :class:`~sklearn.svm.SVC`, see :ref:`there <place>`:

            - 'a'.
        bare : int

        Attributes
        ----------
        depth_ : int
            Not a parameter.

        """

    words = {"depth": "How far it looks", "width": "How far it looks", "mode": "What it does with sklearn.svm.SVC, see"}
    assert {name: text[: len(words[name])] for name, text in explain_parameters(Documented).items()} == words
    assert explain_parameters(int) == {}


@pytest.mark.parametrize(
    ("model", "setting", "description"),
    [
        ("logistic-regression", "C", {"type": "number", "exclusive_minimum": 0, "default": 1.0}),
        ("logistic-regression", "max_iter", {"type": "integer", "minimum": 0, "default": 100}),
        ("logistic-regression", "fit_intercept", {"type": "boolean", "default": True}),
        (
            "logistic-regression", "solver",
            {"type": "choice", "default": "lbfgs",
             "choices": ["lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga"]},
        ),
        (
            "decision-tree", "min_weight_fraction_leaf",
            {"type": "number", "minimum": 0.0, "maximum": 0.5, "default": 0.0},
        ),
        ("decision-tree", "class_weight", {"type": "choice", "choices": ["balanced", None], "default": None}),
        (
            "decision-tree", "max_depth",
            {"type": "any-of", "default": None,
             "any_of": [{"type": "integer", "minimum": 1}, {"type": "choice", "choices": [None]}]},
        ),
        (
            "svm", "gamma",
            {"type": "any-of", "default": "scale",
             "any_of": [{"type": "number", "minimum": 0.0}, {"type": "choice", "choices": ["auto", "scale"]}]},
        ),
        ("naive-bayes", "var_smoothing", {"type": "number", "minimum": 0, "default": 1e-9}),
    ],
)  # fmt: skip
def test_a_setting_has_its_type_range_choices_and_default(
    described: Any, model: str, setting: str, description: dict[str, Any]
) -> None:
    assert described[model][setting] == description


def test_defaults_are_those_of_scikit_learn_and_allowed(described: Any) -> None:
    for name, settings in described.items():
        defaults = make_estimator(OWN[name]).get_params(deep=False)
        assert settings
        for setting, description in settings.items():
            assert description["default"] == defaults[setting]
            assert is_allowed(description, description["default"])


def test_seed_threads_noise_and_deprecated_parameters_are_no_settings(described: Any) -> None:
    for settings in described.values():
        assert not NOT_SETTINGS & set(settings)
        assert "deprecated" not in json.dumps(settings)
    assert "priors" not in described["naive-bayes"]  # an array: JSON could, but its only plain value is the default


@pytest.mark.parametrize("made", [HistGradientBoostingClassifier(), *(make_estimator(offer) for offer in OWN.values())])
def test_what_a_description_admits_the_estimator_accepts(made: Any) -> None:
    for name, description in settings_of(made).items():
        for value in examples(description):
            if name in ONLY_CHOICES or (value is None and name in NEVER_NONE):
                continue
            accepted = True
            try:
                made.set_params(**{name: convert_value(value, description)})._validate_params()
            except ValueError:
                accepted = False
            made.set_params(**{name: description["default"]})
            assert accepted == is_allowed(description, value), (name, value)


def examples(description: dict[str, Any]) -> list[Any]:
    """Return values at and beyond the edges of a description."""
    numbers = [-2, -1, 0, 1, 2, 3, 0.0, 0.25, 0.5, 1.0, 1.5, -0.5]
    words = ["scale", "gini", "balanced", "no such word", "", None]
    return [*numbers, *words] if "boolean" not in json.dumps(description) else [True, False, *words]


class Plain(BaseEstimator):
    """An estimator without constraints."""

    def __init__(
        self, depth: int = 3, rate: float = 0.5, fast: bool = True, mode: str = "a", extra: Any = None, f: Any = print
    ) -> None:
        self.depth, self.rate, self.fast, self.mode, self.extra, self.f = depth, rate, fast, mode, extra, f


def test_without_constraints_the_defaults_tell_the_types() -> None:
    found = settings_of(Plain())
    assert {name: (each["type"], each["default"]) for name, each in found.items()} == {
        "depth": ("integer", 3),
        "rate": ("number", 0.5),
        "fast": ("boolean", True),
        "mode": ("string", "a"),
        "extra": ("any-of", None),
    }
    assert all(is_allowed(found["extra"], value) for value in (1, 1.5, "x", False, None))


@pytest.mark.parametrize(("value", "expected"), [(1, 1.0), (2, 2.0), (0.5, 0.5)])
def test_a_whole_number_becomes_a_float_where_a_number_is_expected(value: float, expected: float) -> None:
    found = convert_value(value, settings_of(LogisticRegression())["C"])
    assert found == expected
    assert type(found) is float


def test_an_integer_stays_one_where_both_fit(described: Any) -> None:
    leaf = described["decision-tree"]["min_samples_leaf"]
    assert type(convert_value(2, leaf)) is int
    assert type(convert_value(0.2, leaf)) is float
