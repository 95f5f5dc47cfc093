"""The time line of a stream: its events are those of the command line, and lead to their call and their moment."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.console.conftest import Console, Visit

NOT_FOUND = 404


@pytest.fixture
def stream(console: Console) -> str:
    """The stream of an experiment that was committed."""
    return f"experiment:{console.shell('history', '--model', 'svm').json['experiments'][0]['experiment']}"


def told(console: Console, stream: str, *options: str) -> list[dict[str, Any]]:
    return list(console.shell("events", stream, *options).json["events"])


def shown(page: Page) -> list[str]:
    return [it.get_attribute("aria-label") or "" for it in page.get_by_role("article").all()]


def labels(events: list[dict[str, Any]]) -> list[str]:
    return [f"{it['type']} at position {it['position']}" for it in events]


def test_the_events_are_those_of_the_command_line(visit: Visit, console: Console, stream: str) -> None:
    page, events = visit(f"/timeline/{stream}"), told(console, stream)
    assert shown(page) == labels(events)
    last = page.get_by_role("article").last
    for name, (_, new) in events[-1]["changed"].items():
        if new:
            expect(last.get_by_role("rowheader", name=name, exact=True)).to_be_visible()
    assert [it.get_attribute("id") for it in page.get_by_role("article").all()] == [
        f"p{it['position']}" for it in events
    ]


def test_all_facts_are_a_click_away(visit: Visit, console: Console, stream: str) -> None:
    page = visit(f"/timeline/{stream}")
    expect(page.locator("pre")).to_have_count(0)
    page.get_by_role("link", name="All facts").click()
    expect(page.locator("pre")).to_have_count(len(told(console, stream)))
    page.get_by_role("link", name="Compact").click()
    expect(page.locator("pre")).to_have_count(0)


def test_a_moment_of_the_line_shows_what_had_happened_by_then(visit: Visit, console: Console, stream: str) -> None:
    page, first = visit(f"/timeline/{stream}"), told(console, stream)[0]
    page.get_by_role("article").first.get_by_role("link", name="As of then").click()
    page.wait_for_url("**as_of=**")
    earlier = told(console, stream, "--as-of", f"@{first['commit']}")
    assert shown(page) == labels(earlier)
    assert len(earlier) < len(told(console, stream))


def test_an_event_leads_to_its_place_its_call_and_its_subject(visit: Visit, console: Console, stream: str) -> None:
    page, event = visit(f"/timeline/{stream}"), told(console, stream)[0]
    page.get_by_role("link", name=str(event["position"]), exact=True).click()
    assert page.url.endswith(f"#p{event['position']}")
    page.get_by_role("link", name=event["correlation"][:12]).first.click()
    expect(page.get_by_label("Call", exact=True)).to_have_value(event["correlation"])
    page.goto("/timeline/session:local:1")
    page.get_by_role("link", name="What it is of").click()
    expect(page.locator("#cli-line")).to_have_text("autolearn session local-1")
    assert re.search(r"/session\?session=local-1$", page.url)


def test_a_stream_that_is_none_is_not_found(console: Console) -> None:
    with console.client() as client:
        answer = client.get("/timeline/experiment:nosuchthing")
    assert answer.status_code == NOT_FOUND
    assert "nosuchthing" in answer.text
    assert "the first page" in answer.text
