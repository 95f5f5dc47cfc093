"""Home and session, tried in a browser: by mouse, by keyboard alone, without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from cli.up import start_backend
from tests.console.conftest import Console, Visit, made_console


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A console of these tests alone: they commit, discard and stop the backend."""
    with made_console(tmp_path_factory) as running:
        yield running


def test_home_shows_the_session_and_the_newest_commits(visit: Visit, console: Console) -> None:
    page = visit("/")
    committed = [it["experiment"] for it in console.shell("history").json["experiments"]]
    rows = page.get_by_role("region", name="Newest commits").get_by_role("rowheader")
    assert rows.all_inner_texts() == committed
    expect(page.get_by_text("1 experiment", exact=False).first).to_be_visible()


def test_a_page_that_does_not_exist_says_so_with_a_way_back(visit: Visit) -> None:
    page = visit("/nowhere")
    expect(page.get_by_role("alert")).to_have_text("There is no page /nowhere.")
    page.get_by_role("link", name="the first page").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Home")


@pytest.mark.parametrize("script", [True, False])
def test_a_commit_without_a_ticked_experiment_is_refused_in_place(
    visit: Visit, console: Console, *, script: bool
) -> None:
    page = visit("/session", java_script_enabled=script)
    page.get_by_label("Message").fill("kept as typed")
    page.get_by_role("checkbox").uncheck()
    page.get_by_role("button", name="Commit").click()
    expect(page.get_by_role("alert")).to_contain_text("Tick the experiments")
    expect(page.get_by_label("Message")).to_have_value("kept as typed")
    assert console.shell("session").json["state"] == "open"


def test_two_tabs_that_commit_the_same_session_end_in_one_commit_and_one_refusal(
    visit: Visit, console: Console
) -> None:
    """The second one comes by keyboard alone."""
    first, second = visit("/session"), visit("/session")
    first.get_by_label("Message").fill("from the first tab")
    first.get_by_role("button", name="Commit").click()
    expect(first.get_by_text("from the first tab")).to_be_visible()
    second.get_by_label("Message").focus()
    second.keyboard.type("from the second tab")
    second.keyboard.press("Enter")
    expect(second.get_by_role("alert")).to_be_visible()
    messages = [it["message"] for it in console.shell("session", "list").json["sessions"]]
    assert messages.count("from the first tab") == 1
    assert "from the second tab" not in messages


def test_what_is_ticked_is_evaluated_and_what_runs_is_told_and_cancelled(visit: Visit, console: Console) -> None:
    console.shell("train", "iris", "naive-bayes")
    console.shell("train", "digits", "gradient-boosting", "-p", "max_iter=2000", "--no-wait")
    page = visit("/session", java_script_enabled=False)
    expect(page.get_by_text("cancels and discards trainings")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    console.shell("wait", console.shell("session").json["experiments"][-1]["experiment"], code=None)
    page.reload()
    expect(page.locator(".state.cancelled")).to_be_visible()
    page.get_by_role("button", name="Evaluate them").click()
    evaluated = console.shell("session").json["experiments"][0]["experiment"]
    console.shell("wait", f"{evaluated}-e1")
    page.reload()
    expect(page.get_by_role("row").filter(has_text=evaluated)).to_contain_text("accuracy")
    others = [it["session"] for it in console.shell("session", "list").json["sessions"][1:]]
    expect(page.get_by_role("region", name="Other sessions").get_by_role("rowheader")).to_have_text(others)
    console.shell("discard")


def test_discard_asks_first_and_then_empties_the_session(visit: Visit, console: Console) -> None:
    console.shell("train", "iris", "naive-bayes")
    page = visit("/session", java_script_enabled=False)
    page.get_by_text("Discard the session").click()
    page.get_by_role("button", name="Discard all").click()
    expect(page.get_by_text("No session is open")).to_be_visible()
    assert console.shell("session").json["session"] is None


def test_a_training_that_ends_meanwhile_shows_without_a_reload(visit: Visit, console: Console) -> None:
    console.shell("train", "digits", "gradient-boosting", "--no-wait")
    page = visit("/session")
    expect(page.locator(".state.completed").first).to_be_visible(timeout=60_000)
    console.shell("discard")


def test_a_backend_that_is_away_is_named_and_the_page_comes_back_with_it(visit: Visit, console: Console) -> None:
    page = visit("/session")
    console.place.stop()
    page.goto("/session")
    expect(page.get_by_role("alert")).to_contain_text("No backend answers")
    console.place.process, _ = start_backend(console.place.data, int(console.shell.url.rpartition(":")[2]))
    expect(page.get_by_role("heading", level=1)).to_have_text("Session", timeout=60_000)


def test_an_unknown_session_keeps_its_status(console: Console) -> None:
    with console.client() as client:
        answer = client.get("/session?session=nobody-7")
    assert answer.status_code == 404
    assert "nobody-7" in answer.text
