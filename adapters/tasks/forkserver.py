"""A forkserver of one launcher: multiprocessing's own server, without its process objects.

`multiprocessing.Process` is not used: it runs the backend's `__main__` again in every child, its `poll` is not safe
between threads, and its one server is shared by the whole process and cannot be closed.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import forkserver, reduction
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path

from adapters.host.processes import IMPORT_PATH, SAFE_PATH, absolute_folders
from adapters.tasks.child import TaskOrder

PRELOAD = ["adapters.tasks.preload", "adapters.tasks.child"]
DEAD = "ZX"  # states of a process in /proc (proc_pid_stat(5))
CLOSED = -1  # the parent pipe of a child that was ended
DYING_SECONDS = 2.0
REAPING_SECONDS = 30.0  # for a forkserver on a busy machine to say how a child of its ended
SETTINGS = ("AUTOLEARN_", "FSSPEC_", "AWS_", "AZURE_", "GOOGLE_", "GCSFS_")  # and the keys of the store of blobs
PARENT = "FORKSERVER_PARENT"  # the process that starts one; it removes this when it has read it


@dataclass(slots=True)
class Child:
    """A started process: its answer (read end), its status pipe (exit code; owned by the forkserver), its parent pipe.

    Closing the parent pipe kills the child: the other end is its sentinel. `orders` is the write end of what else it
    is to do, if it stays for that.
    """

    pid: int
    answer: Connection
    orders: Connection | None
    status: int
    parent_pipe: int

    def has_ended(self, timeout: float = 0) -> bool:
        """Return whether it has ended, or does so within `timeout` seconds. Its number may then be another's soon."""
        return bool(wait([self.status], timeout))

    def is_alive(self) -> bool:
        """Return whether its process still runs, even where the forkserver has not said that it has ended."""
        try:
            return Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2][0] not in DEAD
        except (OSError, IndexError):
            return False

    def exit_code(self) -> int | None:
        """Return the exit code of one that has ended; negative is a signal. None: its forkserver died with it."""
        try:
            return int(forkserver.read_signed(self.status)) if self.has_ended(REAPING_SECONDS) else None
        except (OSError, EOFError):
            return None

    def end(self) -> None:
        """Kill it and what it started, which may outlive it. Twice is harmless."""
        if self.parent_pipe == CLOSED:  # its number may be another's by now
            return
        if self.pid:  # 0 (the server died before it sent the pid) would mean this process's own group
            with contextlib.suppress(ProcessLookupError):  # no group yet, or none any more
                os.killpg(self.pid, signal.SIGKILL)
        os.close(self.parent_pipe)
        self.parent_pipe = CLOSED

    def close(self) -> None:
        """Kill it and let go of all its descriptors."""
        self.end()
        self.answer.close()
        if self.orders is not None:
            self.orders.close()
        os.close(self.status)


class Forkserver:
    """Starts children that have scikit-learn loaded; safe from any thread."""

    def __init__(self) -> None:
        self._server = forkserver.ForkServer()
        self._server.set_forkserver_preload(PRELOAD)
        self._starting = threading.Lock()
        self._closed = False

    def prepare(self) -> int | None:
        """Start the server, if it does not run; it loads its modules by itself, and the first child waits for that."""
        with self._starting:
            self._ensure_running()
            return self.pid

    @property
    def pid(self) -> int | None:
        """The server's process; None before it runs."""
        return self._server._forkserver_pid  # type: ignore[attr-defined,no-any-return]  # noqa: SLF001 - no public way

    def start(self, order: TaskOrder) -> Child:
        """Start a child on an order; raises OSError or EOFError where the server died twice or is closed."""
        message = io.BytesIO()
        reduction.dump({}, message)  # no preparation: the child keeps the server's import path and folder
        reduction.dump(order, message)
        server = self.prepare()
        try:
            return self._start_child(message.getbuffer(), stays=order.stays)
        except (OSError, EOFError):
            if not self._has_died(server):
                raise
        return self._start_child(
            message.getbuffer(), stays=order.stays
        )  # what has the first order is ended: its parent pipe is cut

    def close(self) -> None:
        """End the server, even while it loads its modules; its children must have ended. Twice is harmless."""
        with self._starting:
            self._closed = True
            if self.pid is not None:
                os.kill(self.pid, signal.SIGKILL)  # asked by a closed pipe, it would first load to the end
            self._server._stop()  # type: ignore[attr-defined]  # noqa: SLF001 - there is no public way to end it

    def _start_child(self, order: memoryview, *, stays: bool) -> Child:
        answer, childs_end = Pipe(duplex=False)
        childs_orders, orders = Pipe(duplex=False) if stays else (None, None)
        childs = [end for end in (childs_end, childs_orders) if end is not None]
        try:
            with self._starting:
                self._ensure_running()
                status, parent_pipe = self._server.connect_to_new_process([end.fileno() for end in childs])
        except BaseException:
            for end in (answer, orders):
                if end is not None:
                    end.close()
            raise
        finally:
            for end in childs:
                end.close()
        child = Child(0, answer, orders, status, parent_pipe)
        try:
            _write(parent_pipe, order)
            child.pid = int(forkserver.read_signed(status))
        except BaseException:
            child.close()
            raise
        return child

    def _has_died(self, server: int | None) -> bool:
        """Whether it is gone; who is being killed closes its files a moment before that."""
        with self._starting:
            if server is None or self.pid != server:  # replaced already
                return True
            descriptor = os.pidfd_open(server)
        try:
            return bool(wait([descriptor], DYING_SECONDS))
        finally:
            os.close(descriptor)

    def _ensure_running(self) -> None:
        if self._closed:
            raise OSError("the forkserver is closed")
        if not self._is_running():
            with _bare_environment():
                self._server.ensure_running()

    def _is_running(self) -> bool:
        pid = self.pid  # not reaped by the look: `ensure_running` wants to do that
        return pid is not None and os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def _write(descriptor: int, data: memoryview) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


@contextlib.contextmanager
def _bare_environment() -> Iterator[None]:
    """Spawn without the backend's settings: the kernel shows what a process began with, and a URI may have a password.

    What is spawned inherits the C environment. `os.environ`, which other threads read, stays as it is.
    """
    settings = [name for name in os.environ if name.startswith(SETTINGS)]
    try:
        for name in settings:
            os.unsetenv(name)
        os.putenv(PARENT, str(os.getpid()))
        os.putenv(SAFE_PATH, "1")
        os.putenv(IMPORT_PATH, absolute_folders(os.environ.get(IMPORT_PATH, "")))
        yield
    finally:
        for name in (*settings, PARENT, SAFE_PATH, IMPORT_PATH):
            before = os.environ.get(name)
            os.unsetenv(name) if before is None else os.putenv(name, before)
