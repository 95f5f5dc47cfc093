"""Of several that could do a work one does it; the others go on with it when it ends, fails or loses its lease."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from adapters.distributed.membership.leases import Leases
from adapters.distributed.membership.standby import Standby
from adapters.distributed.mongo import Mongo
from domain.errors import NotAbleError

LONG, SHORT = 2.0, 0.3  # a standby looks eight times in a lease
TIMEOUT = 30.0


class Work:
    """A work that goes on until it is told to end, or fails as it is told to."""

    def __init__(self) -> None:
        self.turns = 0
        self.working = False
        self.fails: Exception | None = None
        self.silent = False

    def turn(self, ending: Event, report_progress: Callable[[], None]) -> None:
        self.turns, self.working = self.turns + 1, True
        try:
            while not ending.wait(0.005):
                if self.fails is not None:
                    raise self.fails
                if not self.silent:
                    report_progress()
        finally:
            self.working = False


class Away(Leases):
    """Leases of a database that answers no more once it is told so."""

    away = False

    def take(self, name: str, holder: str) -> bool:
        if self.away:
            raise NotAbleError("away")
        return super().take(name, holder)


@contextmanager
def standing_by(leases: Leases, holder: str, work: Work) -> Iterator[Standby]:
    """Run it in a thread, as a process does, until it is left."""
    standby, stopping = Standby(leases, "work", holder, work.turn), Event()
    thread = Thread(target=standby.run, args=(stopping,))
    thread.start()
    try:
        yield standby
    finally:
        stopping.set()
        thread.join(TIMEOUT)


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        Event().wait(0.01)


def test_one_works_and_the_other_goes_on_when_it_stops(mongo: Mongo) -> None:
    first, second = Work(), Work()
    leases = Leases(mongo, LONG)
    running = standing_by(leases, "a", first)
    with running as a:
        until(lambda: first.working)
        with standing_by(leases, "b", second) as b:
            assert (a.in_charge, b.in_charge, leases.take("work", "c")) == (True, False, False)
            running.__exit__(None, None, None)
            assert (first.working, a.in_charge) == (False, False)
            until(lambda: second.working)
            assert leases.take("work", "c") is False
    assert leases.take("work", "c") is True


def test_whoever_loses_the_lease_ends_the_work(mongo: Mongo) -> None:
    work = Work()
    with standing_by(Leases(mongo, SHORT), "a", work) as a:
        until(lambda: work.working)
        mongo.collection("leases").update_one({"_id": "work"}, {"$set": {"holder": "thief"}})
        until(lambda: work.turns > 1)  # the thief's lease ran out: it had ended, and has begun anew
        assert a.fault is None


def test_while_mongodb_is_away_the_work_goes_on_only_as_long_as_the_lease(mongo: Mongo) -> None:
    work, leases = Work(), Away(mongo, SHORT)
    with standing_by(leases, "a", work) as a:
        until(lambda: work.working)
        leases.away = True
        until(lambda: not a.in_charge)
        assert not work.working
        leases.away = False
        until(lambda: work.working)


@pytest.mark.parametrize(
    ("failure", "told"), [(NotAbleError("No broker."), "No broker."), (KeyError("x"), "KeyError: 'x'")]
)
def test_why_it_stands_still_is_reported_until_it_gets_on(mongo: Mongo, failure: Exception, told: str) -> None:
    work = Work()
    work.fails = failure
    with standing_by(Leases(mongo, LONG), "a", work) as a:
        until(lambda: a.fault is not None)
        assert a.fault == told
        work.silent, work.fails = True, None
        until(lambda: work.working)
        assert a.fault == told  # it is tried again, and nobody knows yet whether it goes
        work.silent = False
        until(lambda: a.fault is None)
        assert work.working


def test_what_hinders_the_work_is_for_another_to_tell_once_that_one_has_it(mongo: Mongo) -> None:
    fails, works = Work(), Work()
    fails.fails = NotAbleError("No disk here.")
    with standing_by(Leases(mongo, LONG), "a", fails) as a:
        until(lambda: a.fault is not None)
        with standing_by(Leases(mongo, LONG), "b", works) as b:
            until(lambda: b.in_charge and works.working)
            until(lambda: a.fault is None)
            assert not a.in_charge
