"""A request id is used once, whatever came of it: the answer to its repeat is the first one, and nothing runs."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from autolearn.outgoing_call import OutgoingCall
from domain.errors import NotAbleError
from tests.http.asgi import Caller, Reply
from tests.http.doubles import PreparedLauncher
from tests.http.rig import Rig

TRAINING = {"dataset": "iris", "model": "svm"}


def captured(caller: Caller, call: OutgoingCall, body: Any) -> tuple[dict[str, str], list[bytes]]:
    """Return a request as somebody on its way sees it."""
    headers, sealed = call.seal_json(json.dumps(body).encode())
    return headers, [sealed]


def same(one: Reply, other: Reply) -> bool:
    return (one.status, one.headers, one.content) == (other.status, other.headers, other.content)


@pytest.mark.parametrize(
    ("target", "body"),
    [
        ("/session/commit", {}),
        ("/session/discard", {}),
        ("/trainings", TRAINING | {"settings": {"C": -1}}),
        ("/trainings", {"nothing": 1}),
        ("/experiments/aaaaaaaaaaaaaaaa/withdrawal", {"reason": "r"}),
        ("/clients/bob/revocation", {}),
        ("/rebuilds", {"projection": "history"}),
        ("/verifications", {}),
    ],
)
def test_what_left_no_trace_in_the_log_is_answered_alike(
    rig: Rig, ana: Caller, root: Caller, target: str, body: dict[str, Any]
) -> None:
    rig.inspector.steps = [{"result": {"ok": True, "position": 7}}]
    caller = root if target.startswith(("/rebuilds", "/verifications")) else ana
    call = caller.outgoing("POST", target)
    request = captured(caller, call, body)
    first = caller.raw(call, *request)
    root.post("/clients/ana/rotation")
    ana.post("/trainings", TRAINING)  # now there is something to commit, and to discard
    before, asked = rig.position, len(rig.inspector.asked)
    assert same(caller.raw(call, *request), first)
    assert same(caller.send(call, json.dumps(body).encode()), first), (
        "sealed anew, as a client does after a lost answer"
    )
    assert (rig.position, len(rig.inspector.asked)) == (before, asked)


def test_a_captured_command_that_changed_nothing_is_not_carried_out_later(rig: Rig, root: Caller) -> None:
    root.post("/clients", {"client": "eve", "roles": ["analyst"]})
    root.post("/catalog/models/svm/withdrawal", {})
    call = root.outgoing("POST", "/catalog/models/svm/withdrawal")
    request = captured(root, call, {})
    first = root.raw(call, *request)
    assert first.status in {200, 404, 409}
    before = rig.position
    assert same(root.raw(call, *request), first)
    assert rig.position == before


def test_what_is_in_the_log_is_answered_from_it(rig: Rig, ana: Caller) -> None:
    call = ana.outgoing("POST", "/trainings")
    first = ana.send(call, json.dumps(TRAINING).encode())
    before = rig.position
    again = ana.send(call, json.dumps(TRAINING).encode())
    assert (again.status, again.json, rig.position) == (201, first.json, before)


def test_a_request_id_with_another_body_is_refused(rig: Rig, ana: Caller) -> None:
    call = ana.outgoing("POST", "/session/commit")
    first = ana.send(call, b"{}")
    other = ana.send(call, b'{"message": "other"}')
    assert (other.status, other.json["type"]) == (422, "key-reused")
    assert same(ana.send(call, b"{}"), first), "and this is no answer of the request"


def test_a_stream_cannot_be_given_again(rig: Rig, root: Caller) -> None:
    rig.inspector.steps = [{"progress": 0.5, "what": "chain"}, {"result": {"ok": True, "position": 7}}]
    call = root.outgoing("POST", "/verifications")
    assert root.send(call, b"{}", Accept="text/event-stream").events[-1][0] == "result"
    for accept in ("text/event-stream", "*/*"):
        again = root.send(call, b"{}", Accept=accept)
        assert (again.status, again.json["type"]) == (409, "request-used")
    assert len(rig.inspector.asked) == 1


def test_a_refusal_of_the_policy_stays_one(rig: Rig, ana: Caller) -> None:
    call = ana.outgoing("POST", "/clients")
    request = captured(ana, call, {"client": "eve", "roles": ["analyst"]})
    first = ana.raw(call, *request)
    assert first.status == 403
    assert same(ana.raw(call, *request), first)


def test_a_body_changed_on_its_way_ends_the_request(rig: Rig, ana: Caller) -> None:
    call = ana.outgoing("POST", "/trainings")
    headers, [sealed] = captured(ana, call, TRAINING)
    first = ana.raw(call, headers, [sealed[:-4] + b"AAA="])
    assert first.status == 401
    before = rig.position
    assert same(ana.raw(call, headers, [sealed]), first)
    assert rig.position == before


def test_a_changed_repeat_of_what_was_done_is_not_reported_as_a_refusal(rig: Rig, ana: Caller) -> None:
    call = ana.outgoing("POST", "/trainings")
    headers, [sealed] = captured(ana, call, TRAINING)
    assert ana.raw(call, headers, [sealed]).status == 201
    again = ana.raw(call, headers, [sealed[:-4] + b"AAA="])
    assert (again.status, again.json["type"]) == (409, "request-used")


def test_a_changed_repeat_of_a_refusal_gets_the_first_answer(rig: Rig, ana: Caller) -> None:
    call = ana.outgoing("POST", "/session/commit")
    headers, [sealed] = captured(ana, call, {})
    first = ana.raw(call, headers, [sealed])
    assert same(ana.raw(call, headers, [sealed[:-4] + b"AAA="]), first)


@pytest.mark.parametrize("key", ["", "k"])
def test_a_new_request_with_the_key_of_the_first_runs_again(rig: Rig, ana: Caller, key: str) -> None:
    call = ana.outgoing("POST", "/session/commit", key)
    assert ana.send(call, b"{}").status == 409
    ana.post("/trainings", TRAINING)
    assert ana.send(call, b"{}").status == 409
    assert ana.send(call.renew(), b"{}").status == 200


def test_two_at_once_run_once(rig: Rig, root: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, may_end, run = Event(), Event(), type(rig.inspector).run

    def slow(*arguments: Any) -> Any:
        inside.set()
        assert may_end.wait(10)
        return run(*arguments)

    monkeypatch.setattr(type(rig.inspector), "run", slow)
    rig.inspector.steps = [{"result": {"ok": True, "position": 7}}]
    call = root.outgoing("POST", "/verifications")
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(root.send, call, b"{}")
        assert inside.wait(10)
        two = pool.submit(root.send, call, b"{}")
        while rig.backend.in_flight.correlations().count(call.request_id) and not rig.request_ids._running:
            pass
        may_end.set()
        assert same(one.result(), two.result())
    assert len(rig.inspector.asked) == 1


def test_a_repeat_joins_a_command_that_waits_for_its_task(rig: Rig, ana: Caller) -> None:
    assert isinstance(rig.launcher, PreparedLauncher)
    rig.hold_back()
    before, call = rig.position, ana.outgoing("POST", "/trainings")
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(ana.send, call, json.dumps(TRAINING).encode())
        assert rig.feed.wait_beyond(before, 10)
        two = pool.submit(ana.send, call, json.dumps(TRAINING).encode())
        rig.launcher.may_end.set()
        assert (one.result().status, two.result().status) == (201, 201)
        assert one.result().json == two.result().json


def test_an_upload_that_was_refused_is_not_taken_later(rig: Rig, ana: Caller) -> None:
    call = ana.outgoing("POST", "/catalog/datasets?name=mine&target=nothing&format=xml")
    first = ana.upload_as(call, b"a,b\n1,2\n")
    assert first.status == 422
    before = rig.position
    assert same(ana.upload_as(call, b"a,b\n1,2\n"), first)
    assert rig.position == before


def test_who_hung_up_before_the_answer_may_come_again(rig: Rig, ana: Caller) -> None:
    call = ana.outgoing("POST", "/trainings")
    headers, [sealed] = captured(ana, call, TRAINING)
    ana.hang_up(call, headers, [sealed[:20]])
    assert ana.send(call, json.dumps(TRAINING).encode()).status == 201


def test_what_could_not_be_kept_does_not_run_again(rig: Rig, ana: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise NotAbleError("no")

    call = ana.outgoing("POST", "/session/commit")
    with monkeypatch.context() as patched:
        patched.setattr(type(rig.audit_log), "append", fail)
        patched.setattr(type(rig.request_ids), "keep", fail)
        assert ana.send(call, b"{}").status == 503
    ana.post("/trainings", TRAINING)
    again = ana.send(call, b"{}")
    assert (again.status, again.json["type"]) == (409, "request-used")


def test_a_query_may_be_asked_again(ana: Caller) -> None:
    call = ana.outgoing("GET", "/session")
    assert [ana.send_empty(call).status for _ in range(2)] == [200, 200]
