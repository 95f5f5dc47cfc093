"""The time machine: every commit once, forward and back; a state computed anew; damage found and healed."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import Console, Visit, made_console

LINK = r'<a class="button quiet" href="([^"]+)"[^>]*>{}</a>'
LONG = 60_000  # milliseconds for what reads the whole log, on a busy machine
RIGHT = "Everything is as it was written."


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A console of these tests alone: they damage its read models."""
    with made_console(tmp_path_factory) as running:
        yield running


def commits(console: Console) -> list[int]:
    """Every commit of the log, and the beginning."""
    return sorted({0} | {it["commit"] for it in console.shell("events", "--limit", "500").json["events"]})


def steps(console: Console, begin: str, name: str) -> list[int]:
    """Follow a link as long as it is there, and return the positions on the way."""
    seen = []
    with console.client() as client:
        path: str | None = begin
        while path is not None:
            text = client.get(path).text
            seen.append(int(re.findall(r"data-position>(\d+)<", text)[0]))
            found = re.search(LINK.format(name), text)
            path = found[1].replace("&amp;", "&") if found else None
    return seen


def test_steps_show_each_commit_once(console: Console) -> None:
    assert steps(console, "/time-machine?as_of=@0", "Step") == commits(console)
    assert steps(console, "/time-machine", "Step back") == commits(console)[::-1]


def position(page: Page) -> int:
    return int(page.locator("[data-position]").inner_text())


def test_play_goes_on_until_pause(visit: Visit, console: Console) -> None:
    _, first, second, *_ = commits(console)
    page = visit("/time-machine?as_of=@0")
    page.get_by_role("link", name="Play").click()
    expect(page.locator("[data-position]")).not_to_have_text(re.compile(f"^(0|{first})$"), timeout=LONG)
    page.get_by_role("link", name="Pause").click()
    expect(page.get_by_role("link", name="Play")).to_be_visible()
    expect(page.locator("[data-follow]")).to_have_count(0)
    assert position(page) >= second


def test_a_step_shows_what_it_changed(visit: Visit, console: Console) -> None:
    events = console.shell("events", "--limit", "500").json["events"]
    commit = next(it["commit"] for it in events if it["type"] == "experiment-committed")
    page = visit(f"/time-machine?as_of=@{commit}")
    shown = [it.get_attribute("aria-label") for it in page.get_by_role("article").all()]
    assert shown == [f"{it['type']} at position {it['position']}" for it in events if it["commit"] == commit]
    expect(page.get_by_role("row", name="standing uncommitted committed")).to_be_visible()


def test_a_state_computed_from_the_log_is_that_of_the_command_line(visit: Visit, console: Console) -> None:
    commit = commits(console)[-3]
    page = visit(f"/time-machine?as_of=@{commit}")
    page.get_by_role("link", name="Compute this state from the log alone").click()
    expect(page.get_by_text("The read models say the same.")).to_be_visible(timeout=LONG)
    told = json.loads(page.get_by_label("State").locator("pre").text_content() or "")
    assert told == console.shell("replay", "--as-of", f"@{commit}").json


def test_damage_is_found_and_a_rebuild_heals_it(visit: Visit, console: Console) -> None:
    page = visit("/time-machine")
    page.get_by_role("button", name="Verify everything").click()
    expect(page.get_by_role("main").get_by_role("status")).to_contain_text(RIGHT, timeout=LONG)
    damage_read_models(console)
    page.get_by_role("button", name="Verify everything").click()
    expect(page.get_by_role("main").get_by_role("status")).to_contain_text("Something was changed", timeout=LONG)
    page.get_by_text("Rebuild the read models").click()
    page.get_by_role("button", name="Rebuild").click()
    expect(page.get_by_role("main").get_by_role("status")).to_contain_text("made anew", timeout=LONG)
    page.get_by_role("button", name="Verify everything").click()
    expect(page.get_by_role("main").get_by_role("status")).to_contain_text(RIGHT, timeout=LONG)
    page.get_by_role("link", name="Step back").click()
    assert position(page) == commits(console)[-2]
    assert "/time-machine?" in page.url


def damage_read_models(console: Console) -> None:
    """Change what the read models say of an experiment, as someone with access to the files could."""
    (path,) = console.place.data.glob("read-models-*.db")
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        changed = database.execute("UPDATE document SET body = replace(body, 'iris', 'rose') WHERE kind = 'experiment'")
        assert changed.rowcount
