"""`client` and `log`: moments, outcomes, pages, and files that hold credentials already."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.audit_log import filters
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


def test_clients_offline_begin_no_embedded_log_where_a_database_was_meant(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sys-admin with the settings of `serve`, which needs no AUTOLEARN_MODE, got a client of an empty log."""
    monkeypatch.setenv("AUTOLEARN_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("AUTOLEARN_MONGODB", "mongodb://127.0.0.1:1/")
    ran = run("client", "add", "ana", "--offline")
    assert ran.code == 2
    assert "AUTOLEARN_MONGODB is a setting of the distributed mode" in ran.err
    assert "set AUTOLEARN_MODE=distributed, or" in ran.err
    assert not (tmp_path / "data").exists()
    monkeypatch.setenv("AUTOLEARN_MODE", "embedded")
    assert run("client", "add", "ana", "--offline", "--json").code == 0
    monkeypatch.delenv("AUTOLEARN_MODE")
    assert "ana" in run("client", "list", "--offline").out


def test_the_help_of_the_log_names_the_outcomes_that_there_are(run: Run) -> None:
    shown = run("log", "--help").out
    assert [word for word in OUTCOMES if word not in shown] == []
    assert "handled" not in shown
    assert OUTCOMES == filters.OUTCOMES


@pytest.mark.parametrize("content", ['{"client": "ana", "generation": 1, "key": "k"}', "notes", "[]"])
def test_credentials_replace_only_those_of_the_same_client(
    backend: FakeBackend, run: Run, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "out.json"
    file.write_text(content)
    for words in (("add", "bob"), ("rotate", "bob")):
        ran = run("client", *words, "--credentials-out", str(file))
        assert (ran.code, file.read_text()) == (2, content)
        assert "credentials of bob" in ran.err
    assert backend.seen == []
    file.write_text(content.replace("ana", "bob") if "ana" in content else '{"client": "bob"}')
    backend.on("POST", "/clients/bob/rotation", Reply({"client": "bob", "generation": 2, "key": "next"}))
    assert run("client", "rotate", "bob", "--credentials-out", str(file)).code == 0
    assert json.loads(file.read_text()) == {"client": "bob", "generation": 2, "key": "next"}


def test_a_revoked_client_does_not_come_back_silently(backend: FakeBackend, run: Run) -> None:
    body = {"client": "ana", "roles": ["analyst"], "generation": 3, "key": "k"}
    backend.on("POST", "/clients", Reply(body, 201), Reply(body | {"generation": 1}, 201))
    assert "ana was revoked before and may call again" in run("client", "add", "ana", "--json").err
    assert run("client", "add", "ana", "--json").err == ""


def test_the_log_has_pages_and_plain_milliseconds(backend: FakeBackend, run: Run) -> None:
    one = {"position": 2, "operation": "POST /trainings", "milliseconds": 60050.123}
    other = {"position": 1, "operation": "GET /experiments", "milliseconds": 4.979}
    backend.on("GET", "/log", Reply({"communications": [one, other], "next": "xyz"}))
    ran = run("log")
    lines = [line.split() for line in ran.out.splitlines()[-2:]]
    assert [("60050.1" in lines[0]), ("5" in lines[1])] == [True, True]
    for form in ("table", "jsonl", "csv"):
        assert run("log", "-o", form).err == "More: the same command with --cursor xyz\n"
    assert run("log", "--json").err == ""
