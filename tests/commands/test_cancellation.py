"""A cancellation ends the task that it holds, whichever of the two comes first."""

from __future__ import annotations

import pytest

from commands.cancellation import Cancellation
from commands.ports import TaskBroken, TaskOutcome


class Task:
    """Counts how often it was cancelled."""

    pid = 1

    def __init__(self) -> None:
        self.cancelled = 0

    def result(self) -> TaskOutcome:
        return TaskBroken("cancelled", "The task was cancelled.")

    def cancel(self) -> None:
        self.cancelled += 1


@pytest.mark.parametrize("cut_first", [True, False])
def test_the_task_is_cancelled_once(cut_first: bool) -> None:
    cancellation, task = Cancellation(), Task()
    if cut_first:
        cancellation.request()
    assert cancellation.attach(task) is task
    if not cut_first:
        assert task.cancelled == 0
        cancellation.request()
    assert (task.cancelled, cancellation.is_requested) == (1, True)


def test_without_a_task_nothing_is_cancelled() -> None:
    cancellation = Cancellation()
    cancellation.request()
    assert cancellation.is_requested
