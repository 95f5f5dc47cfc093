"""A projection in charge folds, tells how far and what stops it, lets rebuilt read models serve, and gives way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest

from adapters.distributed.log.event_store import MongoEventStore
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.membership.leases import Leases
from adapters.distributed.membership.standby import Standby
from adapters.distributed.membership.status import PROJECTION, Statuses
from adapters.distributed.mongo import Mongo
from adapters.distributed.projection.adoption import Adoptions
from adapters.distributed.projection.projector import Projector
from adapters.distributed.read_models.documents import MongoDocuments
from adapters.distributed.read_models.generations import ReadModels, make_current, serving
from adapters.distributed.read_models.projector_documents import ProjectorDocuments
from adapters.distributed.read_models.store import MongoReadModelStore
from domain.errors import NotAbleError
from projections.fold import VERSION, VERSIONS
from projections.ports import Feed, Recorded
from projections.rebuild import rebuild
from projections.runner import ProjectionRunner
from tests.contracts.events import append
from tests.distributed.published import live_on

TIMEOUT = 30.0


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        Event().wait(0.01)


class Held(MongoFeed):
    """A topic that has nothing until it is let go."""

    free = False

    def after(self, position: int, limit: int) -> list[Recorded]:
        return super().after(position, limit) if self.free else []

    def wait_beyond(self, position: int, timeout: float) -> bool:
        return self.free and super().wait_beyond(position, timeout)


@contextmanager
def at_work(mongo: Mongo, topic: Feed | None = None) -> Iterator[Future[None]]:
    """A projection that follows the log itself, until it is left."""
    ending = Event()
    with ThreadPoolExecutor(1) as pool:
        turn = pool.submit(
            Projector(mongo, topic or MongoFeed(mongo), MongoReadModelStore(mongo)).turn, ending, Event().set
        )
        try:
            yield turn
        finally:
            ending.set()


def test_it_folds_what_there_is_and_what_comes_and_tells_how_far(mongo: Mongo) -> None:
    live_on(mongo, 30, 0)
    head = MongoFeed(mongo).end()[0]
    with at_work(mongo) as turn:
        until(lambda: Statuses(mongo).read(PROJECTION).get("position") == head)
        assert MongoDocuments(ReadModels.current(mongo)).position() == head
    turn.result(TIMEOUT)
    assert Statuses(mongo).read(PROJECTION) == {"position": head, "fault": None}


def test_read_models_that_never_were_as_far_as_the_log_are_a_fault_until_they_are(mongo: Mongo) -> None:
    """Those of a new version begin empty beside the old ones: who asked them would miss what is there."""
    live_on(mongo, 3, 0)
    topic = Held(mongo)
    with at_work(mongo, topic):
        until(lambda: "for the first time" in str(Statuses(mongo).read(PROJECTION).get("fault")))
        assert not ReadModels.current(mongo).have_caught_up()
        topic.free = True
        until(lambda: Statuses(mongo).read(PROJECTION)["fault"] is None)
        assert ReadModels.current(mongo).have_caught_up()
        assert Statuses(mongo).read(PROJECTION)["position"] == MongoFeed(mongo).end()[0]


def test_read_models_that_are_merely_late_are_no_fault(mongo: Mongo) -> None:
    live_on(mongo, 3, 0)
    with at_work(mongo):
        until(lambda: Statuses(mongo).read(PROJECTION).get("position") == MongoFeed(mongo).end()[0])
    append(MongoEventStore(mongo), "s")
    Statuses(mongo).report(PROJECTION, position=-1, fault="old")
    with at_work(mongo, Held(mongo)):
        until(lambda: Statuses(mongo).read(PROJECTION)["position"] >= 0)
        assert Statuses(mongo).read(PROJECTION)["fault"] is None


def test_versions_of_the_projections_do_their_work_side_by_side() -> None:
    assert f"project-v{VERSION}" == PROJECTION


def test_an_event_that_cannot_be_folded_is_reported_with_its_position(mongo: Mongo) -> None:
    append(MongoEventStore(mongo), "experiment:aaaaaaaaaaaaaaaa")  # a remark on an experiment that was never requested
    with at_work(mongo):
        until(lambda: "position 1:" in str(Statuses(mongo).read(PROJECTION).get("fault")))
        assert MongoDocuments(ReadModels.current(mongo)).position() == 0


def test_rebuilt_read_models_serve_once_they_are_as_far(mongo: Mongo) -> None:
    live_on(mongo, 30, 0)
    with at_work(mongo):
        until(lambda: Statuses(mongo).read(PROJECTION).get("position") == MongoFeed(mongo).end()[0])
        fresh = ReadModels.fresh(mongo)
        assert serving(mongo) != fresh.number
        Adoptions(mongo).request(fresh.number).result(TIMEOUT)
        assert serving(mongo) == fresh.number
        assert MongoDocuments(ReadModels.current(mongo)).position() == MongoFeed(mongo).end()[0]


def test_one_rebuilt_projection_serves_beside_the_others(mongo: Mongo) -> None:
    live_on(mongo, 30, 0)
    with at_work(mongo):
        until(lambda: Statuses(mongo).read(PROJECTION).get("position") == MongoFeed(mongo).end()[0])
        head, before = MongoFeed(mongo).end()[0], ReadModels.current(mongo).pinned()
        documents = list(MongoDocuments(before).all_versions())
        fresh = ReadModels.fresh(mongo, "catalog")
        for _ in rebuild(MongoFeed(mongo), ProjectorDocuments(fresh), head):
            pass
        append(MongoEventStore(mongo), "s")
        Adoptions(mongo).request(fresh.number).result(TIMEOUT)
        until(lambda: MongoDocuments(ReadModels.current(mongo)).position() == MongoFeed(mongo).end()[0])
        assert list(MongoDocuments(ReadModels.current(mongo)).all_versions()) == documents
    now = ReadModels.current(mongo)
    shared = {name: now.collection(name).name == before.collection(name).name for name in VERSIONS}
    assert shared == {name: name != "catalog" for name in VERSIONS}


def test_it_gives_way_where_other_read_models_serve(mongo: Mongo) -> None:
    with at_work(mongo) as turn:
        until(lambda: "position" in Statuses(mongo).read(PROJECTION))
        make_current(mongo, ReadModels.fresh(mongo).number)
        append(MongoEventStore(mongo), "s")
        with pytest.raises(NotAbleError, match="begin anew"):
            turn.result(TIMEOUT)


def test_a_projection_whose_thread_is_dead_gives_its_work_up(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ProjectionRunner, "_run", lambda _: None)
    with at_work(mongo) as turn, pytest.raises(NotAbleError, match="begin anew"):
        turn.result(TIMEOUT)


def test_an_end_of_an_adoption_that_could_not_be_stored_is_reported_later(
    mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle, failed = Adoptions.answer, Event()

    def fail_once(adoptions: Adoptions, generation: int, refusal: str | None = None) -> None:
        if not failed.is_set():
            failed.set()
            raise NotAbleError("MongoDB cannot do it now")
        settle(adoptions, generation, refusal)

    monkeypatch.setattr(Adoptions, "answer", fail_once)
    live_on(mongo, 3, 0)
    projector = Projector(mongo, MongoFeed(mongo), MongoReadModelStore(mongo))
    stopping, standby = Event(), Standby(Leases(mongo, 1.2), PROJECTION, "one", projector.turn)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(standby.run, stopping)
        try:
            until(lambda: Statuses(mongo).read(PROJECTION).get("position") == MongoFeed(mongo).end()[0])
            fresh = ReadModels.fresh(mongo)
            Adoptions(mongo).request(fresh.number).result(TIMEOUT)
            assert failed.is_set()
            assert serving(mongo) == fresh.number
        finally:
            stopping.set()
