"""Whatever is done to a copy of the log is found at its place; a copy that is the log has no fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import BadInputError
from projections.ports import AuditRecord, Finding, RawCommit, RawEvent, StoredAuditRecord
from projections.verification.topic_check import MOST_FAULTS, CopyCheck
from projections.verification.verify import verify
from tests.projections.world import World

AT = datetime(2026, 1, 31, 12, 0, 0, 1, UTC)
Copy = list[RawCommit | Finding]


def log_of(sizes: list[int]) -> list[RawCommit]:
    """Make up commits of so many events."""
    commits, end = list[RawCommit](), 0
    for size in sizes:
        events = tuple(RawEvent("s", end + n, "e.v1", b"{}") for n in range(1, size + 1))
        commits.append(
            RawCommit(end + 1, end + size, AT, UUID(int=end), UUID(int=end + 1), "d", bytes([end % 256]) * 32, events)
        )
        end += size
    return commits


def audit_log_of(count: int) -> list[StoredAuditRecord]:
    texts = ("actor", "source", "target", "operation", "outcome", "problem", "correlation", "causation")
    facts: dict[str, Any] = dict.fromkeys((*texts, "digest_in", "digest_out"), "x")
    numbers: dict[str, Any] = {"milliseconds": 0.1, "bytes_in": 0, "bytes_out": 0, "domain_position": 0}
    call = AuditRecord(kind="call", **facts, **numbers)
    return [StoredAuditRecord(n, AT, "w", n, bytes(32), bytes([n]) * 32, call) for n in range(1, count + 1)]


def reader(stored: list[Any]) -> Callable[[int, int], list[Any]]:
    """Return `after` of a store, of two at a time."""
    return lambda position, _: [it for it in stored if it.position > position][:2]


def found(stored: list[Any], copy: Any, until: int | None = None) -> list[Finding]:
    end = stored[-1].position if stored else 0
    check: CopyCheck[Any] = CopyCheck("the topic", reader(stored), end if until is None else until)
    for _ in check.run(copy):
        pass
    return check.faults


sizes = st.lists(st.integers(1, 4), min_size=1, max_size=12)


@given(sizes)
def test_a_true_copy_has_no_fault(sizes: list[int]) -> None:
    log = log_of(sizes)
    assert found(log, log) == []
    assert found(audit_log_of(len(sizes)), audit_log_of(len(sizes))) == []


def changed(commit: RawCommit) -> list[RawCommit]:
    """Return the commit with one thing changed, each thing once."""
    first, *rest = commit.events
    events = [
        (first._replace(state=b"[]"), *rest),
        (first._replace(stream="t"), *rest),
        (first._replace(version=99), *rest),
        (first._replace(name="f.v1"), *rest),
        (*rest, first, first),
    ]
    return [replace(commit, events=them) for them in events] + [
        replace(commit, at=AT.replace(microsecond=2)),
        replace(commit, command_id=UUID(int=99)),
        replace(commit, append_id=UUID(int=99)),
        replace(commit, digest=""),
        replace(commit, hash=b"\xff" * 32),
        replace(commit, first=99),
    ]


@given(sizes, st.data())
def test_a_changed_commit_is_found_at_its_position(sizes: list[int], data: st.DataObject) -> None:
    log = log_of(sizes)
    at = data.draw(st.integers(0, len(log) - 1))
    wrong = data.draw(st.sampled_from(changed(log[at])))
    assert [position for position, _ in found(log, [*log[:at], wrong, *log[at + 1 :]])] == [log[at].position]


@given(sizes, st.data())
def test_what_lacks_is_doubled_or_foreign_is_found_at_its_position(sizes: list[int], data: st.DataObject) -> None:
    log = log_of(sizes)
    at = data.draw(st.integers(0, len(log) - 1))
    before, it, behind = log[:at], log[at], log[at + 1 :]
    for copy in ([*before, *behind], [*before, it, it, *behind], [*before, it, *behind, it]):
        assert {position for position, _ in found(log, copy)} == {it.position}
    assert found(log, [*before, (7, "foreign"), it, *behind]) == [(7, "foreign")]
    assert found(log, [*before, (None, "no position"), it, *behind]) == [(None, "no position")]
    end = log[-1].position
    assert [at for at, _ in found(log, [*log, replace(it, position=end + 5, first=end + 5)])] == [end + 5]


@given(sizes, st.data())
def test_commits_in_another_order_are_found(sizes: list[int], data: st.DataObject) -> None:
    log = log_of(sizes)
    shuffled = data.draw(st.permutations(log))
    assert bool(found(log, shuffled)) == (shuffled != log)


def test_what_the_topic_does_not_have_yet_is_no_fault_beyond_the_end_that_is_looked_at() -> None:
    log = log_of([2, 2, 2, 2])
    assert found(log, log[:2], until=4) == []
    assert found(log, log[:2], until=6) == [(6, "the topic ends at 4 and lacks up to 6")]
    assert found(log, [], until=8) == [(2, "the topic ends at 0 and lacks up to 8")]
    assert found([], []) == []


def test_the_log_may_grow_while_its_copy_is_read() -> None:
    log = log_of([1] * 5)
    stored = log[:1]

    def growing() -> Iterator[RawCommit]:
        for commit in log:
            if commit not in stored:
                stored.append(commit)
            yield commit

    assert found(stored, growing(), until=1) == []


def test_a_difference_is_named() -> None:
    audit_log = audit_log_of(3)
    other = replace(audit_log[1], content=replace(audit_log[1].content, actor="y", milliseconds=0.2))
    ((position, what),) = found(audit_log, [audit_log[0], other, audit_log[2]])
    assert (position, what) == (2, "the topic has another actor, milliseconds at 2")
    ((_, what),) = found(audit_log, [audit_log[0], replace(other, number=5), audit_log[2]])
    assert "number, content" in what


def test_a_wholly_wrong_topic_is_listed_in_part() -> None:
    log = log_of([1] * (MOST_FAULTS + 500))
    assert len(found(log, [replace(commit, digest="") for commit in log])) == MOST_FAULTS


def test_what_lacks_in_a_row_is_one_finding_with_its_range() -> None:
    log = log_of([2] * (MOST_FAULTS + 500))
    assert found(log, log[-1:]) == [(2, f"the topic lacks 2 to {log[-2].position}")]
    assert found(log, [*log[:3], *log[4:6], *log[8:]]) == [(8, "the topic lacks 8"), (14, "the topic lacks 14 to 16")]


def test_where_there_are_no_topics_nothing_is_checked_against_them() -> None:
    world = World()
    with pytest.raises(BadInputError, match="no Kafka in the embedded mode"):
        verify(world.inspected(), against_topics=True)
    world.close()
