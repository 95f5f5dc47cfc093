"""Event streams: every frame sealed for its number, opened and closed in the audit log, and over for who is revoked."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from threading import Timer
from urllib.parse import quote

import pytest

from adapters.audit_log.in_flight_calls import InFlightCalls
from adapters.embedded.audit_log.store import RING
from adapters.http.streams.frames import make_frame, seal_frame
from autolearn.errors import BrokenSealError
from commands.storage.add_client import AddClient
from domain.errors import BadInputError, NotAbleError
from tests.http.asgi import Caller, Reply
from tests.http.doubles import PreparedLauncher
from tests.http.rig import Rig

TRAINING = {"dataset": "iris", "model": "svm"}
EVENTS = {"Accept": "text/event-stream"}


def outcomes(rig: Rig) -> list[str]:
    return [record.content.outcome for record in rig.audit_log.recent(0)]


def begun(rig: Rig, caller: Caller) -> Reply:
    rig.hold_back()
    return caller.post("/trainings", TRAINING, Prefer="respond-async")


def test_a_training_is_followed_to_its_end(rig: Rig, ana: Caller) -> None:
    assert isinstance(rig.launcher, PreparedLauncher)
    started = begun(rig, ana)
    Timer(0.1, rig.launcher.may_end.set).start()
    reply = ana.get(f"{started.headers['location']}/events?after_position={started.position}")
    assert (reply.status, reply.headers["content-type"].partition(";")[0]) == (200, "text/event-stream")
    names = [name for name, _ in reply.events]
    assert (names[0], names[-1]) == ("state", "result")
    assert reply.events[-1][1]["state"] == "completed"
    assert outcomes(rig)[-2:] == ["opened", "closed"]
    opened, closed = (record.content for record in rig.audit_log.recent(0)[-2:])
    assert opened.correlation == closed.correlation == reply.call.request_id
    assert closed.bytes_out == len(reply.content)
    assert not rig.backend.in_flight.correlations()


def test_no_frame_is_plain_and_none_fits_another_place(rig: Rig, ana: Caller) -> None:
    trained = ana.post("/trainings", TRAINING)
    reply = ana.get(f"/trainings/{trained.json['experiment']}/events?after_position={trained.position}")
    assert len(reply.frames) == 2
    for secret in (b'"svm"', b'"iris"', b'"completed"'):
        assert secret not in reply.content
    again = ana.send_empty(reply.call)
    first = reply.frames[0].split(b"data: ")[1].strip().decode()
    assert reply.unseal_event(1, "state", first)
    for number, name, stream in ((2, "state", reply), (1, "result", reply), (1, "state", again)):
        with pytest.raises(BrokenSealError):
            stream.unseal_event(number, name, first)
    with pytest.raises(BrokenSealError):
        ana.outgoing("GET", reply.call.target).unseal_event(1, "state", reply.seal, first.encode())


def test_evaluations_and_reproductions_have_events_too(ana: Caller) -> None:
    name = ana.post("/trainings", TRAINING).json["experiment"]
    evaluated = ana.post("/evaluations", {})
    reply = ana.get(f"/evaluations/{name}-e1/events?after_position={evaluated.position}")
    assert reply.events[-1][1]["evaluation"] == f"{name}-e1"
    reproduced = ana.post(f"/experiments/{name}/reproductions")
    reply = ana.get(f"/reproductions/{name}-r1/events?after_position={reproduced.position}")
    assert reply.events[-1][1]["verdict"] == "bit-identical"


def test_events_of_what_is_not_there_are_a_problem(ana: Caller) -> None:
    reply = ana.get("/trainings/aaaaaaaaaaaaaaaa/events")
    assert (reply.status, reply.json["type"]) == (404, "not-found")


def test_who_hangs_up_closes_the_stream(rig: Rig, ana: Caller) -> None:
    started = begun(rig, ana)
    call = ana.outgoing("GET", f"{started.headers['location']}/events?after_position={started.position}")
    ana.raw(call, call.headers(), [b""], until=lambda frames: frames >= 1)
    assert outcomes(rig)[-2:] == ["opened", "closed"]


def test_who_hangs_up_before_the_first_frame_leaves_nothing_behind(
    rig: Rig, root: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = root.outgoing("GET", "/log/events?after=10000")
    with monkeypatch.context() as patched:

        def leave() -> None:
            patched.setattr(type(rig.audit_log), "append", unable)

        reply = asyncio.run(root.exchanged(call, call.headers(), leaving=leave))
    assert (reply.status, reply.json["type"]) == (503, "not-able-now")
    assert not rig.backend.in_flight.correlations()
    assert not rig.app.state.streams._taken


def unable(*_: object) -> None:
    raise NotAbleError("The disk of the audit log is away.")


def test_the_log_is_followed(rig: Rig, ana: Caller, root: Caller) -> None:
    ana.get("/session")
    before = rig.audit_log.recent(0)[-1].position
    Timer(0.1, lambda: ana.get("/catalog")).start()
    call = root.outgoing("GET", f"/log/events?actor=ana&after={before}")
    reply = root.raw(call, call.headers(), [b""], until=lambda frames: frames >= 1)
    (name, record) = reply.events[0]
    assert (name, record["operation"], record["actor"]) == ("communication", "GET /catalog", "ana")


@pytest.mark.parametrize("parameter", ["after=1", "since=2020-01-01T00:00:00Z"])
def test_following_misses_nothing_that_left_the_ring(rig: Rig, ana: Caller, root: Caller, parameter: str) -> None:
    ana.get("/session")
    record = rig.audit_log.recent(0)[0].content
    for _ in range(RING + 5):
        rig.audit_log.append(replace(record, actor="filler", correlation="many"))
    assert rig.audit_log.recent(0)[0].position > 2
    call = root.outgoing("GET", f"/log/events?actor=filler&{parameter}")
    reply = root.raw(call, call.headers(), [b""], until=lambda frames: frames >= RING + 5)
    assert [told["position"] for _, told in reply.events[: RING + 5]] == list(range(2, RING + 7))


def test_following_since_a_time_begins_there(rig: Rig, ana: Caller, root: Caller) -> None:
    for _ in range(3):
        ana.get("/session")
    second = rig.audit_log.recent(0)[1]
    since = quote(second.at.isoformat())
    call = root.outgoing("GET", f"/log/events?actor=ana&since={since}")
    reply = root.raw(call, call.headers(), [b""], until=lambda frames: frames >= 2)
    assert [told["position"] for _, told in reply.events[:2]] == [second.position, second.position + 1]


def test_a_revoked_client_hears_no_more(rig: Rig, root: Caller) -> None:
    root.post("/clients", {"client": "warden", "roles": ["sys-admin"]})
    Timer(0.1, lambda: root.post("/clients/warden/revocation")).start()
    warden = rig.caller("warden")
    reply = warden.get("/log/events")
    assert reply.events[-1][0] == "problem"
    assert reply.events[-1][1]["type"] == "not-authenticated"


@pytest.mark.parametrize("followed", ["a task", "the audit log"])
def test_a_process_that_is_to_stop_ends_its_streams(rig: Rig, root: Caller, followed: str) -> None:
    """It would wait five seconds for them, and then cut them."""
    started = begun(rig, root)
    Timer(0.1, rig.application.end_tasks).start()
    task = f"{started.headers['location']}/events?after_position={started.position}"
    reply = root.get(task if followed == "a task" else "/log/events")
    assert reply.events[-1][0] == "problem"
    assert "is stopping" in reply.events[-1][1]["detail"]


def test_an_inspection_as_one_answer_and_as_events(rig: Rig, root: Caller) -> None:
    result = {"ok": True, "position": 7, "head": "ab", "faults": [], "unanswered": []}
    rig.inspector.steps = [{"progress": 0.5, "what": "chain"}, {"result": result}]
    reply = root.post("/verifications", {"anchor": None})
    assert (reply.status, reply.json, reply.position) == (200, result, 7)
    streamed = root.post("/verifications", {"anchor": None}, **EVENTS)
    assert streamed.events == [("progress", rig.inspector.steps[0]), ("result", result)]
    kind, arguments = rig.inspector.asked[-1]
    assert (kind, arguments["anchor"]) == ("verify", None)
    assert arguments["in_flight"] == [streamed.call.request_id]


def test_what_is_appended_once_calls_are_counted_is_not_verified(
    rig: Rig, root: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its call may be over and done when they are counted, or begin right after."""
    before, known = rig.feed.end(), InFlightCalls.correlations

    def counted(calls: InFlightCalls) -> list[str]:
        rig.do(AddClient("eve", ("analyst",)))
        return known(calls)

    monkeypatch.setattr(InFlightCalls, "correlations", counted)
    rig.inspector.steps = [{"result": {"ok": True, "position": 7}}]
    root.post("/verifications", {"anchor": None})
    assert rig.inspector.asked[-1][1]["until"] == f"{before[0]}:{before[1].hex()}"
    assert rig.position > before[0]


def test_a_projection_that_there_is_not_is_not_rebuilt(rig: Rig, root: Caller) -> None:
    reply = root.post("/rebuilds", {"projection": "histery"})
    assert (reply.status, reply.json["type"], reply.json["nearest"]) == (404, "not-found", ["history"])
    assert rig.inspector.asked == []


def test_replay_and_rebuild_ask_the_inspector(rig: Rig, root: Caller) -> None:
    rig.inspector.steps = [{"result": {"position": 3, "matches_read_models": True}}]
    assert root.get("/replay?as_of=@3&stream=session:ana:1").position == 3
    assert root.post("/rebuilds", {"projection": "history"}).status == 200
    assert rig.inspector.asked == [
        ("replay", {"as_of": "@3", "stream": "session:ana:1"}),
        ("rebuild", {"projection": "history"}),
    ]


@pytest.mark.parametrize(
    ("refusal", "status"), [(BadInputError("Not an anchor."), 422), (NotAbleError("The process died."), 503)]
)
def test_a_refused_inspection_is_a_problem_even_for_who_wants_events(
    rig: Rig, root: Caller, refusal: Exception, status: int
) -> None:
    rig.inspector.refusal = refusal
    assert root.post("/verifications", {"anchor": "x"}, **EVENTS).status == status


def test_an_inspection_that_breaks_off_says_so(rig: Rig, root: Caller) -> None:
    rig.inspector.steps = [{"progress": 0.5, "what": "chain"}]
    assert root.post("/verifications", {"anchor": None}).status == 503
    assert root.post("/verifications", {"anchor": None}, **EVENTS).events[-1][0] == "problem"


def test_only_whole_frames_are_sealed() -> None:
    assert seal_frame(make_frame("state", {"a": "b\nc"}), 3, lambda _, data: data) == (
        b"event: state\nid: 3\ndata: " + json.dumps({"a": "b\nc"}).encode() + b"\n\n"
    )
    for broken in (b"data: x\n\n", b"event: a\ndata: x\n", b"event: a\ndata: x\ndata: y\n\n", make_frame("a", 1) * 2):
        with pytest.raises(ValueError, match="whole frames"):
            seal_frame(broken, 1, lambda _, data: data)
