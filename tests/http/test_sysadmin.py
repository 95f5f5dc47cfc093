"""Clients, log, health and metrics."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.embedded.audit_log.store import SqliteAuditLog
from adapters.http.routes.health import readiness
from adapters.log import events as wire_events
from autolearn.credentials import Credentials
from domain.errors import DiskReserveError, NotAbleError
from tests.http.asgi import Caller
from tests.http.rig import Rig


def test_a_new_client_gets_its_key_once_and_can_call(rig: Rig, root: Caller) -> None:
    added = root.post("/clients", {"client": "eve", "roles": ["analyst"]})
    assert added.status == 201
    eve = Caller(rig.app, Credentials("eve", added.json["generation"], added.json["key"].encode()))
    assert eve.get("/session").status == 200
    listed = root.get("/clients").json
    assert {"client": "eve", "roles": ["analyst"], "generation": 1, "revoked": False} in listed["clients"]
    assert "key" not in json.dumps(listed)


def test_the_log_is_asked_by_times_alone(root: Caller) -> None:
    reply = root.get("/log?until=@100")
    assert reply.status == 422
    assert "an age" in reply.json["detail"]
    assert "position" not in reply.json["detail"]


def test_clients_as_of_a_position(rig: Rig, root: Caller) -> None:
    before = rig.position
    root.post("/clients", {"client": "eve", "roles": ["analyst"]})
    rig.settle()
    names = [it["client"] for it in root.get(f"/clients?as_of=@{before}").json["clients"]]
    assert names == ["ana", "bob", "root"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"client": "Eve", "roles": ["analyst"]}, 422),
        ({"client": "eve", "roles": ["king"]}, 422),
        ({"client": "eve", "roles": []}, 422),
        ({"client": "ana", "roles": ["analyst"]}, 409),
    ],
)
def test_bad_clients_are_refused(rig: Rig, root: Caller, body: dict[str, object], status: int) -> None:
    before = rig.position
    assert root.post("/clients", body).status == status
    assert rig.position == before


def test_rotating_or_revoking_nobody_is_404(root: Caller) -> None:
    assert root.post("/clients/nobody/rotation").status == 404
    assert root.post("/clients/nobody/revocation").status == 404


def test_the_log_pages_and_filters(root: Caller, ana: Caller) -> None:
    for _ in range(5):
        ana.get("/session")
    correlation = ana.get("/catalog").call.request_id
    first = root.get("/log?actor=ana&limit=4").json
    second = root.get(f"/log?limit=4&cursor={first['next']}").json
    operations = [it["operation"] for it in [*first["communications"], *second["communications"]]]
    assert operations == ["GET /catalog"] + ["GET /session"] * 5
    assert second["next"] is None
    (one,) = root.get(f"/log?correlation={correlation}").json["communications"]
    assert (one["correlation"], one["outcome"]) == (correlation, "200")
    assert root.get("/log?outcome=200&kind=call&operation=GET%20/catalog").json["communications"] == [one]


def test_a_page_of_the_log_goes_on_with_the_age_that_was_asked_for(rig: Rig, root: Caller) -> None:
    for _ in range(3):
        root.get("/session")
    first = root.get("/log?since=2h&limit=1").json
    rig.clock.offset = timedelta(seconds=5)
    second = root.get(f"/log?since=2h&limit=1&cursor={first['next']}").json
    assert second["communications"][0]["position"] < first["communications"][0]["position"]
    assert root.get(f"/log?since=3h&limit=1&cursor={first['next']}").status == 422


def test_the_log_between_two_times(rig: Rig, root: Caller, ana: Caller) -> None:
    ana.get("/session")
    assert root.get("/log?actor=ana&since=1h%20ago").json["communications"]
    assert not root.get("/log?actor=ana&until=1h%20ago").json["communications"]
    assert root.get("/log?since=yesterday").status == 422


@pytest.mark.parametrize("target", ["/log", "/log/events"])
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("kind=foo", "There is no kind 'foo' of records, only call, message, process."),
        ("outcome=bla", "There is no outcome 'bla', only an HTTP status, opened, "),
        ("outcome=999", "There is no outcome '999'"),
    ],
)
def test_a_word_that_no_record_can_have_is_refused(root: Caller, target: str, query: str, said: str) -> None:
    reply = root.get(f"{target}?{query}")
    assert (reply.status, reply.json["type"]) == (422, "bad-input")
    assert said in reply.json["detail"]


def test_a_cursor_of_the_log_is_nobody_elses(rig: Rig, root: Caller, ana: Caller) -> None:
    root.post("/clients", {"client": "warden", "roles": ["sys-admin"]})
    for _ in range(3):
        ana.get("/session")
    cursor = root.get("/log?actor=ana&limit=2").json["next"]
    for caller, target in (
        (rig.caller("warden"), f"/log?actor=ana&limit=2&cursor={cursor}"),
        (root, f"/log?actor=bob&limit=2&cursor={cursor}"),
        (root, f"/log?cursor={cursor[:-8]}aaaaaaaa"),
        (root, f"/experiments?cursor={cursor}"),
    ):
        reply = caller.get(target)
        assert (reply.status, reply.json["type"]) == (422, "bad-cursor")


def test_health_and_metrics_are_plain_and_not_recorded(rig: Rig, ana: Caller) -> None:
    ana.get("/session")
    call = ana.outgoing("GET", "/health/live")
    before = len(rig.audit_log.recent(0))
    for path in ("/health/live", "/health/ready", "/metrics", "/docs", "/openapi.json"):
        assert ana.raw(ana.outgoing("GET", path), {}, [b""]).status == 200
    assert ana.raw(call, {}, [b""]).json == {"status": "live"}
    assert len(rig.audit_log.recent(0)) == before


@pytest.mark.parametrize("method", ["POST", "HEAD"])
def test_a_plain_route_has_problems_too(rig: Rig, ana: Caller, method: str) -> None:
    before = len(rig.audit_log.recent(0))
    reply = ana.raw(ana.outgoing(method, "/health/live"), {}, [b""])
    assert (reply.status, reply.headers["allow"], reply.json["type"]) == (405, "GET", "method-not-allowed")
    assert len(rig.audit_log.recent(0)) == before


def test_metrics_count_calls_lag_and_communications(rig: Rig, ana: Caller) -> None:
    ana.get("/session")
    ana.get("/log")
    rig.projecting.paused.set()
    ana.post("/trainings", {"dataset": "iris", "model": "svm"})
    rig.clock.offset = timedelta(minutes=5)
    text = ana.raw(ana.outgoing("GET", "/metrics"), {}, [b""]).content.decode()
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert lines['autolearn_calls_total{operation="GET /session",outcome="200",service="session"}'] == "1.0"
    assert lines['autolearn_calls_total{operation="GET /log",outcome="403",service="storage"}'] == "1.0"
    assert lines['autolearn_call_seconds_count{operation="GET /session",service="session"}'] == "1.0"
    assert float(lines["autolearn_projection_lag_events"]) == rig.position - rig.documents.position() > 0
    assert 299 < float(lines["autolearn_projection_lag_seconds"]) < 400
    assert lines["autolearn_communications"] == "3.0"


def test_the_lag_is_reported_where_an_event_of_a_newer_version_waits(
    rig: Rig, ana: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.projecting.paused.set()
    ana.post("/trainings", {"dataset": "iris", "model": "svm"})
    monkeypatch.setattr(wire_events, "EVENTS", {})
    with pytest.raises(wire_events.UnreadableEventError):
        rig.backend.feed.after(rig.documents.position(), 1)
    assert int(str(readiness(rig.backend)["lag_events"])) > 0


def test_ready_says_where_the_projection_stands_and_quotes_nothing(rig: Rig) -> None:
    facts = readiness(replace(rig.backend, fault=lambda: "position 7: ValueError: input 'iris'"))
    assert facts["status"] == "not-ready"
    assert "position 7" in facts["fault"]
    assert "iris" not in facts["fault"]


def test_ready_says_what_is_wrong(rig: Rig, ana: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    ready = ana.raw(ana.outgoing("GET", "/health/ready"), {}, [b""])
    assert (ready.json["status"], ready.json["lag_events"], ready.json["fault"]) == ("ready", 0, None)

    def full(_: SqliteAuditLog) -> None:
        raise DiskReserveError("Only 1 byte is free.")

    monkeypatch.setattr(SqliteAuditLog, "check_able", full)
    not_ready = ana.raw(ana.outgoing("GET", "/health/ready"), {}, [b""])
    assert (not_ready.status, not_ready.json["fault"]) == (503, "Only 1 byte is free.")


def test_health_and_metrics_answer_where_the_stores_do_not(
    rig: Rig, ana: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana.get("/session")

    def silent() -> None:
        raise NotAbleError("The database does not answer.")

    rig.projecting.stop()
    monkeypatch.setattr(rig.backend.documents, "position", silent)
    ready = ana.raw(ana.outgoing("GET", "/health/ready"), {}, [b""])
    assert (ready.status, ready.json["fault"]) == (503, "The database does not answer.")
    text = ana.raw(ana.outgoing("GET", "/metrics"), {}, [b""]).content.decode()
    assert "autolearn_stores_answer 0.0" in text
    assert 'autolearn_calls_total{operation="GET /session",outcome="200",service="session"} 1.0' in text
