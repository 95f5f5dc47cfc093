"""Settings against their schema: complete, typed, bounded; and the sentence that says what would be right."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.errors import BadSettingError, NotFoundError
from domain.settings_check import LARGEST_INTEGER, Schema, complete_settings, describe_allowed, is_allowed

INTEGER: Schema = {"type": "integer", "default": 1, "minimum": 1, "maximum": 10}
NUMBER: Schema = {"type": "number", "default": 0.5, "exclusive_minimum": 0, "exclusive_maximum": 1}
ANY_NUMBER: Schema = {"type": "number", "default": 1.0}
BOOLEAN: Schema = {"type": "boolean", "default": False}
STRING: Schema = {"type": "string", "default": ""}
CHOICE: Schema = {"type": "choice", "default": "l2", "choices": ["l1", "l2", None, 1]}
ANY_OF: Schema = {
    "type": "any-of",
    "default": "sqrt",
    "any_of": [{"type": "choice", "choices": ["sqrt", None]}, INTEGER],
}
ALL = {"i": INTEGER, "n": NUMBER, "a": ANY_NUMBER, "b": BOOLEAN, "s": STRING, "c": CHOICE, "o": ANY_OF}

bounds = st.one_of(st.none(), st.integers(-100, 100), st.floats(-100, 100))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    kind = draw(st.sampled_from(["integer", "number", "boolean", "string", "choice", "any-of"]))
    if kind == "choice":
        return {"type": kind, "choices": draw(st.lists(st.none() | st.text(max_size=3) | st.integers(), min_size=1))}
    if kind == "any-of":
        return {"type": kind, "any_of": draw(st.lists(schemas(), min_size=1, max_size=3))}
    names = ("minimum", "exclusive_minimum", "maximum", "exclusive_maximum")
    return {"type": kind} | ({name: draw(bounds) for name in names} if kind in {"integer", "number"} else {})


def test_what_is_not_given_has_its_default() -> None:
    defaults = {"i": 1, "n": 0.5, "a": 1.0, "b": False, "s": "", "c": "l2", "o": "sqrt"}
    assert complete_settings(ALL, {}) == defaults
    assert complete_settings(ALL, {"b": True, "o": 3}) == defaults | {"b": True, "o": 3}


@pytest.mark.parametrize(
    ("described", "right", "wrong"),
    [
        (INTEGER, [1, 10], [0, 11, 1.0, True, "1", None, [1]]),
        (NUMBER, [0.5, 1e-300], [0, 1, 0.0, 1.0, math.nan, math.inf, True, "0.5", None]),
        (
            ANY_NUMBER,
            [0, -1.5, LARGEST_INTEGER],
            [math.nan, -math.inf, LARGEST_INTEGER + 1, -(10**400), False],
        ),
        (BOOLEAN, [True, False], [0, 1, "true", None]),
        (STRING, ["", "x"], [None, 1, ["x"]]),
        (CHOICE, ["l1", None, 1], ["none", "L1", True, 1.0, [], {}]),
        (ANY_OF, ["sqrt", None, 5], ["log2", 0, 5.0, True]),
    ],
)
def test_what_is_allowed(described: Schema, right: list[Any], wrong: list[Any]) -> None:
    assert [value for value in right if not is_allowed(described, value)] == []
    assert [value for value in wrong if is_allowed(described, value)] == []


@pytest.mark.parametrize(
    ("described", "said"),
    [
        (INTEGER, "an integer >= 1 and <= 10"),
        (NUMBER, "a number > 0 and < 1"),
        (ANY_NUMBER, "a number"),
        (BOOLEAN, "a boolean"),
        (STRING, "a string"),
        (CHOICE, "one of l1, l2, none, 1"),
        (ANY_OF, "one of sqrt, none or an integer >= 1 and <= 10"),
        ({"type": "any-of", "any_of": [BOOLEAN, BOOLEAN]}, "a boolean"),
    ],
)
def test_says_what_is_allowed(described: Schema, said: str) -> None:
    assert describe_allowed(described) == said


@given(schemas(), json_values)
def test_a_value_is_taken_as_it_is_or_refused_with_what_is_allowed(described: Schema, value: Any) -> None:
    schema = {"it": described | {"default": "the default"}}
    if is_allowed(described, value):
        assert complete_settings(schema, {"it": value})["it"] is value
        return
    with pytest.raises(BadSettingError) as refused:
        complete_settings(schema, {"it": value})
    assert refused.value.facts == {"setting": "it", "allowed": describe_allowed(described)}
    assert describe_allowed(described) in refused.value.sentence


@given(bounds, bounds, st.integers(-200, 200) | st.floats(-200, 200))
def test_bounds_hold_for_integers_and_numbers_alike(low: float | None, below: float | None, value: float) -> None:
    described = {"type": "number", "minimum": low, "exclusive_maximum": below}
    inside = (low is None or value >= low) and (below is None or value < below)
    assert is_allowed(described, value) == inside
    if isinstance(value, int):
        assert is_allowed(described | {"type": "integer"}, value) == inside


@given(st.text(max_size=8), json_values)
def test_unknown_names_are_refused_before_any_value(name: str, value: Any) -> None:
    assume(name not in ALL)
    with pytest.raises(NotFoundError, match="no setting") as refused:
        complete_settings(ALL, {"i": "wrong too", name: value})
    assert set(refused.value.facts["nearest"]) <= set(ALL)


@pytest.mark.parametrize("value", ["x" * 10_000, [0] * 10_000, 10**2000])
def test_a_long_value_is_not_repeated_whole(value: Any) -> None:
    with pytest.raises(BadSettingError) as refused:
        complete_settings(ALL, {"i": value})
    assert len(refused.value.sentence) < 200
    assert refused.value.sentence.endswith("is not allowed: an integer >= 1 and <= 10.")
