"""Bodies that are too large, not sealed, not JSON or sealed for something else change nothing and are told so."""

from __future__ import annotations

import hashlib
import json

import pytest

from adapters.http.middleware.bodies import LARGEST_JSON, LARGEST_SEALED
from autolearn.protocol.headers import SEALED
from autolearn.protocol.sealing import REQUEST, seal
from autolearn.protocol.tokens import EMPTY_SHA256
from tests.http.asgi import Caller, Reply
from tests.http.rig import Rig

GOOD = b'{"dataset": "iris", "model": "svm"}'


def expect(rig: Rig, reply: Reply, status: int, slug: str) -> str:
    assert (reply.status, reply.json["type"]) == (status, slug)
    last = rig.audit_log.recent(0)[-1].content
    assert (last.outcome, last.problem) == (str(status), slug)
    assert not rig.tasks[2:]  # describe, and the one built-in data set
    return str(reply.json["detail"])


def sealed_as(caller: Caller, body: bytes, target: str = "/trainings") -> Reply:
    return caller.send(caller.outgoing("POST", target), body)


def test_a_plain_body_is_told_of_call_and_proxy(rig: Rig, ana: Caller) -> None:
    call = ana.outgoing("POST", "/trainings")
    headers = call.file_headers(hashlib.sha256(GOOD).hexdigest()) | {"Content-Type": "application/json"}
    detail = expect(rig, ana.raw(call, headers, [GOOD]), 415, "not-sealed")
    assert "autolearn call" in detail
    assert "autolearn proxy" in detail


@pytest.mark.parametrize(
    "body",
    [b"{", b"", b"nonsense", b"\xff\xfe", b'{"a": NaN}', b'{"a": Infinity}', b'{"a": "\\ud800"}', b"[" * 100_000,
     b'{"seed": 1' + b"0" * 5000 + b"}"],
    ids=["cut", "empty", "word", "no-utf8", "nan", "infinity", "surrogate", "deep", "huge-number"],
)  # fmt: skip
def test_what_is_no_json_is_refused(rig: Rig, ana: Caller, body: bytes) -> None:
    expect(rig, sealed_as(ana, body), 400, "not-json")


@pytest.mark.parametrize(
    ("purpose", "method", "target"),
    [("response", "POST", "/trainings"), ("request", "DELETE", "/trainings"), ("request", "POST", "/evaluations")],
)
def test_a_body_sealed_for_something_else_is_refused(
    rig: Rig, ana: Caller, purpose: str, method: str, target: str
) -> None:
    call = ana.outgoing("POST", "/trainings")
    sealed = seal(ana.credentials.key, purpose, call.request_id, method, target, GOOD)
    headers = call.file_headers(hashlib.sha256(sealed).hexdigest()) | {"Content-Type": SEALED}
    assert "sealed for another request" in expect(rig, ana.raw(call, headers, [sealed]), 400, "not-json")


def test_a_body_sealed_by_another_client_is_refused(rig: Rig, ana: Caller, bob: Caller) -> None:
    call = ana.outgoing("POST", "/trainings")
    sealed = seal(bob.credentials.key, REQUEST, call.request_id, "POST", "/trainings", GOOD)
    headers = call.file_headers(hashlib.sha256(sealed).hexdigest()) | {"Content-Type": SEALED}
    expect(rig, ana.raw(call, headers, [sealed]), 400, "not-json")


def test_a_declared_size_above_the_limit_is_refused_before_anything_else(rig: Rig, ana: Caller) -> None:
    call = ana.outgoing("POST", "/trainings")
    reply = ana.raw(call, {"Content-Length": str(LARGEST_SEALED + 1)}, [b""])
    expect(rig, reply, 413, "too-large")
    assert reply.headers["connection"] == "close"


def test_a_body_that_grows_above_the_limit_is_refused(rig: Rig, ana: Caller) -> None:
    call = ana.outgoing("POST", "/trainings")
    chunks = [b"x" * 65536] * (LARGEST_SEALED // 65536 + 1)
    expect(rig, ana.raw(call, call.file_headers(EMPTY_SHA256), chunks), 413, "too-large")


def test_the_largest_body_is_accepted(rig: Rig, ana: Caller) -> None:
    empty = json.dumps({"dataset": "", "model": "svm"}).encode()
    body = empty.replace(b'""', b'"' + b"d" * (LARGEST_JSON - len(empty)) + b'"')
    assert len(body) == LARGEST_JSON
    assert sealed_as(ana, body).status == 404
    assert sealed_as(ana, body + b" ").status == 413


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"model": "svm"}, "/dataset"),
        ({"dataset": "iris", "model": "svm", "modle": 1}, "/modle"),
        ({"dataset": 1, "model": "svm"}, "/dataset"),
        ({"dataset": "iris", "model": "svm", "seed": "x"}, "/seed"),
        ([], ""),
    ],
)
def test_a_body_of_another_shape_is_refused_with_the_place(rig: Rig, ana: Caller, body: object, pointer: str) -> None:
    reply = sealed_as(ana, json.dumps(body).encode())
    expect(rig, reply, 422, "bad-input")
    assert pointer in [error["pointer"] for error in reply.json["errors"]]


def test_an_unknown_query_parameter_is_reported(rig: Rig, ana: Caller) -> None:
    reply = ana.get("/session?asof=@1")
    assert (reply.status, reply.json["errors"][0]["pointer"]) == (422, "?asof")


def test_an_unknown_route_and_a_wrong_method(rig: Rig, ana: Caller) -> None:
    expect(rig, ana.get("/nowhere"), 404, "not-found")
    reply = ana.get("/trainings")
    expect(rig, reply, 405, "method-not-allowed")
    assert reply.headers["allow"] == "POST"
    assert "nowhere" not in {record.content.operation for record in rig.audit_log.recent(0)}


def test_a_caller_who_hangs_up_is_recorded(rig: Rig, ana: Caller) -> None:
    call = ana.outgoing("POST", "/trainings")
    ana.hang_up(call, call.file_headers(EMPTY_SHA256), [b"half"])
    record = rig.audit_log.recent(0)[-1].content
    assert (record.outcome, record.bytes_in) == ("gone", 4)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ([], "The body must be an object."),
        ({"dataset": 1, "model": "svm"}, "/dataset must be a text."),
        ({"model": "svm"}, "/dataset is required."),
        ({"dataset": "iris", "model": "svm", "x": 1}, "/x is not known here."),
        ({"dataset": "iris", "model": "svm", "seed": 0.5}, "/seed must be a whole number."),
        ({"dataset": "iris", "model": "svm", "test_size": "half"}, "/test_size must be a number."),
        ({"dataset": "iris", "model": "svm", "settings": []}, "/settings must be an object."),
    ],
)
def test_a_refusal_names_the_types_of_json(ana: Caller, body: object, sentence: str) -> None:
    reply = ana.post("/trainings", body)
    assert (reply.status, reply.json["detail"]) == (422, sentence)


def test_a_refusal_of_a_query_names_its_limit(ana: Caller) -> None:
    assert ana.get("/experiments?limit=0").json["detail"] == "?limit must be at least 1."
    assert ana.get("/experiments?limit=many").json["detail"] == "?limit must be a whole number."
