"""What the feed does beyond the port's suite: finds its place anywhere, and stops at whatever is not the log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from confluent_kafka import TopicPartition

from adapters.distributed.topics.cloud_events import DamagedRecordError, Message, commit_messages, origin
from adapters.distributed.topics.feed import KafkaFeed
from adapters.distributed.topics.topics import ensure_topics
from adapters.log.events import UnreadableEventError
from domain.errors import NotAbleError
from projections.fold import Poisoned, read_after
from projections.ports import GENESIS, RawCommit
from tests.distributed.relayed import SECONDS, Relayed
from tests.servers.process import Server

PATIENCE = 90.0  # for a broker that starts on a busy machine


@pytest.fixture
def relayed(kafka: str, installation: str) -> Iterator[Relayed]:
    made = Relayed(kafka, installation)
    yield made
    made.stored.close()


@pytest.fixture
def feed(relayed: Relayed) -> Iterator[KafkaFeed]:
    with relayed.feed() as opened:
        yield opened


def all_of(feed: KafkaFeed, limit: int) -> list[RawCommit]:
    commits: list[RawCommit] = []
    while page := feed.raw_after(commits[-1].position if commits else 0, limit):
        commits += page
    return commits


@pytest.mark.parametrize("limit", [1, 4, 1000, 2_000_000])
def test_reading_on_and_jumping_give_the_log(relayed: Relayed, feed: KafkaFeed, limit: int) -> None:
    relayed.grow(*(1 + n % 3 for n in range(40)))
    relayed.relay_all()
    assert all_of(feed, limit) == relayed.commits()
    for position in (relayed.log.commit_at(at).position for at in (0, 33, 7, 8, 78, 50)):
        assert feed.raw_after(position, limit)[0] == relayed.log.raw_after(position, 1)[0]
        assert feed.after(position, 5) == relayed.log.after(position, 5)
    head = relayed.log.end()
    assert feed.end() == head


def test_relays_that_died_leave_no_trace(relayed: Relayed, feed: KafkaFeed) -> None:
    """Each relay's start, and each batch, leaves records in the topic that no reader sees."""
    for _ in range(4):
        relayed.grow(2, 1)
        relayed.relay_all()
        assert feed.raw_after(0, 100) == relayed.commits()
    assert all_of(feed, 1) == relayed.commits()


def test_a_position_that_the_topic_has_not_reached_is_waited_for(relayed: Relayed, feed: KafkaFeed) -> None:
    relayed.grow(1, 1, 1)
    assert feed.after(2, 10) == []
    assert feed.wait_beyond(2, 0.05) is False
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(feed.wait_beyond, 2, SECONDS)
        relayed.relay_all()
        assert waiting.result() is True
    assert [recorded.position for recorded in feed.after(2, 10)] == [3]


def refuses(feed: KafkaFeed, position: int, said: str) -> None:
    """The feed gives what comes before, and then the error, however often it is asked."""
    for limit in (100, 1, 100):
        for read in (feed.after, feed.raw_after):
            with pytest.raises(DamagedRecordError, match=said):
                read(position, limit)
    assert feed.wait_beyond(position, SECONDS) is True
    recorded, poison = read_after(feed, position, 100)
    assert recorded == []
    assert isinstance(poison, Poisoned)
    assert (poison.position, said in poison.sentence) == (position + 1, True)


FOREIGN: dict[str, tuple[Callable[[list[Message]], list[Message]], str]] = {
    "no event at all": (lambda _: [Message(b"k", b"v", [])], "no header 'ce_sequence'"),
    "a record twice": (lambda messages: messages[:1], "There is position 1 of"),
    "one left out": (lambda messages: messages[3:], "There is position 4 of"),
    "half a commit": (lambda messages: messages[3:4], "There is position 4 of"),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_what_is_not_the_next_of_the_log_is_never_skipped(relayed: Relayed, feed: KafkaFeed, kind: str) -> None:
    relayed.grow(1, 1, 2)
    messages = relayed.messages(relayed.commits())
    make, said = FOREIGN[kind]
    relayed.write(*messages[:2], *make(messages), *messages[2:])
    assert [commit.position for commit in feed.raw_after(0, 100)] == [1, 2]
    refuses(feed, 2, said)


def test_a_record_of_another_installation_is_refused(relayed: Relayed, feed: KafkaFeed) -> None:
    relayed.grow(1, 1)
    first, second = relayed.commits()
    other = origin(relayed.database, "cd" * 16)
    relayed.write(*commit_messages(first, relayed.origin), *commit_messages(second, other))
    assert feed.raw_after(0, 100) == [first]
    refuses(feed, 1, f"There is position 2 of {other}")


def test_a_feed_that_knows_its_installation_takes_no_other(relayed: Relayed, kafka: str) -> None:
    relayed.grow(1)
    relayed.relay_all()
    feed = KafkaFeed(kafka, relayed.database, "cd" * 16)
    refuses(feed, 0, f"There is position 1 of {relayed.origin}")
    feed.close()


def test_a_commit_that_ends_in_nothing_is_refused(relayed: Relayed, feed: KafkaFeed) -> None:
    relayed.grow(1, 2)
    relayed.write(*relayed.messages(relayed.commits())[:2])
    assert [commit.position for commit in feed.raw_after(0, 100)] == [1]
    refuses(feed, 1, "ends inside the commit")


def test_a_commit_of_a_size_that_none_has_is_refused(relayed: Relayed, feed: KafkaFeed) -> None:
    relayed.grow(1)
    relayed.write(*relayed.messages([replace(commit, position=10**12) for commit in relayed.commits()]))
    refuses(feed, 0, "Its commit cannot end at 1000000000000")


def test_a_damaged_head_is_named(relayed: Relayed, feed: KafkaFeed) -> None:
    relayed.write(Message(b"k", b"v", []))
    with pytest.raises(DamagedRecordError):
        feed.end()


def test_a_topic_that_lost_its_beginning_is_refused(relayed: Relayed, feed: KafkaFeed) -> None:
    relayed.grow(1, 1, 1)
    relayed.relay_all()
    cut, admin = TopicPartition(relayed.topic, 0, 2), relayed.admin()
    admin.delete_records([cut])[cut].result(SECONDS)
    refuses(feed, 0, "There is position 3 of")
    assert [commit.position for commit in feed.raw_after(2, 10)] == [3]


def test_an_event_that_nobody_can_read_stops_the_decoded_feed_alone(relayed: Relayed, feed: KafkaFeed) -> None:
    relayed.grow(1, 2, 1)
    one, two, three = relayed.commits()
    torn = replace(two, events=tuple(event._replace(state=b"{") for event in two.events))
    relayed.write(*relayed.messages([one, torn, three]))
    with pytest.raises(UnreadableEventError):
        feed.after(1, 10)
    recorded, poison = read_after(feed, 1, 64)
    assert (recorded, poison and poison.position) == ([], 3)
    assert feed.raw_after(1, 10) == [torn, three]


@pytest.mark.parametrize("together", [True, False])
def test_a_topic_that_was_made_anew_is_followed_on(
    relayed: Relayed, feed: KafkaFeed, kafka: str, together: bool
) -> None:
    """Made by other relays it has other offsets, and the feed stands somewhere among them."""
    relayed.grow(1, 2, 1)
    for _ in relayed.commits():
        with relayed.relay() as relay:
            relay._ahead._source.after(0, 1)
            relay.step()
    assert feed.raw_after(0, 2)[-1].position == 1
    assert feed.raw_after(1, 100) == relayed.commits()[1:]
    relayed.delete_topic()
    relayed.grow(*([1] * 8 if together else [1]))
    ensure_topics(kafka, relayed.database)
    relayed.relay_all()
    assert until_read(feed, 4) == relayed.commits()[3:]
    assert all_of(feed, 100) == relayed.commits()


def test_an_old_record_written_again_behind_all_others_stops_it(relayed: Relayed, feed: KafkaFeed) -> None:
    """From what the last record says, the topic would not reach the place that was read."""
    relayed.grow(1, 1)
    relayed.relay_all()
    assert feed.raw_after(0, 10) == relayed.commits()
    assert feed.raw_after(2, 10) == []
    relayed.write(*relayed.messages(relayed.commits()[:1]))
    for _ in range(3):
        assert feed.wait_beyond(2, SECONDS)
        refuses(feed, 2, "There is position 1 of")


def test_a_record_that_the_client_slipped_by_is_read_after_all(relayed: Relayed, feed: KafkaFeed) -> None:
    """It happened (a red CI) while a topic was made anew: the fault that this looks like must not stand for ever."""
    relayed.grow(1, 1, 1, 1)
    relayed.relay_all()
    follower = feed._follower
    assert feed.wait_beyond(1, SECONDS)
    follower._records.clear()
    assert follower._consumer is not None
    follower._consumer.seek(2)
    assert feed.raw_after(1, 10) == relayed.commits()[1:]


def until_read(feed: KafkaFeed, position: int) -> list[RawCommit]:
    """Ask until the client has noticed that the topic is another one; each answer but the last is an honest error."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            if feed.wait_beyond(position, 1) and (commits := feed.raw_after(position, 1000)):
                return commits
        except NotAbleError:
            continue
    raise TimeoutError


def test_an_empty_topic_ends_at_zero(feed: KafkaFeed) -> None:
    assert feed.end() == (0, GENESIS)


def relay_when_able(relayed: Relayed) -> None:
    """Relay as a process does: anew after an error. A broker that is back has no leader of the topic for seconds."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return relayed.relay_all()
        except NotAbleError:
            if time.monotonic() > end:
                raise


@pytest.mark.slow
def test_a_broker_that_dies_and_comes_back(own_kafka: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    relayed = Relayed(own_kafka.url, "autolearn")
    relayed.grow(1, 1)
    relayed.relay_all()
    with relayed.feed() as feed:
        assert len(feed.after(0, 1)) == 1
        own_kafka.kill()
        with monkeypatch.context() as hurry:
            hurry.setattr("adapters.distributed.topics.kafka.REQUEST_SECONDS", 0.5)
            with pytest.raises(NotAbleError, match="AUTOLEARN_KAFKA"):
                feed.after(2, 10)
            with pytest.raises(NotAbleError, match="AUTOLEARN_KAFKA"):
                feed.end()
        own_kafka.start()
        relayed.grow(1)
        relay_when_able(relayed)
        assert until_read(feed, 2) == relayed.commits()[2:]
        assert all_of(feed, 100) == relayed.commits()
    relayed.stored.close()
