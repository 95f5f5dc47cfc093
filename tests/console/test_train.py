"""Train: the form asks for what it shows; a wrong value is refused in place; a search has its page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import Console, Visit


def experiment_of(page: Page) -> str:
    page.wait_for_url(re.compile(r"/experiments/\w+"))
    return page.url.rpartition("/")[2]


@pytest.mark.parametrize("script", [True, False])
def test_a_model_is_trained_and_evaluated_as_the_form_says(visit: Visit, console: Console, *, script: bool) -> None:
    page = visit("/train", java_script_enabled=script)
    page.get_by_label("Data set").select_option("wine")
    if not script:
        page.get_by_role("button", name="Choose").click()
    page.wait_for_url("**dataset=wine**")
    page.get_by_label("Model").select_option("decision-tree")
    if not script:
        page.get_by_role("button", name="Choose").click()
    page.wait_for_url("**model=decision-tree**")
    page.get_by_role("checkbox", name="alcohol").uncheck()
    page.get_by_label("max_depth").fill("3")
    page.get_by_label("Held-out part").fill("0.3")
    page.get_by_role("button", name="Train", exact=True).click()
    shown = console.shell("show", experiment_of(page)).json
    assert (shown["state"], shown["settings"]["max_depth"], shown["test_size"]) == ("completed", 3, 0.3)
    assert "alcohol" not in shown["columns"]
    assert len(shown["columns"]) == 12
    assert "accuracy" in shown["measures"]


@pytest.mark.parametrize("script", [True, False])
def test_a_wrong_value_is_refused_in_place_with_everything_as_typed(
    visit: Visit, console: Console, *, script: bool
) -> None:
    before = console.shell("positions").json["position"]
    page = visit("/train?dataset=wine&model=svm", java_script_enabled=script)
    page.get_by_label("C", exact=True).fill("-1")
    page.get_by_label("kernel").select_option("linear")
    page.get_by_role("checkbox", name="ash number", exact=True).uncheck()
    page.get_by_label("and evaluate").uncheck()
    page.get_by_label("Seed").fill("7")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("C")
    expect(page.get_by_label("C", exact=True)).to_have_value("-1")
    expect(page.get_by_label("kernel")).to_have_value("linear")
    expect(page.get_by_role("checkbox", name="ash number", exact=True)).not_to_be_checked()
    expect(page.get_by_label("and evaluate")).not_to_be_checked()
    expect(page.get_by_label("Seed")).to_have_value("7")
    expect(page.locator("#cli-line")).to_have_text(
        "autolearn train wine svm -p C=-1 -p kernel=linear --target cultivar --seed 7 --drop ash"
    )
    assert console.shell("positions").json["position"] == before


@pytest.mark.parametrize(
    ("field", "typed", "sentence"), [("Seed", "soon", "Seed: 'soon' is not a number"), ("How", "group", "group:")]
)
def test_what_the_split_cannot_be_is_said(visit: Visit, field: str, typed: str, sentence: str) -> None:
    page = visit("/train?dataset=iris&model=svm")
    page.get_by_label(field).fill(typed)
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text(sentence)
    expect(page.get_by_label(field)).to_have_value(typed)


def test_without_columns_there_is_nothing_to_learn_from(visit: Visit) -> None:
    page = visit("/train?dataset=iris&model=svm")
    for box in page.get_by_role("group", name="Columns to learn from").get_by_role("checkbox").all():
        box.uncheck()
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("at least one")
    expect(page.get_by_role("group", name="Columns to learn from").locator(":checked")).to_have_count(1)  # the target


def test_a_training_like_another_is_prefilled_and_comes_out_alike(visit: Visit, console: Console) -> None:
    how = ("-p", "C=0.5", "--drop", "petal width (cm)", "--seed", "11", "--test-size", "0.4")
    first = console.shell("train", "iris", "svm", *how).json["experiment"]
    columns = console.shell("show", first).json["columns"]
    page = visit(f"/train?like={first}")
    expect(page.get_by_label("Data set")).to_have_value("iris@1")
    expect(page.get_by_label("Model")).to_have_value("svm")
    expect(page.get_by_label("C", exact=True)).to_have_value("0.5")
    expect(page.get_by_label("Predict")).to_have_value("species")
    expect(page.get_by_label("Held-out part")).to_have_value("0.4")
    page.get_by_label("and evaluate").uncheck()
    page.get_by_role("button", name="Train", exact=True).click()
    second = experiment_of(page)
    console.shell("wait", second)
    one, other = (console.shell("show", it).json for it in (first, second))
    for name in ("dataset", "model", "settings", "columns", "target", "split", "seed"):
        assert one[name] == other[name], name
    assert one["columns"] == columns


def test_a_column_of_the_address_is_left_out(visit: Visit) -> None:
    page = visit("/train?dataset=iris&model=svm&drop=petal+width+(cm)&drop=petal+length+(cm)")
    boxes = page.get_by_role("group", name="Columns to learn from").locator("input:checked")
    assert [it.input_value() for it in boxes.all()] == ["sepal length (cm)", "sepal width (cm)"]


def test_a_search_of_several_values_shows_its_trials(visit: Visit, console: Console) -> None:
    page = visit("/train?dataset=iris&model=decision-tree")
    page.get_by_label("max_depth").fill("[1, 2]")
    page.get_by_label("min_samples_leaf").fill("1,5")
    page.get_by_label("Folds").fill("2")
    page.get_by_role("button", name="Search", exact=True).click()
    page.wait_for_url(re.compile(r"/searches/\w+"))
    search = page.url.rpartition("/")[2]
    expect(page.get_by_text("4 completed, 0 failed, of 4")).to_be_visible(timeout=60_000)  # the page follows by itself
    expect(page.get_by_role("heading", name="Trials by rank")).to_be_visible()
    console.shell("wait", search)
    page.reload()
    told = console.shell("search", "show", search).json
    rows = page.get_by_role("region", name="Trials by rank").get_by_role("rowheader").all_inner_texts()
    assert rows == [str(it["trial"]) for it in told["trials"]]
    page.get_by_role("link", name="Searches").click()
    expect(page.get_by_role("row").filter(has_text=search)).to_contain_text("4 of 4")


def test_a_search_of_one_value_is_refused_on_the_form(visit: Visit) -> None:
    page = visit("/train?dataset=iris&model=decision-tree")
    page.get_by_label("max_depth").fill("log:5..1")
    page.get_by_label("Strategy").select_option("random")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("max_depth")
    expect(page.get_by_label("max_depth")).to_have_value("log:5..1")
    expect(page.get_by_label("Strategy")).to_have_value("random")


def test_a_running_search_is_cancelled(visit: Visit, console: Console) -> None:
    page = visit("/train?dataset=digits&model=random-forest", java_script_enabled=False)
    page.get_by_label("n_estimators").fill("int:300..900")
    page.get_by_label("Strategy").select_option("random")
    page.get_by_label("Trials").fill("40")
    page.get_by_role("button", name="Search", exact=True).click()
    page.get_by_role("button", name="Cancel the search").click()
    search = page.url.rpartition("/")[2]
    console.shell("wait", search, code=None)
    page.reload()
    expect(page.locator("main .state").first).to_have_text("cancelled")
    expect(page.get_by_role("button", name="Cancel the search")).to_have_count(0)


def test_links_of_a_refused_search_lead_back_to_the_form(visit: Visit) -> None:
    page = visit("/train?dataset=iris&model=svm", java_script_enabled=False)
    page.get_by_label("Folds").fill("1")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Time or @position").fill("@5")
    page.get_by_role("button", name="Show").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Train")
