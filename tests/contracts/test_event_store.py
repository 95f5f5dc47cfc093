"""What every event store does: dense positions, one winner per version, all or nothing, found again by append id."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from adapters.log.chain import chain_faults
from adapters.log.times import to_microseconds
from commands.ports import DuplicateAppend, EventStore, StoredAppend, VersionConflict
from domain.errors import BadInputError, TooLargeError
from projections.ports import GENESIS
from tests.contracts.conftest import Log, OpenLog
from tests.contracts.events import ANA, append, event, events, header

THREADS = 32


def test_an_empty_log(log: Log) -> None:
    assert log.store.end() == (0, GENESIS)
    assert log.store.stream("experiment:x") == []
    assert log.store.version("experiment:x") == 0
    assert log.store.streams("", 10) == []
    assert log.store.find_append(uuid4()) is None


def test_a_receipt_says_what_the_log_holds(log: Log) -> None:
    append(log.store, "experiment:a", count=2)
    given = header(digest="ab" * 32)
    before = datetime.now(UTC)
    appended = log.store.append([event("experiment:b", 1), event("experiment:a", 3)], given)
    assert (appended.first, appended.position, appended.header) == (3, 4, given)
    assert before - timedelta(milliseconds=1) <= appended.at <= datetime.now(UTC)
    assert appended.at.tzinfo is not None
    assert log.store.end() == (4, appended.hash)
    assert log.store.find_append(given.append_id) == appended


def test_events_are_stamped(log: Log) -> None:
    appended = append(log.store, "experiment:a")
    assert [e.metadata for e in appended.events] == [ANA]
    assert log.store.stream("experiment:a") == list(appended.events)


def test_an_append_may_write_several_streams(log: Log) -> None:
    log.store.append([event("b", 1), event("a", 1), event("b", 2), event("a", 2)], header())
    assert [e.originator_version for e in log.store.stream("a")] == [1, 2]
    assert log.store.version("b") == 2


@pytest.mark.parametrize("versions", [[1], [2], [4], [3, 5], [3, 3], [0]])
def test_a_version_that_does_not_follow_is_a_conflict_and_changes_nothing(log: Log, versions: list[int]) -> None:
    appended = append(log.store, "experiment:a", count=2)
    with pytest.raises(VersionConflict):
        log.store.append([event("experiment:b", 1), *[event("experiment:a", v) for v in versions]], header())
    assert log.store.end() == (2, appended.hash)
    assert log.store.version("experiment:b") == 0
    assert append(log.store, "experiment:a", 3).first == 3


def test_a_new_stream_begins_with_version_1(log: Log) -> None:
    with pytest.raises(VersionConflict):
        append(log.store, "experiment:a", 2)


def test_a_repeated_append_gets_the_first_receipt(log: Log) -> None:
    given = header(digest="cd" * 32)
    first = log.store.append(events("experiment:a", 1, 2), given)
    append(log.store, "experiment:b")
    with pytest.raises(DuplicateAppend) as known:
        log.store.append(events("experiment:a", 3, 1), header(given.append_id))
    assert known.value.appended == first
    assert log.store.end()[0] == 3


def test_a_conflict_leaves_the_append_id_free(log: Log) -> None:
    append(log.store, "experiment:a")
    given = header()
    with pytest.raises(VersionConflict):
        log.store.append([event("experiment:a", 1)], given)
    assert log.store.append([event("experiment:a", 2)], given).position == 2


def test_limits(log: Log) -> None:
    with pytest.raises(TooLargeError, match="1,000 events"):
        log.store.append(events("experiment:a", 1, 1001), header())
    with pytest.raises(TooLargeError, match="262,144 bytes"):
        log.store.append([event("experiment:a", 1, "x" * 256 * 1024)], header())
    with pytest.raises(TooLargeError, match="8,388,608 bytes"):
        log.store.append([event("experiment:a", v, "x" * 250_000) for v in range(1, 41)], header())
    with pytest.raises(BadInputError, match="at least one event"):
        log.store.append([], header())
    assert log.store.append(events("experiment:a", 1, 1000), header()).position == 1000


def test_a_text_that_is_no_unicode_is_refused_and_the_store_goes_on(log: Log) -> None:
    with pytest.raises(BadInputError):
        log.store.append([event("experiment:a", 1, "\ud800")], header())
    assert append(log.store, "experiment:a").position == 1


def test_a_stream_until_a_position_ends_with_whole_commits(log: Log) -> None:
    append(log.store, "a", count=2)  # positions 1, 2
    append(log.store, "b", count=2)  # 3, 4
    append(log.store, "a", 3, 2)  # 5, 6
    versions = {until: [e.originator_version for e in log.store.stream("a", until)] for until in (0, 1, 2, 4, 5, 6, 99)}
    assert versions == {0: [], 1: [1, 2], 2: [1, 2], 4: [1, 2], 5: [1, 2, 3, 4], 6: [1, 2, 3, 4], 99: [1, 2, 3, 4]}


def test_streams_by_beginning_in_order(log: Log) -> None:
    for name in ("session:bob:1", "session:ana:2", "session:ana:1", "session:ana-b:1", "dataset:ä"):
        append(log.store, name, count=2)
    assert log.store.streams("session:ana:", 10) == ["session:ana:1", "session:ana:2"]
    assert log.store.streams("session:", 2) == ["session:ana-b:1", "session:ana:1"]
    assert log.store.streams("dataset:", 10) == ["dataset:ä"]


def test_times_never_go_back(open_log: OpenLog) -> None:
    clock = iter([1_000_000, 900_000, 900_000, 1_000_001, 1_000_001])
    log = open_log(now=lambda: next(clock))
    appends = [append(log.store, f"s{n}") for n in range(4)]
    assert [to_microseconds(appended.at) for appended in appends] == [1_000_000, 1_000_000, 1_000_000, 1_000_001]


def test_threads_on_streams_of_their_own_all_succeed(log: Log) -> None:
    def work(n: int) -> list[StoredAppend]:
        return [append(log.store, f"s{n}", 1 + 2 * k, 2) for k in range(8)]

    with ThreadPoolExecutor(THREADS) as pool:
        appends = [appended for done in pool.map(work, range(THREADS)) for appended in done]
    places = sorted((appended.first, appended.position) for appended in appends)
    assert places == [(n, n + 1) for n in range(1, THREADS * 16, 2)]
    assert_sound(log, THREADS * 16)


def test_of_threads_on_one_version_one_wins(log: Log) -> None:
    def work(n: int) -> list[int]:
        return [version for version in range(1, 21) if won(log.store, version, f"by {n}")]

    with ThreadPoolExecutor(THREADS) as pool:
        wins = sorted(version for won_ones in pool.map(work, range(THREADS)) for version in won_ones)
    assert wins == list(range(1, log.store.version("experiment:a") + 1))
    assert_sound(log, 2 * len(wins))


def won(store: EventStore, version: int, text: str) -> bool:
    try:
        store.append([event("experiment:a", version, text), event(f"own:{text}:{version}", 1)], header())
    except VersionConflict:
        return False
    return True


def test_of_threads_with_one_append_id_all_get_one_receipt(log: Log) -> None:
    given = header()

    def work(_: int) -> StoredAppend:
        try:
            return log.store.append([event("experiment:a", 1)], given)
        except DuplicateAppend as known:
            return known.appended

    with ThreadPoolExecutor(THREADS) as pool:
        appends = list(pool.map(work, range(THREADS)))
    assert [appended == appends[0] for appended in appends] == [True] * THREADS
    assert_sound(log, 1)


def test_a_loser_does_not_harm_who_is_written_with_it(log: Log) -> None:
    """Half of the threads always conflict, half never; conflicts stay their own."""
    append(log.store, "taken")

    def work(n: int) -> int:
        lost = 0
        for k in range(1, 11):
            try:
                append(log.store, *(("taken", 1) if n % 2 else (f"free:{n}", k)))
            except VersionConflict:
                lost += 1
        return lost

    with ThreadPoolExecutor(THREADS) as pool:
        lost = list(pool.map(work, range(THREADS)))
    assert lost == [0, 10] * (THREADS // 2)
    assert_sound(log, 1 + 10 * THREADS // 2)


def test_an_append_is_there_after_reopening(open_durable_log: OpenLog) -> None:
    log = open_durable_log()
    appended = append(log.store, "experiment:a", count=3)
    log.close()
    again = open_durable_log().store
    assert again.end() == (3, appended.hash)
    assert again.find_append(appended.header.append_id) == appended
    assert append(again, "experiment:a", 4).first == 4


def test_two_openers_of_one_log_do_not_overwrite_each_other(open_durable_log: OpenLog) -> None:
    """The directory lock forbids it; should it fail, the log stays sound."""
    one, other = open_durable_log(), open_durable_log()
    for n in range(5):
        append(one.store, f"one:{n}")
        append(other.store, f"other:{n}", count=2)
    with pytest.raises(VersionConflict):
        append(one.store, "other:0")
    assert_sound(one, 15)


def assert_sound(log: Log, length: int) -> None:
    assert log.store.end()[0] == length
    commits = log.feed.raw_after(0, length)
    assert sum(len(commit.events) for commit in commits) == length
    assert list(chain_faults(commits)) == []
