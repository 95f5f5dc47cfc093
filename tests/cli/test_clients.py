"""`client list` and `log` where a moment or an outcome is asked for."""

from __future__ import annotations

from cli.log import OUTCOMES
from tests.cli.conftest import Run
from tests.cli.fake_backend import FakeBackend, Reply


def test_clients_as_of(backend: FakeBackend, run: Run) -> None:
    backend.on("GET", "/clients", Reply({"clients": [{"client": "ana", "roles": ["analyst"]}], "position": 7}))
    assert "ana" in run("client", "list", "--as-of", "@7").out
    assert backend.seen[0].query == {"as_of": "@7"}


def test_clients_offline_are_those_of_now(run: Run, backend: FakeBackend) -> None:
    ran = run("client", "list", "--as-of", "@7", "--offline")
    assert ran.code == 2
    assert "leave out --offline" in ran.err
    assert backend.seen == []


def test_the_help_of_the_log_names_the_outcomes_that_there_are(run: Run) -> None:
    shown = run("log", "--help").out
    assert [word for word in OUTCOMES if word not in shown] == []
    assert "handled" not in shown
