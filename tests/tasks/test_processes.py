"""Task processes that crash, hang, grow and multiply: each ends as an outcome, and nothing is left of them."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.tasks.launcher import ProcessLauncher
from adapters.tasks.running import Limits
from commands.ports import TaskBroken, TaskDone, TaskSpec

pytestmark = pytest.mark.slow
Deed = Callable[..., TaskSpec]
PATIENCE = 20.0  # seconds after which something that must end counts as never ending


def broken(launcher: ProcessLauncher, spec: TaskSpec) -> TaskBroken:
    outcome = launcher.start(spec).result()
    assert isinstance(outcome, TaskBroken), outcome
    return outcome


def descriptor(pid: int) -> int:
    """Return a descriptor that becomes readable when the process is gone."""
    return os.pidfd_open(pid)


def ends(descriptor: int) -> bool:
    try:
        return bool(select.select([descriptor], [], [], PATIENCE)[0])
    finally:
        os.close(descriptor)


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_the_plugin_works_when_it_behaves(launcher: ProcessLauncher, deed: Deed) -> None:
    assert isinstance(launcher.start(deed("nothing")).result(), TaskDone)


def test_an_exit_without_an_answer_is_a_crash_that_names_the_code(launcher: ProcessLauncher, deed: Deed) -> None:
    outcome = broken(launcher, deed("leave"))
    assert outcome == TaskBroken("crashed", "The task process ended with exit code 7 and without an answer.")


def test_a_fault_is_a_crash_that_names_the_signal(launcher: ProcessLauncher, deed: Deed) -> None:
    outcome = broken(launcher, deed("fault"))
    assert outcome.reason == "crashed"
    assert "Segmentation fault" in outcome.detail


def test_a_huge_allocation_meets_the_memory_limit(launcher: ProcessLauncher, deed: Deed) -> None:
    assert broken(launcher, deed("huge")).reason == "memory-limit"


def test_growth_beyond_the_limit_is_ended(launcher: ProcessLauncher, deed: Deed) -> None:
    launcher._limits = Limits(memory=64 << 20)
    outcome = broken(launcher, deed("grow"))
    assert outcome.reason == "memory-limit"
    assert "memory" in outcome.detail


@pytest.mark.parametrize("name", ["sleep", "hold_the_gil"])
def test_a_task_over_its_deadline_is_ended(launcher: ProcessLauncher, deed: Deed, name: str) -> None:
    launcher._limits = Limits(deadline=0.4)
    assert broken(launcher, deed(name)) == TaskBroken("deadline", "The task took longer than 0.4 s and was ended.")


def test_a_working_task_is_cancelled_at_once(launcher: ProcessLauncher, deed: Deed, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    task = launcher.start(deed("hold_the_gil", fifo))
    fifo.read_text()  # it is in the middle of its fit
    gone = descriptor(task.pid)
    waiter = threading.Thread(target=task.result)
    waiter.start()
    task.cancel()
    assert ends(gone)
    waiter.join()
    assert task.result() == TaskBroken("cancelled", "The task was cancelled.")


def test_what_a_task_started_ends_with_it(launcher: ProcessLauncher, deed: Deed, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    task = launcher.start(deed("have_a_child", fifo))
    gone = descriptor(int(fifo.read_text()))
    task.cancel()
    assert ends(gone)
    assert isinstance(task.result(), TaskBroken)


def test_a_task_has_one_thread_and_no_variable_of_autolearn(
    launcher: ProcessLauncher, deed: Deed, tmp_path: Path
) -> None:
    fifo = tmp_path / "fifo"
    task = launcher.start(deed("say_environment", fifo))
    assert fifo.read_text().strip() == "[] 1 1"
    assert isinstance(task.result(), TaskDone)


def test_a_broken_plugin_is_reported_and_breaks_no_other(launcher: ProcessLauncher, iris: str) -> None:
    outcome = launcher.start(TaskSpec("describe", {})).result()
    assert isinstance(outcome, TaskDone), outcome
    names = {model["name"] for model in outcome.facts["models"]}
    assert {"hostile", "logistic-regression", "svm"} <= names
    assert not {"broken", "no-model"} & names
    problems = sorted(outcome.facts["problems"])
    assert [problem.split(" is not offered")[0] for problem in problems] == [
        "broken of hostile 1.0",
        "no-model of hostile 1.0",
    ]
    assert "nowhere_to_be_found" in problems[0]


def test_nothing_is_left_of_ended_tasks(launcher: ProcessLauncher, deed: Deed) -> None:
    launcher.start(deed("nothing")).result()
    before = open_descriptors()
    launcher._limits = Limits(deadline=0.2)
    for name in ("nothing", "leave", "fault", "sleep", "huge"):
        task = launcher.start(deed(name))
        gone = descriptor(task.pid)
        task.result()
        assert ends(gone)
    assert open_descriptors() == before
    assert list(launcher._scratch.iterdir()) == []
    assert not launcher._running


def test_a_dead_forkserver_is_replaced(
    launcher: ProcessLauncher, deed: Deed, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(site))
    server = launcher._forkserver._server._forkserver_pid  # type: ignore[attr-defined]
    gone = descriptor(server)
    os.kill(server, 9)
    assert ends(gone)
    assert isinstance(launcher.start(deed("nothing")).result(), TaskDone)
