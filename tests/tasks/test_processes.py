"""Task processes that crash, hang, grow and multiply: each ends as an outcome, and nothing is left of them."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from adapters.host.process_metrics import REGISTRY
from adapters.learning.run_task import NEEDED_MORE
from adapters.tasks import running
from adapters.tasks.launcher import ProcessLauncher
from adapters.tasks.running import OF_MEMORY, Limits, TaskProcess
from commands.ports import TaskBroken, TaskDone, TaskSpec

pytestmark = pytest.mark.slow
Deed = Callable[..., TaskSpec]
KILLED = "The task process was ended by a signal (Killed), perhaps because the machine ran out of memory."
TIMEOUT = 60.0  # seconds after which something that must end counts as never ending


def broken(launcher: ProcessLauncher, spec: TaskSpec) -> TaskBroken:
    outcome = launcher.start(spec).result()
    assert isinstance(outcome, TaskBroken), outcome
    return outcome


def descriptor(pid: int) -> int:
    """Return a descriptor that becomes readable when the process is gone."""
    return os.pidfd_open(pid)


def ends(descriptor: int) -> bool:
    try:
        return bool(select.select([descriptor], [], [], TIMEOUT)[0])
    finally:
        os.close(descriptor)


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_the_plugin_works_when_it_behaves(launcher: ProcessLauncher, deed: Deed) -> None:
    assert isinstance(launcher.start(deed("nothing")).result(), TaskDone)


def test_a_process_that_stays_does_one_task_after_another(launcher: ProcessLauncher, deed: Deed) -> None:
    launcher.start(deed("nothing")).result()
    before = open_descriptors()
    task = launcher.start(deed("nothing"), stays=True)
    assert isinstance(task.result(), TaskDone)
    gone = descriptor(task.pid)
    for _ in range(2):
        assert task.go_on(deed("nothing"))
        assert isinstance(task.result(), TaskDone)
    task.close()
    task.close()
    assert ends(gone)
    assert not task.go_on(deed("nothing"))
    assert open_descriptors() == before


@pytest.mark.parametrize(("name", "reason"), [("leave", "crashed"), ("close_all", "crashed"), ("unknown", "error")])
def test_a_task_that_breaks_ends_a_process_that_stays(
    launcher: ProcessLauncher, deed: Deed, name: str, reason: str
) -> None:
    task = launcher.start(deed("nothing"), stays=True)
    gone = descriptor(task.pid)
    task.result()
    assert task.go_on(deed(name))
    outcome = task.result()
    assert isinstance(outcome, TaskBroken)
    assert outcome.reason == reason
    assert ends(gone)
    assert not task.go_on(deed("nothing"))


def test_each_task_of_a_process_that_stays_has_the_whole_deadline(launcher: ProcessLauncher, deed: Deed) -> None:
    launcher._limits = replace(launcher._limits, deadline=3)
    task = launcher.start(deed("nothing"), stays=True)
    task.result()
    assert task.go_on(deed("sleep"))
    outcome = task.result()
    assert isinstance(outcome, TaskBroken)
    assert (outcome.reason, "longer than 3 s" in outcome.detail) == ("deadline", True)


def test_a_process_that_waits_for_a_task_can_be_cancelled(launcher: ProcessLauncher, deed: Deed) -> None:
    task = launcher.start(deed("nothing"), stays=True)
    gone = descriptor(task.pid)
    outcome = task.result()
    task.cancel()
    assert ends(gone)
    assert task.result() == outcome


def test_an_exit_without_an_answer_is_a_crash_that_names_the_code(launcher: ProcessLauncher, deed: Deed) -> None:
    outcome = broken(launcher, deed("leave"))
    assert outcome == TaskBroken("crashed", "The task process ended with exit code 7 and without an answer.")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_signal_from_outside_is_no_crash(
    launcher: ProcessLauncher, deed: Deed, tmp_path: Path, number: signal.Signals
) -> None:
    fifo = tmp_path / "fifo"
    task = launcher.start(deed("hold_the_gil", fifo))
    fifo.read_text()
    os.kill(task.pid, number)
    outcome = task.result()
    assert isinstance(outcome, TaskBroken)
    assert (outcome.reason, str(signal.strsignal(number)) in outcome.detail) == ("killed", True)
    assert ("ran out of memory" in outcome.detail) == (number == signal.SIGKILL)


def test_a_kill_that_a_busy_forkserver_reports_late_is_no_crash(
    launcher: ProcessLauncher, deed: Deed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "GRACE", 0.01)
    fifo, server = tmp_path / "fifo", launcher.forkserver_pid
    assert server is not None
    task = launcher.start(deed("sleep", fifo))
    assert isinstance(task, TaskProcess)
    fifo.read_text()
    os.kill(server, signal.SIGSTOP)
    try:
        gone = descriptor(task.pid)
        os.kill(task.pid, signal.SIGKILL)
        assert ends(gone)
        assert not task._child.has_ended(10 * running.GRACE)
        with ThreadPoolExecutor(1) as pool:
            outcome = pool.submit(task.result)
            os.kill(server, signal.SIGCONT)
            assert outcome.result(TIMEOUT) == TaskBroken("killed", KILLED)
    finally:
        os.kill(server, signal.SIGCONT)


def test_a_task_whose_forkserver_is_killed_ends_as_killed(
    launcher: ProcessLauncher, deed: Deed, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(site))
    fifo, server = tmp_path / "fifo", launcher.forkserver_pid
    assert server is not None
    task = launcher.start(deed("hold_the_gil", fifo))
    fifo.read_text()
    gone = descriptor(task.pid)
    os.kill(server, signal.SIGKILL)
    outcome = task.result()
    assert isinstance(outcome, TaskBroken)
    assert (outcome.reason, "makes task processes was killed" in outcome.detail) == ("killed", True)
    assert ends(gone)
    assert isinstance(launcher.start(deed("nothing")).result(), TaskDone)


@pytest.mark.parametrize(("name", "outcome"), [("nothing", "completed"), ("leave", "crashed")])
def test_each_task_is_measured_by_its_kind_and_outcome(
    launcher: ProcessLauncher, deed: Deed, name: str, outcome: str
) -> None:
    def count() -> float:
        labels = {"task": "fit", "outcome": outcome}
        return REGISTRY.get_sample_value("autolearn_task_seconds_count", labels) or 0.0

    before = count()
    launcher.start(deed(name)).result()
    assert count() == before + 1


def test_a_child_cannot_invent_outcomes() -> None:
    running.measure("fit", TaskBroken("made up by a plug-in", ""), 1.0)
    assert "made up" not in generate_latest(REGISTRY).decode()


def test_a_fault_is_a_crash_that_names_the_signal(launcher: ProcessLauncher, deed: Deed) -> None:
    outcome = broken(launcher, deed("fault"))
    assert outcome.reason == "crashed"
    assert "Segmentation fault" in outcome.detail


def test_a_huge_allocation_meets_the_memory_limit(launcher: ProcessLauncher, deed: Deed) -> None:
    launcher._limits = Limits(deadline=3600, memory=64 << 20)
    outcome = broken(launcher, deed("huge"))
    assert outcome == TaskBroken("memory-limit", NEEDED_MORE)


def test_growth_beyond_the_limit_is_ended(launcher: ProcessLauncher, deed: Deed) -> None:
    launcher._limits = Limits(deadline=3600, memory=64 << 20)
    outcome = broken(launcher, deed("grow"))
    sentence = f"The task used more than 64 MiB of memory ({OF_MEMORY}) and was ended."
    assert outcome == TaskBroken("memory-limit", sentence)


@pytest.mark.parametrize("name", ["sleep", "hold_the_gil"])
def test_a_task_over_its_deadline_is_ended(launcher: ProcessLauncher, deed: Deed, name: str) -> None:
    launcher._limits = Limits(deadline=0.4, memory=4 << 30)
    sentence = "The task took longer than 0.4 s (AUTOLEARN_TASK_SECONDS, or --deadline of a training) and was ended."
    assert broken(launcher, deed(name)) == TaskBroken("deadline", sentence)


def test_limits_of_the_task_itself_come_first(launcher: ProcessLauncher, deed: Deed) -> None:
    assert broken(launcher, replace(deed("sleep"), deadline=0.4)).reason == "deadline"
    assert broken(launcher, replace(deed("grow"), memory=64 << 20)).reason == "memory-limit"
    assert broken(launcher, replace(deed("huge"), memory=64 << 20)).reason == "memory-limit"


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


@pytest.mark.parametrize(("name", "reason"), [("have_a_child", "cancelled"), ("leave_a_child", "crashed")])
def test_what_a_task_started_ends_with_it(
    launcher: ProcessLauncher, deed: Deed, tmp_path: Path, name: str, reason: str
) -> None:
    fifo = tmp_path / "fifo"
    task = launcher.start(deed(name, fifo))
    with fifo.open() as told:
        gone = descriptor(int(told.readline()))
    if reason == "cancelled":
        task.cancel()
    outcome = task.result()
    assert isinstance(outcome, TaskBroken)
    assert outcome.reason == reason
    assert ends(gone)


def test_a_task_has_one_thread_and_no_variable_of_autolearn(
    launcher: ProcessLauncher, deed: Deed, tmp_path: Path
) -> None:
    fifo = tmp_path / "fifo"
    task = launcher.start(deed("say_environment", fifo))
    assert fifo.read_text().strip() == "[] 1 1"
    assert isinstance(task.result(), TaskDone)


def test_where_memory_runs_out_a_task_is_killed_before_the_forkserver(
    launcher: ProcessLauncher, deed: Deed, tmp_path: Path
) -> None:
    fifo = tmp_path / "fifo"
    task = launcher.start(deed("sleep", fifo))
    fifo.read_text()
    scores = [int(Path(f"/proc/{pid}/oom_score_adj").read_text()) for pid in (task.pid, launcher.forkserver_pid)]
    task.cancel()
    task.result()
    assert scores[0] == 1000 > scores[1]


def test_no_process_for_tasks_gets_the_settings_either(launcher: ProcessLauncher, deed: Deed, tmp_path: Path) -> None:
    """The kernel shows what a process was begun with, whatever it deletes later: AUTOLEARN_MONGODB has a password."""
    fifo = tmp_path / "fifo"
    task = launcher.start(deed("sleep", fifo))
    fifo.read_text()
    server = launcher.forkserver_pid
    assert server is not None
    for pid in (server, task.pid):
        try:
            given = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except PermissionError:  # nobody but root may look
            assert os.geteuid() != 0
            continue
        assert [line for line in given if line.startswith(b"AUTOLEARN_")] == []
        assert b"PYTHONSAFEPATH=1" in given
    task.cancel()
    task.result()


def test_the_backend_keeps_its_own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOLEARN_SECRET", "kept")
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    launcher = ProcessLauncher(
        str(tmp_path), str(tmp_path / "scratch"), slots=1, limits=Limits(deadline=3600, memory=4 << 30)
    )
    launcher.prepare()
    launcher.close()
    says = subprocess.run(["env"], capture_output=True, text=True, check=True).stdout.splitlines()
    assert "AUTOLEARN_SECRET=kept" in says
    assert not [line for line in says if line.startswith("PYTHONSAFEPATH")]


def test_a_plugin_that_ends_its_process_hides_no_other(launcher: ProcessLauncher) -> None:
    own = launcher.start(TaskSpec("describe", {})).result()
    assert isinstance(own, TaskDone), own
    assert {"logistic-regression", "svm"} <= {model["name"] for model in own.facts["models"]}
    assert (own.facts["plugins"], own.facts["problems"]) == (["fatal", "hostile"], [])
    fatal = broken(launcher, TaskSpec("describe", {"distribution": "fatal"}))
    assert (fatal.reason, "Aborted" in fatal.detail) == ("crashed", True)


def test_a_broken_offer_of_a_plugin_is_reported_and_breaks_no_other(launcher: ProcessLauncher) -> None:
    outcome = launcher.start(TaskSpec("describe", {"distribution": "hostile"})).result()
    assert isinstance(outcome, TaskDone), outcome
    assert [model["name"] for model in outcome.facts["models"]] == ["hostile"]
    problems = sorted(outcome.facts["problems"])
    assert [problem.split(" is not offered")[0] for problem in problems] == [
        "broken of hostile 1.0",
        "clusterer of hostile 1.0",
        "no-model of hostile 1.0",
    ]
    assert "nowhere_to_be_found" in problems[0]
    assert "trains classifiers and regressors" in problems[1]


def test_nothing_is_left_of_ended_tasks(launcher: ProcessLauncher, deed: Deed) -> None:
    launcher.start(deed("nothing")).result()
    before = open_descriptors()
    launcher._limits = Limits(deadline=0.2, memory=4 << 30)
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
    server = launcher.forkserver_pid
    assert server
    gone = descriptor(server)
    os.kill(server, 9)
    assert ends(gone)
    assert isinstance(launcher.start(deed("nothing")).result(), TaskDone)


def test_a_task_that_closes_its_answer_is_a_crash(launcher: ProcessLauncher, deed: Deed) -> None:
    outcome = broken(launcher, deed("close_all"))
    assert outcome == TaskBroken("crashed", "The task process gave no whole answer.")


def test_half_an_answer_is_a_crash(launcher: ProcessLauncher, deed: Deed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "ANSWER_SECONDS", 0.2)
    assert broken(launcher, deed("answer_by_halves")).reason == "crashed"


def test_many_threads_may_start_tasks_and_the_launcher_be_closed_meanwhile(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.tasks.forkserver.PRELOAD", ["adapters.tasks.child"])
    launcher = ProcessLauncher(
        str(tmp_path), str(tmp_path / "scratch"), slots=1, limits=Limits(deadline=3600, memory=4 << 30)
    )
    launcher.prepare()
    server = launcher.forkserver_pid
    assert server
    gone = descriptor(server)
    with ThreadPoolExecutor(8) as pool:
        tasks = [pool.submit(launcher.start, TaskSpec("describe", {})) for _ in range(24)]
        tasks[4].result()
        launcher.close()
        outcomes = [task.result().result() for task in tasks]
    assert ends(gone)
    assert launcher.forkserver_pid is None
    assert {outcome.reason for outcome in outcomes if isinstance(outcome, TaskBroken)} <= {"cancelled", "killed"}
    assert list((tmp_path / "scratch").iterdir()) == []
