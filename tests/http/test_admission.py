"""Who is not proven is refused, told why, and recorded; nothing changes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.security.keys import client_key
from autolearn.credentials import Credentials
from tests.http.asgi import Caller, Reply
from tests.http.rig import MASTER, Rig

TRAINING = {"dataset": "iris", "model": "svm"}


def refused(rig: Rig, reply: Reply, status: int, slug: str) -> str:
    assert (reply.status, reply.json["type"]) == (status, slug)
    last = rig.audit_log.recent(0)[-1].content
    assert (last.outcome, last.problem) == (str(status), slug)
    assert not rig.backend.in_flight.correlations()
    return str(reply.json["detail"])


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_clock_ten_minutes_off_is_reported_with_both_times(rig: Rig, ana: Caller, minutes: int) -> None:
    rig.clock.offset = timedelta(minutes=minutes)
    reply = ana.post("/trainings", TRAINING)
    detail = refused(rig, reply, 401, "not-authenticated")
    assert reply.json["token_time"] in detail
    assert reply.json["backend_time"] in detail


def test_a_captured_request_is_refused_two_minutes_later(rig: Rig, ana: Caller) -> None:
    call = ana.outgoing("POST", "/trainings")
    headers, sealed = call.seal_json(b"{}")
    rig.clock.offset = timedelta(minutes=2)
    refused(rig, ana.raw(call, headers, [sealed]), 401, "not-authenticated")


def test_a_revoked_client_is_told_so(rig: Rig, ana: Caller, root: Caller) -> None:
    assert root.post("/clients/ana/revocation").status == 200
    assert "revoked" in refused(rig, ana.get("/session"), 401, "not-authenticated")


@pytest.mark.parametrize("name", ["mallory", "ana"])
def test_an_unknown_client_and_a_wrong_key_look_the_same(rig: Rig, name: str) -> None:
    stranger = Caller(rig.app, Credentials(name, 1, client_key(b"x" * 32, name, 1)))
    detail = refused(rig, stranger.get("/session"), 401, "not-authenticated")
    assert detail == "The token was not made with this client's key of this generation."


def test_an_unknown_client_with_its_right_key_looks_the_same(rig: Rig) -> None:
    detail = refused(rig, rig.caller("mallory").get("/session"), 401, "not-authenticated")
    assert detail == "The token was not made with this client's key of this generation."


def test_another_client_cannot_pass_for_ana(rig: Rig, bob: Caller) -> None:
    forged = Caller(rig.app, Credentials("ana", 1, bob.credentials.key))
    refused(rig, forged.get("/session"), 401, "not-authenticated")


def test_after_a_rotation_both_generations_count_for_a_day(rig: Rig, ana: Caller, root: Caller) -> None:
    rotated = root.post("/clients/ana/rotation").json
    assert rotated["key"].encode() == client_key(MASTER, "ana", 2)
    assert ana.get("/session").status == 200
    fresh = rig.caller("ana", 2)
    assert fresh.get("/session").status == 200
    assert rig.caller("ana", 3).get("/session").status == 401


def test_an_old_generation_ends_after_a_day(
    rig: Rig, ana: Caller, root: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    root.post("/clients/ana/rotation")
    rig.clock.offset = timedelta(hours=25)
    later = rig.clock.now().timestamp()
    monkeypatch.setattr("autolearn.protocol.tokens.time", lambda: later)
    assert "generation 1 is not accepted any more" in refused(rig, ana.get("/session"), 401, "not-authenticated")
    assert rig.caller("ana", 2).get("/session").status == 200


def test_a_token_for_another_path_or_method_is_refused(rig: Rig, ana: Caller) -> None:
    headers = ana.outgoing("GET", "/session").headers()
    for method, target in (("GET", "/catalog"), ("DELETE", "/session"), ("GET", "/session?list=1")):
        reply = ana.raw(ana.outgoing(method, target), headers, [b""])
        refused(rig, reply, 401, "not-authenticated")


def test_a_repeat_with_another_body_is_refused(rig: Rig, ana: Caller) -> None:
    call = ana.outgoing("POST", "/trainings")
    headers, sealed = call.seal_json(b'{"dataset": "iris", "model": "svm"}')
    assert ana.raw(call, headers, [sealed]).status == 201
    _, other = call.seal_json(b'{"dataset": "iris", "model": "naive-bayes"}')
    before = rig.position
    refused(rig, ana.raw(call, headers, [other]), 409, "request-used")
    assert rig.position == before


def test_a_captured_command_gives_its_first_answer_again(rig: Rig, ana: Caller) -> None:
    call = ana.outgoing("POST", "/trainings")
    headers, sealed = call.seal_json(b'{"dataset": "iris", "model": "svm"}')
    first = ana.raw(call, headers, [sealed])
    before = rig.position
    again = ana.raw(call, headers, [sealed])
    assert (again.status, again.json) == (201, first.json)
    assert rig.position == before


def test_a_captured_command_under_another_key_is_refused(rig: Rig, ana: Caller) -> None:
    call = ana.outgoing("POST", "/trainings", "monday")
    headers, sealed = call.seal_json(b'{"dataset": "iris", "model": "svm"}')
    assert ana.raw(call, headers, [sealed]).status == 201
    before = rig.position
    refused(rig, ana.raw(call, headers | {"Idempotency-Key": "tuesday"}, [sealed]), 401, "not-authenticated")
    del headers["Idempotency-Key"]
    refused(rig, ana.raw(call, headers, [sealed]), 401, "not-authenticated")
    assert rig.position == before


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8420", ""])
def test_a_foreign_host_is_refused(rig: Rig, ana: Caller, host: str) -> None:
    refused(rig, ana.get("/session", Host=host), 403, "forbidden")
    assert ana.get("/openapi.json", Host=host).status == 403
    assert ana.get("/health/", Host=host).status == 403


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
@pytest.mark.parametrize("host", ["10.1.2.3:8420", "autolearn-serve.shop.svc.cluster.local", ""])
def test_health_and_metrics_answer_whatever_name_they_are_asked_by(ana: Caller, path: str, host: str) -> None:
    """A probe of Kubernetes asks by the pod's address, Prometheus by the name of a service."""
    assert ana.get(path, Host=host).status == 200


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8420", "[::1]:8420", "LOCALHOST:1", "learn.example"])
def test_our_own_names_pass(ana: Caller, host: str) -> None:
    assert ana.get("/session", Host=host).status == 200


def test_every_refusal_is_recorded_without_what_only_the_token_could_prove(rig: Rig, ana: Caller) -> None:
    call = ana.outgoing("GET", "/session?list=1")
    ana.raw(call, {"Authorization": "AutoLearn ana.1.nonsense"}, [b""])
    last = rig.audit_log.recent(0)[-1].content
    assert (last.actor, last.operation, last.target) == ("(unknown)", "GET /session", "session")
