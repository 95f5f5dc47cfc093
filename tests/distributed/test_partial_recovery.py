"""A damaged topic is recovered as far as somebody says, what is given up is reported, and the installation goes on."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.distributed.installation import refuse_unfinished_recovery, unfinished_recovery
from adapters.distributed.log.event_store import MongoEventStore
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.mongo import Mongo
from adapters.distributed.recovery.first_start import check_start
from adapters.distributed.recovery.recovery import ALL, Recovery, Until
from adapters.distributed.relay.relay import Relay
from adapters.distributed.topics.cloud_events import Message
from adapters.distributed.topics.kafka import DamagedTopic
from adapters.distributed.topics.topics import ensure_topics
from domain.errors import ConflictError
from tests.contracts.events import append
from tests.distributed.log_sources import event_source
from tests.distributed.published import Published, as_bytes, live_on
from tests.distributed.relayed import Relayed

GARBAGE = Message(b"k", b"v", [])


@pytest.fixture
def published(kafka: str, installation: str) -> Published:
    return Published(kafka, installation)


def recover(mongo: Mongo, published: Published, until: Until = ALL) -> dict[str, Any]:
    *_, result = Recovery(mongo, published.bootstrap, until).run()
    return result


def damaged(mongo: Mongo, published: Published) -> tuple[int, int]:
    """Lose a database whose log has a hole in its topic; return the last position before it, and the last of all."""
    live_on(mongo, steps=20, calls=4)
    commits = MongoFeed(mongo).raw_after(0, 10**9)
    published.commits(commits[:5])
    published.messages(published.events, [[GARBAGE]])
    published.commits(commits[6:])
    return commits[4].position, commits[-1].position


def test_damage_in_the_log_is_given_up_and_then_it_starts(mongo: Mongo, published: Published, kafka: str) -> None:
    reached, last = damaged(mongo, published)
    before = as_bytes(mongo, "commits")[:5]
    mongo.client.drop_database(mongo.name)
    with pytest.raises(DamagedTopic, match=f"say `--until {reached}`"):
        recover(mongo, published)
    with pytest.raises(ConflictError, match="--until"):
        refuse_unfinished_recovery(mongo)
    result = recover(mongo, published, Until(events=reached))
    assert result["given_up"] == [f"{published.events} behind position {reached}, up to {last}"]
    assert (result["to_delete"], result["position"]) == ([published.events], reached)
    assert as_bytes(mongo, "commits") == before
    assert unfinished_recovery(mongo) is None
    refuse_unfinished_recovery(mongo)

    with pytest.raises(ConflictError):
        check_start(mongo, kafka)  # the topic still has what was given up
    delete(kafka, mongo.name)
    ensure_topics(kafka, mongo.name)
    check_start(mongo, kafka)
    append(MongoEventStore(mongo), "goes on")
    with Relay(kafka, published.events, published.events, event_source(MongoFeed(mongo), published.source)) as relay:
        while relay.step():
            pass
        assert relay.position == reached + 1


def delete(kafka: str, database: str) -> None:
    relayed = Relayed(kafka, database)
    relayed.delete_topic()
    relayed.stored.close()


def test_damage_in_the_audit_log_alone_is_given_up(mongo: Mongo, published: Published) -> None:
    live_on(mongo, steps=5, calls=4)
    published.all_of(mongo)
    commits, calls = as_bytes(mongo, "commits"), as_bytes(mongo, "communications")
    published.messages(published.audit_log, [[GARBAGE]])
    mongo.client.drop_database(mongo.name)
    with pytest.raises(DamagedTopic, match="say `--communications-until 4`"):
        recover(mongo, published)
    result = recover(mongo, published, Until(audit_log=4))
    assert (result["given_up"], result["communications"]) == ([f"{published.audit_log} behind position 4"], 4)
    assert (as_bytes(mongo, "commits"), as_bytes(mongo, "communications")) == (commits, calls)
    refuse_unfinished_recovery(mongo)


@pytest.mark.parametrize("less", [0, 1])
def test_an_end_may_be_anywhere_before_the_damage(mongo: Mongo, published: Published, less: int) -> None:
    live_on(mongo, steps=20, calls=1)
    published.all_of(mongo)
    commits = MongoFeed(mongo).raw_after(0, 10**9)
    large = next(it for it in commits if it.position > it.first)
    mongo.client.drop_database(mongo.name)
    result = recover(mongo, published, Until(events=large.position - less))
    assert result["position"] == (large.first - 1 if less else large.position)
