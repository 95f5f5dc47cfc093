"""What every feed does: whole commits in order, decoded or raw, places by time and position, waking up."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.embedded.database import Database
from adapters.embedded.log.event_store import SqliteEventStore
from adapters.embedded.log.feed import SqliteFeed
from adapters.log.chain import chain_faults
from adapters.log.times import from_microseconds, to_microseconds
from projections.ports import GENESIS, CommitEnd
from tests.contracts.conftest import FollowedLog, Log, OpenLog
from tests.contracts.events import append, event, header


def test_an_empty_log(followed: FollowedLog) -> None:
    assert followed.feed.after(0, 10) == []
    assert followed.feed.raw_after(0, 10) == []
    assert followed.feed.end() == (0, GENESIS)
    assert followed.feed.wait_beyond(0, 0.01) is False


def test_places_in_an_empty_log(log: Log) -> None:
    assert log.feed.commit_at(5) == CommitEnd(0, None, GENESIS)
    assert log.feed.position_at(from_microseconds(10**15)) == 0


def test_events_come_in_order_with_their_commit(followed: FollowedLog) -> None:
    first = followed.store.append([event("b", 1), event("a", 1)], header())
    second = append(followed.store, "a", 2)
    recorded = followed.feed.after(0, 100)
    assert [(r.position, r.commit, r.at) for r in recorded] == [
        (1, 2, first.at),
        (2, 2, first.at),
        (3, 3, second.at),
    ]
    assert [r.event for r in recorded] == [*first.events, *second.events]


def test_pages_end_with_whole_commits_and_hold_at_least_one(followed: FollowedLog) -> None:
    for n, size in enumerate((3, 1, 1, 5)):
        append(followed.store, f"s{n}", count=size)
    pages = {after: [r.position for r in followed.feed.after(after, 2)] for after in (0, 3, 5, 10)}
    assert pages == {0: [1, 2, 3], 3: [4, 5], 5: [6, 7, 8, 9, 10], 10: []}
    assert [[c.position for c in followed.feed.raw_after(after, 2)] for after in (0, 3, 5, 10)] == [
        [3],
        [4, 5],
        [10],
        [],
    ]


def test_raw_commits_are_what_the_chain_was_computed_over(followed: FollowedLog) -> None:
    given = header(digest="ef" * 32)
    appended = followed.store.append([event("a", 1), event("b", 1)], given)
    append(followed.store, "a", 2)
    one, two = followed.feed.raw_after(0, 10)
    assert (one.first, one.position, one.at, one.hash) == (1, 2, appended.at, appended.hash)
    assert (one.command_id, one.append_id, one.digest) == (given.command_id, given.append_id, given.digest)
    assert [(e.stream, e.version, e.name) for e in one.events] == [
        ("a", 1, "experiment-annotated.v1"),
        ("b", 1, "experiment-annotated.v1"),
    ]
    assert list(chain_faults([one, two])) == []
    assert followed.feed.end() == (3, two.hash)


def test_the_events_of_one_stream(log: Log) -> None:
    log.store.append([event("b", 1), event("a", 1), event("b", 2)], header())
    append(log.store, "a", 2, count=2)
    last = append(log.store, "b", 3)
    append(log.store, "bb")
    whole = [one for one in log.feed.after(0, 100) if one.event.originator_id == "b"]
    assert [one.position for one in whole] == [1, 3, 6]
    assert log.feed.of_stream("b", last.position) == whole
    assert log.feed.of_stream("b", last.position - 1) == whole[:2]
    assert log.feed.of_stream("b", 2) == [], "not a part of a commit"
    assert log.feed.of_stream("c", 100) == []


def test_a_place_inside_a_commit_is_read_from_its_first_event(log: Log) -> None:
    append(log.store, "a", count=3)
    append(log.store, "b", count=2)
    for inside in (1, 2):
        assert [one.position for one in log.feed.after(inside, 1)] == [1, 2, 3]
    assert [one.position for one in log.feed.after(4, 10)] == [4, 5]


def test_places_by_position(log: Log) -> None:
    append(log.store, "a", count=2)
    append(log.store, "b", count=3)
    none, (two, five) = CommitEnd(), (CommitEnd(it.position, it.at, it.hash) for it in log.feed.raw_after(0, 10))
    assert [log.feed.commit_at(position) for position in range(7)] == [none, none, two, two, two, five, five]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3)), max_size=12), st.integers(-1, 40))
def test_places_by_time(steps: list[tuple[int, int]], asked: int) -> None:
    """On one adapter: hypothesis needs a fresh log per example; the search is what it is about."""
    clock, positions, position = 0, [], 0
    now = iter([sum(step for step, _ in steps[: n + 1]) for n in range(len(steps))])
    database = Database(":memory:")
    store = SqliteEventStore(database, lambda: next(now))
    for n, (step, size) in enumerate(steps):
        append(store, f"s{n}", count=size)
        clock, position = clock + step, position + size
        positions.append((clock, position))
    expected = max((place for at, place in positions if at <= asked), default=0)
    assert SqliteFeed(database).position_at(from_microseconds(asked)) == expected
    database.close()


def test_places_by_time_are_inclusive(open_log: OpenLog) -> None:
    clock = iter([10, 20, 20, 30])
    log = open_log(now=lambda: next(clock))
    at = [append(log.store, f"s{n}").at for n in range(4)]
    assert log.feed.position_at(at[1]) == 3
    assert log.feed.position_at(at[1] - timedelta(microseconds=1)) == 1
    assert log.feed.position_at(at[3] + timedelta(days=1)) == 4
    assert to_microseconds(at[0]) == 10


def test_a_waiting_reader_is_woken(followed: FollowedLog) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(followed.feed.wait_beyond, 1, 30)
        append(followed.store, "a")
        assert not waiting.done()
        append(followed.store, "b")
        assert waiting.result() is True
    assert followed.feed.wait_beyond(1, 0) is True
    assert followed.feed.wait_beyond(2, 0) is False


def test_a_reader_who_comes_after_reopening_need_not_wait(open_durable_log: OpenLog) -> None:
    log = open_durable_log()
    append(log.store, "a")
    log.close()
    assert open_durable_log().feed.wait_beyond(0, 0) is True


@pytest.mark.parametrize("threads", [8])
def test_readers_never_see_half_a_commit(log: Log, threads: int) -> None:
    read_while_written(log, threads, readers=2)


@pytest.mark.parametrize("threads", [8])
def test_a_follower_never_sees_half_a_commit(followed: FollowedLog, threads: int) -> None:
    read_while_written(followed, threads, readers=1)


def read_while_written(log: FollowedLog, threads: int, readers: int) -> None:
    def write(n: int) -> None:
        for k in range(10):
            append(log.store, f"s{n}", 1 + 3 * k, 3)

    def read(_: int) -> list[int]:
        seen: list[int] = []
        while len(seen) < threads * 30:
            page = log.feed.after(seen[-1] if seen else 0, 7)
            assert not page or page[-1].position == page[-1].commit
            seen += [r.position for r in page]
            log.feed.wait_beyond(len(seen), 0.05)
        return seen

    with ThreadPoolExecutor(threads + readers) as pool:
        reading = [pool.submit(read, n) for n in range(readers)]
        list(pool.map(write, range(threads)))
        assert [it.result() for it in reading] == [list(range(1, threads * 30 + 1))] * readers
