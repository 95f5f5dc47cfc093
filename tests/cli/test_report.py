"""`autolearn report`: tables, charts on a terminal, a page that needs nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from autolearn.text_table import Style
from autolearn.views.report import MOST_COLUMNS, report_blocks
from cli.report_charts import draw_charts
from cli.report_page import make_page
from tests.cli.conftest import Run
from tests.cli.examples import ID, evaluation, report, report_of_numbers
from tests.cli.fake_backend import FakeBackend, Reply

SCHEMA = Path(__file__).parents[2] / "docs" / "schemas" / "evaluation-report.v1.json"
HOSTILE = '<script>alert(1)</script><img src="https://example.org/x"/>\x1b[31m'


def page_of(text: str) -> ET.Element:
    """Read a page: it is XML as well, so that nothing in it can be read in two ways."""
    first, rest = text.split("\n", 1)
    assert first == "<!DOCTYPE html>"
    return ET.fromstring(rest)  # noqa: S314 - the page is our own


@pytest.mark.parametrize("example", [report(), report_of_numbers()])
def test_the_examples_are_reports(example: dict[str, object]) -> None:
    jsonschema.validate(
        {key: value for key, value in example.items() if key != "position"}, json.loads(SCHEMA.read_text())
    )


def test_tables_for_the_eye_and_all_of_it_as_json(backend: FakeBackend, run: Run) -> None:
    backend.on("GET", "/experiments/abcd/report", Reply(report()))
    text = run("report", "abcd").out
    assert re.search(r"^dataset +penguins v1$", text, re.MULTILINE)
    assert re.search(r"^Adelie +3 +3 +0.5 +0.6667 +none$", text, re.MULTILINE)
    assert "True class (row), predicted class (column)" in text
    assert "By island (2 values with 3 rows are left out)" in text
    assert re.search(r"^Biscoe +4 +0.5$", text, re.MULTILINE)
    assert "Importance: how far balanced-accuracy falls if a column is shuffled (5 times)" in text
    assert re.search(r"^ +17 +Adelie +Gentoo +0.1 +0.9$", text, re.MULTILINE)
    assert "Residuals" not in text
    assert run("report", "abcd", "--json").json == report()


def test_which_evaluation_and_as_of_when(backend: FakeBackend, run: Run) -> None:
    backend.on("GET", f"/experiments/{ID}/report", Reply(report()))
    assert run("report", ID, "--evaluation", f"{ID}-e2", "--as-of", "@7").code == 0
    assert backend.seen[0].query == {"evaluation": f"{ID}-e2", "as_of": "@7"}


def test_of_numbers_there_are_residuals(backend: FakeBackend, run: Run) -> None:
    backend.on("GET", "/experiments/abcd/report", Reply(report_of_numbers()))
    text = run("report", "abcd").out
    assert re.search(r"^median +0.25$", text, re.MULTILINE)
    assert "By class" not in text


def test_of_many_classes_the_pairs_that_were_mistaken_most_often() -> None:
    names = [f"c{number}" for number in range(MOST_COLUMNS + 1)]
    classes = [{"class": name, "rows": 1} for name in names]
    counts = [[int(row == column) * 9 for column in range(len(names))] for row in range(len(names))]
    counts[3][5] = 7
    cells = {"counts": None, "cells": [[3, 3, 9], [3, 5, 7]], "rows_left_out": 12}
    for confusion in ({"counts": counts, "cells": None, "rows_left_out": 0}, cells):
        blocks = report_blocks(report(classes=classes, confusion=confusion))
        place = blocks.index("Mistaken most often")
        assert blocks[place + 1] == [{"true": "c3", "predicted": "c5", "rows": 7}]


def test_the_page_holds_all_and_loads_nothing(backend: FakeBackend, run: Run, tmp_path: Path) -> None:
    backend.on("GET", "/experiments/abcd/report", Reply(report()))
    file = tmp_path / "report.html"
    ran = run("report", "abcd", "--html", str(file), "--json")
    assert ran.json == {"experiment": ID, "evaluation": f"{ID}-e1", "file": str(file), "bytes": file.stat().st_size}
    page = page_of(file.read_text())
    assert len(page.findall(".//{http://www.w3.org/2000/svg}svg")) == 5  # the importance of columns is drawn, too
    assert [it.text for it in page.iter("td") if it.text == "Biscoe"] == ["Biscoe"]
    assert not [
        it for it in page.iter() if {"src", "href", "onload"} & set(it.attrib) or it.tag in {"script", "link", "img"}
    ]
    ran = run("report", "abcd", "--html", str(file))
    assert (ran.code, "exists already" in ran.err) == (2, True)
    assert run("report", "abcd", "--html", str(file), "--force").code == 0


@pytest.mark.parametrize("example", [report, report_of_numbers])
def test_text_of_a_table_is_text_on_the_page(example: object) -> None:
    text = json.dumps(example(warnings=["w"]))  # type: ignore[operator] # one of two functions
    for word in ("Adelie", "Gentoo", "Biscoe", "island", "bill", "species", "svm", "w"):
        text = text.replace(json.dumps(word), json.dumps(HOSTILE))
    made = make_page(json.loads(text))
    assert {it.tag for it in page_of(made).iter()} & {"script", "img"} == set()
    assert "\x1b" not in made


def test_a_report_with_nothing_but_measures_can_be_shown() -> None:
    empty = dict.fromkeys(("classes", "confusion", "residuals", "points", "curves", "slices", "importance"))
    bare = report(**empty, wrong=[])
    assert page_of(make_page(bare)) is not None
    assert len(report_blocks(bare)) == 2
    assert list(draw_charts(bare, Style(80))) == []


def test_charts_fit_the_terminal_and_use_its_own_colours() -> None:
    for example, number in ((report(), 3), (report_of_numbers(), 1)):
        plain, coloured = ([*draw_charts(example, Style(60, colours))] for colours in (False, True))
        assert len(plain) == len(coloured) == number
        assert max(len(line) for chart in plain for line in chart.splitlines()) <= 60
        assert "\x1b" not in "".join(plain)
        assert set(re.findall(r"\x1b\[([^m]*)m", "".join(coloured))) <= {"0", "32"}


def test_evaluate_shows_slices_and_importance_below_its_measures(backend: FakeBackend, run: Run) -> None:
    backend.on("POST", "/evaluations", Reply(evaluation(), 201))
    backend.on("GET", f"/experiments/{ID}/report", Reply(report()))
    assert "By island" not in run("evaluate").out
    text = run("evaluate", "--by", "island", "--importance", "--positive", "Gentoo").out
    assert text.index("precision:macro") < text.index("By island") < text.index("Importance")
    posted, asked = backend.seen[-2:]
    assert {key: posted.body[key] for key in ("by", "importance", "positive")} == {
        "by": "island", "importance": True, "positive": "Gentoo",
    }  # fmt: skip
    assert asked.query["evaluation"] == f"{ID}-e1"
