"""Every route is closed unless the policy's one row opens it, to the roles that the row names."""

from __future__ import annotations

import re

import pytest
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.http.app import SERVICES, make_app
from adapters.http.policy import ANALYST, OPEN, POLICY, SYSADMIN, PolicyRow, row_for
from tests.http.asgi import Caller
from tests.http.rig import Rig


def routes(rig: Rig) -> list[tuple[str, str]]:
    """List every route; one that is hidden inside another kind of route would escape the walk."""
    found = [route for route in rig.app.app.routes if isinstance(route, APIRoute)]
    assert len(found) == len(rig.app.app.routes)
    return sorted((method, route.path) for route in found for method in route.methods or ())


def test_every_route_has_exactly_one_row_and_every_row_a_route(rig: Rig) -> None:
    sealed = [(method, path) for method, path in routes(rig) if path not in OPEN]
    assert sealed == sorted((row.method, row.template) for row in POLICY)


def test_the_open_routes_only_read(rig: Rig) -> None:
    assert [(method, path) for method, path in routes(rig) if path in OPEN] == [("GET", path) for path in sorted(OPEN)]


@pytest.mark.parametrize("row", POLICY, ids=lambda row: row.operation)
def test_a_call_finds_its_own_row(row: PolicyRow) -> None:
    assert row_for(row.method, re.sub(r"{\w+}", "x", row.template)) is row


def test_a_route_without_a_row_is_refused(rig: Rig, root: Caller) -> None:
    async def forgotten(_: Request) -> Response:
        return Response("open")

    rig.app.app.router.routes.append(Route("/forgotten", forgotten))
    assert root.get("/forgotten").status == 403


@pytest.mark.parametrize("row", [row for row in POLICY if row.roles == SYSADMIN], ids=lambda row: row.operation)
def test_an_analyst_may_not_what_is_for_sys_admins(rig: Rig, ana: Caller, row: PolicyRow) -> None:
    before = rig.position
    target = re.sub(r"{\w+}", "svm", row.template)
    reply = ana.get(target) if row.method == "GET" else ana.post(target, {})
    assert (reply.status, reply.json["type"]) == (403, "forbidden")
    assert rig.position == before


@pytest.mark.parametrize("row", [row for row in POLICY if row.roles == ANALYST], ids=lambda row: row.operation)
def test_who_is_only_sys_admin_has_no_session_of_its_own(rig: Rig, root: Caller, row: PolicyRow) -> None:
    root.post("/clients", {"client": "warden", "roles": ["sys-admin"]})
    assert rig.caller("warden").post(row.template, {}).status == 403


@pytest.mark.parametrize("row", POLICY, ids=lambda row: row.operation)
def test_without_credentials_every_route_is_closed(rig: Rig, ana: Caller, row: PolicyRow) -> None:
    call = ana.outgoing(row.method, re.sub(r"{\w+}", "x", row.template))
    reply = ana.raw(call, {"Content-Type": "application/json"}, [b"{}"])
    assert (reply.status, reply.json["type"]) == (401, "not-authenticated")
    assert "autolearn call" in reply.json["detail"]
    assert rig.audit_log.recent(0)[-1].content.operation == row.operation


def test_a_process_of_one_service_serves_that_one_alone(rig: Rig) -> None:
    alone = make_app(rig.backend, ["session"])
    paths = {route.path for route in alone.app.routes if isinstance(route, APIRoute)}
    assert paths - OPEN == {row.template for row in POLICY if row.service == "session"}
    assert {row.service for row in POLICY} == set(SERVICES)


def test_a_process_of_other_services_says_which_one_has_the_route(rig: Rig, ana: Caller) -> None:
    alone = Caller(make_app(rig.backend, ["training", "catalog"]), ana.credentials)
    reply = alone.get("/session")
    assert (reply.status, reply.json["type"]) == (404, "not-found")
    says = "The service session has this route; this address serves training, catalog alone."
    assert reply.json["detail"] == says
    assert "There is no such route" in alone.get("/nowhere").json["detail"]
