"""What `doctor` says of real servers, in order and not, without changing anything there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined] # no __all__

from adapters.distributed.doctor import mongodb as looks
from adapters.distributed.doctor.kafka import version_of
from adapters.distributed.doctor.rights import OF_KAFKA, OF_MONGODB, READ, enough_on_kafka, enough_on_mongodb
from adapters.distributed.installation import check_master_key
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.mongo import Mongo
from adapters.distributed.topics.topics import topics_of
from domain.errors import BadInputError, ConflictError, ForbiddenError, NotAbleError
from server.compose.doctor import examine
from server.doctor import Finding
from server.settings import Settings, read_settings
from tests.distributed.published import Published, live_on
from tests.end_to_end.test_rights import kafka_rights, mongodb_rights


@pytest.fixture
def settings(mongo: Mongo, kafka: str, tmp_path: Path) -> Settings:
    return read_settings(
        mode="distributed", data=tmp_path / "data", kafka=kafka, mongodb=mongo.uri, database=mongo.name
    )


def troubles(settings: Settings) -> dict[str, Finding]:
    return {it.check: it for it in examine(settings) if it.trouble}


def test_an_empty_database_is_fit_and_stays_empty(settings: Settings, mongo: Mongo) -> None:
    found = {it.check: it for it in examine(settings)}
    assert [it for it in found.values() if it.trouble] == []
    assert "replica set" in found["MongoDB"].found
    assert "Kafka 4 or later" in found["Kafka"].found
    assert found[topics_of(mongo.name)[0]].found == "not there: `relay` makes it"
    assert mongo.database.list_collection_names() == []


def test_servers_that_are_away_are_told_and_not_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.distributed.topics.kafka.REQUEST_SECONDS", 0.5)
    away = read_settings(
        mode="distributed", data=tmp_path, kafka="127.0.0.1:1", mongodb="mongodb://127.0.0.1:1/?directConnection=true"
    )
    found = troubles(away)
    assert list(found) == ["MongoDB", "Kafka"]
    assert all(isinstance(it.trouble, NotAbleError) for it in found.values())
    (wrong,) = (troubles(away.model_copy(update={"mongodb": "http://here", "kafka": "kafka://here"})).values(),)
    assert [type(it.trouble) for it in wrong] == [BadInputError, BadInputError]


def test_a_topic_that_loses_records_is_told(settings: Settings, mongo: Mongo, kafka: str) -> None:
    _, communications = topics_of(mongo.name)
    wrong = NewTopic(communications, num_partitions=2, config={"retention.ms": "1000"})
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.create_topics([wrong])[communications].result(30)
    while len(admin.list_topics(communications, timeout=30).topics[communications].partitions) < 2:
        pass  # a new topic has no partitions for a moment
    found = troubles(settings)[communications]
    assert "it has 2 partitions, not 1; it has retention.ms=1000" in found.found


def test_a_topic_with_more_than_the_log_is_told(settings: Settings, mongo: Mongo, kafka: str) -> None:
    live_on(mongo, 5, 1)
    check_start = f"end of {topics_of(mongo.name)[0]}"
    Published(kafka, mongo.name).all_of(mongo)
    ends = {it.check: it.found for it in examine(settings)}
    assert ends[check_start] == "copied to position {0} of {0}".format(MongoFeed(mongo).end()[0])
    mongo.collection("commits").delete_one({"position": MongoFeed(mongo).end()[0]})
    trouble = troubles(settings)[check_start]
    assert isinstance(trouble.trouble, ConflictError)
    assert f"where the database {mongo.name!r} has nothing" in trouble.found


def test_a_topic_that_lost_its_beginning_is_told(settings: Settings, mongo: Mongo, kafka: str) -> None:
    live_on(mongo, 5, 1)
    published = Published(kafka, mongo.name)
    published.all_of(mongo)
    looked = {it.check: it.found for it in examine(settings)}
    assert looked[published.events].startswith("1 partition, 1 replica, all in sync")
    published.delete_before(published.events, 3)
    trouble = troubles(settings)[published.events]
    assert isinstance(trouble.trouble, ConflictError)
    assert "Kafka deleted the records before offset 3, by retention or on demand. Only MongoDB" in trouble.found


def test_another_master_key_is_told(settings: Settings, mongo: Mongo) -> None:
    check_master_key(mongo, "ab" * 16)
    assert "is missing" in troubles(settings)["master key"].found


def test_clocks_that_differ_are_told(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "within 0.1 s" in looks.clock(mongo)

    class Late(datetime):
        @classmethod
        def now(cls, *_: Any) -> Any:
            return datetime.now(UTC) - timedelta(seconds=40)

    monkeypatch.setattr(looks, "datetime", Late)
    with pytest.raises(NotAbleError, match=r"are (39|40)\.\d s apart: let NTP set both"):
        looks.clock(mongo)


EVERYTHING = sorted({action for of in OF_MONGODB.values() for some in of.values() for action in some})
WHOLE, ONE, OTHER = ({"db": db, "collection": name} for db, name in (("a", ""), ("a", "commits"), ("b", "")))


@pytest.mark.parametrize(
    ("privileges", "told"),
    [
        ([{"resource": WHOLE, "actions": EVERYTHING}], "enough for relay, project, serve, work, recover"),
        (
            [{"resource": {"anyResource": True}, "actions": ["anyAction"]}],
            "enough for relay, project, serve, work, rec",
        ),
        ([{"resource": {"db": "", "collection": ""}, "actions": EVERYTHING}], "enough for relay, project, serve"),
        ([{"resource": WHOLE, "actions": [*READ]}, {"resource": ONE, "actions": EVERYTHING}], None),
        ([{"resource": OTHER, "actions": EVERYTHING}], None),
        ([{"resource": {"cluster": True}, "actions": EVERYTHING}], None),
    ],
)
def test_it_tells_for_which_roles_rights_are_enough(privileges: list[dict[str, Any]], told: str | None) -> None:
    if told is not None:
        assert enough_on_mongodb(privileges, "a").startswith(told)
        return
    with pytest.raises(ForbiddenError, match=r"too few rights for any role\. For `relay` it lacks .*insert"):
        enough_on_mongodb(privileges, "a")


def test_each_topic_must_allow_what_a_role_needs() -> None:
    all_of, reading = frozenset({"READ", "WRITE", "DESCRIBE_CONFIGS", "CREATE"}), frozenset({"READ"})
    assert enough_on_kafka([all_of, all_of]) == "enough for relay, project, serve, work, recover"
    assert enough_on_kafka([all_of, reading]) == "enough for recover"
    with pytest.raises(ForbiddenError, match=r"For `recover` it lacks READ: docs/rights\.md lists"):
        enough_on_kafka([all_of, frozenset()])


def test_the_roles_need_what_the_page_of_rights_lists() -> None:
    listed = {
        role: {name: frozenset(actions) - {"collMod"} for name, actions in of.items()}
        for role, of in mongodb_rights().items()
    }
    assert listed == OF_MONGODB
    not_looked_up = {"CREATE", "ALTER_CONFIGS"}
    topics = {
        role: frozenset(right for of, kind, _, right in kafka_rights() if (of, kind) == (role, "TOPIC")) - not_looked_up
        for role in OF_KAFKA
    }
    assert topics == OF_KAFKA


def test_a_kafka_before_4_is_told_by_a_setting_that_4_dropped() -> None:
    assert version_of({"group.share.max.size": "200"}) == "Kafka 4 or later"
    with pytest.raises(BadInputError, match=r"Kafka 3\.9-IV0, and 4\.0 or later is needed"):
        version_of({"inter.broker.protocol.version": "3.9-IV0"})
