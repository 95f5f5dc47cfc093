"""Predictions of new rows, a table or one row: made, listed, checked."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from fastapi import APIRouter, Response

from adapters.http.routes import request_schemas as schemas
from adapters.http.routes.context import Context, RouteContext, command_response
from adapters.http.routes.files import answer_by_file, file_for_answer, receive_file
from adapters.http.routes.response_schemas import CheckedPrediction, PredictionsPage, PredictionView
from autolearn.protocol.headers import FILE_SHA256, HEAD, JSON, POSITION, RAW
from commands.call import Answer
from commands.storage.check_prediction import CheckPrediction
from commands.storage.make_prediction import MakePrediction, NewRows
from projections.prediction_answers import PredictionRequest

router = APIRouter(tags=["storage"])

ROWS = {
    "requestBody": {
        "required": True,
        "content": {RAW: {"schema": {"type": "string", "format": "binary"}}, JSON: {"schema": {"type": "object"}}},
    }
}


@router.post(
    "/predictions",
    status_code=201,
    responses={201: {"model": PredictionView, "content": {RAW: {}}}},
    openapi_extra=ROWS,
)
async def make_prediction(context: Context, asked: schemas.NewPredictionQuery) -> Response:
    """Predict new rows: a raw file is answered by a file, one row (a sealed JSON object) by JSON."""
    async with _take_rows(context, asked) as rows:
        command = MakePrediction(asked.experiment, rows, asked.answer, asked.probabilities, asked.keep)
        answer = await _run(context, command, rows)
        headers = {"Location": f"/predictions/{answer.body['prediction']}"}
        if not rows.path:
            return command_response(answer, 201, headers)
        output = answer.body["output"]
        headers |= {POSITION: str(answer.position), HEAD: answer.head, FILE_SHA256: output["sha256"]}
        return await answer_by_file(context, rows.out, output["size"], headers, status=201)


@router.get("/predictions", responses={200: {"model": PredictionsPage}})
async def list_predictions(context: Context, search: schemas.PredictionSearchQuery) -> Response:
    """List predictions, newest first."""
    request = PredictionRequest(search.experiment, search.where, search.limit)
    queries = context.backend.queries
    return await context.query(search, lambda at: queries.predictions(context.viewer, request, search.cursor, at))


@router.get("/predictions/{id}", responses={200: {"model": PredictionView}})
async def show_prediction(context: Context, id: str, when: schemas.WhenQuery) -> Response:
    """Show one."""
    return await context.query(when, lambda at: context.backend.queries.prediction(context.viewer, id, at))


@router.post("/predictions/{id}/checks", responses={200: {"model": CheckedPrediction}}, openapi_extra=ROWS)
async def check_prediction(context: Context, id: str, file: schemas.RowsQuery) -> Response:
    """Tell whether it was made for these rows, and whether the answer would be the same now; nothing is recorded."""
    async with _take_rows(context, file) as rows:
        return command_response(await _run(context, CheckPrediction(id, rows), rows))


@asynccontextmanager
async def _take_rows(context: RouteContext, file: schemas.Rows) -> AsyncIterator[NewRows]:
    """Receive a raw file, with an empty one for the answer; or the JSON of one row."""
    if not context.request.is_upload:
        yield NewRows(row=json.loads(await context.http.body() or "null"))
        return
    context.request.resources.enter_context(context.shared.uploads.take(context.request.client))
    async with receive_file(context) as path, file_for_answer(context) as out:
        yield NewRows(path=path, format=file.format, gzip=file.gzip, out=out)


async def _run(context: RouteContext, command: Any, rows: NewRows) -> Answer:
    """Run the task; tables wait for each other and for ingests, single rows only for single rows."""
    queue = context.shared.ingests if rows.path else context.shared.single_rows
    client = context.request.client

    async def run() -> Answer:
        async with AsyncExitStack() as taken:
            if not rows.path:
                taken.enter_context(context.shared.waits.take(client))
            await taken.enter_async_context(queue.take(client))
            return await context.run_long(command)

    return await context.while_connected(rows.cancellation, run)
