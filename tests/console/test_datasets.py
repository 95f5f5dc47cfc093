"""Data sets: a table comes in by a form, what the backend says of it shows, and it can go again."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import Console, Visit

HEAD = "size,kind,constant,label\n"
TABLE = HEAD + "".join(f"{row % 7 + row / 10},{'abc'[row % 3]},7,{'xy'[row % 2]}\n" for row in range(40))


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(TABLE)
    return path


def fill(page: Page, file: Path, name: str, target: str = "label") -> None:
    page.get_by_label("File").set_input_files(file)
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Column to predict").fill(target)


def columns(console: Console, name: str) -> dict[str, str]:
    return {it["name"]: it["type"] for it in console.shell("dataset", "show", name).json["profile"]["columns"]}


def add(page: Page) -> None:
    page.get_by_role("button", name="Add", exact=True).click()


@pytest.mark.parametrize("script", [True, False])
def test_a_table_is_added_and_its_page_tells_what_the_command_line_tells(
    visit: Visit, console: Console, table: Path, *, script: bool
) -> None:
    name = f"added-{script}".lower()
    page = visit("/datasets", java_script_enabled=script)
    fill(page, table, name)
    add(page)
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{name}@1")
    assert page.url.endswith(f"/datasets/{name}?version=1")
    told = console.shell("dataset", "show", name, "--rows", "10").json
    rows = page.get_by_role("region", name="Columns").get_by_role("row")
    assert rows.count() == 1 + len(told["profile"]["columns"])
    for column, row in zip(told["profile"]["columns"], rows.all()[1:], strict=True):
        cells = row.get_by_role("cell").all_inner_texts()
        assert row.get_by_role("rowheader").inner_text().split()[0] == column["name"]
        assert cells[:3] == [column["type"], str(column["missing"]), str(column["distinct"])]
    assert page.get_by_role("region", name="First rows").get_by_role("row").count() == 1 + len(told["first_rows"])
    kinds = page.locator("ul.suspects strong").all_inner_texts()
    assert kinds == [it["kind"] for it in told["profile"]["suspects"]]


@pytest.mark.parametrize("script", [True, False])
def test_a_refused_table_leaves_the_form_as_it_was_typed(
    visit: Visit, console: Console, table: Path, *, script: bool
) -> None:
    page = visit("/datasets", java_script_enabled=script)
    fill(page, table, "refused", target="no-such-column")
    page.get_by_text("How the file is to be read").click()
    page.get_by_label("Columns to leave out").fill("size")
    page.get_by_label("05/03/2024").check()
    add(page)
    expect(page.get_by_role("alert")).to_contain_text("no-such-column")
    expect(page.get_by_label("Name", exact=True)).to_have_value("refused")
    expect(page.get_by_label("Column to predict")).to_have_value("no-such-column")
    expect(page.get_by_label("Columns to leave out")).to_have_value("size")
    expect(page.get_by_label("05/03/2024")).to_be_checked()
    assert "refused" not in {it["name"] for it in console.shell("catalog", "datasets").json["datasets"]}
    if script:  # a page cannot fill in a file, so only a script can keep it
        expect(page.get_by_label("Sent")).to_be_hidden()
        page.get_by_label("Column to predict").fill("label")
        page.get_by_label("Name", exact=True).fill("mended")
        add(page)
        expect(page.get_by_role("heading", level=1)).to_have_text("mended@1")
        assert "size" not in columns(console, "mended")


def test_what_is_no_table_is_refused_with_what_would_be_one(visit: Visit, tmp_path: Path) -> None:
    page = visit("/datasets")
    path = tmp_path / "notes.pdf"
    path.write_bytes(b"%PDF-1.7")
    fill(page, path, "notes")
    add(page)
    expect(page.get_by_role("alert")).to_contain_text(".csv, .tsv, .xlsx")
    page.get_by_text("How the file is to be read").click()
    page.get_by_label("Types").fill("size")
    page.get_by_label("File").set_input_files({"name": "a.csv", "mimeType": "text/csv", "buffer": TABLE.encode()})
    add(page)
    expect(page.get_by_role("alert")).to_contain_text("write COLUMN=TYPE")


def test_decisions_are_obeyed_and_a_later_file_like_it_becomes_the_next_version(
    visit: Visit, console: Console, tmp_path: Path, table: Path
) -> None:
    page = visit("/datasets")
    fill(page, table, "decided")
    page.get_by_text("How the file is to be read").click()
    page.get_by_label("Columns to leave out").fill("constant")
    page.get_by_label("Types").fill("size=string, kind=string")
    page.get_by_label("Licence").fill("CC0")
    add(page)
    expect(page.get_by_text("Licence: CC0.")).to_be_visible()
    assert columns(console, "decided") == {"size": "string", "kind": "string", "label": "string"}

    page.get_by_role("link", name="Add a later file like it").click()
    later = tmp_path / "later.csv"
    later.write_text(TABLE + "1.5,a,7,x\n")
    fill(page, later, "decided", target="")
    expect(page.get_by_label("As an earlier one")).to_have_value("decided@1")
    add(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("decided@2")
    assert set(columns(console, "decided@2")) == {"size", "kind", "label"}
    page.get_by_role("link", name="1", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("decided@1")
    expect(page.get_by_text("40 rows;")).to_be_visible()


def test_a_suspect_leads_to_a_form_without_its_column(visit: Visit) -> None:
    page = visit("/datasets/digits")
    page.get_by_role("link", name="Train without pixel_4_0").click()
    assert page.url.endswith("/train?dataset=digits%401&drop=pixel_4_0")
    page.get_by_label("Model").select_option("svm")
    expect(page.get_by_role("checkbox", name="pixel_4_0")).not_to_be_checked()
    expect(page.get_by_role("checkbox", name="pixel_0_0")).to_be_checked()
    expect(page.locator("#cli-line")).to_have_text("autolearn train digits@1 svm --drop pixel_4_0")


def test_a_retired_data_set_is_gone_now_but_not_in_the_past(visit: Visit, console: Console, table: Path) -> None:
    console.shell("dataset", "add", str(table), "--name", "short-lived", "--target", "label")
    then = console.shell("positions").json["position"]
    page = visit("/datasets/short-lived")
    page.get_by_text("Retire this data set").click()
    page.get_by_role("button", name="Retire short-lived").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Data sets")
    expect(page.get_by_role("rowheader", name="short-lived")).to_have_count(0)
    page.goto(f"/datasets?as_of=@{then}")
    expect(page.get_by_role("row").filter(has_text="short-lived")).to_contain_text("gone since")
    expect(page.get_by_role("form", name="Add a table")).to_have_count(0)
