"""The behaviour log: its filters, facets and pages are those of the command line, and it shows calls as they come."""

from __future__ import annotations

import csv
import io
import re
import shlex
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import Console, Visit
from tests.end_to_end.fleet import proxy_of

TRAININGS = "POST /trainings"
ROWS = 100  # of a page
REFUSED = {400, 422}


def told(console: Console, *options: str) -> list[dict[str, Any]]:
    return list(console.shell("log", *options, "--limit", "1000").json["communications"])


def positions(page: Page) -> list[str]:
    return page.get_by_role("region", name="Calls").locator("tbody td:first-child").all_inner_texts()


def of(rows: list[dict[str, Any]]) -> list[str]:
    return [str(row["position"]) for row in rows]


@pytest.mark.parametrize(
    "filters",
    [{"operation": TRAININGS}, {"actor": "local", "outcome": "201"}, {"kind": "call", "until": "the first training"}],
)
def test_the_rows_are_those_of_the_command_line(visit: Visit, console: Console, filters: dict[str, str]) -> None:
    if "until" in filters:
        filters = filters | {"until": told(console, "--operation", TRAININGS)[-1]["at"]}
    expected = of(told(console, *(part for name, value in filters.items() for part in (f"--{name}", value))))
    page = visit("/log")
    for name, value in filters.items():
        page.get_by_label(name.capitalize(), exact=True).fill(value)
    page.keyboard.press("Enter")
    page.wait_for_url("**/log?**")
    assert positions(page) == expected != []
    for name, value in filters.items():
        expect(page.get_by_label(name.capitalize(), exact=True)).to_have_value(value)


def test_a_word_of_a_row_becomes_a_filter_by_click(visit: Visit, console: Console) -> None:
    page = visit("/log?outcome=201")
    page.get_by_role("link", name=TRAININGS, exact=True).first.click()
    expect(page.get_by_label("Operation")).to_have_value(TRAININGS)
    expect(page.get_by_label("Outcome")).to_have_value("201")
    assert positions(page) == of(told(console, "--operation", TRAININGS, "--outcome", "201"))


def test_a_call_shows_the_events_that_it_made(visit: Visit, console: Console) -> None:
    call = told(console, "--operation", TRAININGS)[-1]["correlation"]
    page = visit(f"/log?operation={TRAININGS}", java_script_enabled=False)
    page.get_by_role("link", name=call[:12]).click()
    shown = page.get_by_role("region", name="Events that this call made")
    events = console.shell("events", "--correlation", call).json["events"]
    assert shown.locator("tbody td:first-child").all_inner_texts() == [str(it["position"]) for it in events]
    words = shlex.split(page.locator("#cli-line").inner_text())[1:]
    assert of(console.shell(*words).json["communications"]) == positions(page)
    shown.get_by_role("link").first.click()
    expect(page.locator(f"#p{events[0]['position']}")).to_be_visible()


def test_a_call_made_meanwhile_shows_without_a_reload(visit: Visit, console: Console) -> None:
    page = visit("/log?operation=GET+/catalog/models")
    page.get_by_role("link", name="Follow").click()
    expect(page.get_by_role("link", name="Stop following")).to_be_visible()
    before = len(told(console, "--operation", "GET /catalog/models"))
    proxy_of(console.shell).get("catalog", "models")
    expect(page.get_by_role("region", name="Calls").locator("tbody tr")).to_have_count(before + 1, timeout=30_000)


def test_pages_follow_each_other_and_the_file_has_them_all(visit: Visit, console: Console) -> None:
    with console.client() as client:
        proxy = proxy_of(console.shell)
        for _ in range(ROWS + 5):
            proxy.get("catalog", "models")
        page = visit("/log?operation=GET+/catalog/models&since=1h")
        first, link = positions(page), page.get_by_role("link", name="CSV of all of these").get_attribute("href")
        page.get_by_role("link", name="Earlier calls").click()
        page.wait_for_url("**cursor=**")
        expected = of(told(console, "--operation", "GET /catalog/models"))
        assert [*first, *positions(page)] == expected
        assert len(first) == ROWS
        answer = client.get(link or "")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["position"] for row in rows] == expected
    assert {row["operation"] for row in rows} == {"GET /catalog/models"}


def test_a_time_that_is_none_is_refused_in_place(visit: Visit, console: Console) -> None:
    page = visit("/log")
    page.get_by_label("Actor").fill("local")
    page.get_by_label("Since").fill("yesterday-ish")
    with page.expect_navigation() as went:
        page.get_by_role("button", name="Show").last.click()
    assert went.value.status in REFUSED
    expect(page.get_by_role("alert")).to_contain_text("yesterday-ish")
    expect(page.get_by_label("Actor")).to_have_value("local")
    expect(page.get_by_label("Since")).to_have_value("yesterday-ish")


def test_as_of_a_moment_the_page_says_that_the_log_goes_on_to_now(visit: Visit, console: Console) -> None:
    committed = console.shell("history").json["experiments"][-1]["experiment"]
    commit = console.shell("events", f"experiment:{committed}").json["events"][-1]["commit"]
    page = visit(f"/log?as_of=@{commit}")
    expect(page.get_by_role("main").get_by_role("status")).to_contain_text("up to now")
    page.get_by_role("link", name=re.compile("Only those until position")).click()
    at = page.get_by_label("Until").input_value()
    assert positions(page) == of(told(console, "--until", at))[:100]  # a page
    expect(page.get_by_role("main").get_by_role("status")).to_have_count(0)
