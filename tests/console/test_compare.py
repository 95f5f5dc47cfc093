"""Compare: the rows are those of the command line; experiments come and go by id, prefix and tick."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.console.conftest import Console, Visit


def committed(console: Console) -> list[str]:
    return [it["experiment"] for it in console.shell("history", "--since", "1d").json["experiments"]][-2:]


def names(page: Page) -> list[str]:
    """Return the facts or experiments that are shown, without what is said of them."""
    heads = page.get_by_role("region", name="Comparison").get_by_role("rowheader").all_inner_texts()
    return [re.split(" (differs|as baseline|baseline)", it)[0] for it in heads]


def test_the_rows_are_those_of_the_command_line(visit: Visit, console: Console) -> None:
    first, second = committed(console)
    told = console.shell("compare", first, second).json["rows"]
    page = visit(f"/compare?tick={first}&tick={second}")
    assert names(page) == [it["name"] for it in told if it["differs"]]
    page.get_by_role("link", name="more that are alike").click()
    assert names(page) == [it["name"] for it in told]
    page.get_by_role("link", name="Experiments as rows").click()
    assert names(page) == [first, second]
    assert page.get_by_role("columnheader").all_inner_texts() == ["Experiment", *(it["name"] for it in told)]


def test_a_baseline_shows_the_differences_from_it(visit: Visit, console: Console) -> None:
    first, second = committed(console)
    told = {it["name"]: it["values"] for it in console.shell("compare", first, second).json["rows"]}
    page = visit(f"/compare?tick={first}&tick={second}", java_script_enabled=False)
    page.get_by_role("button", name=f"as baseline {first}").click()
    one, other = told["accuracy"]
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="accuracy", exact=True))
    expect(row.get_by_role("cell").nth(1)).to_contain_text(f"{other - one:+.4g}")
    seed = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="seed", exact=True))
    expect(seed.get_by_role("cell").first).to_have_text(str(told["seed"][0]))
    page.get_by_role("link", name="No baseline").click()
    assert "baseline" not in page.url


def test_an_experiment_is_added_by_its_beginning_and_removed_again(visit: Visit, console: Console) -> None:
    first, second = committed(console)
    page = visit("/compare")
    for prefix in (first[:6], second[:6], first[:5]):  # the last one is there already
        page.get_by_label("Add an experiment").fill(prefix)
        page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("columnheader")).to_have_count(3)
    expect(page.locator("#cli-line")).to_have_text(f"autolearn compare {first} {second}")
    page.get_by_role("button", name=f"remove {first}").click()
    expect(page.get_by_role("region", name="Comparison")).to_have_count(0)
    expect(page.get_by_text("Tick two experiments")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("region", name="Comparison")).to_be_visible()


def test_an_unknown_id_is_refused_in_place_and_the_others_stay(visit: Visit, console: Console) -> None:
    first, second = committed(console)
    page = visit(f"/compare?tick={first}&tick={second}")
    page.get_by_label("Add an experiment").fill("zzzzzzzz")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("alert")).to_contain_text("zzzzzzzz")
    expect(page.get_by_label("Add an experiment")).to_have_value("zzzzzzzz")
    expect(page.get_by_role("columnheader")).to_have_count(3)
    page.get_by_label("Add an experiment").fill("")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_role("columnheader")).to_have_count(3)
    page.goto("/compare?tick=zz")
    expect(page.get_by_role("alert")).to_contain_text("too short")


def test_what_did_not_exist_then_is_said(visit: Visit, console: Console) -> None:
    first, second = committed(console)
    page = visit(f"/compare?as_of=@1&tick={first}&tick={second}")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_role("region", name="Comparison")).to_have_count(0)


def test_ticks_of_the_history_arrive(visit: Visit, console: Console) -> None:
    first, second = committed(console)
    page = visit("/history", java_script_enabled=False)
    for it in (first, second):
        page.get_by_role("checkbox", name=f"Tick {it}").check()
    page.get_by_role("button", name="Compare the ticked").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Compare")
    heads = page.get_by_role("columnheader").get_by_role("button", name="remove")
    assert {it.inner_text().split()[-1] for it in heads.all()} == {first, second}
    page.get_by_role("link", name="Choose in the history").click()
    expect(page.get_by_role("checkbox", name=f"Tick {first}")).to_be_checked()
