"""Group commit: one writer at a time, all queued jobs together, and an error reaches exactly those it concerns."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event, get_ident

import pytest

from adapters.log.group_commit import MAX_TOGETHER, GroupCommit
from domain.errors import NotAbleError


class BlockingWriter:
    """A writer whose first batch waits until the test lets it go on."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.began, self.may_go_on = Event(), Event()

    def write(self, jobs: list[int]) -> None:
        self.batches.append(jobs)
        self.began.set()
        assert self.may_go_on.wait(30)
        if -1 in jobs:
            raise ValueError("minus one")


def queue_up(
    group: GroupCommit[int], writer: BlockingWriter, pool: ThreadPoolExecutor, jobs: list[int]
) -> list[object]:
    """Let the first job lead and all others queue behind it; return what became of each."""
    futures = [pool.submit(group.submit, jobs[0])]
    assert writer.began.wait(30)
    futures += [pool.submit(group.submit, job) for job in jobs[1:]]
    while len(group._queue) < len(jobs) - 1:
        pass
    writer.may_go_on.set()
    return [future.exception() for future in futures]


def test_a_single_caller_writes_in_its_own_thread() -> None:
    threads: list[int] = []
    group = GroupCommit[int](lambda _: threads.append(get_ident()))
    group.submit(1)
    group.submit(2)
    assert threads == [get_ident()] * 2


def test_what_queues_meanwhile_is_written_together() -> None:
    writer = BlockingWriter()
    with ThreadPoolExecutor(8) as pool:
        assert queue_up(GroupCommit(writer.write), writer, pool, list(range(8))) == [None] * 8
    assert writer.batches[0] == [0]
    assert sorted(writer.batches[1]) == list(range(1, 8))
    assert len(writer.batches) == 2


def test_who_leads_alone_writes_no_other_job() -> None:
    writer = BlockingWriter()
    group = GroupCommit(writer.write)
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(group.submit, 0)]
        assert writer.began.wait(30)
        calls.append(pool.submit(group.submit, 1, alone=True))
        while not group._queue:
            pass
        calls += [pool.submit(group.submit, job) for job in (2, 3)]
        while len(group._queue) < 3:
            pass
        writer.may_go_on.set()
        assert [call.exception() for call in calls] == [None] * 4
    assert [sorted(batch) for batch in writer.batches] == [[0], [1], [2, 3]]


def test_an_error_reaches_all_of_its_batch_and_nobody_else() -> None:
    writer = BlockingWriter()
    group = GroupCommit(writer.write)
    with ThreadPoolExecutor(4) as pool:
        first, *others = queue_up(group, writer, pool, [0, -1, 2, 3])
    assert first is None
    assert [str(error) for error in others] == ["minus one"] * 3
    group.submit(4)
    assert writer.batches[-1] == [4]


def test_a_batch_has_a_limit() -> None:
    writer = BlockingWriter()
    with ThreadPoolExecutor(MAX_TOGETHER + 3) as pool:
        errors = queue_up(GroupCommit(writer.write), writer, pool, list(range(MAX_TOGETHER + 3)))
    assert errors == [None] * (MAX_TOGETHER + 3)
    assert [len(batch) for batch in writer.batches] == [1, MAX_TOGETHER, 2]


def test_an_interrupted_leader_hands_the_lead_on() -> None:
    writer = BlockingWriter()

    def write(jobs: list[int]) -> None:
        writer.write(jobs)
        if 0 in jobs:
            raise KeyboardInterrupt

    group = GroupCommit(write)
    with ThreadPoolExecutor(4) as pool:
        first, *others = queue_up(group, writer, pool, [0, 1, 2])
    assert isinstance(first, KeyboardInterrupt)
    assert others == [None, None]


def test_jobs_in_the_batch_of_an_interrupted_leader_are_not_able() -> None:
    writer = BlockingWriter()

    def write(jobs: list[int]) -> None:
        writer.write(jobs)
        if 1 in jobs:
            raise KeyboardInterrupt

    with ThreadPoolExecutor(4) as pool:
        first, *others = queue_up(GroupCommit(write), writer, pool, [0, 1, 2, 3])
    assert first is None
    kinds = sorted(type(error).__name__ for error in others)
    assert kinds == ["KeyboardInterrupt", "NotAbleError", "NotAbleError"]
    with pytest.raises(NotAbleError, match="repeat"):
        raise next(error for error in others if isinstance(error, NotAbleError))


def test_what_comes_back_is_written_again_first_and_with_what_queued_up() -> None:
    writer = BlockingWriter()

    def write(jobs: list[int]) -> list[int]:
        writer.write(jobs)
        return [job for job in jobs if job % 2 == 0 and len(writer.batches) < 4]

    with ThreadPoolExecutor(4) as pool:
        assert queue_up(GroupCommit(write), writer, pool, [0, 1, 2, 3]) == [None] * 4
    assert writer.batches[0] == [0]
    assert [batch[0] for batch in writer.batches[1:]] == [0, 0, 0]
    assert [sorted(batch) for batch in writer.batches[1:]] == [[0, 1, 2, 3], [0, 2], [0, 2]]
