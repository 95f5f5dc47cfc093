"""Storage: the history, one experiment, remarks on it, its model, its reproductions."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any, BinaryIO

from fastapi import APIRouter, Response

from adapters.http.routes import request_schemas as schemas
from adapters.http.routes.context import Context, RouteContext, command_response, task_response
from adapters.http.routes.files import RawResponse, answer_by_file, file_for_answer, read_blocks
from adapters.http.routes.response_schemas import Changed, HistoryPage, Report, ReproductionStatus, Shown
from adapters.http.routes.tasks import add_task_routes
from autolearn.protocol.headers import FILE_SHA256, POSITION
from commands.call import Answer
from commands.cancellation import Cancellation
from commands.storage.annotate_experiment import AnnotateExperiment
from commands.storage.export_onnx import ExportOnnx
from commands.storage.request_reproduction import RequestReproduction
from commands.storage.restore_experiment import RestoreExperiment
from commands.storage.withdraw_experiment import WithdrawExperiment
from domain.errors import ConflictError
from domain.task_status import TRAINING_IN_WORDS
from projections.history_answers import HistoryRequest

router = APIRouter(tags=["storage"])

HISTORY_FIELDS = tuple(field.name for field in fields(HistoryRequest))


@router.get("/experiments", responses={200: {"model": HistoryPage}})
async def search_history(context: Context, search: schemas.HistorySearchQuery) -> Response:
    """Search the committed experiments."""
    queries, request = context.backend.queries, HistoryRequest(**{it: getattr(search, it) for it in HISTORY_FIELDS})
    return await context.query(search, lambda at: queries.history(context.viewer, request, search.cursor, at))


@router.get("/experiments/{id}", responses={200: {"model": Shown}})
async def show_experiment(context: Context, id: str, when: schemas.WhenQuery) -> Response:
    """Show everything about one experiment."""
    return await context.query(when, lambda at: context.backend.queries.show(context.viewer, id, at))


@router.get("/experiments/{id}/model", response_class=RawResponse)
async def download_model(context: Context, id: str, when: schemas.ModelQuery) -> Response:
    """Download the fitted model, a skops file; as ONNX it is made, and checked on the held-out rows, each time."""
    await context.wait_for_position(when.after_position)
    model = await context.read(lambda: _open_model(context, id, when))
    if when.format == "onnx":
        model.file.close()
        return await _answer_onnx(context, id, model.position)
    headers = {POSITION: str(model.position), FILE_SHA256: model.sha256}
    headers |= {"Content-Length": str(model.size), "Cache-Control": "no-store"}
    return RawResponse(read_blocks(context, model.file), headers=headers)


@router.get("/experiments/{id}/report", responses={200: {"model": Report}})
async def show_report(context: Context, id: str, which: schemas.WhichReportQuery) -> Response:
    """Show the report of an evaluation: of the experiment's newest, or of the named one."""
    return await context.query(which, lambda at: _read_report(context, id, which.evaluation, at))


@router.post("/experiments/{id}/annotations", responses={200: {"model": Changed}})
async def annotate_experiment(context: Context, id: str, body: schemas.Annotation) -> Response:
    """Add a remark to a committed experiment."""
    return command_response(await context.run(AnnotateExperiment(id, body.text, body.reason)))


@router.post("/experiments/{id}/withdrawal", responses={200: {"model": Changed}})
async def withdraw_experiment(context: Context, id: str, body: schemas.Reason) -> Response:
    """Take a committed experiment out of the history."""
    return command_response(await context.run(WithdrawExperiment(id, body.reason)))


@router.post("/experiments/{id}/restoration", responses={200: {"model": Changed}})
async def restore_experiment(context: Context, id: str, body: schemas.Reason) -> Response:
    """Bring a withdrawn experiment back."""
    return command_response(await context.run(RestoreExperiment(id, body.reason)))


@router.post(
    "/experiments/{id}/reproductions",
    status_code=201,
    responses={201: {"model": ReproductionStatus}, 202: {"model": ReproductionStatus}},
)
async def request_reproduction(context: Context, id: str, _: schemas.Nothing | None = None) -> Response:
    """Train an experiment again from its record and compare what was learned."""
    return await task_response(context, RequestReproduction(id), "reproductions", "reproduction")


add_task_routes(router, "reproductions", ReproductionStatus)


async def _answer_onnx(context: RouteContext, id: str, position: int) -> Response:
    cancellation = Cancellation()
    async with file_for_answer(context) as out:

        async def run() -> Answer:
            async with context.shared.ingests.take(context.request.client):
                return await context.run_long(ExportOnnx(id, out, cancellation))

        made = (await context.while_connected(cancellation, run)).body
        headers = {POSITION: str(position), FILE_SHA256: made["sha256"]}
        return await answer_by_file(context, out, made["size"], headers)


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """The file, at its beginning; its size in bytes and digest; the position at which the experiment was looked up."""

    file: BinaryIO
    size: int
    sha256: str
    position: int


def _read_report(context: RouteContext, id: str, evaluation: str | None, at: int | None) -> dict[str, Any]:
    """Return a report whose digest is the recorded one; raises NotFoundError, ConflictError, NotAbleError."""
    found = context.backend.queries.report(context.viewer, id, evaluation, at)
    with context.open_blob(found["report"]["sha256"], f"report of {id}") as file:
        return {**json.load(file), "position": found["position"]}


def _open_model(context: RouteContext, experiment: str, when: schemas.When) -> OpenedModel:
    """Open the model of an experiment that the caller may see, and check it before the first byte leaves.

    Raises NotFoundError, ConflictError, NotAbleError.
    """
    queries = context.backend.queries
    at = None if when.as_of is None else queries.as_of(when.as_of).position
    shown = queries.show(context.viewer, experiment, at)
    blob = (shown.get("blobs") or {}).get("model")
    if blob is None:
        raise ConflictError(f"Experiment {shown['experiment']} has no model: {TRAINING_IN_WORDS[shown['state']]}.")
    file = context.open_blob(blob["sha256"], f"model of {experiment}")
    return OpenedModel(file, blob["size"], blob["sha256"], shown["position"])
