"""Storage: the history, one experiment, remarks on it, its model, its reproductions."""

from __future__ import annotations

from dataclasses import fields

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse

from adapters.http.routes import request_schemas as schemas
from adapters.http.routes.download import chunks, opened_model
from adapters.http.routes.query_parameters import Search, When
from adapters.http.routes.response_schemas import Changed, HistoryPage, ReproductionStatus, Shown
from adapters.http.routes.route_context import Here, told, told_of_task
from adapters.http.routes.tasks import add_task_routes
from autolearn.protocol.headers import FILE_SHA256, POSITION, RAW
from commands.storage.annotate_experiment import AnnotateExperiment
from commands.storage.request_reproduction import RequestReproduction
from commands.storage.restore_experiment import RestoreExperiment
from commands.storage.withdraw_experiment import WithdrawExperiment
from projections.history_answers import HistoryRequest

router = APIRouter(tags=["storage"])

ASKED = tuple(field.name for field in fields(HistoryRequest))


class RawResponse(StreamingResponse):
    """Bytes of a file."""

    media_type = RAW


@router.get("/experiments", responses={200: {"model": HistoryPage}})
async def search_history(it: Here, search: Search) -> Response:
    """Search the committed experiments."""
    names = {name: getattr(search, name) for name in ASKED}
    queries, request = it.backend.queries, HistoryRequest(**names)
    return await it.ask(search, lambda at: queries.history(it.viewer, request, search.cursor, at))


@router.get("/experiments/{id}", responses={200: {"model": Shown}})
async def show_experiment(it: Here, id: str, when: When) -> Response:
    """Show everything about one experiment."""
    return await it.ask(when, lambda at: it.backend.queries.show(it.viewer, id, at))


@router.get("/experiments/{id}/model", response_class=RawResponse)
async def download_model(it: Here, id: str, when: When) -> Response:
    """Download the fitted model, a skops file."""
    await it.reach(when.after_position)
    model = await it.once_reached(lambda: opened_model(it, id, when))
    headers = {POSITION: str(model.position), FILE_SHA256: model.sha256}
    headers |= {"Content-Length": str(model.size), "Cache-Control": "no-store"}
    return RawResponse(chunks(it, model.file), headers=headers)


@router.post("/experiments/{id}/annotations", responses={200: {"model": Changed}})
async def annotate_experiment(it: Here, id: str, body: schemas.Annotation) -> Response:
    """Add a remark to a committed experiment."""
    return told(await it.decide(AnnotateExperiment(id, body.text, body.reason)))


@router.post("/experiments/{id}/withdrawal", responses={200: {"model": Changed}})
async def withdraw_experiment(it: Here, id: str, body: schemas.Reason) -> Response:
    """Take a committed experiment out of the history."""
    return told(await it.decide(WithdrawExperiment(id, body.reason)))


@router.post("/experiments/{id}/restoration", responses={200: {"model": Changed}})
async def restore_experiment(it: Here, id: str, body: schemas.Reason) -> Response:
    """Bring a withdrawn experiment back."""
    return told(await it.decide(RestoreExperiment(id, body.reason)))


@router.post(
    "/experiments/{id}/reproductions",
    status_code=201,
    responses={201: {"model": ReproductionStatus}, 202: {"model": ReproductionStatus}},
)
async def request_reproduction(it: Here, id: str, _: schemas.Nothing | None = None) -> Response:
    """Train an experiment again from its record and compare what was learned."""
    answer = await it.begin(RequestReproduction(id))
    return told_of_task(it, answer, "reproductions", answer.body["reproduction"])


add_task_routes(router, "reproductions", ReproductionStatus)
