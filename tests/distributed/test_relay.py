"""The relay: the topic is the log, whoever starts, stops, takes over or meddles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from threading import Event, Thread

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from adapters.distributed.cloud_events import Message, commits_of, origin
from adapters.distributed.communication_events import archived_in
from adapters.distributed.kafka import DamagedTopic, Fenced
from adapters.distributed.probe import message_of
from adapters.distributed.relay import CommunicationSource, EventSource, Relay
from adapters.distributed.topics import topics_of
from adapters.embedded.communications import SqliteCommunications
from adapters.embedded.database import Database
from domain.errors import NotAbleError
from projections.ports import RawCommit
from tests.contracts.events import events, stamp
from tests.contracts.test_communications import CALL
from tests.distributed.relayed import SECONDS, Relayed, stepped


@pytest.fixture
def relayed(kafka: str, installation: str) -> Iterator[Relayed]:
    made = Relayed(kafka, installation)
    yield made
    made.stored.close()


def stock_reading(relayed: Relayed) -> list[Message]:
    """Read the whole topic as any integrator's consumer would."""
    config = {"bootstrap.servers": relayed.kafka, "group.id": "stock", "enable.partition.eof": True, "log_level": 0}
    messages = []
    with Consumer({**config, "isolation.level": "read_committed"}) as consumer:
        consumer.assign([TopicPartition(relayed.topic, 0, 0)])
        while (message := consumer.poll(SECONDS)) is not None and message.error() is None:
            messages.append(message_of(message))
    return messages


def in_the_topic(relayed: Relayed) -> list[RawCommit]:
    return commits_of(stock_reading(relayed))


def test_a_stock_consumer_reads_exactly_the_log(relayed: Relayed) -> None:
    relayed.grow(1, 3, 2, 1)
    relayed.relay_all()
    assert stock_reading(relayed) == relayed.messages(relayed.commits())
    assert in_the_topic(relayed) == relayed.commits()


def test_the_archive_of_communications_is_relayed_alike(relayed: Relayed) -> None:
    database = Database(":memory:")
    archive = SqliteCommunications(database, "w1")
    relayed.topic = topics_of(relayed.database)[1]
    for _ in range(2):
        archive.archive(CALL)
        archive.archive(CALL)
        with Relay(relayed.kafka, relayed.topic, "c", CommunicationSource(archive, relayed.origin)) as relay:
            assert stepped(relay) == 2
    assert [archived_in(message) for message in stock_reading(relayed)] == archive.read(0, 10)
    database.close()


def test_a_new_relay_goes_on_where_the_topic_ends(relayed: Relayed) -> None:
    for sizes in ((), (2, 1), (), (3,)):
        relayed.grow(*sizes)
        with relayed.relay() as relay:
            assert relay.position == sum(c.position - c.first + 1 for c in in_the_topic(relayed))
            while stepped(relay):
                pass
            assert relay.position == relayed.log.head()[0]
    assert in_the_topic(relayed) == relayed.commits()


def test_the_older_of_two_relays_is_fenced_and_writes_nothing(
    relayed: Relayed, capfd: pytest.CaptureFixture[str]
) -> None:
    relayed.grow(1, 1)
    with relayed.relay() as old:
        old.step()
        with relayed.relay() as new:
            relayed.grow(2)
            with pytest.raises(Fenced):
                old.step()
            assert stepped(new) == 2
    assert in_the_topic(relayed) == relayed.commits()
    assert capfd.readouterr() == ("", "")


def test_what_a_dead_relay_left_open_is_never_seen(relayed: Relayed) -> None:
    relayed.grow(1, 2)
    dead = open_transaction(relayed, relayed.topic, relayed.messages(relayed.commits())[:2])
    relayed.relay_all()
    assert in_the_topic(relayed) == relayed.commits()
    del dead


def open_transaction(relayed: Relayed, transactional_id: str, messages: list[Message]) -> Producer:
    producer = Producer(
        {"bootstrap.servers": relayed.kafka, "transactional.id": transactional_id, "log_level": 0, "linger.ms": 0}
    )
    producer.init_transactions(SECONDS)
    producer.begin_transaction()
    for key, value, headers in messages:
        producer.produce(relayed.topic, value, key, 0, headers=[*headers])
    assert producer.flush(SECONDS) == 0
    return producer


def test_the_largest_commit_is_one_transaction(relayed: Relayed) -> None:
    big = [event.model_copy(update={"text": "x" * 7000}) for event in events("big", 1, 1000)]
    relayed.store.append(big, stamp())
    relayed.grow(1)
    with relayed.relay() as relay:
        assert stepped(relay) == 1000
        assert stepped(relay) == 1
    assert in_the_topic(relayed) == relayed.commits()


def test_it_runs_until_told_to_stop(relayed: Relayed) -> None:
    relayed.grow(1)
    stopping = Event()
    with relayed.relay() as relay, relayed.feed() as feed:
        thread = Thread(target=relay.run, args=(stopping,))
        thread.start()
        assert feed.wait_beyond(0, SECONDS)
        relayed.grow(1)
        assert feed.wait_beyond(1, SECONDS)
        stopping.set()
        thread.join(SECONDS)
        assert not thread.is_alive()


def test_an_outage_of_mongodb_passes(relayed: Relayed, monkeypatch: pytest.MonkeyPatch) -> None:
    relayed.grow(1)

    def away(position: int, limit: int) -> list[RawCommit]:
        raise NotAbleError("MongoDB cannot do it now.")

    with relayed.relay() as relay:
        with monkeypatch.context() as outage:
            outage.setattr(relayed.log, "raw_after", away)
            with pytest.raises(NotAbleError):
                relay.step()
        assert stepped(relay) == 1


def refused(relayed: Relayed, said: str, source: EventSource | None = None) -> None:
    with pytest.raises(DamagedTopic, match=said):
        Relay(relayed.kafka, relayed.topic, relayed.topic, source or relayed.source)


def test_a_topic_of_another_installation_is_refused(relayed: Relayed) -> None:
    relayed.grow(1)
    relayed.relay_all()
    other = origin(relayed.database, "cd" * 16)
    refused(relayed, f"ends with a record of {relayed.origin}, this is {other}", EventSource(relayed.log, other))


def test_a_topic_that_is_longer_than_the_log_is_refused(relayed: Relayed, kafka: str) -> None:
    relayed.grow(1, 1)
    relayed.relay_all()
    emptied = Relayed(kafka, relayed.database)
    refused(emptied, "beyond what MongoDB holds.*recover --from-kafka")
    emptied.grow(1, 1)
    refused(emptied, "has another history")
    emptied.stored.close()


@pytest.mark.parametrize("left", [1, 0])
def test_a_topic_that_lost_its_beginning_is_refused(relayed: Relayed, left: int) -> None:
    relayed.grow(1, 1, 1)
    relayed.relay_all()
    with relayed.feed() as feed:
        end = feed._probe.ends()[1]
    cut = TopicPartition(relayed.topic, 0, 2 if left else end)
    admin = relayed.admin()
    admin.delete_records([cut])[cut].result(SECONDS)
    refused(relayed, "begins with position 3, not 1.*delete the topic" if left else "has lost its records")


def test_foreign_records_at_either_end_are_refused(relayed: Relayed, kafka: str) -> None:
    relayed.write(Message(b"k", b"v", []))
    refused(relayed, "a record at offset 0 that no relay wrote. A record has no header 'ce_sequence'")


def test_a_foreign_record_at_the_end_is_refused(relayed: Relayed) -> None:
    relayed.grow(1)
    relayed.relay_all()
    relayed.write(Message(b"k", b"v", []))
    refused(relayed, "a record at offset 2 that no relay wrote")


def test_a_torn_commit_at_the_end_is_refused(relayed: Relayed) -> None:
    relayed.grow(2)
    relayed.write(relayed.messages(relayed.commits())[0])
    refused(relayed, "ends at position 1, inside a commit that ends at 2")


def test_a_damaged_record_at_the_end_is_refused(relayed: Relayed) -> None:
    relayed.grow(1)
    (message,) = relayed.messages([replace(commit, hash=b"short") for commit in relayed.commits()])
    relayed.write(message)
    refused(relayed, "ends with a damaged record. The record at position 1 is damaged: ce_commithash is no SHA-256")


def test_whoever_else_writes_meanwhile_is_noticed(relayed: Relayed) -> None:
    relayed.grow(1)
    with relayed.relay() as relay:
        relay.step()
        relayed.write(Message(b"k", b"v", []))
        relayed.grow(1)
        with pytest.raises(DamagedTopic, match=r"Somebody else wrote to the topic .* between offsets 2 and 3"):
            relay.step()


def test_what_others_wrote_and_aborted_is_no_damage(relayed: Relayed) -> None:
    relayed.grow(1)
    with relayed.relay() as relay:
        relay.step()
        stranger = open_transaction(relayed, f"{relayed.topic}-stranger", [Message(b"k", b"v", [])])
        stranger.abort_transaction(SECONDS)
        relayed.grow(2)
        assert stepped(relay) == 2
    assert in_the_topic(relayed) == relayed.commits()


def test_a_broker_that_is_not_there_is_not_able_now(
    relayed: Relayed, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("adapters.distributed.relay.INIT_SECONDS", 0.3)
    with pytest.raises(NotAbleError, match="AUTOLEARN_KAFKA"):
        Relay("127.0.0.1:1", relayed.topic, "nobody", relayed.source)
    assert capfd.readouterr() == ("", "")


def test_a_topic_that_is_gone_is_not_able_now(relayed: Relayed, kafka: str) -> None:
    relayed.delete_topic()
    with pytest.raises(NotAbleError, match=relayed.topic):
        relayed.relay()
    assert relayed.topic not in AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=SECONDS).topics
