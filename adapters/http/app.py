"""The ASGI application: routers of the services behind one gate."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Scope

from adapters.http.backend import Backend
from adapters.http.metrics import Metrics
from adapters.http.middleware.framework_errors import on_http_error, on_validation_error
from adapters.http.middleware.request_pipeline import Gate
from adapters.http.middleware.thread_pools import Lanes
from adapters.http.routes import (
    catalog,
    clients,
    docs,
    evaluation,
    health,
    inspections,
    log,
    session,
    storage,
    training,
)
from adapters.http.streams.live import Live

SERVICES: dict[str, tuple[APIRouter, ...]] = {
    "catalog": (catalog.router,),
    "training": (training.router,),
    "evaluation": (evaluation.router,),
    "session": (session.router,),
    "storage": (storage.router, log.router, inspections.router, clients.router),
}


def make_app(backend: Backend) -> Gate:
    """Return the application with all five services: the embedded mode's."""
    return _assembled(backend, SERVICES)


def make_service_app(backend: Backend, service: str) -> Gate:
    """Return the application of one service: each process of the distributed mode has its own."""
    return _assembled(backend, (service,))


def _assembled(backend: Backend, services: Iterable[str]) -> Gate:
    app = FastAPI(
        title="AutoLearn", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False, version="1"
    )
    for router in [router for service in services for router in SERVICES[service]] + [health.router, docs.router]:
        app.router.routes.extend(router.routes)  # flat, so that one walk sees every route
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_exception_handler(HTTPException, on_http_error)
    lanes, metrics = Lanes(), Metrics(backend)

    def knows(scope: Scope) -> bool:
        return any(route.matches(scope)[0] is Match.FULL for route in app.routes)

    gate = Gate(app, knows, backend, lanes, metrics)
    app.state.backend, app.state.lanes, app.state.metrics = backend, lanes, metrics
    app.state.live = Live(backend, lanes)
    app.state.documents = {}
    app.state.in_flight = gate.in_flight
    return gate
