"""The MongoDB connection: majority whatever the URI says, and errors of the one error tree."""

from __future__ import annotations

from time import monotonic

import pytest
from pymongo.errors import OperationFailure

from adapters.distributed.mongo import Mongo, as_ours, short_timeout
from adapters.host.process_metrics import REGISTRY
from domain.errors import BadInputError, NotAbleError


def test_the_write_concern_cannot_be_set_below_majority(mongodb: str, installation: str) -> None:
    mongo = Mongo(f"{mongodb}{'&' if '?' in mongodb else '/?'}w=1&journal=false", installation)
    concern = mongo.collection("commits").write_concern
    mongo.close()
    assert concern.document == {"w": "majority", "j": True}


def test_a_uri_that_is_none_is_refused_with_the_name_of_the_setting() -> None:
    with pytest.raises(BadInputError, match="AUTOLEARN_MONGODB"):
        Mongo("http://nowhere", "autolearn")


def test_a_server_that_is_not_there_is_not_able_now() -> None:
    mongo = Mongo("mongodb://127.0.0.1:1/?directConnection=true&serverSelectionTimeoutMS=50", "autolearn", seconds=0.2)
    with pytest.raises(NotAbleError), as_ours():
        mongo.collection("commits").find_one({})
    mongo.close()


def test_each_command_is_measured(mongo: Mongo) -> None:
    def value(name: str) -> float:
        return REGISTRY.get_sample_value(f"autolearn_mongodb_{name}", {"command": "count"}) or 0.0

    before = value("seconds_count"), value("failures_total")
    mongo.database.command("count", "commits")
    with pytest.raises(OperationFailure):
        mongo.database.command("count", "commits", query={"$unknown": 1})
    assert (value("seconds_count") - before[0], value("failures_total") - before[1]) == (1, 1)


def test_an_operation_that_finds_no_server_is_counted() -> None:
    def failures() -> float:
        labels = {"command": "server selection"}
        return REGISTRY.get_sample_value("autolearn_mongodb_failures_total", labels) or 0.0

    before = failures()
    mongo = Mongo("mongodb://127.0.0.1:1/?directConnection=true", "autolearn", seconds=0.2)
    with pytest.raises(NotAbleError), as_ours():
        mongo.collection("commits").find_one({})
    mongo.close()
    assert failures() - before == 1


def test_an_option_that_the_driver_does_not_know_is_bad_input() -> None:
    with pytest.raises(BadInputError, match="AUTOLEARN_MONGODB"):
        Mongo("mongodb://127.0.0.1:1/?directConection=true", "autolearn")


def test_a_short_timeout_refuses_soon_and_without_the_drivers_state() -> None:
    mongo = Mongo("mongodb://127.0.0.1:1/?directConnection=true", "autolearn")
    began = monotonic()
    with (
        pytest.raises(NotAbleError, match=r"not answer: 127\.0\.0\.1:1: .*repeat") as refused,
        short_timeout(0.1),
        as_ours(),
    ):
        mongo.collection("commits").find_one({})
    assert monotonic() - began < 4
    assert "Topology" not in refused.value.sentence
    mongo.close()
