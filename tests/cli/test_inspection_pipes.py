"""The process of an inspection ends with its call, with its deadlines, and with the process that asked for it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from adapters.host.processes import child_environment
from commands.cancellation import Cancellation
from domain.errors import ConflictError, NotAbleError
from server.inspection.pipes import steps_of_process
from tests.projections.waiting import wait_for

SILENT = "import json, os, subprocess, sys; sys.stdin.readline(); grand = subprocess.Popen(['sleep', '1000']);"
TELLS_ITS_IDS = SILENT + "print(json.dumps({'progress': 0, 'what': f'{os.getpid()} {grand.pid}'}), flush=True);"


def steps(program: str, cancellation: Cancellation | None = None, **limits: Any) -> Iterator[dict[str, Any]]:
    return steps_of_process([sys.executable, "-c", program], {}, {"a": 1}, cancellation or Cancellation(), **limits)


def ids(step: dict[str, Any]) -> list[int]:
    return [int(id) for id in str(step["what"]).split()]


def is_gone(pid: int) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError), Path(f"/proc/{pid}/stat").open() as file:
        return file.read().rpartition(")")[2].split()[0] == "Z"  # ended, and nobody has asked for its exit code
    return True


def test_steps_and_the_result_are_reported() -> None:
    told = "import json, sys; print(json.dumps({'result': json.loads(sys.stdin.readline())}))"
    assert list(steps(told)) == [{"result": {"a": 1}}]


def test_a_refusal_is_raised_and_a_silent_end_is_reported() -> None:
    refused = """print('{"error": "conflict", "sentence": "Not now.", "facts": {}}')"""
    with pytest.raises(ConflictError, match="Not now"):
        list(steps(refused))
    with pytest.raises(NotAbleError, match="exit code 3"):
        list(steps("import sys; sys.exit(3)"))


def test_who_hangs_up_ends_it_with_all_that_it_started() -> None:
    cancellation = Cancellation()
    running = steps(TELLS_ITS_IDS + "grand.wait()", cancellation)
    pids = ids(next(running))
    assert not any(map(is_gone, pids))
    cancellation.request()
    with pytest.raises(NotAbleError):
        next(running)
    wait_for(lambda: all(map(is_gone, pids)))


def test_a_call_that_was_over_before_it_began_starts_nothing_that_lasts() -> None:
    cancellation = Cancellation()
    cancellation.request()
    with pytest.raises(NotAbleError):
        list(steps(SILENT + "grand.wait()", cancellation))


def test_steps_that_nobody_wants_any_more_end_it() -> None:
    running = steps(TELLS_ITS_IDS + "grand.wait()")
    pids = ids(next(running))
    del running
    wait_for(lambda: all(map(is_gone, pids)))


def test_silence_ends_it_and_signs_of_life_do_not() -> None:
    with pytest.raises(NotAbleError, match=r"said nothing for 0\.2 s"):
        list(steps(SILENT + "grand.wait()", quiet=0.2))
    lively = "import json, time; [(print('{\"progress\": 0}', flush=True), time.sleep(0.1)) for _ in range(15)];"
    assert len(list(steps(lively + "print('{\"result\": {}}')", quiet=1.0))) == 16


def test_the_whole_has_an_end() -> None:
    chatty = "import time\nwhile True: print('{\"progress\": 0}', flush=True); time.sleep(0.05)"
    with pytest.raises(NotAbleError, match=r"lasted for 0\.5 s"):
        list(steps(chatty, quiet=1.0, whole=0.5))


def test_it_ends_with_whoever_started_it() -> None:
    """Also after kill -9: the pipe that it reads its arguments from ends then."""
    environment = child_environment(dict(os.environ))
    program = "import sys; from server.inspection.pipes import end_with_caller; end_with_caller(sys.stdin);"
    with subprocess.Popen(
        [sys.executable, "-c", program + "import threading; print('up', flush=True); threading.Event().wait()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.stdin.close()
        assert process.wait(30) == 1


def test_no_process_to_be_had_is_not_able_now(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotAbleError, match="No process could be made"):
        list(steps_of_process(["/nowhere/python"], {}, {}, Cancellation()))

    def no_thread(_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("threading.Thread.start", no_thread)
    with pytest.raises(NotAbleError, match="No thread could be started"):
        list(steps("print('{}')"))
