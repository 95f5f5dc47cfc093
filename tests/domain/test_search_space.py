"""The space of a search: how it is written, which model has which part of it, how many trials it makes."""

from __future__ import annotations

from itertools import pairwise
from math import inf, prod
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadInputError, BadSettingError, NotFoundError
from domain.search_space import (
    HALVING_FACTOR,
    MAX_TRIALS,
    Choices,
    Range,
    Space,
    Strategy,
    count_settings,
    count_trials,
    read_space,
    rungs,
    spaces_of_models,
)
from domain.settings_check import Schema

C: Schema = {"type": "number", "default": 1.0, "exclusive_minimum": 0}
DEPTH: Schema = {"type": "any-of", "default": None, "any_of": [
    {"type": "integer", "minimum": 1}, {"type": "choice", "choices": [None]},
]}  # fmt: skip
KERNEL: Schema = {"type": "choice", "default": "rbf", "choices": ["linear", "rbf"]}
SHARE: Schema = {"type": "any-of", "default": 2, "any_of": [
    {"type": "integer", "minimum": 2}, {"type": "number", "exclusive_minimum": 0, "maximum": 1},
]}  # fmt: skip
SVM = {"C": C, "kernel": KERNEL}
TREE = {"max_depth": DEPTH, "min_samples_split": SHARE}


def test_a_space_has_values_and_ranges() -> None:
    given = {"C": [0.1, 1, 10], "gamma": "log:1e-4..1", "max_depth": "int:2..20", "l1_ratio": " lin:0..1", "tol": 0.1}
    assert read_space(given) == {
        "C": Choices(values=(0.1, 1, 10)),
        "gamma": Range(scale="log", low=1e-4, high=1),
        "max_depth": Range(scale="int", low=2, high=20),
        "l1_ratio": Range(scale="lin", low=0, high=1),
        "tol": Choices(values=(0.1,)),
    }


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.1,1, 10", (0.1, 1, 10)),
        ("none,5,True", (None, 5, True)),
        ("rbf, linear", ("rbf", "linear")),
        ("1e-3", (0.001,)),
        ("NaN", ("NaN",)),
        ("[[1", ("[[1",)),
    ],
)
def test_a_text_is_read_like_the_settings_of_a_training(text: str, values: tuple[Any, ...]) -> None:
    assert read_space({"it": text}) == {"it": Choices(values=values)}


def test_a_value_counts_once_but_true_is_not_1() -> None:
    assert read_space({"a": [1, 1, True, "1", 1.0, 1]})["a"].size == 4


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "empty value"),
        ("", "empty value"),
        ([1, ""], "empty value"),
        ("log:", "a range looks like"),
        ("log:1e-4", "a range looks like"),
        ("int:1..2.5", "a range looks like"),
        ("lin:a..b", "a range looks like"),
        ("lin:0..inf", "finite"),
        ("lin:nan..1", "finite"),
        ("int:1..99999999999999999", "2\\^53"),
        ("log:0..1", "begins above 0"),
        ("lin:1..1", "lesser one"),
        ("int:5..2", "lesser one"),
    ],
)
def test_what_is_no_space_is_refused_with_what_would_be_right(value: Any, said: str) -> None:
    with pytest.raises(BadSettingError, match=said) as refused:
        read_space({"it": value})
    assert refused.value.facts["setting"] == "it"


def test_each_model_gets_the_settings_that_it_has() -> None:
    space = read_space({"C": [1, 2], "max_depth": "int:2..5"})
    assert spaces_of_models(space, {"svm": SVM, "tree": TREE}) == {
        "svm": {"C": space["C"]},
        "tree": {"max_depth": space["max_depth"]},
    }


def test_a_setting_that_no_model_has_is_refused() -> None:
    with pytest.raises(NotFoundError, match=r"no setting 'max_dept'.*max_depth"):
        spaces_of_models(read_space({"max_dept": [1]}), {"svm": SVM, "tree": TREE})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"C": [1, 0]}, r"C = 0 is not allowed for svm: a number > 0"),
        ({"C": ["one"]}, r"C = 'one' is not allowed for svm: a number > 0"),
        ({"C": "lin:0..1"}, r"C = lin:0.0..1.0 is not allowed for svm: a number > 0"),
        ({"kernel": ["rbf", "cubic"]}, r"kernel = 'cubic' is not allowed for svm: one of linear, rbf"),
        ({"kernel": "int:1..2"}, r"kernel = int:1..2 is not allowed for svm: one of linear, rbf"),
        (
            {"max_depth": "lin:1..3"},
            r"max_depth = lin:1.0..3.0 is not allowed for tree: an integer >= 1 or",
        ),
        ({"min_samples_split": "lin:0.5..3"}, r"min_samples_split = lin:0.5..3.0 is not allowed"),
    ],
)
def test_a_value_that_the_model_does_not_allow_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(BadSettingError, match=said):
        spaces_of_models(read_space(given), {"svm": SVM, "tree": TREE})


def test_words_numbers_and_none_are_allowed_where_the_setting_allows_them() -> None:
    given = {"C": "log:1e-4..1", "kernel": ["linear", "rbf"], "max_depth": [None, 3], "min_samples_split": "lin:0.1..1"}
    assert spaces_of_models(read_space(given), {"svm": SVM, "tree": TREE}).keys() == {"svm", "tree"}


@pytest.mark.parametrize(
    ("given", "strategy", "trials", "number"),
    [
        ({"C": [1, 2, 3]}, "grid", None, 3 + 1),
        ({"C": [1, 2, 3], "max_depth": "int:2..5", "min_samples_split": [2, 3]}, "grid", None, 3 + 4 * 2),
        ({"C": [1, 2, 3]}, "random", None, 3 + 1),
        ({"C": [1, 2, 3]}, "random", 2, 2),
        ({"C": "lin:1..2"}, "random", None, 30),
        ({"C": "lin:1..2"}, "tpe", 1000, 1000),
        ({"C": "lin:1..2"}, "halving", 81, 81),
        ({"C": "lin:1..2"}, "halving", None, 30),
        ({"max_depth": "int:1..59"}, "halving", None, 59 + 1),
    ],
)
def test_number_of_trials(given: dict[str, Any], strategy: Strategy, trials: int | None, number: int) -> None:
    spaces = spaces_of_models(read_space(given), {"svm": SVM, "tree": TREE})
    assert count_trials(spaces, strategy, trials) == number


@pytest.mark.parametrize(
    ("given", "strategy", "trials", "said"),
    [
        ({"C": "lin:1..2"}, "grid", None, "A grid has no end where C is a range"),
        ({"C": [1]}, "grid", 3, "leave out the number of trials"),
        ({"C": "lin:1..2"}, "random", 0, "0 trials are not possible: 1 to 1000"),
        ({"C": [1, 2]}, "random", 1001, "1001 trials are not possible: 1 to 1000"),
        ({"C": "lin:1..2"}, "halving", 1000, "at most 1000"),
        ({"max_depth": "int:1..1000"}, "grid", None, "at most 1000"),
        ({"max_depth": "int:1..9007199254740992", "C": [1, 2]}, "grid", None, "at most 1000"),
    ],
)
def test_spaces_that_cannot_be_searched(
    given: dict[str, Any], strategy: Strategy, trials: int | None, said: str
) -> None:
    spaces = spaces_of_models(read_space(given), {"svm": SVM, "tree": TREE})
    with pytest.raises(BadInputError, match=said):
        count_trials(spaces, strategy, trials)


def test_nothing_to_search_is_refused_but_models_can_be_compared_as_they_are() -> None:
    with pytest.raises(BadInputError, match="nothing to search"):
        count_trials({"svm": {}}, "grid", None)
    assert count_trials({"svm": {}, "tree": {}}, "grid", None) == 2


@pytest.mark.parametrize(
    ("candidates", "counts"), [(60, [60, 20, 7, 3]), (27, [27, 9, 3, 1]), (3, [3, 1]), (2, [2]), (1, [1])]
)
def test_a_third_of_the_candidates_goes_on(candidates: int, counts: list[int]) -> None:
    assert rungs(candidates) == counts


sizes = st.lists(st.integers(1, 6), max_size=4)


@given(st.lists(sizes, min_size=1, max_size=3))
def test_a_grid_has_the_product_of_each_model_and_the_sum_of_all(models: list[list[int]]) -> None:
    spaces: dict[str, Space] = {
        f"m{place}": {f"s{i}": Choices(values=tuple(range(size))) for i, size in enumerate(of_it)}
        for place, of_it in enumerate(models)
    }
    assert count_settings(spaces) == sum(prod(of_it) for of_it in models)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.sampled_from(["lin", "log", "int"]))
def test_a_range_is_read_as_it_is_written_or_refused(low: float, high: float, scale: str) -> None:
    if scale == "int":
        low, high = int(low), int(high)
    try:
        found = read_space({"it": f"{scale}:{low!r}..{high!r}"})["it"]
    except BadSettingError:
        assert low >= high or (scale == "log" and low <= 0)
        return
    assert isinstance(found, Range)
    assert found.ends == (low, high)
    assert found.size == (high - low + 1 if scale == "int" else inf)
    assert [type(end) for end in found.ends] == [int if scale == "int" else float] * 2
    assert Range.model_validate_json(found.model_dump_json()) == found


@given(st.text("ab: é", max_size=20) | st.text("log:. ", max_size=10).map(lambda text: f"log:{text}"))
def test_any_text_is_a_value_a_range_or_a_refusal_in_a_sentence(text: str) -> None:
    if not text.strip() or text.lstrip().startswith(("log:", "lin:", "int:")):
        with pytest.raises(BadSettingError, match=r"\.$"):
            read_space({"it": text})
    else:
        assert read_space({"it": text})["it"] == Choices(values=(text.strip(),))


@given(st.integers(1, MAX_TRIALS))
def test_rungs_get_shorter_until_less_than_a_factor_is_left(candidates: int) -> None:
    counts = rungs(candidates)
    assert counts[0] == candidates
    assert counts[-1] <= HALVING_FACTOR
    assert all(after < before <= after * HALVING_FACTOR for before, after in pairwise(counts))
