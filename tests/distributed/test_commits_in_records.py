"""Records put together to commits: what is whole comes through whatever lies around it, what is torn is one finding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from adapters.distributed.log.commit_schema import EVENT_LOG
from adapters.distributed.topics.cloud_events import Record, commit_messages, parse_record
from adapters.distributed.topics.scan import Finding
from adapters.distributed.verification.topic_copy import entries_in
from projections.ports import RawCommit, RawEvent

AT = datetime(2026, 1, 31, 12, 0, 0, 1, UTC)


def commits_of(sizes: list[int]) -> list[RawCommit]:
    commits, end = list[RawCommit](), 0
    for size in sizes:
        events = tuple(RawEvent(f"s:{end}", n, "e.v1", b"{}") for n in range(1, size + 1))
        commits.append(RawCommit(end + 1, end + size, AT, UUID(int=end), UUID(int=end), "", bytes(32), events))
        end += size
    return commits


def commits_in(records: Iterable[Record | Finding]) -> Iterator[RawCommit | Finding]:
    return entries_in(records, EVENT_LOG)


def records_of(*commits: RawCommit) -> list[Record]:
    source = "/autolearn/x/" + "ab" * 16
    return [parse_record(message) for commit in commits for message in commit_messages(commit, source)]


logs = st.lists(st.integers(1, 4), min_size=1, max_size=8).map(commits_of)


@given(logs)
def test_whole_commits_come_through(log: list[RawCommit]) -> None:
    assert list(commits_in(records_of(*log))) == log


@given(logs, st.data())
def test_one_lost_record_costs_its_commit_alone(log: list[RawCommit], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(log) - 1))
    records = records_of(log[at])
    lost = data.draw(st.integers(0, len(records) - 1))
    left = records[:lost] + records[lost + 1 :]
    before, behind = log[:at], log[at + 1 :]
    found = list(commits_in([*records_of(*before), *left, *records_of(*behind)]))
    torn = found[at : len(found) - len(behind)]
    assert [*found[:at], *found[len(found) - len(behind) :]] == [*before, *behind]
    assert all(isinstance(it, tuple) for it in torn)
    assert bool(torn) == bool(left)


@given(logs, st.data())
def test_a_stranger_between_costs_only_the_commit_that_it_tears(log: list[RawCommit], data: st.DataObject) -> None:
    records = records_of(*log)
    at = data.draw(st.integers(0, len(records)))
    found = list(commits_in([*records[:at], (None, "a stranger"), *records[at:]]))
    torn = [commit for commit in log if commit.first <= at < commit.position]
    assert (None, "a stranger") in found
    assert [it for it in found if isinstance(it, RawCommit)] == [commit for commit in log if commit not in torn]


@given(logs, st.randoms(use_true_random=False))
def test_any_order_gives_whole_commits_or_findings(log: list[RawCommit], chance: object) -> None:
    records = records_of(*log)
    chance.shuffle(records)  # type: ignore[attr-defined] # a Random of hypothesis
    found = [it for it in commits_in(records) if isinstance(it, RawCommit)]
    assert all(it in log for it in found)


def test_a_commit_that_never_ends_is_not_gathered_for_ever() -> None:
    (commit,) = commits_of([2500])
    found = list(commits_in(record._replace(last=10**9) for record in records_of(commit)))
    assert len(found) > 1
    assert all(isinstance(it, tuple) for it in found)
