"""What a task process does between its fork and its answer. Cheap to import, as the backend needs `TaskOrder`."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import resource
import select
import signal
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from adapters.tasks.confinement import Confinement
from commands.ports import TaskBroken, TaskDone, TaskOutcome

PAGE = os.sysconf("SC_PAGE_SIZE")
STDOUT, STDERR = 1, 2
# RLIMIT_AS counts address space, not memory: thread stacks and allocator arenas reserve much that they never touch.
ROOM = 1 << 30


@dataclass(frozen=True)
class TaskOrder:
    """One task for one child: kind, facts, folders of blobs and of temporary files, bytes that it may grow by.

    And what it may use of the machine, and whether it `stays` for further tasks.
    """

    kind: str
    facts: dict[str, Any]
    blobs: str
    scratch: str
    memory: int
    confinement: Confinement
    stays: bool = False

    def _bootstrap(self, parent_sentinel: int) -> int:
        """Be the child: multiprocessing's forkserver calls this on what it was sent."""
        os.setsid()  # a group of its own: the terminal's ^C does not reach it, and its parent can end all of it
        die_with_parent(parent_sentinel)
        be_killed_first()
        os.dup2(STDERR, STDOUT)
        inherited = forkserver.get_inherited_fds() or []
        with Connection(inherited[0], readable=False) as answer:
            limit_memory(self.memory)
            answer.send_bytes(encode_outcome(self._run_confined()))
            if self.stays:
                self._run_further(Connection(inherited[1], writable=False), answer)
            signal.pause()  # until the parent, who has the answer now, ends the whole group
        return 0

    def _run_further(self, orders: Connection, answer: Connection) -> None:
        """Do what else is ordered, as confined as the first task was."""
        from adapters.files.blobs import FileBlobs  # noqa: PLC0415 - as below
        from adapters.learning.run_task import run_task  # noqa: PLC0415 - as below

        blobs = FileBlobs(self.blobs, self.scratch)
        with contextlib.suppress(EOFError):
            while True:
                kind, facts = json.loads(orders.recv_bytes())
                answer.send_bytes(encode_outcome(run_task(kind, facts, blobs)))

    def _run_confined(self) -> TaskOutcome:
        from adapters.files.blobs import FileBlobs  # noqa: PLC0415 - in the forkserver already; the backend
        from adapters.learning.run_task import run_task  # noqa: PLC0415 - must not load what learning needs

        given, out = self.facts.get("path"), self.facts.get("out")
        try:
            Path(self.blobs).mkdir(parents=True, exist_ok=True, mode=0o700)  # a rule needs it to be there
            self.confinement.apply(
                scratch=self.scratch,
                blobs=self.blobs,
                also=[] if given is None else [str(given)],
                out=None if out is None else str(out),
            )
        except OSError as error:
            return TaskBroken("error", f"The task process could not be confined: {error.strerror}.")
        return run_task(self.kind, self.facts, FileBlobs(self.blobs, self.scratch))


def die_with_parent(sentinel: int) -> None:
    """Let the kernel kill this process as soon as its parent is gone, whatever the process is doing.

    The parent holds the other end of the sentinel pipe and writes no more to it; its closing is the pipe's next event,
    which O_ASYNC turns into the signal that F_SETSIG names (fcntl(2)). A thread that waits could not get the GIL.
    """
    fcntl.fcntl(sentinel, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(sentinel, fcntl.F_SETOWN, -os.getpgrp())  # the whole group: what it has started as well
    fcntl.fcntl(sentinel, fcntl.F_SETFL, fcntl.fcntl(sentinel, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([sentinel], [], [], 0)[0]:  # it was gone before
        os.kill(os.getpid(), signal.SIGKILL)


def be_killed_first() -> None:
    """Let the kernel kill this process before others where memory runs out: it is tried again (decision 6)."""
    with contextlib.suppress(OSError):  # a kernel without it
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def limit_memory(growth: int) -> None:
    """Turn a huge allocation into a clean MemoryError; the parent watches the memory that is really used."""
    now = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * PAGE
    limit = now + 2 * growth + ROOM
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard == resource.RLIM_INFINITY or limit <= hard:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def encode_outcome(outcome: TaskOutcome) -> bytes:
    """Return an outcome as JSON; its reader need not trust the child."""
    if isinstance(outcome, TaskDone):
        return json.dumps({"done": outcome.facts}, allow_nan=False).encode()
    return json.dumps({"broken": [outcome.reason, outcome.detail]}).encode()
