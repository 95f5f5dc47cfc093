"""An experiment begins with its training's request, once."""

from __future__ import annotations

import pytest

from domain.errors import ConflictError
from tests.domain.facts import COMMITTED, ID, REQUEST, REQUESTED, TRAINED, experiment


def test_begins() -> None:
    begun = experiment().when(lambda it: it.request_training(**REQUEST)).then(REQUESTED)
    assert begun.name == ID
    assert begun.training.owner == "ana"
    assert begun.training_state == "requested"
    assert begun.standing == "uncommitted"
    assert [task.id for task in begun.unfinished_tasks("training")] == [ID]


def test_begins_only_once() -> None:
    for given in (REQUESTED,), (*TRAINED, COMMITTED):
        again = experiment(*given).when(lambda it: it.request_training(**REQUEST))
        again.refused(ConflictError, "exists already")


def test_has_no_request_before() -> None:
    blank = experiment().aggregate()
    assert blank.training_state == "blank"
    with pytest.raises(LookupError, match="no events"):
        _ = blank.training
