"""One backend per data directory: a lock that nobody can take away, and that the kernel gives back at any end.

The directory itself is locked, and the log in it: both stay locked whatever is removed, renamed or put in their place.
"""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from adapters.host.files import open_regular
from adapters.host.retry import Retry
from domain.errors import BadInputError, ConflictError, DataDirectoryInUseError

logger = logging.getLogger(__name__)

RETRY: Final = Retry(limit=5, shortest=0.04)
FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY
FILE: Final = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
# NFS makes of flock what locks a part of a file, and for that a folder would have to be open for writing.
UNSUPPORTED: Final = frozenset({errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP})
START_TIME: Final = 22 - 3  # of /proc/PID/stat (proc(5)), counted behind the command's name, which may have spaces
ENDED: Final = frozenset({b"Z", b"X"})  # states there: a zombie, dead
MAX_LOCK_BYTES: Final = 4096
LONGEST_SENTENCE: Final = 500  # characters, of which JSON makes six bytes at most
ORPHAN_SECONDS: Final = 15.0  # for the instances of a killed process, which end by themselves
LOOK_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that has the lock: its id (0 while it starts or stops) and its URL (empty before it answers calls).

    `waits_for`: what it cannot start without, in a sentence. `started` (ticks since boot) tells the process from a
    later one of the same number.
    """

    pid: int
    url: str
    started: int = field(default=0, compare=False)
    waits_for: str = field(default="", compare=False)


UNKNOWN: Final = Holder(0, "")


class DirectoryLock:
    """The lock of a data directory. Its file `lock` names the holder for `down`, and for whoever is refused."""

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder).absolute()
        self._path = self._folder / "lock"
        self._locked: dict[Path, int] = {}
        self._file: int | None = None
        self._url, self._waits_for, self._pid = "", "", 0

    def acquire(self, url: str = "") -> None:
        """Take the lock or raise DataDirectoryInUseError, which names the process and its URL."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._path.is_symlink() or (self._path.exists() and not self._path.is_file()):
            raise BadInputError(f"{self._path} is not a plain file, as AutoLearn makes it: remove it.")
        try:
            self._lock_folder()
            self._file = _lock(self._path, FILE, self._in_use)
        except BaseException:
            self.release()
            raise
        self._pid = os.getpid()  # instances that it forks announce for it
        self.announce(url)

    def hold(self, file: Path) -> None:
        """Lock a file of the directory, too: another directory may contain the same one (moved, or a hard link)."""
        if self._folder in self._locked:
            end_it = "end that one first (`autolearn down --data`)"
            elsewhere = f"Another process has {file} open as the log of another folder: {end_it}."
            self._locked[file.absolute()] = _lock(file, FILE, lambda: DataDirectoryInUseError(elsewhere))

    def announce(self, url: str, waits_for: str = "") -> None:
        """Tell others the URL, once calls are answered there; before, what the start waits for."""
        self._url, self._waits_for = url, waits_for[:LONGEST_SENTENCE]
        if self._file is not None:
            self._write(self._file)

    def check_in_place(self) -> str | None:
        """Return what was taken away since; None where directory and log are still in their places.

        A lock file that was removed is made again: nobody got in because of that, and `down` needs it.
        """
        gone = self.taken_away()
        if gone is not None:
            return f"{gone} was removed, renamed or replaced while it was served"
        if self._file is not None and not _is_at(self._file, self._path):
            if not self._locked:
                return f"{self._path} was removed or replaced, and nothing else locks this directory"
            logger.warning("%s was removed or replaced: it is made again", self._path)
            self._recreate()
        return None

    def taken_away(self) -> Path | None:
        """Return which of directory and log is not in its place any more."""
        return next((path for path, locked in list(self._locked.items()) if not _is_at(locked, path)), None)

    def release(self) -> None:
        """Give the lock back; a second time does nothing."""
        if self._file is not None:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = None
        while self._locked:
            os.close(self._locked.popitem()[1])  # in reverse order: the directory comes last

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _lock_folder(self) -> None:
        try:
            self._locked[self._folder] = _lock(self._folder, FOLDER, self._in_use)
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise
            words = "%s cannot be locked here (%s), only its file `lock`: let nobody remove that, and use a local disk"
            logger.warning(words, self._folder, error.strerror)

    def _in_use(self) -> DataDirectoryInUseError:
        by = holder(self._folder)
        if by is None:  # only readers share it: what the file says is that of a backend that was killed
            return DataDirectoryInUseError(f"Somebody verifies {self._folder} (`--data`): start when that has ended.")
        if by == UNKNOWN:
            return DataDirectoryInUseError(f"A backend on {self._folder} is starting or stopping: try again.")
        where = f" at {by.url}" if by.url else ""
        sentence = f"Process {by.pid} serves {self._folder}{where} already: use it, or end it with `autolearn down`."
        return DataDirectoryInUseError(sentence, pid=by.pid, url=by.url)

    def _recreate(self) -> None:
        fresh = self._path.with_name(".lock.new")
        with suppress(OSError):  # then `down` does not find this process; the directory is its own all the same
            fresh.unlink(missing_ok=True)
            descriptor = os.open(fresh, FILE | os.O_EXCL, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._write(descriptor)
            fresh.replace(self._path)
            before, self._file = self._file, descriptor
            if before is not None:
                os.close(before)

    def _write(self, descriptor: int) -> None:
        content = json.dumps(asdict(Holder(self._pid, self._url, started_at(self._pid), self._waits_for))).encode()
        os.pwrite(descriptor, content, 0)
        os.ftruncate(descriptor, len(content))  # last, so that nobody finds the file empty meanwhile


def holder(folder: str | Path) -> Holder | None:
    """Return who has the lock of a data directory; None where nobody has it, `UNKNOWN` where that is not known yet."""
    file = Path(folder) / "lock"
    if not _is_locked(Path(folder), FOLDER) and not _is_locked(file, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK):
        return None
    try:
        with open_regular(file) as opened:
            said = json.loads(opened.read(MAX_LOCK_BYTES))
        return Holder(int(said["pid"]), str(said["url"]), int(said.get("started", 0)), str(said.get("waits_for", "")))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return UNKNOWN


def await_orphans(folder: Path) -> Holder | None:
    """Return who has the lock, as `holder`; if a killed process has left instances, first wait for their end."""
    end = time.monotonic() + ORPHAN_SECONDS
    while (found := holder(folder)) is not None and _is_killed(found) and time.monotonic() < end:
        time.sleep(LOOK_SECONDS)
    return found


@contextmanager
def asked_to_end(holder: Holder, folder: Path) -> Iterator[int]:
    """Send SIGTERM to the holder of a data directory; yields a pidfd, which can be read once the process has ended.

    Raises ConflictError where it is not certain who the holder is.

    By now the number in the file may be another process's. A pidfd cannot change its process any more, so what is asked
    once it is open is true of the process that gets the signal.
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
        yield process
    finally:
        os.close(process)


def started_at(pid: int) -> int:
    """Return when a process began, in ticks since boot; 0 where none runs, as one that only waits to be reaped."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return 0 if fields[0] in ENDED else int(fields[START_TIME])
    except (OSError, ValueError, IndexError):
        return 0


def _is_killed(holder: Holder) -> bool:
    """Whether the process that the lock file names is gone, so that what has the lock are processes that it forked."""
    return holder.pid > 0 and started_at(holder.pid) != holder.started > 0


def _has_lock(holder: Holder, folder: Path) -> bool:
    """Ask the kernel; where it does not tell (some file systems number their files otherwise), the start time decides.

    From another container no lock is to be seen, and the numbers are not those of this one: then the time is wrong.
    """
    pids = {pid for path in (folder, folder / "lock") for pid in _lockers(path)}
    return holder.pid in pids if pids else 0 < holder.started == started_at(holder.pid)


def _lockers(path: Path) -> set[int]:
    """Return the processes that have an exclusive flock(2) of a file, as /proc/locks lists them (proc(5))."""
    try:
        number, lines = path.stat().st_ino, Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except OSError:
        return set()
    fields = (line.split() for line in lines)
    found = [it for it in fields if it[1:2] == ["FLOCK"] and it[3] == "WRITE" and it[5].endswith(f":{number}")]
    return {int(it[4]) for it in found}


def _lock(path: Path, flags: int, refusal: Callable[[], DataDirectoryInUseError]) -> int:
    """Return a locked descriptor, or raise. It retries: asking for the holder takes the lock for a moment."""
    descriptor = os.open(path, flags, 0o600)
    with ExitStack() as opened:
        opened.callback(os.close, descriptor)
        for _ in RETRY.attempts():
            if _try_lock(descriptor, fcntl.LOCK_EX):
                opened.pop_all()
                return descriptor
    raise refusal()


def _is_locked(path: Path, flags: int) -> bool:
    try:
        descriptor = os.open(path, flags)
    except OSError:
        return False
    try:
        # Shared, so that two that only ask do not take each other for the holder of what an ended process left.
        return not _try_lock(descriptor, fcntl.LOCK_SH)
    except OSError:  # a file system that cannot lock this
        return False
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int, kind: int) -> bool:
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
