"""A topic that the log does not begin with, or that others write to, is refused; nothing is sent twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from adapters.distributed.relay.relay import Relay
from adapters.distributed.relay.resume import Checkpoint
from adapters.distributed.relay.source import LogSource
from adapters.distributed.topics.cloud_events import Message, origin
from adapters.distributed.topics.kafka import DamagedTopic
from domain.errors import NotAbleError
from tests.distributed.log_sources import event_source
from tests.distributed.relayed import SECONDS, Relayed, in_the_topic, open_transaction, stepped


@pytest.fixture
def relayed(kafka: str, installation: str) -> Iterator[Relayed]:
    made = Relayed(kafka, installation)
    yield made
    made.stored.close()


def refused(relayed: Relayed, said: str, source: LogSource[Any] | None = None) -> None:
    with pytest.raises(DamagedTopic, match=said):
        Relay(relayed.kafka, relayed.topic, relayed.topic, source or relayed.source)


def test_a_topic_of_another_installation_is_refused(relayed: Relayed) -> None:
    relayed.grow(1)
    relayed.relay_all()
    other = origin(relayed.database, "cd" * 16)
    refused(relayed, f"ends with a record of {relayed.origin}, this is {other}", event_source(relayed.log, other))


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
        end = feed._follower._seeker.bounds()[1]
    cut = TopicPartition(relayed.topic, 0, 2 if left else end)
    admin = relayed.admin()
    admin.delete_records([cut])[cut].result(SECONDS)
    refused(relayed, "begins with position 3, not 1.*A damaged topic" if left else "has lost its records")


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
    refused(relayed, "ends with a damaged record. The record at position 1 is damaged: ce_commithash is not a SHA-256")


def test_whoever_else_writes_meanwhile_is_noticed(relayed: Relayed) -> None:
    relayed.grow(1)
    with relayed.relay() as relay:
        stepped(relay)
        relayed.write(Message(b"k", b"v", []))
        relayed.grow(1)
        with pytest.raises(DamagedTopic, match=r"Somebody else wrote to the topic .* between offsets 1 and 3"):
            relay.step()


def test_whoever_writes_between_the_last_record_and_the_mark_of_its_transaction_is_noticed(
    relayed: Relayed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mark comes a little after the commit was acknowledged: on a busy machine a stranger was quicker."""
    relayed.grow(1)
    with relayed.relay() as relay:
        commit = relay._call

        def later(doing: Callable[[float], object], seconds: float) -> None:
            relay._producer.flush(SECONDS)
            relayed.write(Message(b"k", b"v", []))
            commit(doing, seconds)

        with monkeypatch.context() as slow:
            slow.setattr(relay, "_call", later)
            stepped(relay)
        relayed.grow(1)
        with pytest.raises(DamagedTopic, match=r"Somebody else wrote to the topic .* between offsets 1 and 3"):
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


def test_nothing_is_sent_twice_while_a_stranger_has_a_transaction_open(
    relayed: Relayed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.distributed.topics.kafka.REQUEST_SECONDS", 3.0)
    relayed.grow(1, 1)
    relayed.relay_all()
    stranger = open_transaction(relayed, f"{relayed.topic}-stranger", [Message(b"k", b"v", [])])
    relayed.grow(1)
    with pytest.raises(NotAbleError, match="A foreign transaction is open"):
        relayed.relay()
    stranger.abort_transaction(SECONDS)
    relayed.relay_all()
    assert in_the_topic(relayed) == relayed.commits()


def test_a_transaction_that_begins_under_a_relay_does_not_have_its_batch_sent_twice(
    relayed: Relayed, monkeypatch: pytest.MonkeyPatch
) -> None:
    relayed.grow(1)
    with relayed.relay() as relay:
        stepped(relay)
        checkpoint = relay.checkpoint
        stranger = open_transaction(relayed, f"{relayed.topic}-stranger", [Message(b"k", b"v", [])])
        relayed.grow(1)
        with monkeypatch.context() as patched:
            patched.setattr("adapters.distributed.topics.kafka.REQUEST_SECONDS", 0.3)
            with pytest.raises(NotAbleError):
                relay.step()
            with pytest.raises(NotAbleError):
                relayed.relay(checkpoint)
    stranger.commit_transaction(SECONDS)
    with pytest.raises(DamagedTopic, match="Somebody else wrote"):
        relayed.relay(checkpoint)


@pytest.mark.parametrize("sizes", [(1,), (1, 1), (1, 3), (3,)])
def test_a_copy_of_the_last_commit_is_refused(relayed: Relayed, sizes: tuple[int, ...]) -> None:
    relayed.grow(*sizes)
    relayed.relay_all()
    relayed.write(*relayed.messages(relayed.commits()[-1:]))
    refused(relayed, "Somebody else wrote to the topic .* is not position")


def test_from_a_place_that_was_told_every_record_is_looked_at(relayed: Relayed) -> None:
    relayed.grow(2)
    with relayed.relay() as relay:
        stepped(relay)
        checkpoint = relay.checkpoint
    relayed.grow(1, 1)
    relayed.write(Message(b"k", b"v", []), *relayed.messages(relayed.commits()[1:]))
    with relayed.relay():
        pass  # without it, the last entry alone is
    with pytest.raises(DamagedTopic, match="at offset 3 is not position 3"):
        relayed.relay(checkpoint)


def test_a_place_beyond_a_topic_that_lost_its_end_counts_for_nothing(relayed: Relayed) -> None:
    relayed.grow(1, 1)
    relayed.relay_all()
    for checkpoint in (Checkpoint(40, 2), Checkpoint(1, 7)):
        with relayed.relay(checkpoint) as relay:
            assert relay.position == 2
