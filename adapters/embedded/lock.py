"""One backend per data directory: a lock that the kernel gives back however the process ends."""

from __future__ import annotations

import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from domain.errors import DataDirectoryInUseError

ATTEMPTS: Final = 5
PAUSE_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has the lock: process id (0: it is starting or stopping), and its URL once it listens (empty before)."""

    pid: int
    url: str


class DirectoryLock:
    """The lock file `<data>/lock`; it tells whoever is refused, and `down`, who has it."""

    def __init__(self, folder: str | Path) -> None:
        self._path = Path(folder) / "lock"
        self._file: int | None = None

    def acquire(self, url: str = "") -> None:
        """Take the lock or raise DataDirectoryInUseError, which names the process and its URL."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        # More than once: whoever only asks for the holder has the lock for a moment.
        for _ in range(ATTEMPTS):
            if _locked(file, fcntl.LOCK_EX):
                self._file = file
                self.announce(url)
                return
            time.sleep(PAUSE_SECONDS)
        os.close(file)
        raise _in_use(self._path.parent, _content(self._path))

    def announce(self, url: str) -> None:
        """Write down where this process listens."""
        if self._file is not None:
            content = json.dumps(asdict(Holder(os.getpid(), url))).encode()
            os.pwrite(self._file, content, 0)
            os.ftruncate(self._file, len(content))  # last, so that nobody finds the file empty meanwhile

    def release(self) -> None:
        """Give the lock back; a second time does nothing."""
        if self._file is not None:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def holder(folder: str | Path) -> Holder | None:
    """Return who has the lock of a data directory; None where nobody has it."""
    path = Path(folder) / "lock"
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        # Shared, so that two who only ask do not take each other for the holder of what an ended process left.
        return None if _locked(file, fcntl.LOCK_SH) else _content(path)
    finally:
        os.close(file)


def _locked(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _content(path: Path) -> Holder:
    try:
        return Holder(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return Holder(0, "")  # locked and not yet announced


def _in_use(folder: Path, by: Holder) -> DataDirectoryInUseError:
    if not by.pid:
        return DataDirectoryInUseError(f"A backend on {folder} is starting or stopping: try again.")
    where = f" at {by.url}" if by.url else ""
    sentence = f"Process {by.pid} serves {folder}{where} already: use it, or end it with `autolearn down`."
    return DataDirectoryInUseError(sentence, pid=by.pid, url=by.url)
