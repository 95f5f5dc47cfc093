"""The launcher's own life: its process loads nothing heavy, closes whole, and takes its tasks with it when it dies."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
TIMEOUT = 60.0
SOON = 10.0
HEAVY = ("sklearn", "pandas", "numpy", "pyarrow", "skops", "scipy", "fsspec")

# No `if __name__ == "__main__"`: a child that ran this again would start launchers for ever, and `runs` would show it.
PROGRAM = """
import os, sys, threading
folder, fifo, end = sys.argv[1:]
with open(f"{folder}/runs", "a") as runs:
    print(os.getpid(), file=runs)
from adapters.tasks.confinement import Confinement
from adapters.tasks.launcher import ProcessLauncher
from adapters.tasks.running import Limits
from commands.ports import TaskSpec
limits = Limits(deadline=3600, memory=4 << 30)
launcher = ProcessLauncher(f"{folder}/blobs", f"{folder}/scratch", 1, limits, confinement=Confinement("off"))
launcher.prepare()
server = launcher.forkserver_pid
stored = launcher.start(TaskSpec("ingest", {"builtin": "iris", "target": "species"})).result()
facts = {
    "experiment": "a" * 16, "model": {"name": "hostile", "version": "1.0", "distribution": "hostile"},
    "settings": {"deed": "hold_the_gil", "fifo": fifo}, "seed": 1, "test_size": 0.25,
    "dataset": {"name": "iris", "version": 1, "sha256": stored.facts["blob"]["sha256"]}, "target": "species",
}
task = launcher.start(TaskSpec("fit", facts))
print(server, task.pid, [name for name in HEAVY if name in sys.modules], flush=True)
if end == "close":
    sys.stdin.readline()
    launcher.close()
    launcher.close()
    print(task.result().reason, type(launcher.start(TaskSpec("describe", {}))).__name__, flush=True)
sys.stdin.readline()
""".replace("HEAVY", repr(HEAVY))


class Backend:
    """A process with a launcher in the middle of a task."""

    def __init__(self, folder: Path, site: Path, end: str) -> None:
        self.folder = folder
        fifo = folder / "fifo"
        os.mkfifo(fifo)
        script = folder / "backend.py"
        script.write_text(PROGRAM)
        self.process = subprocess.Popen(
            [sys.executable, str(script), str(folder), str(fifo), end],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(Path.cwd())])},
        )
        fifo.read_text()  # the task holds the GIL now
        server, task, self.loaded = self.line().split(" ", 2)
        self.gone = [os.pidfd_open(int(pid)) for pid in (server, task)]

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def say(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def all_end(self) -> bool:
        return all(select.select([descriptor], [], [], TIMEOUT)[0] for descriptor in self.gone)

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        for descriptor in self.gone:
            os.close(descriptor)


def test_tasks_and_forkserver_die_with_a_killed_parent(tmp_path: Path, site: Path) -> None:
    backend = Backend(tmp_path, site, "die")
    try:
        backend.process.send_signal(signal.SIGKILL)
        assert backend.all_end()
    finally:
        backend.close()


LOADING = """
import sys
from adapters.tasks import forkserver
from adapters.tasks.launcher import ProcessLauncher
from adapters.tasks.running import Limits
from commands.ports import TaskSpec
write = forkserver._write
forkserver._write = lambda *order: print("asked", write(*order), flush=True)
launcher = ProcessLauncher(sys.argv[1], sys.argv[1], 1, Limits(deadline=3600, memory=4 << 30))
launcher.prepare()
print(launcher.forkserver_pid, flush=True)
launcher.start(TaskSpec("describe", {}))
"""


def test_a_forkserver_that_still_loads_dies_with_a_killed_parent(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    (tmp_path / "sklearn.py").write_text(f"import signal\nopen({str(fifo)!r}, 'w').close()\nsignal.pause()\n")
    path = os.pathsep.join([str(tmp_path), str(Path.cwd())])
    with subprocess.Popen(
        [sys.executable, "-c", LOADING, str(tmp_path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
    ) as backend:
        assert backend.stdout is not None
        pid = int(backend.stdout.readline())
        server = os.pidfd_open(pid)
        assert backend.stdout.readline() == b"asked None\n"  # what waits holds the pipe that tells of the parent's end
        fifo.read_text()  # it waits amid an import now
        backend.kill()
        ended = bool(select.select([server], [], [], SOON)[0])
        if not ended:
            os.kill(pid, signal.SIGKILL)
        os.close(server)
    assert ended


def test_close_ends_all_and_the_parent_stays_light_and_is_run_once(tmp_path: Path, site: Path) -> None:
    backend = Backend(tmp_path, site, "close")
    try:
        assert backend.loaded == "[]"
        backend.say()
        assert backend.line() == "cancelled UnstartedTask"
        assert backend.all_end()
        assert (tmp_path / "runs").read_text().split() == [str(backend.process.pid)]
        assert list((tmp_path / "scratch").iterdir()) == []
    finally:
        backend.close()
