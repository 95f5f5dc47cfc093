"""The filter language: what parses, what a name means, where it breaks and what was expected there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import AmbiguousNameError, FilterError
from projections.filters.conditions import And, Between, Compare, Condition, IsNone, IsSome, Not, OneOf, Or
from projections.filters.filter import parse, parse_sort
from projections.filters.vocabulary import Vocabulary
from projections.ports import Sort
from tests.projections.unparsed import unparse

AVERAGED = {"default": "macro", "averages": ["macro", "micro"]}
NAMES = Vocabulary(
    {"precision": AVERAGED, "accuracy": {"default": None, "averages": []}, "tol": AVERAGED},
    frozenset({"C", "tol", "max_depth", "model"}),
    frozenset({"wine"}),
)
PRECISION, C = "measure.precision:macro", "setting.C"

MEANINGS: dict[str, Condition] = {
    "precision > 0.9": Compare(PRECISION, ">", 0.9),
    "precision:micro >= 1": Compare("measure.precision:micro", ">=", 1),
    "precision@wine < .5": Compare("measure.precision:macro@wine", "<", 0.5),
    "precision:micro@wine<1e-3": Compare("measure.precision:micro@wine", "<", 0.001),
    "accuracy != none": IsSome("measure.accuracy"),
    "precision/cv5 > 0.9": Compare("measure.precision:macro/cv5", ">", 0.9),
    "precision:micro/cv5x3.std<.02": Compare("measure.precision:micro/cv5x3.std", "<", 0.02),
    "measure.accuracy/cv10/t0.3.std < 1": Compare("measure.accuracy/cv10/t0.3.std", "<", 1),
    "accuracy/loo = none": Not(IsSome("measure.accuracy/loo")),
    "precision/best-f1@wine >= 0": Compare("measure.precision:macro/best-f1@wine", ">=", 0),
    "precision/t1e-05 >= 0": Compare("measure.precision:macro/t1e-05", ">=", 0),
    "C in (1, 10)": OneOf(C, (1, 10)),
    "C in (1, none, true, 1)": Or((OneOf(C, (1, True)), IsNone(C))),
    "C in (none)": IsNone(C),
    "C = '1'": Compare(C, "=", "1"),
    'C = "a \'quoted\' \\" text"': Compare(C, "=", "a 'quoted' \" text"),
    "C = auto": Compare(C, "=", "auto"),
    "C = TRUE": Compare(C, "=", True),  # noqa: FBT003 - a literal of the language
    "C between -1 and +2": Between(C, -1, 2),
    "C between 1 and 2 and C != 3": And((Between(C, 1, 2), Compare(C, "!=", 3))),
    "model = svm": Compare("model", "=", "svm"),
    "setting.model = 1": Compare("setting.model", "=", 1),
    "dataset = 2024": Compare("dataset", "=", "2024"),
    "target = none and columns = none": And((Compare("target", "=", "none"), IsNone("columns"))),
    "warnings = none": IsNone("warnings"),
    "columns = 'age,sex'": Compare("columns", "=", "age,sex"),
    "columns = 2024": Compare("columns", "=", "2024"),
    "max_depth = none or not (C < 1 AND C > 0)": Or(
        (IsNone("setting.max_depth"), Not(And((Compare(C, "<", 1), Compare(C, ">", 0)))))
    ),
    "at >= 2026-01-31T12:00:00Z": Compare("committed_at", ">=", datetime(2026, 1, 31, 12, tzinfo=UTC)),
    "position <= 7": Compare("position", "<=", 7),
    "setting.tol = 1 and measure.tol = 1": And((Compare("setting.tol", "=", 1), Compare("measure.tol:macro", "=", 1))),
}


@pytest.mark.parametrize("text", MEANINGS)
def test_meaning(text: str) -> None:
    assert parse(text, NAMES) == MEANINGS[text]


# text -> (place, something that was expected there)
BROKEN: dict[str, tuple[int, str]] = {
    "": (0, "not"),
    "C >": (3, "a name or value"),
    "C > 1 and": (9, "not"),
    "(C = 1": (6, ")"),
    "C = 1)": (5, "the end"),
    "C ! 1": (2, "between"),
    "C = 'open": (4, "a quoted text"),
    "C 1": (2, "in"),
    "C in 1": (5, "("),
    "C in ()": (6, "a name or value"),
    "precisoin > 1": (0, "precision"),
    "C = 1 and precision:middle > 1": (10, "precision:micro"),
    "C = 1 and precision/cv > 1": (10, "precision"),
    "accuracy.std > 1": (0, "accuracy"),
    "accuracy/loo.std > 1": (0, "accuracy"),
    "C < none": (4, "a number"),
    "C > true": (4, "a number"),
    "C between 1 and 'x'": (16, "the same kind"),
    "precision = high": (12, "a number"),
    "C = 1e999": (4, "a number up to 1.7e308"),
    "at > 2026-01-31T12:00:00": (5, "a time with a zone, like 2026-01-31T12:00:00Z"),
    "at > yesterday": (5, "a time like 2026-01-31T12:00:00Z"),
    "position = 1.5": (11, "a whole number"),
    "C = \ud800": (0, ""),
}


@pytest.mark.parametrize("text", BROKEN)
def test_place_and_what_was_expected(text: str) -> None:
    with pytest.raises(FilterError) as refused:
        parse(text, NAMES)
    place, expected = BROKEN[text]
    assert refused.value.facts["place"] == place
    assert expected in [*refused.value.facts["expected"], ""]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("C in ()", "cannot be read at character 7, ')': expected a name or value or a quoted text."),
        ("nope > 1", "'nope' (character 1) is not a column, measure or setting."),
        ("c > 1", "(character 1) is not a column, measure or setting. Nearest: C."),
        ("C < none", "'none' (character 5) has no order"),
    ],
)
def test_sentences_count_characters_from_one(text: str, said: str) -> None:
    with pytest.raises(FilterError) as refused:
        parse(text, NAMES)
    assert said in refused.value.sentence


def test_a_measure_and_a_setting_of_one_name_are_ambiguous() -> None:
    with pytest.raises(AmbiguousNameError, match=r"setting\.tol") as refused:
        parse("tol > 1", NAMES)
    assert refused.value.facts["candidates"] == ["measure.tol:macro", "setting.tol"]


@pytest.mark.parametrize("text", ["C = 1" + " " * 5000, " or ".join(["C = 1"] * 51), f"C in ({', '.join('1' * 100)})"])
def test_limits(text: str) -> None:
    with pytest.raises(FilterError, match="at most"):
        parse(text, NAMES)


def test_deep_parentheses_and_negations_break_nothing() -> None:
    assert parse("(" * 2000 + "C = 1" + ")" * 2000, NAMES) == Compare(C, "=", 1)
    with pytest.raises(FilterError, match="at most 100 parts"):
        parse("not " * 1000 + "C = 1", NAMES)


SORTS = {
    None: Sort(),
    "": Sort(),
    "committed_at": Sort("n", descending=False),
    "-at": Sort("n", descending=True),
    "-precision": Sort(PRECISION, descending=True),
    "C": Sort(C, descending=False),
}


@pytest.mark.parametrize("text", SORTS)
def test_sort_keys(text: str | None) -> None:
    assert parse_sort(text, NAMES) == SORTS[text]


@pytest.mark.parametrize("text", ["nothing", "-model", "--C"])
def test_what_cannot_be_sorted_by(text: str) -> None:
    with pytest.raises(FilterError):
        parse_sort(text, NAMES)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
names = st.sampled_from(["setting.C", "setting.max_depth"])
measures = st.sampled_from([PRECISION, "measure.accuracy"])
constants: st.SearchStrategy[Any] = NUMBERS | TEXT | st.booleans()
times = st.datetimes(timezones=st.just(UTC))
SIMPLE: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Compare, names, st.sampled_from(["=", "!="]), constants),
    st.builds(Compare, names, st.sampled_from(["<", ">="]), NUMBERS | TEXT),
    st.builds(Compare, measures, st.sampled_from(["<", "="]), NUMBERS),
    st.builds(Compare, st.just("model"), st.sampled_from(["=", "<"]), TEXT),
    st.builds(Compare, st.just("committed_at"), st.just(">"), times),
    st.builds(OneOf, names, st.lists(TEXT, min_size=1, max_size=3, unique=True).map(tuple)),
    st.builds(Between, names, NUMBERS, NUMBERS),
    st.builds(IsNone, names),
    st.builds(IsSome, names | measures),
)


def joined(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    parts = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.builds(And, parts) | st.builds(Or, parts) | st.builds(Not, inner)


@given(st.recursive(SIMPLE, joined, max_leaves=8))
def test_what_is_written_parses_to_the_same(condition: Condition) -> None:
    assert parse(unparse(condition), NAMES) == condition


@given(
    st.text(max_size=40) | st.lists(st.sampled_from(["C", "=", "1", "(", ")", "and", "not", "in", ","])).map(" ".join)
)
def test_any_text_is_a_filter_or_refused_with_its_place(text: str) -> None:
    place = 0
    try:
        condition = parse(text, NAMES)
    except FilterError as refused:
        place = refused.facts["place"]
    else:
        assert parse(unparse(condition), NAMES) == condition
    assert 0 <= place <= len(text)
