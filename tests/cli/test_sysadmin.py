"""What the sys-admin's commands ask, and what they make of the answer: inspections, log, clients, without a backend."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from autolearn.credentials import Credentials
from cli.rebuild import PROJECTIONS
from projections.fold import VERSIONS
from tests.cli.conftest import Run
from tests.cli.examples import ID, row
from tests.cli.fake_backend import FakeBackend, Reply


def test_verify(backend: FakeBackend, run: Run) -> None:
    good = {"ok": True, "position": 9, "head": "ab", "faults": [], "unanswered": []}
    bad = good | {"ok": False, "faults": [{"position": 4, "what": "the hash is wrong"}]}
    progress = ("progress", {"progress": 0.5, "what": "chain"})
    backend.on("POST", "/verifications", Reply(events=[progress, ("result", good)]), Reply(events=[("result", bad)]))
    assert run("verify", "--anchor", f"9:{'a' * 64}").code == 0
    assert backend.seen[0].body == {"anchor": f"9:{'a' * 64}"}
    assert run("verify", "--audit-anchor", f"9:{'b' * 64}").code == 1
    assert backend.seen[1].body == {"anchor": None, "audit_anchor": f"9:{'b' * 64}"}
    assert "--audit-anchor looks like POSITION:HASH" in run("verify", "--audit-anchor", "9:b").err
    ran = run("verify")
    assert ran.code == 1
    assert "the hash is wrong" in ran.out


def test_a_table_of_faults_sums_up_what_is_alike_and_json_has_all(backend: FakeBackend, run: Run) -> None:
    cause = {"position": 900, "what": "the end of the log is lost: it ends at 9, receipts.json has position 900"}
    alike = [{"position": at, "what": f"event 'e{at}' is missing in the read models"} for at in range(10, 180)]
    body = {"ok": False, "position": 9, "faults": [cause, *alike], "unanswered": []}
    backend.on("POST", "/verifications", *[Reply(events=[("result", body)])] * 2)
    out = run("verify").out
    assert out.index("the end of the log is lost") < out.index("'e10'") < out.index("'e12'")
    assert "and 167 more like these (`-o json` lists all)" in out
    assert "'e13'" not in out
    assert run("verify", "--json").json["faults"] == [cause, *alike]


def test_an_inspection_without_an_end_is_no_result(backend: FakeBackend, run: Run) -> None:
    backend.on("POST", "/rebuilds", Reply(events=[("progress", {"progress": 0.5, "what": "history"})]))
    ran = run("rebuild", "history")
    assert ran.code == 3
    assert backend.seen[0].body == {"projection": "history"}


def test_replay_that_does_not_match(backend: FakeBackend, run: Run) -> None:
    body = {
        "position": 3,
        "at": "x",
        "sessions": [],
        "experiments": [row()],
        "catalog": {},
        "matches_read_models": False,
    }
    backend.on("GET", "/replay", Reply(body))
    ran = run("replay", "--as-of", "@3", "session:ana:1")
    assert backend.seen[0].query == {"as_of": "@3", "stream": "session:ana:1"}
    assert ran.code == 1
    assert ID in ran.out


def test_the_log_shows_how_many_calls_a_record_stands_for_where_it_is_not_one(backend: FakeBackend, run: Run) -> None:
    call = {"position": 1, "actor": "(unknown)", "operation": "GET (no route)", "outcome": "401", "milliseconds": 1.5}
    one, many = call | {"count": 1}, call | {"count": 4711}
    for records in ([one], [one, many]):
        backend.on("GET", "/log", Reply({"communications": records, "next": None}))
    backend.on("GET", "/log/events", Reply(events=[("communication", one), ("communication", many)]))
    assert "count" not in run("log", "-o", "table").out
    assert "4711" in run("log", "-o", "table").out
    assert [line.endswith("  4711") for line in run("log", "-f").out.splitlines()] == [False, True]


def test_log_and_its_following(backend: FakeBackend, run: Run) -> None:
    call = {"position": 1, "actor": "ana", "operation": "POST /trainings", "outcome": "201", "milliseconds": 41.25}
    backend.on("GET", "/log", Reply({"communications": [call], "next": None}))
    backend.on("GET", "/log/events", Reply(events=[("state", call), ("state", call | {"position": 2})]))
    assert "POST /trainings" in run("log", "c0ffee", "--outcome", "201").out
    assert backend.seen[0].query == {"correlation": "c0ffee", "outcome": "201"}
    lines = run("log", "--follow", "-o", "jsonl").out.splitlines()
    assert [json.loads(line)["position"] for line in lines] == [1, 2]
    assert "POST /trainings" in run("log", "--follow").out


def test_the_key_of_a_new_client_goes_to_a_file_for_its_owner(backend: FakeBackend, run: Run, tmp_path: Path) -> None:
    body = {"client": "bob", "roles": ["analyst"], "generation": 1, "key": "A" * 43 + "="}
    backend.on("POST", "/clients", Reply(body, 201))
    backend.on("POST", "/clients/bob/rotation", Reply(body | {"generation": 2}))
    file = tmp_path / "bob.json"
    ran = run("client", "add", "bob", "--credentials-out", str(file), "--json")
    assert backend.seen[0].body == {"client": "bob", "roles": ["analyst"]}
    assert ("A" * 43) not in ran.out + ran.err
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Credentials.read(file) == Credentials("bob", 1, b"A" * 43 + b"=")
    assert json.loads(run("client", "rotate", "bob").out) == {"client": "bob", "generation": 2, "key": "A" * 43 + "="}


def test_without_a_backend_the_data_directory_is_asked(
    run: Run, home: Path, monkeypatch: pytest.MonkeyPatch, backend: FakeBackend
) -> None:
    asked: list[tuple[object, ...]] = []

    def clients_offline(*arguments: object) -> dict[str, Any]:
        asked.append(arguments)
        return {"clients": [{"client": "local", "roles": ["analyst"]}]}

    def inspect_offline(*arguments: object) -> list[dict[str, Any]]:
        asked.append(arguments)
        return [{"progress": 0.1, "what": "chain"}, {"result": {"ok": True, "faults": []}}]

    for double in (clients_offline, inspect_offline):
        names = {"clients_offline": "server.clients_offline", "inspect_offline": "server.inspection.inspections"}
        module = ModuleType(names[double.__name__])
        setattr(module, double.__name__, double)
        module.where = lambda _: "a log"  # type: ignore[attr-defined] # a double of the module
        monkeypatch.setitem(sys.modules, module.__name__, module)
    assert "local" in run("client", "list", "--offline").out
    assert run("verify", "--data", str(home)).code == 0
    assert asked == [("list", str(home), None, ()), ("verify", str(home), {"anchor": None})]
    assert backend.seen == []


def test_rebuild_knows_the_projections_of_the_backend() -> None:
    assert (*VERSIONS,) == PROJECTIONS


@pytest.mark.parametrize("name", ["", "nonsense"])
def test_rebuild_refuses_what_is_no_projection(run: Run, backend: FakeBackend, name: str) -> None:
    ran = run("rebuild", name)
    assert ran.code == 2
    assert "catalog, session, experiment" in ran.err
    assert backend.seen == []
