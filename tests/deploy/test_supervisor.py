"""The supervisor with children of a test's own: started in waves, again when killed, ended in reverse and with it."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from domain.errors import ConflictError, NotAbleError
from server import child as child_module
from server.child import Child, Part, answers
from server.supervisor import SERVICES, Supervisor, doors_of, free_port, waves_of

SECONDS = 60.0
# Stands in for `cli.main`: answers on its port, and notes its start and its end.
PROGRAM = """
import http.server, os, signal, sys
name, port, notes = sys.argv[1], int(sys.argv[2]), sys.argv[3]
def note(what):
    with open(notes, "a") as file: file.write(f"{what} {name}\\n")
def end(*_):
    note("ends"); os._exit(0)
signal.signal(signal.SIGTERM, end)
if name == "refused":
    print("autolearn: the sentence", file=sys.stderr); sys.exit(6)
class Live(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", port), Live)
note("starts"); server.serve_forever()
"""


class Stage:
    """A folder where children note what happens, and the children's program in the place of ours."""

    def __init__(self, folder: Path) -> None:
        self.notes = folder / "notes"
        (folder / "cli").mkdir()
        (folder / "cli" / "__init__.py").touch()
        (folder / "cli" / "main.py").write_text(PROGRAM)
        self.environment = {"PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"}

    def part(self, name: str) -> Part:
        port = free_port()
        return Part(name, (name, str(port), str(self.notes)), port)

    def supervisor(self, *waves: tuple[str, ...]) -> Supervisor:
        return Supervisor([[self.part(name) for name in wave] for wave in waves], self.environment)

    @property
    def noted(self) -> list[str]:
        return self.notes.read_text().splitlines() if self.notes.exists() else []


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that other processes do."""
    turn = threading.Event()
    for _ in range(int(SECONDS / 0.02)):
        if condition():
            return
        turn.wait(0.02)
    pytest.fail("it never came to that")


def runs(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


@pytest.fixture
def running(stage: Stage) -> Iterator[Supervisor]:
    """Two waves, running."""
    supervisor = stage.supervisor(("first",), ("second", "third"))
    supervisor.start()
    yield supervisor
    supervisor.stop()


def has_started(stage: Stage, child: Child, times: int) -> bool:
    """Whether a child was started so often, and answers."""
    return stage.noted.count(f"starts {child.part.name}") == times and answers(child.part.port)


def children(supervisor: Supervisor) -> list[Child]:
    return [child for wave in supervisor.waves for child in wave]


def test_waves_start_one_after_the_other_and_stop_in_reverse(stage: Stage) -> None:
    supervisor = stage.supervisor(("first",), ("second",), ("third",))
    supervisor.start()
    assert stage.noted == ["starts first", "starts second", "starts third"]
    supervisor.stop()
    assert stage.noted[3:] == ["ends third", "ends second", "ends first"]
    supervisor.stop()


def test_who_dies_is_started_again_and_the_others_stay(running: Supervisor, stage: Stage) -> None:
    first, second, third = children(running)
    others = first.pid, third.pid
    for times in (2, 3):
        os.kill(second.pid, signal.SIGKILL)
        until(partial(has_started, stage, second, times))
    assert (first.pid, third.pid) == others


def test_a_child_is_started_once_the_system_gives_a_process(
    running: Supervisor, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    second, refused = children(running)[1], threading.Event()

    def no_process(*_: object, **__: object) -> None:
        refused.set()
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    with monkeypatch.context() as patched:
        patched.setattr(subprocess, "Popen", no_process)
        os.kill(second.pid, signal.SIGKILL)
        assert refused.wait(SECONDS)
    until(partial(has_started, stage, second, 2))


def test_a_refusal_at_the_start_is_told_in_its_own_words(stage: Stage) -> None:
    supervisor = stage.supervisor(("first",), ("refused",), ("never",))
    with pytest.raises(ConflictError, match="refused did not start: the sentence"):
        supervisor.start()
    supervisor.stop()
    assert stage.noted == ["starts first", "ends first"]


def test_a_child_that_ends_without_a_word_is_told_as_well(stage: Stage) -> None:
    supervisor = Supervisor([[Part("x", ("x", "no port", "no file"), free_port())]], stage.environment)
    with pytest.raises(NotAbleError, match="x did not start: "):
        supervisor.start()
    supervisor.stop()


def test_a_child_that_does_not_end_is_killed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    supervisor = stage.supervisor(("first",))
    supervisor.start()
    os.kill(children(supervisor)[0].pid, signal.SIGSTOP)
    monkeypatch.setattr(child_module, "STOP_SECONDS", 0.1)
    supervisor.stop()
    assert not runs(children(supervisor)[0].pid)


def test_children_end_when_the_supervisor_is_killed(stage: Stage) -> None:
    part = stage.part("first")
    code = f"""
from server.child import Part
from server.supervisor import Supervisor
supervisor = Supervisor([[{part!r}]], {stage.environment!r})
supervisor.start()
print(supervisor.waves[0][0].pid, flush=True)
input()
"""
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        pid = int((parent.stdout or sys.stdin).readline())
        assert runs(pid)
        parent.kill()
        until(lambda: not runs(pid))
    assert stage.noted == ["starts first", "ends first"]


def test_all_processes_of_the_design_are_there() -> None:
    waves = waves_of(2)
    words = [part.words[:-2] for wave in waves for part in wave]
    kinds = [("relay",), ("project",), *(("work", it) for it in SERVICES), *(("serve", it) for it in SERVICES)]
    assert words == [kind for kind in kinds for _ in range(2)]
    doors = doors_of(waves)
    assert {service: len(urls) for service, urls in doors.items()} == dict.fromkeys(SERVICES, 2)
    ports = [part.port for wave in waves for part in wave]
    assert len(set(ports)) == len(ports)
