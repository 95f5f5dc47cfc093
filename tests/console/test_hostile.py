"""Names that anybody may have given: markup, control characters, right-to-left marks, thousands of characters."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pandas as pd
import pytest
from playwright.sync_api import expect

from tests.console.conftest import Console, Visit, console_for
from tests.end_to_end.place import Place

MARKUP = "<img src=x onerror=window.hacked=1><script>window.hacked=1</script>\"'`{{7*7}}"
FORMULA = "=cmd|' /C calc'!A0"
COLUMNS = [MARKUP, "\u202eright to left\u202c", "w" * 190, FORMULA, "two  spaces", "plain"]
CLASSES = ["<script>window.hacked=1</script>", "\u202eyes \x1b[31m\x07", "n" * 95]
PATHS = [
    "/",
    "/datasets",
    "/datasets/hostile",
    "/train?dataset=hostile&model=decision-tree",
    "/train?like=EXPERIMENT",
    "/searches/SEARCH",
    "/session",
    "/history",
    "/history?column=target&column=accuracy&x=target&y=accuracy",
    "/history?where=%3Cscript%3Ewindow.hacked=1%3C/script%3E&model=%22%3E%3Cimg+src%3Dx+onerror%3Dwindow.hacked=1%3E",
    "/compare?tick=EXPERIMENT&tick=BEST",
    "/compare?tick=%3Cscript%3Ewindow.hacked=1%3C/script%3E",
    "/?as_of=%3Cscript%3Ewindow.hacked=1%3C/script%3E",
    "/experiments/EXPERIMENT",
    "/predictions?experiment=EXPERIMENT",
    "/timeline/experiment:EXPERIMENT?view=full",
    "/timeline/dataset:hostile?view=full",
    "/log",
]
PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A backend with a data set, remarks and reasons that are hostile."""
    place = Place(tmp_path_factory.mktemp("hostile") / "data")
    table = tmp_path_factory.mktemp("table") / "hostile.parquet"
    write_table(table)
    try:
        shell = place.start()
        shell("dataset", "add", str(table), "--name", "hostile", "--target", "target")
        shell("train", "hostile", "decision-tree", "--evaluate", "--commit", "--message", MARKUP)
        name = shell("history").json["experiments"][0]["experiment"]
        shell("evaluate", name, "--importance", "--by", COLUMNS[0])
        shell("annotate", name, MARKUP, "--reason", COLUMNS[1])
        shell("search", "hostile", "decision-tree", "-p", "max_depth=1,2", "--cv", "2")
        with console_for(place, shell) as running:
            yield running
    finally:
        place.stop()


def write_table(path: Path) -> None:
    rows = {name: [(number * (at + 3)) % 7 for number in range(60)] for at, name in enumerate(COLUMNS)}
    classes = [CLASSES[number % len(CLASSES)] for number in range(60)]
    pd.DataFrame({**rows, "target": classes}).to_parquet(path)


@pytest.fixture(scope="module")
def names(console: Console) -> dict[str, str]:
    """What stands in paths for the committed experiment, the search, and the experiment of its best trial."""
    search = console.shell("search", "list").json["searches"][0]["search"]
    best = console.shell("search", "show", search).json["experiments"][0]
    experiment = console.shell("history").json["experiments"][0]["experiment"]
    return {"EXPERIMENT": experiment, "SEARCH": search, "BEST": best}


@pytest.mark.parametrize("path", PATHS)
def test_hostile_names_run_nothing_and_fit_a_phone(visit: Visit, names: dict[str, str], path: str) -> None:
    for word, name in names.items():
        path = path.replace(word, name)
    page = visit(path, viewport=PHONE)
    assert page.evaluate("window.hacked") is None
    assert page.evaluate("document.querySelectorAll('main script, main img').length") == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert not set("\x1b\x07\u202e") & set(page.locator("html").inner_text() + page.title())


def test_a_training_without_some_of_the_columns_sends_the_exact_names_of_the_others(
    visit: Visit, console: Console
) -> None:
    page = visit("/train?dataset=hostile&model=decision-tree")
    page.get_by_role("checkbox", name="plain").uncheck()
    page.get_by_label("and evaluate").uncheck()
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_url(re.compile(r"/experiments/\w+"))
    shown = console.shell("show", page.url.rpartition("/")[2]).json
    known = {it["name"] for it in console.shell("dataset", "show", "hostile").json["profile"]["columns"]}
    assert set(shown["columns"]) == known - {"plain", "target"}


def test_a_column_name_of_thousands_of_characters_is_refused_in_a_sentence(visit: Visit) -> None:
    page = visit("/datasets", viewport=PHONE)
    table = f"{'n' * 5_000},label\n" + "1,a\n2,b\n" * 20
    page.get_by_label("File").set_input_files({"name": "long.csv", "mimeType": "text/csv", "buffer": table.encode()})
    page.get_by_label("Name", exact=True).fill("long")
    page.get_by_label("Column to predict").fill("label")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("longer than 200 characters")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_spreadsheet_takes_no_cell_for_a_formula(console: Console) -> None:
    with console.client() as client:
        text = client.get(f"/history.csv?column=target&column={quote(FORMULA)}").text
    assert f"'{FORMULA}" in text
    assert not [cell for row in csv.reader(io.StringIO(text)) for cell in row if cell.startswith("=")]
