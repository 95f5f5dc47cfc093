"""`autolearn events`: a time line for people, whole events for scripts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cli.examples import ID
from tests.cli.fake_backend import FakeBackend, Reply


def logged(position: int, **more: Any) -> dict[str, Any]:
    event: dict[str, Any] = {
        "position": position, "commit": position, "at": "2026-01-01T00:00:00+00:00", "stream": f"experiment:{ID}",
        "version": 1, "type": "experiment-withdrawn", "actor": "ana", "correlation": "c1", "causation": "command:x",
        "reason": "wrong", "facts": {"reason": "wrong"},
    }  # fmt: skip
    return event | more


def test_a_time_line(backend: FakeBackend, run: Run) -> None:
    changed = {"withdrawn": [False, True], "learned": [None, "x" * 100]}
    body = {"events": [logged(7, changed=changed)], "next": 7, "stream": f"experiment:{ID}", "position": 9}
    backend.on("GET", "/events", Reply(body))
    ran = run("events", ID, "--after", "3", "--limit", "1", "--as-of", "@9")
    assert backend.seen[0].query == {"stream": ID, "after": "3", "limit": "1", "as_of": "@9"}
    assert "withdrawn: false -> true, learned: none -> xxx" in ran.out
    assert "x" * 41 not in ran.out
    assert ran.err.strip() == "More: the same command with --after 7"
    assert run("events", ID, "--json").json == body
    lines = run("events", ID, "-o", "csv").out.splitlines()
    assert lines[0].split(",")[:3] == ["position", "commit", "at"]
    assert "changed.withdrawn" in lines[0]
    assert len(lines) == 2


def test_the_whole_log_and_one_call(backend: FakeBackend, run: Run) -> None:
    backend.on("GET", "/events", Reply({"events": [logged(7), logged(6)], "next": 6, "position": 9}))
    ran = run("events", "--newest", "--before", "8")
    assert backend.seen[0].query == {"order": "newest", "before": "8"}
    assert f"experiment:{ID}" in ran.out
    assert "--before 6" in ran.err
    run("events", "--correlation", "c1")
    assert backend.seen[1].query == {"correlation": "c1"}


@pytest.mark.parametrize("words", [("--limit", "501"), ("--after", "-1"), ("--before", "x")])
def test_what_cannot_be_asked(backend: FakeBackend, run: Run, words: tuple[str, ...]) -> None:
    assert run("events", *words).code == 2
    assert backend.seen == []
