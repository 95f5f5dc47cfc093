"""Values as tables have them: a column has a type only if all its values agree on one spelling of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from domain.errors import BadInputError
from tests.learning.reading import Read, at, rows, table

# -- numbers ---------------------------------------------------------------------------------------------------------


def test_a_decimal_comma_is_found(read: Read) -> None:
    found = read(table("decimal-comma"), "sorte")
    assert found.columns == {"laenge": "number", "breite": "number", "sorte": "string"}
    assert (found.reading["decimal"], found.table["laenge"][0]) == (",", 1.96)


def test_money_and_shares_are_numbers(read: Read) -> None:
    found = read(table("money"))
    assert found.columns == {"price": "number", "share": "number", "cur": "number", "cls": "string"}
    assert [found.table[name][0] for name in ("price", "share", "cur")] == [1461, 39, 45.5]
    assert found.reading["thousands"] == ","
    assert found.reading["spellings"] == {"price": "1,234.5", "share": "1234.5%", "cur": "$1234.5"}
    assert "1,461 was taken for 1461, --decimal , takes it for 1.461" in found.notes


@pytest.mark.parametrize(
    ("values", "numbers", "spelling"),
    [
        (["1.234,5", "12", "-0,25"], [1234.5, 12, -0.25], "1.234,5"),
        (["1,234.5", "12", "1,234,567"], [1234.5, 12, 1234567], "1,234.5"),
        (["1 234,5", "12", "1\u202f234"], [1234.5, 12, 1234], "1 234,5"),
        (["1'234.5", "12", "1\u2019000"], [1234.5, 12, 1000], "1'234.5"),
        (["12,34,567", "3"], [1234567, 3], "1,234.5"),
        (["5 €", "1,5 €", "-2 €"], [5, 1.5, -2], "1234,5€"),
        (["$5", "-$5.25", "$-1,000", "$ 7"], [5, -5.25, -1000, 7], "$1,234.5"),
        (["EUR 5.5", "EUR 6"], [5.5, 6], "EUR1234.5"),
        (["(5.00)", "1,000.50"], [-5, 1000.5], "1,234.5"),
        (["\u22125,5", "1,0"], [-5.5, 1], "1234,5"),
        (["5 %", "12.5%"], [5, 12.5], "1234.5%"),
        (["1e3", "2.5E-1", ".5", "3."], [1000, 0.25, 0.5, 3], None),
        ([" 1.5", "2 ", "\t3"], [1.5, 2, 3], None),
    ],
)
def test_numbers_of_one_spelling(read: Read, values: list[str], numbers: list[float], spelling: str | None) -> None:
    found = read(rows(*values, separator=";"))
    assert found.columns["x"] == "number"
    assert found.table["x"] == numbers
    assert found.reading["spellings"].get("x") == spelling


@pytest.mark.parametrize(
    ("text", "value", "told"),
    [
        ('x,cls\n"1,461",a\n"2,855",b\n', 1461, True),  # a comma separates: English
        ("x;cls\n1,461;a\n2,855;b\n", 1.461, True),
        ("x;y;cls\n1,461;0.5;a\n2,855;1.5;b\n", 1461, True),
        ("x;y;cls\n1.461;0,5;a\n2.855;1,5;b\n", 1461, True),
        ("x;cls\n1.461;a\n2.855;b\n", 1.461, False),
        ("x\tcls\n1,96\ta\n2,5\tb\n", 1.96, False),
    ],
)
def test_a_mark_that_may_be_either_is_decided_by_the_rest_and_told(
    read: Read, text: str, value: float, told: bool
) -> None:
    found = read(text)
    assert found.table["x"][0] == value
    assert ("may be read in two ways" in found.notes) == told


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ({"decimal": ","}, 1.461), ({"decimal": "."}, 1461), ({"thousands": ","}, 1461), ({"thousands": "none"}, 1.461),
        ({"thousands": "."}, 1.461), ({"decimal": "comma", "thousands": "point"}, 1.461),
    ],
)  # fmt: skip
def test_marks_can_be_given(read: Read, given: dict[str, str], value: float) -> None:
    found = read('x,cls\n"1,461",a\n"2,855",b\n', **given)
    assert (found.table["x"][0], found.notes) == (value, "")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"decimal": "-"}, "decimal mark '-' is not allowed: one of . ,"),
        ({"thousands": "x"}, "thousands mark 'x' is not allowed"),
        ({"decimal": ",", "thousands": ","}, "both ','"),
        ({"types": {"x": "float"}}, "'x=float'.*one of integer, number, boolean, time, string"),
        ({"types": {"y": "number"}}, "no column 'y' to be given a type.*x, cls"),
        ({"drop": ["y"]}, "no column 'y' to be dropped.*x, cls"),
        ({"drop": ["cls"]}, "target 'cls' cannot be dropped"),
        ({"drop": ["x"]}, "All columns but the target are dropped"),
        ({"task": "clustering"}, "classification or regression"),
        ({"positive": "c"}, "no class 'c' to be the positive one: it is one of a, b"),
        ({"missing": ["x"] * 101}, "At most 100 texts"),
        ({"task": "regression"}, "'cls' holds text: a regression needs numbers"),
    ],
)
def test_what_cannot_be_given_gets_a_sentence(read: Read, given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence):
        read(rows("1", "2"), **given)


def test_one_bad_number_makes_text_and_is_told_with_its_line(read: Read) -> None:
    found = read(table("one-bad-number"))
    assert found.columns["x"] == "string"
    assert "Column 'x' is text: 59 of 60 values are numbers; line 39: n.d." in found.notes
    mended = read(table("one-bad-number"), missing=["n.d."])
    assert (mended.columns["x"], mended.reading["missing"]) == ("number", {"n.d.": 1})
    with pytest.raises(BadInputError, match=r"to hold numbers, and 59 of 60 values are numbers; line 39: n\.d\.\. Say"):
        read(table("one-bad-number"), types={"x": "number"})
    assert read(table("question-mark")).notes.endswith("54 of 60 values are numbers; line 5: ?")
    assert read(table("question-mark"), missing=["?"]).columns["x"] == "number"


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ('"x",cls\n"1\n",a\n\n2,b\nn.d.,a\n3,b\n', "3 of 4 values are numbers; line 6: n.d."),
        ("sep=,\nx,cls\n1,a\n$2,b\n3,a\n", "2 of 3 values are numbers; line 4: $2"),
        ("x,cls\n1/2/2024,a\n5/6/2024,b\nsoon,b\n", "2 of 3 values are times; line 4: soon"),
    ],
)
def test_the_line_is_that_of_the_file(read: Read, text: str, note: str) -> None:
    assert note in read(text).notes


@pytest.mark.parametrize(
    ("values", "kind", "note"),
    [
        (["01", "02", "10"], "string", "leading zeros, so it is text; line 2: 01"),
        (["1", "2", "007"], "string", "line 4: 007"),
        (["00.5", "1.5"], "string", "line 2: 00.5"),
        (["0", "10", "0.5"], "number", ""),
        (["-05", "3"], "string", "line 2: -05"),
        (["0x1F", "1"], "string", "line 2: 0x1F"),
        (["99999999999999999999", "1"], "string", "whole numbers beyond 64 bits"),
        (["9223372036854775807", "1"], "integer", ""),
        (["1.5", "99999999999999999999"], "number", ""),
        (["+5", "-3"], "integer", ""),
        (["12A", "13A"], "string", ""),
        (["LH 100", "LH 200"], "string", ""),
        (["39%", "4"], "string", ""),
        (["true", "False"], "boolean", ""),
        (["true", "0"], "boolean", ""),
        (["0", "1"], "integer", ""),
        (["10:30", "11:45"], "string", ""),
    ],
)
def test_what_is_a_number_and_what_is_not(read: Read, values: list[str], kind: str, note: str) -> None:
    found = read(rows(*values))
    assert found.columns["x"] == kind
    assert note in found.notes


def test_a_leading_zero_makes_text_of_features_and_classes(read: Read) -> None:
    assert read(table("zip"), "bought").table["zip"][0] == "01234"
    found = read(table("code-target"), "code")
    assert found.facts["classes"] == ["007", "01", "02", "10"]
    assert read(table("code-target"), "code", types={"code": "integer"}).facts["classes"] == ["1", "2", "7", "10"]


@pytest.mark.parametrize(
    ("kind", "values", "stored"),
    [
        ("string", ["1", "2.50"], ["1", "2.50"]),
        ("number", ["1", "2"], [1.0, 2.0]),
        ("integer", ["01", "2"], [1, 2]),
        ("integer", ['"1,000"', "2"], [1000, 2]),
        ("boolean", ["yes", "N"], [True, False]),
        ("boolean", ["1", "0"], [True, False]),
        ("time", ["2024-03-05", "2024-03-06 12:00"], [at(2024, 3, 5), at(2024, 3, 6, 12)]),
    ],
)
def test_a_type_can_be_given(read: Read, kind: str, values: list[str], stored: list[Any]) -> None:
    found = read(rows(*values), types={"x": kind})
    assert (found.columns["x"], found.table["x"]) == (kind, stored)


@pytest.mark.parametrize(
    ("kind", "value", "sentence"),
    [
        ("integer", "2.5", "have not the type"), ("number", "two", "1 of 2 values are"),
        ("time", "12", r"something else\. Say which"), ("boolean", "maybe", "is to hold true or false"),
        ("integer", "x", "to hold whole numbers.*line 3: x"),
    ],
)  # fmt: skip
def test_a_type_that_the_values_have_not_is_refused(read: Read, kind: str, value: str, sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence):
        read(rows("1", value), types={"x": kind})


# -- times -----------------------------------------------------------------------------------------------------------


def test_dates_are_times_where_all_agree(read: Read) -> None:
    found = read(table("dates"))
    assert found.columns["d"] == "time"
    assert found.reading["spellings"]["d"] == "%d/%m/%Y"
    assert (found.reading["dayfirst"], found.notes) == (True, "")


@pytest.mark.parametrize(
    ("values", "given", "first", "told"),
    [
        (["05/03/2024", "06/04/2024"], {}, at(2024, 5, 3), True),
        (["05/03/2024", "06/04/2024"], {"dayfirst": True}, at(2024, 3, 5), False),
        (["05/13/2024", "06/04/2024"], {"dayfirst": True}, at(2024, 5, 13), False),
        (["05-03-24", "13-04-24"], {}, at(2024, 3, 5), False),
        (["5.3.2024", "6.4.2024"], {}, at(2024, 3, 5), False),
        (["2024/03/05", "2024/03/06"], {}, at(2024, 3, 5), False),
        (["3/5/2024 1:05 PM", "3/13/2024 2:05 AM"], {}, at(2024, 3, 5, 13, 5), False),
        (["05.03.2024 10:20:30", "06.03.2024 01:02:03"], {}, at(2024, 3, 5, 10, 20, 30), False),
        (["5 Mar 2024", "06 April 2024"], {}, at(2024, 3, 5), False),
        (['"Mar 5, 2024"', '"April 6, 2024"'], {}, at(2024, 3, 5), False),
        (["2024-03-05T10:20:30Z", "2024-03-05 10:20:30+02:00"], {}, at(2024, 3, 5, 10, 20, 30), False),
        (["2024-03-05 10:20:30.123456789", "2024-03-05"], {}, at(2024, 3, 5, 10, 20, 30, 123456), False),
    ],
)
def test_times_of_one_spelling(
    read: Read, values: list[str], given: dict[str, Any], first: datetime, told: bool
) -> None:
    found = read(rows(*values), **given)
    assert found.columns["x"] == "time"
    assert found.table["x"][0] == first
    assert ("day and month cannot be told apart" in found.notes) == told


def test_another_column_tells_day_and_month(read: Read) -> None:
    found = read("d,e,cls\n05/03/2024,31/01/2024,a\n06/04/2024,01/02/2024,b\n")
    assert (found.table["d"][0].month, found.notes) == (3, "")


@pytest.mark.parametrize(
    "values", [["31/02/2024", "01/02/2024"], ["2024-02-31", "2024-02-01"], ["1/2/2024", "1.2.2024"]]
)
def test_what_is_no_date_is_text(read: Read, values: list[str]) -> None:
    assert read(rows(*values)).columns["x"] == "string"
