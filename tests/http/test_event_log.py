"""`GET /events` over HTTP: by whom the log is read, and one call with all events that came of it."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import uuid4

import pytest

from adapters.audit_log.system_records import SystemRecorder
from commands.call import Call
from commands.storage.add_client import AddClient
from projections import correlated_events
from tests.http.asgi import Caller
from tests.http.rig import Rig
from tests.http.test_searches import begun_by, ended

TRAINING = {"dataset": "iris", "model": "svm"}


def whole_log(rig: Rig, root: Caller) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page = root.get(f"/events?limit=500&after={after}&after_position={rig.position}").json
        found, after = found + page["events"], page["next"]
    return found


def by_correlation(events: list[dict[str, Any]]) -> dict[str, list[int]]:
    found = defaultdict(list)
    for event in events:
        found[event["correlation"]].append(event["position"])
    return found


def lived(rig: Rig, ana: Caller, root: Caller) -> None:
    """Let calls of every kind happen: those whose tasks run here, and those that a worker does later."""
    trained = ana.post("/trainings", TRAINING)
    name = trained.json["experiment"]
    ana.post("/evaluations", {"experiment": name})
    ana.post("/trainings", {**TRAINING, "seed": 3})
    ana.post("/session/commit", {})
    ana.post(f"/experiments/{name}/reproductions")
    ana.post(f"/experiments/{name}/annotations", {"text": "A remark", "reason": "because"})
    ana.post(f"/experiments/{name}/withdrawal", {"reason": "wrong"})
    ana.post(f"/predictions?experiment={name}", {"length": 1})
    root.post("/clients", {"client": "carl"})
    found = ended(rig, ana, begun_by(rig, ana)["search"])
    for experiment in found["experiments"]:
        while ana.get(f"/trainings/{experiment}?after_position={rig.position}").json["state"] != "completed":
            rig.feed.wait_beyond(rig.position, 1)
    ana.post("/session/commit", {})
    ana.post("/trainings", TRAINING, Prefer="respond-async")
    ana.post("/session/discard", {})


def test_a_call_with_all_events_that_came_of_it(rig: Rig, ana: Caller, root: Caller) -> None:
    lived(rig, ana, root)
    log = whole_log(rig, root)
    assert [event["position"] for event in log] == list(range(1, rig.position + 1))
    recorded = {record.content.correlation for record in rig.audit_log.recent(0)}
    calls = {call: expected for call, expected in by_correlation(log).items() if call in recorded}
    assert len(calls) >= 10
    assert max(map(len, calls.values())) > 10, "a search, its trials, and what it trained"
    for call, expected in calls.items():
        found = root.get(f"/events?correlation={call}&limit=500").json["events"]
        assert [event["position"] for event in found] == expected
        assert found == [event for event in log if event["correlation"] == call]


def test_any_record_of_a_call_leads_to_all_its_events(
    rig: Rig, ana: Caller, root: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long search leaves more records than are looked at; here each event that a worker handled leaves one."""
    monkeypatch.setattr(correlated_events, "MOST_RECORDS", 1)
    found = ended(rig, ana, begun_by(rig, ana)["search"])
    log = whole_log(rig, root)
    (call,) = {event["correlation"] for event in log if event["stream"] == f"search:{found['search']}"}
    expected = by_correlation(log)[call]
    recorder = SystemRecorder(rig.audit_log, "backend", "")
    for one in rig.feed.of_stream(f"search:{found['search']}", rig.position):
        recorder.record_event(one.event, one.position, "started", 1.0)
        found_now = root.get(f"/events?correlation={call}&limit=500").json["events"]
        assert [event["position"] for event in found_now if event["position"] <= expected[-1]] == expected


def test_what_a_process_appended_at_its_start(rig: Rig, root: Caller) -> None:
    start = uuid4().hex
    SystemRecorder(rig.audit_log, "backend", "").record_start(start, rig.position)
    call = Call("worker:backend", frozenset({"sys-admin"}), uuid4(), start)
    rig.application.handle(AddClient("dora", ("analyst",)), call)
    (event,) = root.get(f"/events?correlation={start}&after_position={rig.position}").json["events"]
    assert (event["type"], event["stream"]) == ("client-added", "client:dora")


def test_a_call_that_is_not_recorded_says_so(root: Caller) -> None:
    found = root.get("/events?correlation=nobody").json
    assert (found["events"], found["next"]) == ([], None)
    assert "no record of 'nobody'" in found["note"]


def test_an_analyst_reads_streams_and_not_the_log(rig: Rig, ana: Caller, bob: Caller) -> None:
    trained = ana.post("/trainings", TRAINING)
    name, place = trained.json["experiment"], f"&after_position={trained.position}"
    found = ana.get(f"/events?stream={name[:6]}{place}")
    assert (found.status, found.position, found.json["stream"]) == (200, trained.position, f"experiment:{name}")
    assert [event["type"] for event in found.json["events"]] == [
        "training-requested", "training-started", "training-completed",
    ]  # fmt: skip
    assert found.json["events"][1]["changed"]["state"] == ["requested", "started"]
    assert bob.get(f"/events?stream={name}{place}").status == 404
    assert bob.get("/events?stream=client:bob").status == 403
    assert bob.get("/events").status == bob.get("/events?correlation=x").status == 403


def test_nothing_of_a_key_is_in_the_log(rig: Rig, root: Caller) -> None:
    keys = [root.post("/clients", {"client": "eva"}).json["key"], root.post("/clients/eva/rotation").json["key"]]
    log = str(whole_log(rig, root))
    assert "client-rotated" in log
    assert [key for key in keys if key in log] == []


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "after=-1", "before=x", "order=both", "as_of=soon", "to=9"])
def test_what_cannot_be_asked(root: Caller, query: str) -> None:
    reply = root.get(f"/events?{query}")
    assert (reply.status, reply.json["type"]) == (422, "bad-input")
