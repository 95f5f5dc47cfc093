"""The ASGI application: the services' routers behind one request pipeline."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, NoReturn

from anyio import CancelScope, create_task_group, sleep
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from adapters.http.app_state import AppState
from adapters.http.backend import Backend
from adapters.http.middleware.request_pipeline import RequestPipeline
from adapters.http.policy import row_for
from adapters.http.problems import MethodNotAllowedError
from adapters.http.routes import (
    audit_log,
    catalog,
    clients,
    docs,
    evaluation,
    event_log,
    health,
    inspections,
    predictions,
    searches,
    session,
    storage,
    training,
)
from domain.errors import BadInputError, NotFoundError, NotJsonError

SERVICES: dict[str, tuple[APIRouter, ...]] = {
    "catalog": (catalog.router,),
    "training": (training.router, searches.router),
    "evaluation": (evaluation.router,),
    "session": (session.router,),
    "storage": (
        storage.router,
        predictions.router,
        event_log.router,
        audit_log.router,
        inspections.router,
        clients.router,
    ),
}
FLUSH_SECONDS = 1.0  # between two looks at what was counted of refused calls
MOST_ERRORS = 20


def make_app(backend: Backend, services: Collection[str] = tuple(SERVICES)) -> RequestPipeline:
    """Return the application of these services: all five where one process serves them."""
    app = FastAPI(
        title="AutoLearn",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        version="1",
        lifespan=store_refused_calls,
        exception_handlers={RequestValidationError: raise_bad_input, HTTPException: raise_routing_error},
    )
    for router in [router for service in services for router in SERVICES[service]] + [health.router, docs.router]:
        app.router.routes.extend(router.routes)  # flat: the pipeline looks through all of them
    app.state.shared = state = AppState(backend)
    app.state.services = tuple(services)
    return RequestPipeline(app, state)


@asynccontextmanager
async def store_refused_calls(app: FastAPI) -> AsyncIterator[None]:
    """Store what is counted of refused calls, every second as far as there is room, and all of it at the end."""
    state: AppState = app.state.shared
    refused = state.backend.refused_calls

    async def flush() -> None:
        while True:
            await sleep(FLUSH_SECONDS)
            if refused.is_flush_due:
                await state.pools.run_always(refused.flush)

    async with create_task_group() as group:
        group.start_soon(flush)
        try:
            yield
        finally:
            group.cancel_scope.cancel()
            with CancelScope(shield=True):
                await state.pools.run_always(refused.finish)


# pydantic names types of Python; callers know those of JSON
VIOLATIONS = {
    "missing": "is required",
    "extra_forbidden": "is not known here",
    "string_type": "must be a text",
    "string_too_long": "must have at most {max_length} characters",
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), "must be a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "must be a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "must be true or false"),
    **dict.fromkeys(("list_type", "tuple_type"), "must be a list"),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "must be an object"),
    **dict.fromkeys(("json_type", "json_invalid"), "must be JSON"),
    "literal_error": "must be {expected}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}

# What the framework refuses by itself becomes an error of the one tree; the pipeline makes a problem of it.


async def raise_bad_input(_: Request, error: Exception) -> NoReturn:
    """Raise BadInputError with `errors: [{pointer, detail}]`; a pointer is RFC 6901, `?name` a query parameter."""
    if not isinstance(error, RequestValidationError):
        raise error
    found = [
        {"pointer": _pointer(each["loc"]), "detail": _violation(each)} for each in list(error.errors())[:MOST_ERRORS]
    ]
    first = found[0]
    raise BadInputError(f"{first['pointer'] or 'The body'} {first['detail']}.", errors=found) from None


async def raise_routing_error(request: Request, error: Exception) -> NoReturn:
    """Raise NotFoundError, MethodNotAllowedError or NotJsonError for what the router says."""
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == HTTPStatus.NOT_FOUND:
        raise NotFoundError(_no_route(request)) from None
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "").replace(" ", "").split(",")
        raise MethodNotAllowedError(f"{request.method} is not for this route.", allowed=allowed) from None
    if error.status_code == HTTPStatus.BAD_REQUEST:
        raise NotJsonError("The body cannot be read as JSON.") from None
    raise error


def _no_route(request: Request) -> str:
    """Say which service has the route, where this process serves others alone."""
    row, here = row_for(request.method, request.url.path), request.app.state.services
    if row is None or row.service in here:
        return "There is no such route; `/openapi.json` lists them."
    return f"The service {row.service} has this route; this address serves {', '.join(here)} alone."


def _violation(error: Mapping[str, Any]) -> str:
    form = VIOLATIONS.get(error["type"])
    return form.format(**error.get("ctx", {})) if form else f"does not fit: {error['msg']}"


def _pointer(location: Sequence[int | str]) -> str:
    kind, *rest = location
    path = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in rest)
    return f"?{path[1:]}" if kind == "query" else path
