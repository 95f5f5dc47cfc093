"""Evaluation: request, follow, cancel."""

from __future__ import annotations

from fastapi import APIRouter, Response

from adapters.http import schemas
from adapters.http.shapes import EvaluationStatus
from adapters.http.task_routes import add_task_routes
from adapters.http.visit import Here, told_of_task
from commands.evaluation.request_evaluation import RequestEvaluation

router = APIRouter(tags=["evaluation"])


@router.post(
    "/evaluations", status_code=201, responses={201: {"model": EvaluationStatus}, 202: {"model": EvaluationStatus}}
)
async def request_evaluation(it: Here, body: schemas.Evaluation) -> Response:
    """Compute measures of a completed training."""
    answer = await it.begin(RequestEvaluation(body.experiment, body.measures, body.average, body.on))
    return told_of_task(it, answer, "evaluations", answer.body["evaluation"])


add_task_routes(router, "evaluations", EvaluationStatus)
