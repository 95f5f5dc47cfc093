"""A lease has one holder at a time, by the database's clock, and is free again when it is given back or runs out."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from adapters.distributed.membership.leases import Leases
from adapters.distributed.mongo import Mongo
from domain.errors import NotAbleError

LONG, SHORT = 600.0, 0.25
TIMEOUT = 30.0


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < end, "it did not happen"


def database_time(mongo: Mongo) -> datetime:
    told: datetime = mongo.client.admin.command("hello")["localTime"]
    return told.replace(tzinfo=UTC)


def test_one_holds_it_and_renews_it_and_others_wait(mongo: Mongo) -> None:
    leases = Leases(mongo, LONG)
    assert [leases.take("relay", holder) for holder in ("a", "b", "a", "b")] == [True, False, True, False]
    assert [leases.take("project", holder) for holder in ("b", "a")] == [True, False]


def test_only_its_holder_gives_it_back(mongo: Mongo) -> None:
    leases = Leases(mongo, LONG)
    leases.take("relay", "a")
    leases.release("relay", "b")
    assert leases.take("relay", "b") is False
    leases.release("relay", "a")
    assert leases.take("relay", "b") is True
    leases.release("never taken", "a")


def test_it_runs_out(mongo: Mongo) -> None:
    short, long = Leases(mongo, SHORT), Leases(mongo, LONG)
    short.take("relay", "a")
    until(lambda: long.take("relay", "b"))
    assert short.take("relay", "a") is False


def test_the_databases_clock_decides(mongo: Mongo) -> None:
    leases, documents = Leases(mongo, LONG), mongo.collection("leases")
    before = database_time(mongo)
    leases.take("relay", "a")
    after = database_time(mongo)
    found = documents.find_one({"_id": "relay"})
    assert found is not None
    assert before <= found["until"] - timedelta(seconds=LONG) <= after
    documents.update_one({}, {"$set": {"until": datetime(2020, 1, 1, tzinfo=UTC)}})
    assert leases.take("relay", "b") is True


def test_of_many_at_once_one_gets_it(mongo: Mongo) -> None:
    leases = Leases(mongo, LONG)
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda number: leases.take("relay", f"process {number}"), range(8)))
    assert taken.count(True) == 1
    assert [leases.take("relay", f"process {number}") for number in range(8)] == taken


@pytest.mark.parametrize("name", ["$until", "$$NOW", "a.b", "é", ""])
def test_names_are_taken_as_they_are(mongo: Mongo, name: str) -> None:
    leases = Leases(mongo, LONG)
    assert leases.take(name, name) is True
    assert leases.take(name, "another") is False
    assert leases.take(name, name) is True


def test_without_a_server_it_is_not_able_now() -> None:
    mongo = Mongo("mongodb://127.0.0.1:1/?directConnection=true", "autolearn", seconds=0.2)
    leases = Leases(mongo, LONG)
    with pytest.raises(NotAbleError):
        leases.take("x", "a")
    with pytest.raises(NotAbleError):
        leases.release("x", "a")
    mongo.close()
