"""An end that only the topic tells of: somebody else wrote it there, so nothing is ended and nothing is forgotten."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from commands.training.request_training import RequestTraining
from domain.events import Event
from domain.experiment_events import ExperimentDiscarded, TrainingCancelled
from tests.commands.stage import Caller, Stage
from tests.commands.worker import Worker


class EventAtPosition(NamedTuple):
    """Fulfils commands.ports.PositionedEvent."""

    position: int
    at: datetime
    event: Event


def forged(stage: Stage, name: str, kind: type[Event]) -> EventAtPosition:
    last = stage.events(f"experiment:{name}")[-1]
    facts: dict[str, Any] = {"task": name} if kind is TrainingCancelled else {"session": str(uuid4())}
    event = kind(
        originator_id=last.originator_id,
        originator_version=last.originator_version + 1,
        metadata=last.metadata,
        **facts,
    )
    return EventAtPosition(stage.store.end()[0], stage.clock.now(), event)


@pytest.fixture(params=(TrainingCancelled, ExperimentDiscarded))
def kind(request: pytest.FixtureRequest) -> type[Event]:
    end: type[Event] = request.param
    return end


def test_what_runs_runs_on(stage: Stage, ana: Caller, monkeypatch: pytest.MonkeyPatch, kind: type[Event]) -> None:
    name = ana.begin_training()
    worker = Worker(stage, is_lost=lambda _: False).step()
    forgery = forged(stage, name, kind)
    with monkeypatch.context() as patch:
        patch.setattr(stage.feed, "after", lambda *_: [forgery])
        worker.step()
    child = stage.launcher.child("fit")
    assert not child.cancelled
    assert worker.recorded.entries == []
    child.end()
    stage.until(name, name, "completed")


def test_what_waits_is_claimed_all_the_same(
    stage: Stage, ana: Caller, monkeypatch: pytest.MonkeyPatch, kind: type[Event]
) -> None:
    stage.launcher.slots = stage.launcher.free = 1
    assert stage.launcher.take_slot()
    name = str(ana.do(RequestTraining("iris", "svm"), wait=0).pending)
    worker = Worker(stage, is_lost=lambda _: False).step()
    forgery = forged(stage, name, kind)
    with monkeypatch.context() as patch:
        patch.setattr(stage.feed, "after", lambda *_: [forgery])
        worker.step()
    stage.launcher.free_slot()
    worker.step()
    stage.until(name, name, "completed")
