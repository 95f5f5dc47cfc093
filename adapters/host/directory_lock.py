"""One backend per data directory: locks that nobody can take away, and that the kernel gives back at any end.

The directory itself is locked, and the log in it: both stay locked whatever is removed, renamed or put in their place.
"""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from adapters.host.lock_holder import UNKNOWN, Holder, ask_to_end, said_in, started_at
from adapters.host.retry import Retry
from domain.errors import BadInputError, DataDirectoryInUseError

__all__ = ["DirectoryLock", "Holder", "ask_to_end", "holder"]

log = logging.getLogger(__name__)

RETRY: Final = Retry(limit=5, shortest=0.04)
DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY
FILE: Final = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
# NFS makes of flock what locks a part of a file, and for that a folder would have to be open for writing.
NO_SUCH_LOCK: Final = frozenset({errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP})


class DirectoryLock:
    """The lock of a data directory. Its file `lock` tells whoever is refused, and `down`, who has it."""

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder).absolute()
        self._path = self._folder / "lock"
        self._held: dict[Path, int] = {}
        self._file: int | None = None
        self._url = ""

    def acquire(self, url: str = "") -> None:
        """Take the lock or raise DataDirectoryInUseError, which names the process and its URL."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._path.is_symlink() or (self._path.exists() and not self._path.is_file()):
            raise BadInputError(f"{self._path} is no plain file, as AutoLearn makes it: remove it.")
        try:
            self._hold_folder()
            self._file = _taken(self._path, FILE, self._in_use)
        except BaseException:
            self.release()
            raise
        self.announce(url)

    def hold(self, file: Path) -> None:
        """Lock a file of the directory, too: another directory may have come by the same one (a move, a hard link)."""
        if self._folder in self._held:
            self._held[file.absolute()] = _taken(file, FILE, lambda: _served_elsewhere(file))

    def announce(self, url: str) -> None:
        """Write down where this process listens."""
        self._url = url
        if self._file is not None:
            _write(self._file, Holder(os.getpid(), url, started_at(os.getpid())))

    def lost(self) -> str | None:
        """Return what was taken away since; None where directory and log are still in their places.

        A lock file that was removed is made again: nobody got in by that, and `down` needs it.
        """
        gone = self.taken_away()
        if gone is not None:
            return f"{gone} was removed, renamed or replaced while it was served"
        if self._file is not None and not _is_at(self._file, self._path):
            if not self._held:
                return f"{self._path} was removed or replaced, and nothing else locks this directory"
            log.warning("%s was removed or replaced: it is made again", self._path)
            self._make_again()
        return None

    def taken_away(self) -> Path | None:
        """Return which of directory and log is not in its place any more."""
        return next((path for path, held in list(self._held.items()) if not _is_at(held, path)), None)

    def release(self) -> None:
        """Give the lock back; a second time does nothing."""
        if self._file is not None:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = None
        while self._held:
            os.close(self._held.popitem()[1])  # the directory, which was the first, is the last

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _hold_folder(self) -> None:
        try:
            self._held[self._folder] = _taken(self._folder, DIRECTORY, self._in_use)
        except OSError as error:
            if error.errno not in NO_SUCH_LOCK:
                raise
            words = "%s cannot be locked here (%s), only its file `lock`: let nobody remove that, and use a local disk"
            log.warning(words, self._folder, error.strerror)

    def _in_use(self) -> DataDirectoryInUseError:
        by = holder(self._folder)
        if by is None:  # only readers share it: what the file says is that of a backend that was killed
            return DataDirectoryInUseError(f"Somebody verifies {self._folder} (`--data`): start when that has ended.")
        if by == UNKNOWN:
            return DataDirectoryInUseError(f"A backend on {self._folder} is starting or stopping: try again.")
        where = f" at {by.url}" if by.url else ""
        sentence = f"Process {by.pid} serves {self._folder}{where} already: use it, or end it with `autolearn down`."
        return DataDirectoryInUseError(sentence, pid=by.pid, url=by.url)

    def _make_again(self) -> None:
        fresh = self._path.with_name(".lock.new")
        with suppress(OSError):  # then `down` does not find this process; the directory is its own all the same
            fresh.unlink(missing_ok=True)
            descriptor = os.open(fresh, FILE | os.O_EXCL, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _write(descriptor, Holder(os.getpid(), self._url, started_at(os.getpid())))
            fresh.replace(self._path)
            before, self._file = self._file, descriptor
            if before is not None:
                os.close(before)


def holder(folder: str | Path) -> Holder | None:
    """Return who has the lock of a data directory; None where nobody has it."""
    file = Path(folder) / "lock"
    if _is_locked(Path(folder), DIRECTORY) or _is_locked(file, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK):
        return said_in(file)
    return None


def _taken(path: Path, flags: int, refusal: Callable[[], DataDirectoryInUseError]) -> int:
    """Open and lock, or raise. More than once: whoever only asks for the holder has the lock for a moment."""
    descriptor = os.open(path, flags, 0o600)
    with ExitStack() as opened:
        opened.callback(os.close, descriptor)
        for _ in RETRY.attempts():
            if _locked(descriptor, fcntl.LOCK_EX):
                opened.pop_all()
                return descriptor
    raise refusal()


def _is_locked(path: Path, flags: int) -> bool:
    try:
        descriptor = os.open(path, flags)
    except OSError:
        return False
    try:
        # Shared, so that two who only ask do not take each other for the holder of what an ended process left.
        return not _locked(descriptor, fcntl.LOCK_SH)
    except OSError:  # a file system that cannot lock this
        return False
    finally:
        os.close(descriptor)


def _locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def _write(descriptor: int, said: Holder) -> None:
    content = json.dumps(asdict(said)).encode()
    os.pwrite(descriptor, content, 0)
    os.ftruncate(descriptor, len(content))  # last, so that nobody finds the file empty meanwhile


def _served_elsewhere(file: Path) -> DataDirectoryInUseError:
    msg = f"Another process has {file} open as the log of another folder: end that one first (`autolearn down --data`)."
    return DataDirectoryInUseError(msg)
