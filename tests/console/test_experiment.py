"""The page of an experiment and what can be done there: by mouse, by keyboard, without JavaScript, as of the past."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import Console, Visit, made_console


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A console of these tests alone: they commit and withdraw."""
    with made_console(tmp_path_factory) as running:
        yield running


@pytest.fixture(scope="module")
def experiment(console: Console) -> str:
    """A committed experiment whose first evaluation has importance and slices."""
    shell = console.shell
    shell("train", "wine", "random-forest", "-p", "n_estimators=20", "--seed", "1")
    name = str(shell("session").json["experiments"][-1]["experiment"])
    shell("evaluate", name, "--importance")
    shell("commit", "--message", "for the page of an experiment")
    return name


def test_it_shows_the_verdict_the_measures_and_the_report(visit: Visit, console: Console, experiment: str) -> None:
    page, shown = visit(f"/experiments/{experiment}"), console.shell("show", experiment).json
    expect(page.locator(".verdict")).to_contain_text("completed, committed by local")
    value = shown["measures"]["accuracy"]
    row = page.get_by_role("region", name="Measures").get_by_role("row").filter(has_text="accuracy")
    expect(row).to_contain_text(f"{value:.4f}")
    for title in ("ROC", "Precision and recall", "Calibration", "Importance of columns"):
        expect(page.get_by_role("img", name=title, exact=True)).to_be_visible()
    changed = page.get_by_role("region", name="Settings that are not the default")
    expect(changed.get_by_role("row").filter(has_text="n_estimators")).to_contain_text("20")
    expect(page.get_by_role("link", name="Time line")).to_have_attribute("href", f"/timeline/experiment:{experiment}")
    expect(page.get_by_role("link", name="Train again, but")).to_have_attribute("href", f"/train?like={experiment}")
    verify = page.get_by_text("autolearn verify --anchor").first.inner_text()
    assert console.shell(*verify.split()[1:4]).json["ok"]


def test_a_cell_of_the_confusion_matrix_lists_its_rows(visit: Visit, console: Console) -> None:
    shell = console.shell
    shell("train", "wine", "naive-bayes", "--only", "ash,magnesium", "--seed", "1", "--evaluate")
    name = shell("session").json["experiments"][-1]["experiment"]
    report = shell("report", name).json
    first = report["wrong"][0]
    same = [it["row"] for it in report["wrong"] if (it["true"], it["predicted"]) == (first["true"], first["predicted"])]
    page = visit(f"/experiments/{name}", java_script_enabled=False)
    page.get_by_role("link", name=f"rows of {first['true']} predicted as {first['predicted']}").click()
    wrong = page.get_by_role("region", name="Rows that went most wrong")
    expect(wrong.get_by_role("rowheader")).to_have_text([str(row) for row in same])
    page.go_back()
    expect(page.get_by_role("region", name="Rows that went most wrong").get_by_role("rowheader")).to_have_count(
        len(report["wrong"])
    )


@pytest.mark.parametrize("script", [True, False])
def test_evaluate_again_and_what_is_refused_stays_as_typed(
    visit: Visit, console: Console, experiment: str, *, script: bool
) -> None:
    before = len(console.shell("show", experiment).json["evaluations"])
    page = visit(f"/experiments/{experiment}", java_script_enabled=script)
    page.get_by_text("Evaluate", exact=True).first.click()
    page.get_by_label("Cross-validate on folds").fill("1")
    page.get_by_role("checkbox", name="balanced-accuracy").check()
    page.get_by_role("button", name="Evaluate").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Cross-validate on folds")).to_have_value("1")
    expect(page.get_by_role("checkbox", name="balanced-accuracy")).to_be_checked()
    assert len(console.shell("show", experiment).json["evaluations"]) == before
    page.get_by_label("Cross-validate on folds").fill("3")
    page.get_by_role("button", name="Evaluate").click()
    page.wait_for_url(f"**/experiments/{experiment}")
    made = console.shell("show", experiment).json["evaluations"]
    assert len(made) == before + 1
    console.shell("wait", made[-1]["evaluation"])
    page.reload()
    assert len(console.shell("show", experiment).json["evaluations"]) == before + 1
    expect(page.get_by_text("cross-validated").first).to_be_visible()


def test_a_reproduction_shows_its_verdict_without_a_reload(visit: Visit, experiment: str) -> None:
    page = visit(f"/experiments/{experiment}")
    page.get_by_text("Train again from its record").click()
    page.get_by_role("button", name="Reproduce").click()
    expect(page.locator(".verdict")).to_contain_text("bit-identical", timeout=60_000)


def test_a_remark_by_keyboard_alone(visit: Visit, console: Console, experiment: str) -> None:
    page = visit(f"/experiments/{experiment}")
    summary = page.locator("summary").filter(has_text="Add a remark")
    summary.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("<b>seen</b> by the keyboard")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("<b>seen</b> by the keyboard")).to_be_visible()
    assert console.shell("show", experiment).json["annotations"][-1]["text"] == "<b>seen</b> by the keyboard"


def test_withdrawn_and_put_back_and_what_was_known_before(visit: Visit, console: Console, experiment: str) -> None:
    before = console.shell("positions").json["position"]
    page = visit(f"/experiments/{experiment}", java_script_enabled=False)
    submit(page, "Withdraw it", "Withdraw", "")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Reason").fill("wrong data")
    page.get_by_role("button", name="Withdraw").click()
    expect(page.locator(".verdict")).to_contain_text("withdrawn")
    page.goto(f"/experiments/{experiment}?as_of=@{before}")
    expect(page.locator(".verdict")).not_to_contain_text("withdrawn")
    expect(page.get_by_text("It was withdrawn since.")).to_be_visible()
    expect(page.get_by_role("button", name="Withdraw")).to_have_count(0)
    page.goto(f"/experiments/{experiment}")
    submit(page, "Put it back", "Restore", "was right")
    expect(page.locator(".verdict")).not_to_contain_text("withdrawn")


def submit(page: Page, summary: str, button: str, reason: str) -> None:
    page.locator("summary").filter(has_text=summary).click()
    page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name=button).click()


def test_as_of_the_past_it_shows_what_the_command_line_says(visit: Visit, console: Console, experiment: str) -> None:
    events = {it["name"]: it["position"] for it in console.shell("show", experiment).json["events"]}
    trained, evaluated = events["training-completed"], events["evaluation-requested"]
    page = visit(f"/experiments/{experiment}?as_of=@{trained}")
    assert console.shell("show", experiment, "--as-of", f"@{trained}").json["measures"] == {}
    expect(page.get_by_text("Not evaluated yet.")).to_be_visible()
    expect(page.get_by_text("not committed")).to_be_visible()
    page.goto(f"/experiments/{experiment}?as_of=@{evaluated}")
    expect(page.locator("main")).not_to_have_attribute("hx-trigger", "every 1s")
    page.goto(f"/experiments/{experiment}?as_of=@1")
    expect(page.get_by_role("alert")).to_contain_text(experiment)


def test_the_model_and_the_report_are_downloaded_as_they_are_recorded(
    visit: Visit, console: Console, experiment: str, tmp_path: Path
) -> None:
    page = visit(f"/experiments/{experiment}")
    with page.expect_download() as begun:
        page.get_by_role("link", name="Download the model").click()
    begun.value.save_as(tmp_path / "got.skops")
    console.shell("export", experiment, str(tmp_path / "exported.skops"))
    assert (tmp_path / "got.skops").read_bytes() == (tmp_path / "exported.skops").read_bytes()
    with page.expect_download() as begun:
        page.get_by_role("link", name="All numbers as JSON").click()
    begun.value.save_as(tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text())["experiment"] == experiment


def test_a_training_is_cancelled_while_it_runs(visit: Visit, console: Console) -> None:
    console.shell("train", "digits", "gradient-boosting", "-p", "max_iter=2000", "--no-wait")
    name = console.shell("session").json["experiments"][-1]["experiment"]
    page = visit(f"/experiments/{name}")
    page.get_by_role("button", name="Cancel the training").click()
    expect(page.locator(".verdict")).to_contain_text("cancelled", timeout=60_000)
    assert console.shell("show", name).json["state"] == "cancelled"


def test_an_unknown_experiment_keeps_its_status(console: Console) -> None:
    with console.client() as client:
        answer = client.get("/experiments/nobody77")
        wrong = client.post("/experiments/nobody77", data={"action": "explode"})
    assert answer.status_code == 404
    assert "nobody77" in answer.text
    assert wrong.status_code == 404


def test_a_regression_has_residuals_and_no_classes(visit: Visit, console: Console) -> None:
    console.shell("train", "wine", "ridge", "--target", "alcohol", "--evaluate")
    name = console.shell("session").json["experiments"][-1]["experiment"]
    page = visit(f"/experiments/{name}")
    for title in ("Predicted against true", "Residuals"):
        expect(page.get_by_role("img", name=title, exact=True)).to_be_visible()
    expect(page.get_by_role("region", name="Measures")).to_contain_text("r2")
    wrong = [str(it["row"]) for it in console.shell("report", name).json["wrong"]]
    rows = page.get_by_role("region", name="Rows that went most wrong").get_by_role("rowheader")
    expect(rows).to_have_text(wrong)
