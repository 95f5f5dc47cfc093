"""Predictions: a document each, and two more in the order of a list, newest first: of all, and of one experiment."""

from __future__ import annotations

from domain.prediction import PredictionMade
from projections.jsonable import to_jsonable
from projections.ports import OPEN, Body, Change, Current, Recorded

KIND = "prediction"
LISTED = "listed-prediction"
ALL = "all"


def evolve(recorded: Recorded, _: Current) -> list[Change]:
    event = recorded.event
    if not isinstance(event, PredictionMade):
        return []
    at, actor = recorded.at.isoformat(), event.metadata.actor
    body: Body = to_jsonable(event.facts) | {"actor": actor, "at": at, "position": recorded.position}
    place = f"{OPEN - recorded.position:019d}"  # ids sort upwards
    lists = [Change(LISTED, f"{name}/{place}", body, is_new=True) for name in (ALL, event.experiment)]
    return [Change(KIND, body["prediction"], body, is_new=True), *lists]
