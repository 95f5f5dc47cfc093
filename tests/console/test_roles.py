"""The console of an analyst: what is for sys-admins says so with a way back; their own work is theirs to see."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.console.conftest import Console, Visit, console_for
from tests.end_to_end.place import Shell

FORBIDDEN = 403


@pytest.fixture(scope="module")
def console(console: Console, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A console of the client `anna`, an analyst with an experiment."""
    path = tmp_path_factory.mktemp("anna") / "anna.json"
    console.shell("client", "add", "anna", "--role", "analyst", "--credentials-out", str(path))
    shell = Shell(console.shell.url, path, console.shell.data)
    shell("train", "iris", "naive-bayes")
    with console_for(console.place, shell) as running:
        yield running


@pytest.mark.parametrize("path", ["/log", "/time-machine", "/health"])
def test_a_page_for_sysadmins_says_so_with_a_way_back(visit: Visit, console: Console, path: str) -> None:
    with console.client() as client:
        assert client.get(path).status_code == FORBIDDEN
    page = visit(path)
    expect(page.get_by_role("heading", level=1)).to_have_text("Not allowed")
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_role("link", name="the first page").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Home")


def test_an_analyst_sees_the_time_line_of_an_experiment_of_their_own(visit: Visit, console: Console) -> None:
    name = console.shell("session").json["experiments"][0]["experiment"]
    events = console.shell("events", f"experiment:{name}").json["events"]
    page = visit(f"/timeline/experiment:{name}")
    shown = [it.get_attribute("aria-label") for it in page.get_by_role("article").all()]
    assert shown == [f"{it['type']} at position {it['position']}" for it in events] != []
