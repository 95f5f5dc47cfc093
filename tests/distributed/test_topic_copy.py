"""The topics as verify reads them: all that is there, in order, and what should not be there as findings."""

from __future__ import annotations

from threading import Thread
from typing import Any

import pytest

from adapters.distributed.audit_log.store import MongoAuditLog
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.mongo import Mongo
from adapters.distributed.topics.cloud_events import Message, commit_messages
from adapters.distributed.verification.topic_copy import TopicCopy
from domain.errors import NotAbleError
from projections.ports import Finding, RawCommit
from projections.verification.topic_check import CopyCheck
from tests.distributed.published import Published, live_on


@pytest.fixture
def published(kafka: str, installation: str) -> Published:
    return Published(kafka, installation)


@pytest.fixture
def log(mongo: Mongo) -> MongoFeed:
    live_on(mongo, steps=30, calls=5)
    return MongoFeed(mongo)


def copy_of(published: Published) -> TopicCopy:
    return TopicCopy(published.bootstrap, published.database, published.source)


def faults(log: MongoFeed, published: Published, timeout: float = 0.0) -> list[Finding]:
    until = log.end()[0]
    check: CopyCheck[RawCommit] = CopyCheck("the topic", log.raw_after, until)
    for _ in check.run(copy_of(published).commits(until, timeout)):
        pass
    return check.faults


def test_a_relayed_log_and_audit_log_are_read_back_exactly(mongo: Mongo, log: MongoFeed, published: Published) -> None:
    published.all_of(mongo)
    copy = copy_of(published)
    assert list(copy.commits(0, 0)) == log.raw_after(0, 10**9)
    assert list(copy.audit_log(0, 0)) == MongoAuditLog(mongo, "reader").read(0, 10**9)
    assert faults(log, published) == []


def test_everything_that_is_wrong_is_found_in_one_reading(log: MongoFeed, published: Published) -> None:
    commits = log.raw_after(0, 10**9)
    groups: list[Any] = [commit_messages(commit, published.source) for commit in commits]
    torn = next(n for n, group in enumerate(groups) if n > 2 and len(group) > 1)
    doubled, cut, strange = groups[0], groups[torn][1:], [Message(b"k", b"v", [("ce_type", b"x")])]
    foreign = commit_messages(commits[torn + 1], f"/autolearn/{published.database}/{'cd' * 16}")
    published.messages(
        published.events, [*groups[:torn], strange, cut, doubled, foreign, *groups[torn + 1 :], groups[-1]]
    )
    end = commits[torn].position
    found = faults(log, published)
    assert [position for position, _ in found] == [
        None,
        end,
        commits[0].position,
        commits[torn + 1].first,
        *range(commits[torn + 1].first + 1, commits[torn + 1].position + 1),
        end,
        commits[-1].position,
    ]
    assert f"{published.events}: A record" in found[0][1]
    assert "which belongs to" in found[3][1]


def test_what_retention_deleted_is_the_first_that_is_told(log: MongoFeed, published: Published) -> None:
    commits = log.raw_after(0, 10**9)
    published.commits(commits)
    published.delete_before(published.events, commits[1].position + 2)
    (position, what), lacking = faults(log, published)
    assert position == commits[2].first
    assert f"only what comes from position {commits[2].first} on: Kafka deleted the records before offset" in what
    lacks = f"the topic lacks {commits[0].position} to {commits[1].position}"
    assert lacking == (commits[0].position, lacks)


def test_a_topic_that_begins_within_a_commit_has_no_damage(log: MongoFeed, published: Published) -> None:
    commits = log.raw_after(0, 10**9)
    published.commits(commits)
    within = next(at for at, commit in enumerate(commits) if at and commit.position > commit.first)
    begins = commits[within].first + 1
    published.delete_before(published.events, begins - 1 + within)  # each commit's transaction has a mark
    (position, what), *others = faults(log, published)
    assert position == begins
    assert f"only what comes from position {begins} on: Kafka deleted the records before offset" in what
    assert [at for at, _ in others] == [commits[0].position]
    assert f"lacks {commits[0].position} to {commits[within].position}" in others[0][1]
    assert not any("damaged" in told for _, told in others)


def test_what_is_aborted_is_not_there(log: MongoFeed, published: Published) -> None:
    commits = log.raw_after(0, 10**9)
    groups = [commit_messages(commit, published.source) for commit in commits]
    published.messages(published.events, [groups[0], [Message(b"k", b"v", [])]], last_committed=False)
    published.messages(published.events, groups[1:])
    assert faults(log, published) == []


def test_a_relay_that_lags_is_waited_for(log: MongoFeed, published: Published) -> None:
    commits = log.raw_after(0, 10**9)
    published.commits(commits[:3])
    late = Thread(target=published.commits, args=(commits[3:],))
    copied = copy_of(published).commits(commits[-1].position, 30.0)
    first = [next(copied) for _ in range(3)]
    late.start()
    assert [*first, *copied] == commits
    late.join()


def test_a_relay_that_stands_still_is_a_fault(log: MongoFeed, published: Published) -> None:
    commits = log.raw_after(0, 10**9)
    published.commits(commits[:-2])
    lacks = f"the topic ends at {commits[-3].position} and lacks up to {commits[-1].position}"
    assert faults(log, published, timeout=0.2) == [(commits[-2].position, lacks)]


def test_an_unreachable_kafka_is_no_empty_topic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.distributed.topics.kafka.REQUEST_SECONDS", 0.2)
    with pytest.raises(NotAbleError, match="AUTOLEARN_KAFKA"):
        list(TopicCopy("127.0.0.1:9", "x", "/autolearn/x/y").commits(0, 0))
