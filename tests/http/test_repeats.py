"""What is said twice: a parameter or a header of which only one could count is refused, a list counts as a whole."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from adapters.http.policy import OPEN, POLICY
from tests.http.asgi import Caller
from tests.http.rig import Rig

SINGLE = (
    "Host", "Authorization", "Idempotency-Key", "Content-Type", "Content-Length", "Content-Encoding",
    "Transfer-Encoding",
)  # fmt: skip


def saying_twice(caller: Caller, name: str, value: str = "") -> Caller:
    """Return a caller one of whose headers is sent twice: as it is, or with another value."""

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        found = [pair for pair in scope["headers"] if pair[0].decode().lower() == name.lower()] or [
            (name.lower().encode(), b"1")
        ]
        more = [(key, value.encode() or content) for key, content in found]
        await caller.app(scope | {"headers": [*found, *scope["headers"], *more]}, receive, send)

    return replace(caller, app=app)


@pytest.mark.parametrize("row", POLICY, ids=lambda row: row.operation)
@pytest.mark.parametrize("query", ["limit=1&limit=2", "limit=1&limit=1", "x=1&lim%69t=1&limit=2", "limit&%6Cimit="])
def test_a_repeated_parameter_is_refused_on_every_route(rig: Rig, row: Any, query: str) -> None:
    caller = rig.caller("root" if "sys-admin" in row.roles else "ana")
    target = f"{re.sub(r'{[^}]*}', 'x', row.template)}?{query}"
    before = rig.position
    call = caller.outgoing(row.method, target)
    reply = caller.upload_as(call, b"a") if row.upload else caller.send_empty(call)
    assert (reply.status, reply.json["type"]) == (422, "bad-input")
    assert "?limit" in reply.json["detail"]
    assert reply.json["errors"][0]["pointer"] == "?limit"
    assert rig.position == before


@pytest.mark.parametrize("path", sorted(OPEN))
def test_also_on_open_routes(ana: Caller, path: str) -> None:
    assert ana.get(path).status == 200
    reply = ana.get(f"{path}?a=1&%61=2")
    assert (reply.status, "?a" in reply.json["detail"]) == (422, True)


def test_a_caller_who_is_nobody_is_told_nothing_of_the_query(rig: Rig) -> None:
    stranger = rig.caller("nobody")
    assert stranger.get("/experiments?limit=1&limit=2").status == 401


@pytest.mark.parametrize("name", SINGLE)
@pytest.mark.parametrize("value", ["", "other"])
def test_a_repeated_header_of_which_one_counts_is_refused(rig: Rig, ana: Caller, name: str, value: str) -> None:
    before = rig.position
    twice = saying_twice(ana, name, value)
    for reply in (twice.get("/session"), twice.post("/session/discard", {}, key="once")):
        assert (reply.status, reply.json["type"]) == (422, "bad-input")
        assert f"header {name} is given" in reply.json["detail"]
    assert rig.position == before


def test_lines_of_a_list_count_together(rig: Rig, ana: Caller) -> None:
    training = {"dataset": "iris", "model": "svm"}
    reply = saying_twice(ana, "Prefer", "respond-async").post("/trainings", training, Prefer="wait=7")
    assert reply.headers["preference-applied"] == "respond-async, wait=7"
