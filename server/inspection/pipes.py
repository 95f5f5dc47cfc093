"""The pipes between an inspection and its caller: steps one way; the end of the caller ends the process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from threading import Event as Signal
from threading import Thread
from time import monotonic
from typing import Any, Final, TextIO

from adapters.host.processes import child_environment
from commands.cancellation import Cancellation
from domain.errors import NotAbleError, error_from_slug

Step = dict[str, Any]
QUIET_SECONDS: Final = 900.0  # without a step: no part of an inspection of a sound installation takes as long
WHOLE_SECONDS: Final = 12 * 3600.0
LOOK_SECONDS: Final = 1.0


class Deadline:
    """Ends a process, with all that it has started, that yields no step for too long or lasts for too long."""

    def __init__(self, process: subprocess.Popen[str], quiet: float, whole: float) -> None:
        self._process = process
        self._limits = (quiet, whole)
        self._started_at = self._last_step_at = monotonic()
        self._closed = Signal()
        self.reason = ""

    def start(self) -> None:
        try:
            Thread(target=self._watch, name="inspection deadline", daemon=True).start()
        except RuntimeError as error:
            raise NotAbleError("No thread could be started to watch the inspection.") from error

    def note_step(self) -> None:
        self._last_step_at = monotonic()

    def cancel(self) -> None:
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        self._closed.set()
        self.cancel()

    def _watch(self) -> None:
        quiet, whole = self._limits
        while not self._closed.wait(min(LOOK_SECONDS, quiet / 4)):
            now = monotonic()
            if now - self._last_step_at > quiet:
                self.reason = f"it said nothing for {quiet:g} s"
            elif now - self._started_at > whole:
                self.reason = f"it had lasted for {whole:g} s"
            else:
                continue
            self.cancel()
            return


def steps_of_process(
    command: list[str],
    environment: dict[str, str],
    arguments: dict[str, Any],
    cancellation: Cancellation,
    *,
    quiet: float = QUIET_SECONDS,
    whole: float = WHOLE_SECONDS,
) -> Iterator[Step]:
    """Yield the steps that a process prints, a line of JSON each; `cancellation` ends it."""
    with _start(command, environment) as process:
        deadline = Deadline(process, quiet, whole)
        try:
            deadline.start()
            cancellation.attach(deadline)
            yield from _steps(process, arguments, deadline)
        finally:
            deadline.close()


def _start(command: list[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(  # noqa: S603 - our own program
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=child_environment(os.environ | environment),
            text=True,
            start_new_session=True,  # a group of its own, which ends as one
        )
    except OSError as error:
        raise NotAbleError(f"No process could be made for the inspection: {error.strerror or error}.") from error


def _steps(process: subprocess.Popen[str], arguments: dict[str, Any], deadline: Deadline) -> Iterator[Step]:
    if process.stdin is None or process.stdout is None:
        raise NotAbleError("The inspection has no pipes.")
    # The pipe stays open: its end ends the process.
    _write(process.stdin.fileno(), json.dumps(arguments).encode() + b"\n")
    step: Step = {}
    for line in process.stdout:
        deadline.note_step()
        step = json.loads(line)
        if "error" in step:
            raise error_from_slug(step["error"], step["sentence"], step["facts"])
        yield step
    if "result" not in step:
        why = f"it was ended: {deadline.reason}" if deadline.reason else f"exit code {process.wait()}"
        raise NotAbleError(f"The inspection ended without a result ({why}).")


def _write(pipe: int, rest: bytes) -> None:
    """Write without a buffer; a process that has ended already says why by its exit code."""
    with suppress(BrokenPipeError):
        while rest:
            rest = rest[os.write(pipe, rest) :]


def end_with_caller(pipe: TextIO) -> None:
    """End this process once nobody holds the other end of the pipe."""

    def wait() -> None:
        pipe.read()
        os._exit(1)  # nobody waits for its result, and it changes nothing that serves

    Thread(target=wait, name="caller", daemon=True).start()
