"""The page about filters cannot rot: the language itself reads every example, name and sort key on it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pytest

from cli.main import cli
from domain.errors import FilterError
from projections.filters.columns import COLUMNS
from projections.filters.conditions import Compare, Not
from projections.filters.filter import parse, parse_sort
from projections.filters.vocabulary import Vocabulary
from projections.ports import NEWEST_FIRST
from tests.house.pages import rows, section, text

PAGE = Path("docs/filters.md")
AVERAGED = {"default": "macro", "averages": ["macro", "micro", "weighted", "binary"]}
PLAIN: dict[str, Any] = {"default": None, "averages": []}
SETTINGS = (
    "C", "n_estimators", "max_depth", "class_weight", "kernel", "tol", "criterion", "max_features",
)  # fmt: skip
NAMES = Vocabulary(
    {"precision": AVERAGED, "recall": AVERAGED, "accuracy": PLAIN, "confusion-matrix": PLAIN},
    frozenset(SETTINGS),
    frozenset({"wine"}),
)


def spans(heading: str, column: int = 0) -> list[str]:
    """Return what stands as code in a column of the table under a heading."""
    return [span for row in rows(section(text(PAGE), heading))[2:] for span in re.findall(r"`([^`]+)`", row[column])]


def filters_in_help() -> list[str]:
    history = cli.get_command(click.Context(cli), "history")
    return re.findall(r"--where '([^']+)'", (history.epilog or "") if history else "")


@pytest.mark.parametrize("example", [*spans("Examples"), *filters_in_help()])
def test_an_example_is_a_filter(example: str) -> None:
    parse(example, NAMES)


@pytest.mark.parametrize("name", spans("Names"))
def test_a_name_is_known(name: str) -> None:
    assert NAMES.resolve(name, 0)


def test_every_column_is_on_the_page() -> None:
    keys = set(re.findall(r"`([^`]+)`", section(text(PAGE), "Sort keys")))
    assert {*COLUMNS} - {*spans("Names")} == set()
    assert {name for name, column in COLUMNS.items() if column.has_order} - keys == set()


@pytest.mark.parametrize("key", ["-precision", "C", "-rows", "committed_at", "position", "-measure.recall:micro"])
def test_a_sort_key_is_one(key: str) -> None:
    assert parse_sort(key, NAMES)
    assert parse_sort(None, NAMES) == NEWEST_FIRST


def test_what_the_page_says_of_not() -> None:
    unequal = parse("C != 1", NAMES)
    assert unequal == Compare("setting.C", "!=", 1)
    assert parse("not C = 1", NAMES) == Not(Compare("setting.C", "=", 1))
    assert "`not C = 1` also finds those whose model has no `C` at all" in text(PAGE)


def test_the_checks_can_fail() -> None:
    assert len(spans("Examples")) > 10
    assert "committed_at" in spans("Names")
    assert len(filters_in_help()) == 2
    with pytest.raises(FilterError):
        parse("C >", NAMES)
