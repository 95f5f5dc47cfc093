"""Training: request, follow, cancel."""

from __future__ import annotations

from fastapi import APIRouter, Response

from adapters.http import schemas
from adapters.http.shapes import Status
from adapters.http.task_routes import add_task_routes
from adapters.http.visit import Here, told_of_task
from commands.training.request_training import RequestTraining

router = APIRouter(tags=["training"])


@router.post("/trainings", status_code=201, responses={201: {"model": Status}, 202: {"model": Status}})
async def request_training(it: Here, body: schemas.Training) -> Response:
    """Train a model on a data set, in the caller's session."""
    command = RequestTraining(body.dataset, body.model, body.settings, body.seed, body.test_size)
    answer = await it.begin(command)
    return told_of_task(it, answer, "trainings", answer.body["experiment"])


add_task_routes(router, "trainings", Status)
