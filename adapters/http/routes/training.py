"""Training: request, follow, cancel."""

from __future__ import annotations

from fastapi import APIRouter, Response

from adapters.http.routes import request_schemas as schemas
from adapters.http.routes.context import Context, task_response
from adapters.http.routes.response_schemas import Status
from adapters.http.routes.tasks import add_task_routes
from commands.training.request_training import RequestTraining

router = APIRouter(tags=["training"])


@router.post("/trainings", status_code=201, responses={201: {"model": Status}, 202: {"model": Status}})
async def request_training(context: Context, body: schemas.NewTraining) -> Response:
    """Train a model on a data set, in the caller's session."""
    return await task_response(context, RequestTraining(**dict(body)), "trainings", "experiment")


add_task_routes(router, "trainings", Status)
