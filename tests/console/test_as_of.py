"""The as-of bar moves every page along the log."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.console.conftest import Console, Visit

PAGES = ["/", "/datasets", "/searches", "/session", "/history", "/log", "/time-machine", "/health"]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_shows_any_position_and_its_hash(visit: Visit, console: Console, path: str) -> None:
    end = console.shell("positions").json["end"]
    page = visit(path)
    for position in (0, end // 2, end):
        told = console.shell("positions", "--as-of", f"@{position}").json
        page.goto(f"{path}?as_of=@{position}")
        expect(page.locator("[data-position]")).to_have_text(str(told["position"]))
        if told["position"]:
            expect(page.locator("#verify-line")).to_contain_text(f"{told['position']}:{told['head']}")


@pytest.mark.parametrize("script", [True, False])
def test_the_slider_moves_by_keyboard(visit: Visit, *, script: bool) -> None:
    page = visit("/history?sort=accuracy", java_script_enabled=script)
    page.get_by_label("Position in the log").focus()
    page.keyboard.press("Home")
    if not script:
        page.get_by_role("button", name="Go").click()
    expect(page.locator("[data-position]")).to_have_text("0")
    assert "as_of=%400" in page.url
    assert "sort=accuracy" in page.url
    page.get_by_role("link", name="Now", exact=True).click()
    expect(page.get_by_text("Now:")).to_be_visible()


@pytest.mark.parametrize("path", PAGES)
def test_a_time_that_is_none_is_refused_in_place(visit: Visit, path: str) -> None:
    page = visit(path)
    page.get_by_label("Time or @position").fill("yesterday-ish")
    page.get_by_role("button", name="Show").first.click()
    expect(page.get_by_role("alert")).to_contain_text("yesterday-ish")
    expect(page.get_by_label("Time or @position")).to_have_value("yesterday-ish")
