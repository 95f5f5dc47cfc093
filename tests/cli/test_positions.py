"""`autolearn positions`: one place of the log, and the marks on its scale."""

from __future__ import annotations

from tests.cli.conftest import Run
from tests.cli.fake_backend import FakeBackend, Reply

MARK = {"position": 40, "at": "2026-01-01T00:00:00+00:00", "session": "ana-1", "experiments": 2}
FOUND = {"position": 12, "at": None, "head": "ab" * 32, "end": 44, "end_at": "2026-01-02T00:00:00+00:00"}


def test_positions(backend: FakeBackend, run: Run) -> None:
    backend.on("GET", "/positions", Reply(FOUND | {"marks": [MARK]}))
    ran = run("positions", "--as-of", "@12")
    assert backend.seen[0].query == {"as_of": "@12"}
    assert "head      abababababab\n" in ran.out
    assert "ana-1" in ran.out
    assert run("positions", "--json").json == FOUND | {"marks": [MARK]}
    assert run("positions", "-o", "csv").out.splitlines()[0] == "position,at,session,experiments"
