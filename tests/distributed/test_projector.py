"""A projection in charge folds, tells how far and what stops it, lets rebuilt read models serve, and gives way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest

from adapters.distributed.adoption import Adoptions
from adapters.distributed.documents import MongoDocuments
from adapters.distributed.event_store import MongoEventStore
from adapters.distributed.leases import Leases
from adapters.distributed.log import MongoLog
from adapters.distributed.mongo import Mongo
from adapters.distributed.projector import WORK, Projector
from adapters.distributed.read_models import ReadModels, make_current, serving
from adapters.distributed.standby import Standby
from adapters.distributed.status import Statuses
from domain.errors import NotAbleError
from projections.runner import Runner
from tests.contracts.events import append
from tests.distributed.published import live_on

PATIENCE = 30.0


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        Event().wait(0.01)


@contextmanager
def at_work(mongo: Mongo) -> Iterator[Future[None]]:
    """A projection that follows the log itself, until it is left."""
    ending = Event()
    with ThreadPoolExecutor(1) as pool:
        turn = pool.submit(Projector(mongo, MongoLog(mongo)).turn, ending, Event().set)
        try:
            yield turn
        finally:
            ending.set()


def test_it_folds_what_there_is_and_what_comes_and_tells_how_far(mongo: Mongo) -> None:
    live_on(mongo, 30, 0)
    head = MongoLog(mongo).head()[0]
    with at_work(mongo) as turn:
        until(lambda: Statuses(mongo).told(WORK).get("position") == head)
        assert MongoDocuments(ReadModels.current(mongo)).position() == head
    turn.result(PATIENCE)
    assert Statuses(mongo).told(WORK) == {"position": head, "fault": None}


def test_an_event_that_cannot_be_folded_is_told_with_its_position(mongo: Mongo) -> None:
    append(MongoEventStore(mongo), "experiment:aaaaaaaaaaaaaaaa")  # a remark on an experiment that was never requested
    with at_work(mongo):
        until(lambda: "position 1:" in str(Statuses(mongo).told(WORK).get("fault")))
        assert MongoDocuments(ReadModels.current(mongo)).position() == 0


def test_rebuilt_read_models_serve_once_they_are_as_far(mongo: Mongo) -> None:
    live_on(mongo, 30, 0)
    with at_work(mongo):
        until(lambda: Statuses(mongo).told(WORK).get("position") == MongoLog(mongo).head()[0])
        fresh = ReadModels.fresh(mongo)
        assert serving(mongo) != fresh.number
        Adoptions(mongo).ask(fresh.number).result(PATIENCE)
        assert serving(mongo) == fresh.number
        assert MongoDocuments(ReadModels.current(mongo)).position() == MongoLog(mongo).head()[0]


def test_it_gives_way_where_other_read_models_serve(mongo: Mongo) -> None:
    with at_work(mongo) as turn:
        until(lambda: "position" in Statuses(mongo).told(WORK))
        make_current(mongo, ReadModels.fresh(mongo).number)
        append(MongoEventStore(mongo), "s")
        with pytest.raises(NotAbleError, match="begin anew"):
            turn.result(PATIENCE)


def test_a_projection_whose_thread_is_dead_gives_its_work_up(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Runner, "_run", lambda _: None)
    with at_work(mongo) as turn, pytest.raises(NotAbleError, match="begin anew"):
        turn.result(PATIENCE)


def test_an_end_of_an_adoption_that_could_not_be_told_is_told_later(
    mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle, failed = Adoptions.settle, Event()

    def fail_once(adoptions: Adoptions, generation: int, refusal: str | None = None) -> None:
        if not failed.is_set():
            failed.set()
            raise NotAbleError("MongoDB cannot do it now")
        settle(adoptions, generation, refusal)

    monkeypatch.setattr(Adoptions, "settle", fail_once)
    live_on(mongo, 3, 0)
    stopping, standby = Event(), Standby(Leases(mongo, 1.2), WORK, "one", Projector(mongo, MongoLog(mongo)).turn)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(standby.run, stopping)
        try:
            until(lambda: Statuses(mongo).told(WORK).get("position") == MongoLog(mongo).head()[0])
            fresh = ReadModels.fresh(mongo)
            Adoptions(mongo).ask(fresh.number).result(PATIENCE)
            assert failed.is_set()
            assert serving(mongo) == fresh.number
        finally:
            stopping.set()
