"""The console as an ASGI application: which path is which page."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from autolearn.client import BackendClient
from console.guard import Guard
from console.page import Page, page_route
from console.pages.compare import show_compare
from console.pages.datasets import add_dataset, retire_dataset, show_dataset, show_datasets
from console.pages.experiment import download_model, download_report, show_experiment
from console.pages.experiment_changes import change_experiment
from console.pages.health import add_client, revoke_client, rotate_client, show_health
from console.pages.history import download_history, show_history
from console.pages.home import show_home
from console.pages.log import download_log, show_log
from console.pages.predictions import check_prediction, make_predictions, show_prediction, show_predictions
from console.pages.searches import cancel_search, show_search, show_searches
from console.pages.session import change_session, show_session
from console.pages.time_machine import rebuild_everything, show_time_machine, verify_everything
from console.pages.timeline import show_timeline
from console.pages.train import request_search, request_training, show_train

STATIC = Path(__file__).parent / "static"
NOT_FOUND, INTERNAL_ERROR = 404, 500

ROUTES = (
    page_route("/", show_home),
    page_route("/datasets", show_datasets),
    page_route("/datasets", add_dataset, "POST"),
    page_route("/datasets/{name}", show_dataset),
    page_route("/datasets/{name}/retirement", retire_dataset, "POST"),
    page_route("/history", show_history),
    page_route("/history.csv", download_history),
    page_route("/compare", show_compare),
    page_route("/searches", show_searches),
    page_route("/searches/{id}", show_search),
    page_route("/searches/{id}/cancel", cancel_search, "POST"),
    page_route("/train", show_train),
    page_route("/train", request_training, "POST"),
    page_route("/train/search", request_search, "POST"),
    page_route("/timeline/{stream}", show_timeline),
    page_route("/log", show_log),
    page_route("/log.csv", download_log),
    page_route("/time-machine", show_time_machine),
    page_route("/time-machine/verification", verify_everything, "POST"),
    page_route("/time-machine/rebuild", rebuild_everything, "POST"),
    page_route("/health", show_health),
    page_route("/health/clients", add_client, "POST"),
    page_route("/health/clients/{name}/rotation", rotate_client, "POST"),
    page_route("/health/clients/{name}/revocation", revoke_client, "POST"),
    page_route("/experiments/{id}", show_experiment),
    page_route("/experiments/{id}", change_experiment, "POST"),
    page_route("/experiments/{id}/model", download_model),
    page_route("/experiments/{id}/report.json", download_report),
    page_route("/predictions", show_predictions),
    page_route("/predictions", make_predictions, "POST"),
    page_route("/predictions/{id}", show_prediction),
    page_route("/predictions/{id}", check_prediction, "POST"),
    page_route("/session", show_session),
    page_route("/session", change_session, "POST"),
)


def make_app(client: BackendClient, secret: str, port: int) -> Guard:
    """Return the console of one backend and client, for requests to `port` of this machine with this secret."""
    routes: list[Route | Mount] = [*ROUTES, Mount("/static", StaticFiles(directory=STATIC), name="static")]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _answer_http_error})
    app.state.client = client
    return Guard(app, secret, port)


def _answer_http_error(request: Request, error: Exception) -> Response:
    """Say in a page like the others what Starlette refuses: an unknown path, another method."""
    status = error.status_code if isinstance(error, HTTPException) else INTERNAL_ERROR
    sentence = f"There is no page {request.url.path}." if status == NOT_FOUND else "This page takes no such request."
    return Page(request).refuse_by(status, sentence)
