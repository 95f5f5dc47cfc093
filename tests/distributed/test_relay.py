"""The relay: the topic is the log, whoever starts, stops, takes over or meddles."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest
from confluent_kafka.admin import AdminClient

from adapters.distributed.relay.relay import Relay
from adapters.distributed.topics.kafka import Fenced
from adapters.distributed.topics.topics import topics_of
from adapters.embedded.audit_log.store import SqliteAuditLog
from adapters.embedded.database import Database
from domain.errors import NotAbleError
from projections.ports import RawCommit
from tests.contracts.events import events, header
from tests.contracts.test_audit_log import CALL
from tests.distributed.log_sources import audit_source, records_in
from tests.distributed.relayed import SECONDS, Relayed, in_the_topic, open_transaction, stepped, stock_reading
from tests.servers.kafka import KafkaServer


@pytest.fixture
def relayed(kafka: str, installation: str) -> Iterator[Relayed]:
    made = Relayed(kafka, installation)
    yield made
    made.stored.close()


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[KafkaServer]:
    """A broker that a test may freeze."""
    server = KafkaServer(tmp_path / "kafka")
    server.start()
    yield server
    server.stop()


def test_a_stock_consumer_reads_exactly_the_log(relayed: Relayed) -> None:
    relayed.grow(1, 3, 2, 1)
    relayed.relay_all()
    assert stock_reading(relayed) == relayed.messages(relayed.commits())
    assert in_the_topic(relayed) == relayed.commits()


def test_the_audit_log_is_relayed_alike(relayed: Relayed) -> None:
    database = Database(":memory:")
    audit_log = SqliteAuditLog(database, "w1")
    relayed.topic = topics_of(relayed.database)[1]
    for _ in range(2):
        audit_log.append(CALL)
        audit_log.append(CALL)
        with Relay(relayed.kafka, relayed.topic, "c", audit_source(audit_log, relayed.origin)) as relay:
            assert stepped(relay) == 2
    assert records_in(stock_reading(relayed)) == audit_log.read(0, 10)
    database.close()


def test_a_new_relay_goes_on_where_the_topic_ends(relayed: Relayed) -> None:
    for sizes in ((), (2, 1), (), (3,)):
        relayed.grow(*sizes)
        with relayed.relay() as relay:
            assert relay.position == sum(c.position - c.first + 1 for c in in_the_topic(relayed))
            while stepped(relay):
                pass
            assert relay.position == relayed.log.end()[0]
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


def test_the_largest_commit_is_one_transaction(relayed: Relayed) -> None:
    big = [event.model_copy(update={"text": "x" * 7000}) for event in events("big", 1, 1000)]
    relayed.store.append(big, header())
    relayed.grow(1)
    with relayed.relay() as relay:
        assert stepped(relay) == 1000
        assert stepped(relay) == 1
    assert in_the_topic(relayed) == relayed.commits()


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


def test_a_broker_that_is_not_there_is_not_able_now(
    relayed: Relayed, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("adapters.distributed.relay.relay.INIT_SECONDS", 0.3)
    monkeypatch.setattr("adapters.distributed.topics.kafka.REQUEST_SECONDS", 0.3)
    with pytest.raises(NotAbleError, match="AUTOLEARN_KAFKA"):
        Relay("127.0.0.1:1", relayed.topic, "nobody", relayed.source)
    assert capfd.readouterr() == ("", "")


def test_a_topic_that_is_gone_is_not_able_now(relayed: Relayed, kafka: str) -> None:
    relayed.delete_topic()
    with pytest.raises(NotAbleError, match=relayed.topic):
        relayed.relay()
    assert relayed.topic not in AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=SECONDS).topics


def test_it_leaves_no_threads(relayed: Relayed) -> None:
    def threads() -> int:
        return len([*Path("/proc/self/task").iterdir()])

    relayed.grow(1)
    relayed.relay_all()  # whatever stays for good is there
    before = threads()
    for _ in range(3):
        relayed.grow(1)
        relayed.relay_all()
    wait_until(lambda: threads() <= before)


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end
        Event().wait(0.01)


def test_told_to_end_it_does_not_wait_an_outage_out(
    relayed: Relayed, monkeypatch: pytest.MonkeyPatch, own_kafka: KafkaServer
) -> None:
    ending = Event()
    away = Relayed(own_kafka.url, relayed.database)
    away.grow(1)
    with away.relay(ending=ending) as relay:
        assert stepped(relay) == 1
        away.grow(1)
        own_kafka.freeze()
        ending.set()
        started = time.monotonic()
        with pytest.raises(NotAbleError, match="Told to end"):
            relay.step()
    assert time.monotonic() - started < 10
    own_kafka.thaw()
    away.stored.close()
