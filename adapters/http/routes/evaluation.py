"""Evaluation: request, follow, cancel."""

from __future__ import annotations

from fastapi import APIRouter, Response

from adapters.http.routes import request_schemas as schemas
from adapters.http.routes.context import Context, task_response
from adapters.http.routes.response_schemas import EvaluationStatus
from adapters.http.routes.tasks import add_task_routes
from commands.evaluation.request_evaluation import RequestEvaluation

router = APIRouter(tags=["evaluation"])


@router.post(
    "/evaluations", status_code=201, responses={201: {"model": EvaluationStatus}, 202: {"model": EvaluationStatus}}
)
async def request_evaluation(context: Context, body: schemas.Evaluation) -> Response:
    """Compute measures of a completed training."""
    command = RequestEvaluation(**dict(body))
    return await task_response(context, command, "evaluations", "evaluation")


add_task_routes(router, "evaluations", EvaluationStatus)
