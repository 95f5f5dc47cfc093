"""Health: a client is added, gets a new key and is revoked; what is refused stays as it was typed."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.console.conftest import Console, Visit
from tests.end_to_end.place import Shell


def shell_with(page: Page, console: Console, path: Path) -> Shell:
    """Keep the credentials that a page shows, as the page says, and return a shell that uses them."""
    path.write_text(page.locator("#credentials").inner_text())
    path.chmod(0o600)
    return Shell(console.shell.url, path, console.shell.data)


def add(page: Page, name: str, role: str = "") -> None:
    page.get_by_label("Name", exact=True).fill(name)
    if role:
        page.get_by_label(role).check()
    page.get_by_role("button", name="Add", exact=True).click()


def test_the_life_of_a_client(visit: Visit, console: Console, tmp_path: Path) -> None:
    page = visit("/health", java_script_enabled=False)
    add(page, "carla")
    first = shell_with(page, console, tmp_path / "first.json")
    assert first("history").code == 0
    assert json.loads((tmp_path / "first.json").read_text())["client"] == "carla"
    page.goto("/health")
    expect(page.locator("#credentials")).to_have_count(0)

    page.get_by_role("button", name="New key for carla").click()
    expect(page.get_by_text("the former key works for 24 more hours")).to_be_visible()
    second = shell_with(page, console, tmp_path / "second.json")
    assert second("history").code == 0

    page.get_by_text("Revoke carla").first.click()
    page.get_by_role("button", name="Revoke carla").click()
    expect(page.get_by_role("row", name="carla analyst 2 revoked")).to_be_visible()
    assert second("history", code=None).code != 0
    listed = {it["client"]: it for it in console.shell("client", "list").json["clients"]}
    assert (listed["carla"]["generation"], listed["carla"]["revoked"]) == (2, True)


def test_a_name_that_exists_is_refused_in_place(visit: Visit, console: Console) -> None:
    before = console.shell("client", "list").json["clients"]
    page = visit("/health")
    add(page, "local", "sys-admin")
    expect(page.get_by_role("alert")).to_contain_text("local")
    expect(page.get_by_label("Name", exact=True)).to_have_value("local")
    expect(page.get_by_label("sys-admin")).to_be_checked()
    assert console.shell("client", "list").json["clients"] == before
    page.get_by_label("Position in the log").focus()
    page.keyboard.press("Home")
    expect(page.locator("[data-position]")).to_have_text("0")
    expect(page.get_by_role("heading", level=1)).to_have_text("Health")


def test_a_client_without_a_role_is_refused_in_place(visit: Visit) -> None:
    page = visit("/health")
    page.get_by_label("analyst").uncheck()
    add(page, "dora")
    expect(page.get_by_role("alert")).to_contain_text("tick a role")
    expect(page.get_by_label("Name", exact=True)).to_have_value("dora")
