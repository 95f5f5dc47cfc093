"""A detached backend: its process, the one that writes its log, and why it did not start if it did not."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from adapters.host.private_files import append_to
from adapters.host.processes import child_environment, python_command
from domain.errors import AutoLearnError, BadInputError, ConflictError, ForbiddenError, NotAbleError

LOG = "backend.log"
LAST_WORDS_SECONDS = 5.0  # longer is in vain: a process below the backend may still hold its standard error
MOST_OF_THE_END = 1 << 16
REFUSALS: dict[int, type[AutoLearnError]] = {2: BadInputError, 4: ForbiddenError, 6: ConflictError}  # by exit code


@dataclass(frozen=True)
class Detached:
    """A process with a log; `begin` is where in the log its words begin, `written` ends when all of them are there."""

    process: subprocess.Popen[bytes]
    log: Path
    begin: int
    written: Thread

    @classmethod
    def start(cls, data: Path, *words: str) -> Detached:
        """Start `autolearn WORDS` in a session of its own; its log is in the data directory."""
        log, environment = data / LOG, child_environment(os.environ)
        os.close(append_to(log))
        begin = log.stat().st_size
        writer = subprocess.Popen(  # noqa: S603 - our own program
            python_command("server.log_writer", str(log)),
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        if writer.stdin is None:
            raise NotAbleError("The log has no pipe.")
        with writer.stdin as pipe:
            process = subprocess.Popen(  # noqa: S603 - our own program
                python_command("cli.main", *words),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=pipe,
                stderr=pipe,
                start_new_session=True,
            )
        written = Thread(target=writer.wait, name=LOG, daemon=True)
        written.start()
        return cls(process, log, begin, written)

    def refusal(self) -> AutoLearnError:
        """Make the error of a backend that has ended from the last line that it said."""
        self.written.join(LAST_WORDS_SECONDS)
        lines = self._said().split("\n")
        said = next((line for line in reversed(lines) if line.strip()), "nothing")
        kind = REFUSALS.get(self.process.returncode, NotAbleError)
        return kind(f"The backend did not start: {said.removeprefix('autolearn: ')}")

    def _said(self) -> str:
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(self.begin if self.begin <= size else 0, size - MOST_OF_THE_END))  # a new file, or the same
            return file.read().decode(errors="replace")
