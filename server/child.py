"""A process of ours below another: started, asked whether it answers, started again when it dies, ended with us."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from threading import Event as Signal
from threading import Lock, Thread

from adapters.host.printable import visible
from adapters.host.processes import child_environment, python_command
from domain.errors import NotAbleError
from server.detached import REFUSALS

log = logging.getLogger(__name__)

SHORTEST_PAUSE, LONGEST_PAUSE = 0.2, 5.0  # seconds before it is started again, doubled each time
SETTLED_SECONDS = 10.0  # who lived so long begins with the shortest pause again
LOOK_SECONDS = 1.0
STOP_SECONDS = 15.0
LONGEST_LINE = 1 << 16  # of what it says; a longer one is passed on in pieces
LAST_WORDS_SECONDS = 0.5  # longer is in vain: processes below it may have its standard error still
# prctl(PR_SET_PDEATHSIG, SIGTERM) holds across exec: the child is asked to end when the thread that started it has
# ended, by whatever end. Not as preexec_fn: the parent has threads, and a fork of theirs may lock up before the exec.
BOUND = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 15)
os.getppid() == int(sys.argv[1]) or sys.exit("orphaned before the start")
os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass(frozen=True)
class Part:
    """What a child is: its name in the log, its words after `autolearn`, and the port where it tells how it is."""

    name: str
    words: tuple[str, ...]
    port: int

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"


@dataclass
class Child:
    """One process and its successors. Its thread starts each of them, so they end with it and with this process."""

    part: Part
    environment: Mapping[str, str]
    pid: int = 0
    _said: str = "nothing"
    _code: int | None = None
    _was_ready: bool = False
    _process: subprocess.Popen[bytes] | None = None
    _ending: Signal = field(default_factory=Signal)
    _lock: Lock = field(default_factory=Lock)
    _thread: Thread | None = None

    def start(self) -> None:
        """Start it, and keep it running once it has answered."""
        self._thread = Thread(target=self._keep, name=self.part.name, daemon=True)
        self._thread.start()

    def is_ready(self) -> bool:
        """Tell whether it answers; raises what it was refused for, where it ended before it ever did."""
        if self._code is not None:
            raise REFUSALS.get(self._code, NotAbleError)(f"{self.part.name} did not start: {self._said}")
        self._was_ready = self._was_ready or answers(self.part.port)
        return self._was_ready

    def ask_to_end(self) -> None:
        """Let it end in order, and start it no more."""
        with self._lock:
            self._ending.set()
            if self._process is not None:
                self._process.terminate()

    def await_end(self) -> None:
        """Wait for its end after `ask_to_end`; one that does not end in time is killed."""
        if self._thread is None:
            return
        self._thread.join(STOP_SECONDS)
        if self._thread.is_alive() and self._process is not None:
            log.warning("%s does not end: it is killed", self.part.name)
            self._process.kill()
            self._thread.join(STOP_SECONDS)

    def _keep(self) -> None:
        pause = SHORTEST_PAUSE
        while (process := self._spawned()) is not None:
            began = time.monotonic()
            echo = Thread(target=self._echo, args=(process,), name=f"{self.part.name} says", daemon=True)
            echo.start()
            code = process.wait()
            echo.join(LAST_WORDS_SECONDS)
            if self._ending.is_set():
                return
            if not self._was_ready and code >= 0:  # a refusal; who was killed is started again
                self._code = code
                return
            pause = SHORTEST_PAUSE if time.monotonic() - began > SETTLED_SECONDS else pause
            log.warning("%s (process %s) ended with %s: again in %.1f s", self.part.name, process.pid, code, pause)
            self._ending.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _spawned(self) -> subprocess.Popen[bytes] | None:
        """Start the next process, once the system gives one; None once it should end."""
        while not self._ending.is_set():
            try:
                return self._started()
            except OSError as lack:
                log.warning("%s cannot be started (%s): again in %.1f s", self.part.name, lack, LONGEST_PAUSE)
                self._ending.wait(LONGEST_PAUSE)
        return None

    def _started(self) -> subprocess.Popen[bytes] | None:
        bound = [sys.executable, "-I", "-S", "-c", BOUND, str(os.getpid())]
        with self._lock:
            if self._ending.is_set():
                return None
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [*bound, *python_command("cli.main", *self.part.words)],
                env=child_environment(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                process_group=0,  # Ctrl-C is for the parent, which ends its children in order
            )
            self.pid = self._process.pid
            return self._process

    def _echo(self, process: subprocess.Popen[bytes]) -> None:
        """Pass on what it says, line by line, until it ends; its last words explain a refusal."""
        with process.stderr or io.BytesIO() as lines:
            for line in iter(lambda: lines.readline(LONGEST_LINE), b""):
                text = line.decode(errors="replace").rstrip()
                self._said = text.removeprefix("autolearn: ") or self._said
                sys.stderr.write(f"{self.part.name}: {visible(text)}\n")


def answers(port: int) -> bool:
    """Tell whether a process of ours answers on a port of loopback."""
    connection = HTTPConnection("127.0.0.1", port, timeout=LOOK_SECONDS)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status == 200  # noqa: PLR2004 - HTTP's OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
