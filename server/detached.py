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
LOG_SECONDS = 5.0  # longer is in vain: a process below the backend may still hold its standard error
LAST_BYTES = 1 << 16
REFUSALS: dict[int, type[AutoLearnError]] = {2: BadInputError, 4: ForbiddenError, 6: ConflictError}  # by exit code


@dataclass(frozen=True)
class Detached:
    """A process with a log; its own lines begin at `offset`, and all are written once `log_writer` has ended."""

    process: subprocess.Popen[bytes]
    log: Path
    offset: int
    log_writer: Thread

    @classmethod
    def start(cls, data: Path, *words: str) -> Detached:
        """Start `autolearn WORDS` in a session of its own; its log is in the data directory."""
        log, environment = data / LOG, child_environment(os.environ)
        os.close(append_to(log))
        offset = log.stat().st_size
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
        log_writer = Thread(target=writer.wait, name=LOG, daemon=True)
        log_writer.start()
        return cls(process, log, offset, log_writer)

    def refusal(self) -> AutoLearnError:
        """Make the error of a backend that has ended from the last line of its log."""
        self.log_writer.join(LOG_SECONDS)
        lines = self._output().split("\n")
        said = next((line for line in reversed(lines) if line.strip()), "nothing")
        kind = REFUSALS.get(self.process.returncode, NotAbleError)
        return kind(f"The backend did not start: {said.removeprefix('autolearn: ')}")

    def _output(self) -> str:
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(self.offset if self.offset <= size else 0, size - LAST_BYTES))  # a new file, or the same
            return file.read().decode(errors="replace")
