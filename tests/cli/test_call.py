"""`autolearn call`: streams are opened as answers are."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Run
from tests.cli.examples import ID
from tests.cli.fake_backend import FakeBackend, Reply


@pytest.mark.parametrize("headers", [(), ("-H", "accept: text/event-stream")])
def test_call_opens_a_stream(backend: FakeBackend, run: Run, headers: tuple[str, ...]) -> None:
    events = [("state", {"state": "started"}), ("result", {"state": "completed"})]
    backend.on("GET", f"/trainings/{ID}/events", Reply(events=events))
    lines = run("call", "get", f"/trainings/{ID}/events", *headers).out.splitlines()
    assert [json.loads(line) for line in lines] == [{"event": name, "data": data} for name, data in events]
