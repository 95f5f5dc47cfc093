"""Processes know of each other: who lives, who fell silent or was frozen, and which calls are in flight elsewhere."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Event
from typing import Any

import pytest

from adapters.distributed.membership.membership import Membership
from adapters.distributed.mongo import Mongo
from domain.errors import NotAbleError
from tests.servers.process import Server

LONG, MIDDLE, SHORT = 600.0, 3.0, 1.0  # seconds: never renewed, renewed and never run out, soon run out
TIMEOUT = 30.0
HAD_RUN_OUT = "had run out"

Begin = Callable[..., Membership]


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < end, "it did not happen"


@pytest.fixture
def begin(mongo: Mongo) -> Iterator[Begin]:
    """Begins presences of this test's database; what still runs is ended with the test."""
    with ExitStack() as opened:

        def start(worker: str, seconds: float = SHORT, **more: Any) -> Membership:
            membership = Membership(mongo, worker, seconds, **more)
            membership.start()
            opened.callback(membership.stop)
            return membership

        yield start


class Frozen:
    """A list of calls that can stand still, and the process' heart with it."""

    def __init__(self) -> None:
        self.flows = Event()
        self.flows.set()

    def __call__(self) -> list[str]:
        self.flows.wait(TIMEOUT)
        return []


def test_a_process_lives_from_start_to_stop(mongo: Mongo, begin: Begin) -> None:
    looker = Membership(mongo, "looker")
    assert looker.is_alive("serve-training-1") is False
    one = begin("serve-training-1", LONG)
    begin("relay-2", LONG, kind="relay")
    assert looker.is_alive("serve-training-1") is True
    assert {name: process.kind for name, process in looker.alive().items()} == {
        "serve-training-1": "serve-training",
        "relay-2": "relay",
    }
    one.stop()
    one.stop()
    assert looker.is_alive("serve-training-1") is False
    assert list(looker.alive()) == ["relay-2"]
    one.start()
    assert looker.is_alive("serve-training-1") is True


def test_its_lease_is_renewed(mongo: Mongo, begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    begin("a-1", MIDDLE)
    [first] = mongo.collection("presence").find()
    until(lambda: mongo.collection("presence").count_documents({"beat": {"$gte": first["beat"] + 3}}))
    [later] = mongo.collection("presence").find()
    assert later["until"] > first["until"]
    assert later["since"] == first["since"]
    assert HAD_RUN_OUT not in caplog.text


def test_a_frozen_process_is_dead_for_others_and_knows_it_later(
    mongo: Mongo, begin: Begin, caplog: pytest.LogCaptureFixture
) -> None:
    looker, frozen = Membership(mongo, "looker"), Frozen()
    begin("a-1", in_flight=frozen)
    assert HAD_RUN_OUT not in caplog.text
    frozen.flows.clear()
    until(lambda: not looker.is_alive("a-1"))
    frozen.flows.set()
    until(lambda: looker.is_alive("a-1"))
    until(lambda: HAD_RUN_OUT in caplog.text)


def test_who_was_away_itself_holds_no_other_for_dead(begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    frozen = Frozen()
    one = begin("a-1", MIDDLE, in_flight=frozen)
    assert one.is_alive("dead-1") is False
    frozen.flows.clear()
    until(lambda: one.is_alive("dead-1"))
    frozen.flows.set()
    until(lambda: HAD_RUN_OUT in caplog.text)
    assert one.is_alive("dead-1") is True
    until(lambda: not one.is_alive("dead-1"))


def test_a_removed_document_is_made_again_and_counts_as_run_out(
    mongo: Mongo, begin: Begin, caplog: pytest.LogCaptureFixture
) -> None:
    begin("a-1")
    mongo.collection("presence").delete_many({})
    until(lambda: HAD_RUN_OUT in caplog.text)
    until(lambda: list(Membership(mongo, "looker").alive()) == ["a-1"])


def test_calls_in_flight_elsewhere_are_gathered_after_the_question(mongo: Mongo, begin: Begin) -> None:
    calls = {"a-1": ["c1", "$c2"], "b-1": ["c3"], "me-1": ["mine"]}
    begin("a-1", MIDDLE, in_flight=lambda: calls["a-1"])
    begin("b-1", MIDDLE, in_flight=lambda: calls["b-1"])
    membership = begin("me-1", MIDDLE, in_flight=lambda: calls["me-1"])
    assert membership.in_flight_elsewhere(TIMEOUT) == ["$c2", "c1", "c3"]
    calls["a-1"] = ["c4"]  # before the question, so the answer must have it
    assert membership.in_flight_elsewhere(TIMEOUT) == ["c3", "c4"]
    assert Membership(mongo, "looker").in_flight_elsewhere(TIMEOUT) == ["c3", "c4", "mine"]


def test_who_ends_or_dies_meanwhile_is_not_waited_for(mongo: Mongo, begin: Begin) -> None:
    frozen, looker = Frozen(), Membership(mongo, "looker")
    begin("a-1", in_flight=frozen)
    stopping = begin("b-1", LONG, in_flight=lambda: ["c1"])
    frozen.flows.clear()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(looker.in_flight_elsewhere, TIMEOUT)
        stopping.stop()
        assert asked.result() == []
    frozen.flows.set()


def test_after_the_timeout_the_last_word_counts(mongo: Mongo, begin: Begin) -> None:
    begin("a-1", LONG, in_flight=lambda: ["c1"])
    assert Membership(mongo, "looker").in_flight_elsewhere(0.05) == ["c1"]


def test_who_is_asked_to_end_waits_for_nobody(mongo: Mongo, begin: Begin) -> None:
    begin("a-1", LONG, in_flight=lambda: ["c1"])
    ending = Event()
    ending.set()
    assert Membership(mongo, "looker").in_flight_elsewhere(LONG, ending) == ["c1"]


def test_a_faulty_list_does_not_stop_the_heart(mongo: Mongo, begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    answers: list[Any] = [[], ZeroDivisionError(), ZeroDivisionError()]

    def in_flight() -> list[str]:
        answer = answers.pop(0) if answers else ["c1"]
        if isinstance(answer, Exception):
            raise answer
        return list(answer)

    with caplog.at_level(logging.WARNING):
        begin("a-1", in_flight=in_flight)
        until(lambda: Membership(mongo, "looker").in_flight_elsewhere(0) == ["c1"])
    assert sum("cannot be renewed" in record.message for record in caplog.records) == 1


def test_it_cannot_begin_without_a_server() -> None:
    mongo = Mongo("mongodb://127.0.0.1:1/?directConnection=true", "autolearn", seconds=0.2)
    with pytest.raises(NotAbleError):
        Membership(mongo, "a-1").start()
    mongo.close()


@pytest.mark.slow
def test_it_outlives_an_outage_that_is_longer_than_its_lease(
    own_mongodb: Server, installation: str, caplog: pytest.LogCaptureFixture
) -> None:
    mongo = Mongo(own_mongodb.url, installation, seconds=2)
    one, other = Membership(mongo, "a-1", SHORT), Membership(mongo, "b-1", SHORT)
    one.start()
    other.start()
    own_mongodb.kill()
    until(lambda: "the lease of a-1 cannot be renewed" in caplog.text)
    assert one.is_alive("b-1") is True
    own_mongodb.restart()
    until(lambda: all(f"{name} {HAD_RUN_OUT}" in caplog.text for name in ("a-1", "b-1")))
    until(lambda: set(one.alive()) == {"a-1", "b-1"})
    one.stop()
    other.stop()
    mongo.close()
