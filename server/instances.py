"""Several processes that accept calls on one listening socket, which they inherit: the kernel shares the calls out.

Their parent only waits. When one of them dies, all end: systemd or another supervisor starts them again.
"""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Final, NoReturn, Self

from adapters.host.processes import set_parent_death_signal
from adapters.host.shutdown import ignore_signals
from domain.errors import AutoLearnError, NotAbleError, error_from_slug

logger = logging.getLogger(__name__)

STOP_SECONDS: Final = 30.0
LOOK_SECONDS = 0.1  # between two looks, while instances start, at whether it was told to stop
AWAITED: Final = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGCHLD})
ANSWERS: Final = "answers\n"

Run = Callable[[int, Callable[[], None]], None]
"""Runs the instance of a number, from 0, until it is told to stop; calls the second once it answers."""


class Instances:
    """`count` processes, each forked before this one has a thread; within the context they run."""

    def __init__(self, run: Run, count: int) -> None:
        self._run, self._count = run, count
        self._living: set[int] = set()

    def __enter__(self) -> Self:
        self._before = signal.pthread_sigmask(signal.SIG_BLOCK, AWAITED)
        try:
            self._start([0])  # the first one makes what is made once
            self._start(range(1, self._count))
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def wait(self) -> None:
        """Return at SIGTERM or SIGINT; raises NotAbleError where an instance ends by itself."""
        while signal.sigwait(AWAITED) is signal.SIGCHLD:
            if os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):  # not only stopped, or continued
                raise NotAbleError("An instance has ended by itself, and so do the others: its own message is above.")

    def request_stop(self) -> None:
        """Let `wait` return; from any thread."""
        os.kill(os.getpid(), signal.SIGTERM)

    def _start(self, numbers: Iterable[int]) -> None:
        """Start instances and wait until they answer; raises what the first that does not was refused for."""
        pipes = [self._fork(number) for number in numbers]
        for pipe in pipes:
            with os.fdopen(pipe) as said:
                while not select.select([said], [], [], LOOK_SECONDS)[0]:
                    if signal.sigpending() & {signal.SIGINT, signal.SIGTERM}:
                        raise NotAbleError("It was told to stop before all instances answered.")
                words = said.readline()
            if not words:
                raise NotAbleError("An instance ended before it answered.")
            if words != ANSWERS:
                raise error_from_slug(*json.loads(words))

    def _fork(self, number: int) -> int:
        """Fork; return the end of a pipe where the instance says that it answers, or why it does not."""
        reading, writing = os.pipe()
        parent, pid = os.getpid(), os.fork()
        if pid == 0:
            self._be_instance(number, writing, parent)
        os.close(writing)
        self._living.add(pid)
        return reading

    def _be_instance(self, number: int, pipe: int, parent: int) -> NoReturn:
        """Run as an instance, which ends with its parent; Ctrl-C is for the parent, which ends all in order."""
        code = 1
        try:
            os.setpgid(0, 0)
            set_parent_death_signal(signal.SIGTERM)
            signal.pthread_sigmask(signal.SIG_SETMASK, self._before)
            if os.getppid() == parent:
                self._run(number, lambda: _report(pipe, ANSWERS))
            code = 0
        except AutoLearnError as refused:
            logger.error("instance %s failed: %s", number + 1, refused.sentence)  # noqa: TRY400 - a refusal has no traceback
            _report(pipe, json.dumps([refused.slug, refused.sentence, refused.facts]))
        except BaseException:
            logger.exception("instance %s failed", number + 1)
        finally:
            sys.stderr.flush()
            os._exit(code)

    def _stop(self) -> None:
        """End all in order, and kill those that take too long; a second call does nothing."""
        for pid in self._living:
            os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + STOP_SECONDS
        while self._living:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if pid:
                self._living.discard(pid)
            elif signal.sigtimedwait([signal.SIGCHLD], max(end - time.monotonic(), 0.0)) is None:
                for late in self._living:
                    logger.warning("process %s does not end: it is killed", late)
                    os.kill(late, signal.SIGKILL)
                end = time.monotonic() + STOP_SECONDS
        ignore_signals()  # one that came meanwhile would end this process now
        signal.pthread_sigmask(signal.SIG_SETMASK, self._before)


def _report(pipe: int, words: str) -> None:
    with suppress(OSError):  # the pipe is closed: it had reported that it answers
        os.write(pipe, words.encode())
        os.close(pipe)
