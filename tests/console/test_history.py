"""History: its filter, sort, columns and ticks stand in the URL, and its rows are those of the command line."""

from __future__ import annotations

import csv
import io
import shlex
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import Console, Visit


def ids(page: Page) -> list[str]:
    return page.get_by_role("region", name="Committed experiments").get_by_role("rowheader").all_inner_texts()


@pytest.mark.parametrize("question", ["", "where=model = svm", "sort=-precision", "since=1h", "as_of=@50", "as_of=@0"])
def test_the_rows_are_those_of_the_command_line(visit: Visit, console: Console, question: str) -> None:
    name, _, value = question.partition("=")
    options = [f"--{name.replace('_', '-')}", value] if name else []
    expected = [it["experiment"] for it in console.shell("history", *options).json["experiments"]]
    page = visit(f"/history?{name}={quote(value)}")
    assert ids(page) == expected
    line = page.locator("#cli-line").inner_text()
    assert (
        console.shell.plain(*_words(line), "--json").json["experiments"]
        == console.shell("history", *options).json["experiments"]
    )


def _words(line: str) -> list[str]:

    return shlex.split(line)[1:]


@pytest.mark.parametrize("script", [True, False])
def test_a_filter_is_typed_and_sent_by_keyboard(visit: Visit, *, script: bool) -> None:
    page = visit("/history", java_script_enabled=script)
    page.get_by_label("Filter", exact=True).focus()
    page.keyboard.type("dataset = iris")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row")).to_have_count(2)
    assert "where=dataset" in page.url
    page.reload()
    expect(page.get_by_label("Filter", exact=True)).to_have_value("dataset = iris")
    page.go_back()
    expect(page.get_by_label("Filter", exact=True)).to_have_value("")


def test_a_filter_that_cannot_be_read_stays_as_typed_with_the_place_of_its_fault(visit: Visit) -> None:
    page = visit("/history?where=precision+%3E%3E+1")
    expect(page.get_by_role("alert")).to_contain_text("cannot be read at character 12")
    expect(page.locator("mark")).to_have_text("> 1")
    expect(page.get_by_label("Filter", exact=True)).to_have_value("precision >> 1")


def test_an_empty_page_names_its_filter_and_the_way_out(visit: Visit, console: Console) -> None:
    page = visit("/history?where=precision+%3E+2")
    expect(page.get_by_text("passes this filter")).to_contain_text("precision > 2")
    page.get_by_role("link", name="Show all").click()
    assert len(ids(page)) == len(console.shell("history").json["experiments"])


def test_columns_are_chosen_and_the_file_has_exactly_these(visit: Visit, console: Console) -> None:
    page = visit("/history?column=setting.max_depth&column=accuracy", java_script_enabled=False)
    heads = page.get_by_role("columnheader").all_inner_texts()
    assert heads == ["Tick", "experiment", "setting.max_depth", "accuracy"]
    with console.client() as client:
        answer = client.get(page.get_by_role("link", name="CSV").get_attribute("href") or "")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["experiment"] for row in rows] == ids(page)
    assert {tuple(row) for row in rows} == {("experiment", "setting.max_depth", "accuracy")}


def test_ticks_stay_in_the_url_and_lead_to_the_comparison(visit: Visit) -> None:
    page = visit("/history?sort=-accuracy")
    page.get_by_role("checkbox", name="Tick ").first.check()
    ticked = ids(page)[0]
    page.get_by_role("button", name="Keep the ticks").click()
    assert f"tick={ticked}" in page.url
    assert "sort=-accuracy" in page.url
    expect(page.get_by_role("checkbox", name=f"Tick {ticked}")).to_be_checked()


def test_what_became_of_a_row_since_then_is_said(visit: Visit, console: Console) -> None:
    committed = console.shell("history", "--model", "svm").json
    name, then = committed["experiments"][0]["experiment"], committed["position"]
    console.shell("withdraw", name, "--reason", "a mistake")
    page = visit(f"/history?as_of=@{then}")
    expect(page.get_by_role("row").filter(has_text=name)).to_contain_text("gone since")
    console.shell("restore", name, "--reason", "no mistake")
