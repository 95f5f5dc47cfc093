"""Predictions in the console: of one row, of a file, listed, filtered, checked."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import Console, Visit

ROW = {"sepal length (cm)": "5", "sepal width (cm)": "3", "petal length (cm)": "1.4", "petal width (cm)": "0.2"}


@pytest.fixture(scope="module")
def experiment(console: Console) -> str:
    return str(console.shell("history", "--where", "dataset = 'iris'").json["experiments"][0]["experiment"])


def fill(page: Page, row: dict[str, str]) -> None:
    for name, value in row.items():
        page.get_by_label(name).fill(value)


@pytest.mark.parametrize("script", [True, False])
def test_one_row_is_predicted_in_place_and_can_be_checked(
    visit: Visit, console: Console, experiment: str, *, script: bool
) -> None:
    page = visit(f"/predictions?experiment={experiment}", java_script_enabled=script)
    fields = page.get_by_label("sepal length (cm)")
    if not fields.is_visible():  # it is open as long as nothing was predicted
        page.get_by_text("Predict one row").click()
    fill(page, ROW | {"petal width (cm)": "narrow"})
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("petal width (cm)")
    expect(page.get_by_label("petal width (cm)")).to_have_value("narrow")
    fill(page, ROW | {"petal width (cm)": "0.2"})
    page.get_by_role("button", name="Predict", exact=True).click()
    answer = page.locator("main").get_by_role("status")
    expect(answer).to_contain_text("Predicted: setosa")
    expect(page.get_by_label("sepal length (cm)")).to_have_value("5")
    made = console.shell("predictions", experiment).json["predictions"][0]["prediction"]
    answer.get_by_role("link", name=made).click()
    fill(page, ROW)
    page.get_by_role("button", name="Check this row").click()
    expect(page.locator("main").get_by_role("status")).to_contain_text("the same now")
    fill(page, ROW | {"sepal length (cm)": "6"})
    page.get_by_role("button", name="Check this row").click()
    expect(page.locator("main").get_by_role("status")).to_contain_text("made for other rows")


def test_a_file_is_answered_by_a_file_and_one_that_is_no_table_in_place(
    visit: Visit, console: Console, experiment: str, tmp_path: Path
) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text(f"{','.join(ROW)}\n5,3,1.4,0.2\n6.7,3.1,5.6,2.4\n")
    page = visit(f"/predictions?experiment={experiment}")
    page.get_by_text("Predict a file").click()
    page.get_by_role("button", name="Predict and download").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose a file")
    page.get_by_label("File with rows").set_input_files(rows)
    with page.expect_download() as begun:
        page.get_by_role("button", name="Predict and download").click()
    begun.value.save_as(tmp_path / "got.csv")
    console.shell("predict", experiment, str(rows), "--out", str(tmp_path / "told.csv"))
    assert (tmp_path / "got.csv").read_text() == (tmp_path / "told.csv").read_text()
    made = console.shell("predictions", experiment).json["predictions"]
    assert made[0]["input"] == made[1]["input"]
    page.get_by_label("File with rows").set_input_files({"name": "rows.exe", "mimeType": "x/y", "buffer": b"MZ"})
    page.get_by_role("button", name="Predict and download").click()
    expect(page.get_by_role("alert")).to_contain_text(".csv")


def test_the_list_is_that_of_the_command_line_now_and_then(visit: Visit, console: Console, experiment: str) -> None:
    before = console.shell("positions").json["position"]
    console.shell("predict", experiment, "--row", '{"sepal length (cm)": 50, "sepal width (cm)": 3, '
                  '"petal length (cm)": 1.4, "petal width (cm)": null}')  # fmt: skip
    page = visit("/predictions")
    page.get_by_label("Filter").fill("beyond > 0")
    page.get_by_label("Filter").press("Enter")
    told = [it["prediction"] for it in console.shell("predictions", "--where", "beyond > 0").json["predictions"]]
    expect(page.get_by_role("region", name="Predictions").get_by_role("rowheader")).to_have_text(told)
    page.goto(f"/predictions?as_of=@{before}&where=beyond+>+0")
    expect(page.get_by_text("No predictions")).to_be_visible()
    page.goto(f"/predictions?experiment={experiment}&where=rows+>>+1")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Filter")).to_have_value("rows >> 1")
