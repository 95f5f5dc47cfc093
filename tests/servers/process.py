"""A server as a process of ours on a free port of loopback: it can be stopped, killed, frozen, and ends with us."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
from abc import ABC, abstractmethod
from pathlib import Path

START_SECONDS = 90.0
STOP_SECONDS = 30.0
TURN_SECONDS = 0.02  # between two questions whether the server answers
# Linux: prctl(PR_SET_PDEATHSIG) holds across exec, so the server dies with the thread that started it, by whatever end.
# Not as preexec_fn: drivers have threads, and a fork of theirs may lock up before the exec.
BOUND = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, int(sys.argv[2]))
os.getppid() == int(sys.argv[1]) or sys.exit("orphaned before the start")
os.execv(sys.argv[3], sys.argv[3:])
"""


def free_port() -> int:
    """Return a port below the range of outgoing connections.

    A client that connects again and again to a closed port inside that range can be given the very port as its own,
    and then talks to itself; and an outgoing connection may take the port while its server is down.
    """
    while True:
        port = random.randrange(12_000, 32_000)  # noqa: S311 - no secret
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def is_open(port: int) -> bool:
    """Tell whether something listens on the port of loopback."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Server(ABC):
    """One server on one folder and one port; started again it has both still. Start it from a thread that lives on."""

    ends_by = signal.SIGKILL  # when this process has ended

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """What a client is given."""

    @abstractmethod
    def command(self) -> list[str]:
        """Return the server's command line, its files laid out."""

    @abstractmethod
    def answers(self) -> bool:
        """Tell whether a client would be served; asked only once the port is open."""

    @property
    def log(self) -> str:
        """What the server has said."""
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self) -> None:
        """Start the server and wait until it answers.

        OSError: it ended, or does not answer; with the end of its log.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        bound = [sys.executable, "-I", "-S", "-c", BOUND, str(os.getpid()), str(int(self.ends_by))]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([*bound, *self.command()], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._await_answer(self.process)

    def stop(self) -> None:
        """End the server in order, a frozen one as well."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server at once (kill -9); what it had written to its files stays."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start on the same folder and port; after `kill`, just start."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Let the server stand still: its connections stay, nothing is answered."""
        process = self._running()
        process.send_signal(signal.SIGSTOP)
        # the signal only begins it: on a busy machine a thread of the server may still answer once
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def thaw(self) -> None:
        """Let a frozen server go on."""
        self._running().send_signal(signal.SIGCONT)

    def _running(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            raise OSError(f"{type(self).__name__} does not run")
        return self.process

    def _await_answer(self, process: subprocess.Popen[bytes]) -> None:
        for _ in range(int(START_SECONDS / TURN_SECONDS)):
            if is_open(self.port) and self.answers():
                return
            try:
                code = process.wait(TURN_SECONDS)
            except subprocess.TimeoutExpired:
                continue
            self.process = None
            raise OSError(f"{type(self).__name__} ended at its start with {code}:\n{self.log[-2000:]}")
        self.kill()
        raise OSError(f"{type(self).__name__} did not answer within {START_SECONDS:.0f} s:\n{self.log[-2000:]}")

    def _end(self, by: signal.Signals) -> None:
        if self.process is None:
            return
        self.process.send_signal(by)
        self.process.send_signal(signal.SIGCONT)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None
