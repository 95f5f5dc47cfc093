"""OpenAPI, true to the code: the routes' plain schemas, and what the request pipeline adds to each of them."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from adapters.http.policy import POLICY, PolicyRow
from adapters.http.routes.response_schemas import ProblemView
from autolearn.protocol.headers import AUDIT, EVENT_STREAM, HEAD, LAG, POSITION, PROBLEM

DESCRIPTION = (
    "Schemas are shown as they are before sealing: every body marked `x-sealed` travels as "
    "`application/vnd.autolearn.sealed`, and every call is signed. The header `AutoLearn-Seal` of an answer binds "
    "its status, headers and body to the call: clients take them from there, `AutoLearn-Head` is nowhere else. "
    "A request id is used once: its repeat gets the first answer. `autolearn call` does all of that; "
    "`autolearn proxy` is for curl, browsers and notebooks."
)
EVERY_CALL = {
    "401": "not authenticated",
    "403": "not allowed",
    "422": "bad input",
    "429": "more at a time than one client may have",
    "503": "not able now",
    "507": "disk full",
}
NAMED = {"404": "not there, or not visible", "409": "not in this state, or several have this beginning"}
COMMAND = {
    "400": "not the JSON of this request",
    "404": "not there, or not visible",
    "409": "not in this state",
    "413": "too large",
    "415": "not sealed",
}
NAMED_BY_A_QUERY = ("/session", "/predictions", "/events")
TASKS = ("/trainings", "/evaluations", "/experiments/{id}/reproductions")
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "repeat a command under one name; it must be the one that the token was made for",
    "schema": {"type": "string", "pattern": "^[!-~]{1,128}$"},
}
PREFER = {
    "name": "Prefer",
    "in": "header",
    "required": False,
    "description": "`respond-async`, `wait=SECONDS` (RFC 7240)",
    "schema": {"type": "string"},
}
POSITION_HEADERS = {
    POSITION: {"description": "place in the log that this is true for", "schema": {"type": "integer"}},
    AUDIT: {
        "description": "POSITION:HASH of this call's own record in the audit log: its receipt",
        "schema": {"type": "string"},
    },
}
LAG_HEADER = {
    LAG: {
        "description": "while the read models catch up: POSITION/END of the log, and `; seconds=N` to go where known",
        "schema": {"type": "string"},
    }
}
HEAD_HEADER = {HEAD: {"description": "the log's chain hash there: the receipt", "schema": {"type": "string"}}}


EVENT = {
    "type": "object",
    "description": "one sealed event; its opened `data` is the JSON of the same route without `/events`",
    "properties": {
        "event": {"type": "string", "enum": ["state", "progress", "result", "problem", "communication"]},
        "id": {"type": "string", "pattern": "^[0-9]+$"},
        "data": {"type": "string"},
    },
    "required": ["event", "id", "data"],
}


def describe_api(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, routes=app.routes, description=DESCRIPTION)
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["SealedEvent"] = EVENT
    schemas["ProblemView"] = ProblemView.model_json_schema()
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    scheme = {
        "type": "http",
        "scheme": "AutoLearn",
        "description": "`AutoLearn <client>.<generation>.<token>`, see Wire in docs/architecture.md",
    }
    components["securitySchemes"] = {"AutoLearn": scheme}
    for row in POLICY:
        operation = document["paths"].get(row.template, {}).get(row.method.lower())
        if operation is not None:
            _complete(row, operation)
    return document


def _complete(row: PolicyRow, operation: dict[str, Any]) -> None:
    operation["x-sealed"] = True
    operation["x-roles"] = sorted(row.roles)
    operation["security"] = [{"AutoLearn": []}]
    parameters = operation.setdefault("parameters", [])
    if row.is_command:
        parameters.append(KEY)
    if row.method == "POST" and row.template in TASKS:
        parameters.append(PREFER)
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            response["headers"] = POSITION_HEADERS | (HEAD_HEADER if row.is_command else LAG_HEADER)
            if EVENT_STREAM in response.get("content", {}):
                response["content"][EVENT_STREAM] = {"schema": {"$ref": "#/components/schemas/SealedEvent"}}
    operation["responses"] |= {status: _problem(text) for status, text in _refusals(row).items()}


def _refusals(row: PolicyRow) -> dict[str, str]:
    named = NAMED if "{" in row.template or row.template in NAMED_BY_A_QUERY else {}
    return dict(sorted((EVERY_CALL | named | (COMMAND if row.is_command else {})).items()))


def _problem(text: str) -> dict[str, Any]:
    return {"description": text, "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/ProblemView"}}}}
