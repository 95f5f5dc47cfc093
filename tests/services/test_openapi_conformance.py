"""The OpenAPI document held against the real application, behind a small transport that signs, seals and opens."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from adapters.http.openapi import describe_api
from adapters.http.policy import POLICY, PolicyRow
from autolearn.protocol.headers import RAW
from tests.http.asgi import Caller, Reply
from tests.http.rig import Rig

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 15
REFUSED = 400
ENDLESS = "/log/events"
BASE = "http://localhost"


class Signing:
    """Turns a plain request into a signed and sealed call, and its answer back into a plain one."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    def send(self, request: requests.PreparedRequest) -> schemathesis.Response:
        given: Any = request.body or b""
        body = given.encode() if isinstance(given, str) else given
        headers = {name: str(value) for name, value in request.headers.items()}
        call = self.caller.outgoing(request.method or "", request.path_url, headers.get("Idempotency-Key", ""))
        more = {name: value for name, value in headers.items() if name in ("Prefer", "Accept")}
        if not body:
            return _answer(request, self.caller.send_empty(call, **more))
        if headers.get("Content-Type") == RAW:
            return _answer(request, self.caller.upload_as(call, body))
        return _answer(request, self.caller.send(call, body, **more))


def _answer(request: requests.PreparedRequest, reply: Reply) -> schemathesis.Response:
    headers = {name: [value] for name, value in reply.headers.items()}
    if reply.headers["content-type"].endswith("sealed"):
        headers["content-type"] = ["application/problem+json" if reply.status >= REFUSED else "application/json"]
    return schemathesis.Response(reply.status, headers, reply.plain, request, elapsed=0.0, verify=False)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig.prepared(tmp_path_factory.mktemp("conformance"))
    rig.inspector.steps = [
        {"result": {"ok": True, "position": 1, "head": "ab", "faults": [], "matches_read_models": True}}
    ]
    ana = rig.caller("root")
    for _ in range(2):
        ana.post("/trainings", {"dataset": "iris", "model": "svm"})
    ana.post("/evaluations", {})
    ana.post("/session/commit", {})
    (first, *_) = ana.get(f"/experiments?after_position={rig.position}").json["experiments"]
    ana.post(f"/experiments/{first['experiment']}/reproductions")
    ana.post(f"/predictions?experiment={first['experiment']}", {"length": 1})
    ana.post("/searches", {"dataset": "iris", "models": ["svm"], "space": {"C": [1, 10]}})
    rig.settle()
    yield rig
    rig.close()


@pytest.fixture(scope="module")
def known(rig: Rig) -> dict[str, str]:
    """Names that exist, by the path that takes them."""
    (first, *_) = rig.caller("root").get("/experiments").json["experiments"]
    name = first["experiment"]
    (prediction, *_) = rig.caller("root").get("/predictions").json["predictions"]
    (search, *_) = rig.caller("root").get("/searches").json["searches"]
    return {
        "/searches": search["search"],
        "/predictions": prediction["prediction"],
        "/trainings": name,
        "/experiments": name,
        "/evaluations": f"{name}-e1",
        "/reproductions": f"{name}-r1",
        "/clients": "bob",
        "/catalog": "svm",
    }


@pytest.fixture(scope="module")
def document(rig: Rig) -> schemathesis.BaseSchema:
    return schemathesis.openapi.from_dict(describe_api(rig.app.app))


@pytest.mark.parametrize("row", [row for row in POLICY if row.template != ENDLESS], ids=lambda row: row.operation)
@given(data=st.data())
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_code_does_what_the_document_says(
    data: st.DataObject, row: PolicyRow, rig: Rig, document: Any, known: dict[str, str]
) -> None:
    mode = data.draw(st.sampled_from(GenerationMode))
    case = data.draw(document[row.template][row.method].as_strategy(generation_mode=mode))
    if case.path_parameters and data.draw(st.booleans(), label="of something that is there"):
        value = next(value for beginning, value in known.items() if row.template.startswith(beginning))
        case.path_parameters = dict.fromkeys(case.path_parameters, value)
    request = requests.Request(**case.as_transport_kwargs(base_url=BASE)).prepare()
    response = Signing(rig.caller("root")).send(request)
    assert response.status_code != HTTPStatus.INTERNAL_SERVER_ERROR
    case.validate_response(response, checks=CHECKS)
