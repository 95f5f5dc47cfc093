"""Who has the lock of a data directory: what its file says, held against what the kernel knows of it."""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from adapters.host.files import open_regular
from domain.errors import ConflictError

START_TIME: Final = 22 - 3  # of /proc/PID/stat (proc(5)), counted behind the command's name, which may have spaces
LARGEST: Final = 4096


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has the lock: process id (0: it is starting or stopping), and its URL once it listens (empty before).

    `started` tells the process from a later one of the same number.
    """

    pid: int
    url: str
    started: int = field(default=0, compare=False)


UNKNOWN: Final = Holder(0, "")


def started_at(pid: int) -> int:
    """Return when a process began, in ticks since the machine did; 0 where it is not there."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[START_TIME])
    except (OSError, ValueError, IndexError):
        return 0


def said_in(file: Path) -> Holder:
    """Return what a lock file says; `UNKNOWN` where that is nothing yet, or no lock file stands there."""
    try:
        with open_regular(file) as opened:  # a FIFO must not hold us
            said = json.loads(opened.read(LARGEST))
        return Holder(int(said["pid"]), str(said["url"]), int(said.get("started", 0)))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return UNKNOWN


def ask_to_end(holder: Holder, folder: Path) -> None:
    """Send SIGTERM to the holder of a data directory; raises ConflictError where it is not certain who that is.

    The number in the file may be another process's by now. Once the process is held by a descriptor it cannot change
    any more, and what is asked then is true of the process that gets the signal.
    """
    try:
        process = os.pidfd_open(holder.pid) if holder.pid > 0 else None
    except OSError:  # it ended meanwhile, or the file is still that of the one before
        process = None
    if process is None:
        raise ConflictError(f"The backend on {folder} is starting or stopping: try again.")
    try:
        if not _has_lock(holder, folder):
            raise ConflictError(
                f"{folder / 'lock'} names process {holder.pid}, but that is not the one that has the lock: nobody was"
                " ended. Try again, or end it where it was started (in its container, for example)."
            )
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(process, signal.SIGTERM)
    finally:
        os.close(process)


def _has_lock(holder: Holder, folder: Path) -> bool:
    """Ask the kernel; where it does not tell (some file systems number their files otherwise), the start time decides.

    From another container no lock is to be seen, and the numbers are not those of this one: then the time is wrong.
    """
    pids = {pid for path in (folder, folder / "lock") for pid in _locking(path)}
    return holder.pid in pids if pids else 0 < holder.started == started_at(holder.pid)


def _locking(path: Path) -> set[int]:
    """Return the processes that have an exclusive flock(2) of a file, as /proc/locks tells them (proc(5))."""
    try:
        number, lines = path.stat().st_ino, Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except OSError:
        return set()
    fields = (line.split() for line in lines)
    found = [it for it in fields if it[1:2] == ["FLOCK"] and it[3] == "WRITE" and it[5].endswith(f":{number}")]
    return {int(it[4]) for it in found}
