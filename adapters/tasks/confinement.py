"""What a task process may use of the machine: its program, the blobs, a folder of its own, and no network."""

from __future__ import annotations

import ctypes
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

from adapters.tasks import landlock, seccomp
from domain.errors import BadInputError

Mode = Literal["auto", "require", "off"]

PR_SET_NO_NEW_PRIVS: Final = 38
CAPABILITIES_VERSION: Final = 0x20080522
PROGRAMS: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store")
FACTS: Final = (  # of machine and user, which libraries look up; what others' processes hide from all stays hidden
    *("/proc", "/sys/devices/system", "/sys/fs/cgroup", "/sys/kernel/mm/transparent_hugepage"),
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/etc/timezone", "/etc/passwd"),
    *("/etc/group", "/etc/nsswitch.conf", "/etc/os-release", "/etc/mime.types", "/etc/locale.alias"),
)
DEVICES: Final = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


@dataclass(frozen=True, slots=True)
class Confinement:
    """How far tasks are confined, and paths that stay hidden even where a readable folder has them below it."""

    mode: Mode = "auto"
    hidden: tuple[str, ...] = ()

    def describe(self) -> str:
        """Say what holds on this kernel; raises BadInputError where that is too little for `require`."""
        if self.mode == "off":
            return "task processes are not confined (AUTOLEARN_SANDBOX=off)"
        version, filtered = landlock.abi(), seccomp.is_known()
        lacking = [] if version else ["Landlock: tasks may read what this user may read"]
        lacking += ["TCP rules of Landlock (Linux 6.7)"] if 0 < version < landlock.NETWORK_SINCE else []
        lacking += ["Landlock's scopes (Linux 6.12): tasks may signal this user's processes"] * (
            0 < version < landlock.SCOPES_SINCE
        )
        lacking += [] if filtered else ["a filter of system calls: tasks may open sockets"]
        if lacking and self.mode == "require":
            raise BadInputError(
                f"AUTOLEARN_SANDBOX=require, but this machine lacks {'; '.join(lacking)}. `auto` does without."
            )
        confined = f"task processes are confined (Landlock {version})"
        return f"{confined}, without {'; '.join(lacking)}" if lacking else f"{confined}, nothing is missing"

    def apply(self, *, scratch: str, blobs: str, also: Iterable[str], out: str | None = None) -> None:
        """Confine this process for ever; `out` is a file that it may fill. Raises OSError where that has to work."""
        os.environ["TMPDIR"] = tempfile.tempdir = scratch
        if self.mode == "off":
            return
        os.environ["HOME"] = scratch  # libraries keep something there, or in the working directory
        os.chdir(scratch)
        landlock.LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        self._try(drop_capabilities)
        rules = [*_rules(self.hidden, scratch, blobs, also), *([] if out is None else [(out, landlock.FILL)])]
        self._try(lambda: landlock.restrict(rules))
        self._try(seccomp.forbid_calls)

    def _try(self, step: Callable[[], None]) -> None:
        try:
            step()
        except OSError:
            if self.mode == "require":
                raise


def drop_capabilities() -> None:
    """Give up what a backend that runs as root could do beyond its files; raises OSError."""
    header = (ctypes.c_uint32 * 2)(CAPABILITIES_VERSION, 0)
    if landlock.LIBC.capset(header, (ctypes.c_uint32 * 6)()):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


@lru_cache(maxsize=1)
def program_paths() -> tuple[str, ...]:
    """Return where programs are, and the modules that this process may import: looked up once, before any child."""
    found = {sys.prefix, sys.base_prefix, sys.exec_prefix, str(Path(sys.executable).resolve().parent), *sys.path}
    for distribution in distributions():  # one that was installed from a folder, to be changed there
        about = json.loads(distribution.read_text("direct_url.json") or "{}")
        if "dir_info" in about:
            found.add(unquote(urlsplit(about["url"]).path))
    libraries = os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    places = {os.path.realpath(path) for path in (*PROGRAMS, *found, *libraries) if Path(path).is_absolute()}
    return tuple(path for path in sorted(places) if not any(_is_in(path, other) for other in places - {path}))


def _rules(hidden: Iterable[str], scratch: str, blobs: str, also: Iterable[str]) -> Iterator[landlock.Rule]:
    secrets = [os.path.realpath(path) for path in hidden]
    for path in program_paths():
        yield from ((part, landlock.RUN) for part in _exclude(path, secrets))
    yield from ((path, landlock.READ) for path in (*FACTS, *also))
    yield from ((path, landlock.READ_FILE | landlock.WRITE_FILE) for path in DEVICES)
    yield scratch, landlock.CHANGE
    yield blobs, landlock.ADD if _can_move(scratch, blobs) else landlock.ADD_BY_COPY


def _exclude(path: str, secrets: list[str]) -> Iterator[str]:
    """Yield the path, or where secrets are in it what is beside them, for a rule holds for all that is below."""
    if not any(_is_in(secret, path) for secret in secrets):
        yield path
    elif path not in secrets:
        with suppress(OSError), os.scandir(path) as parts:
            for part in parts:
                if not part.is_symlink():
                    yield from _exclude(part.path, secrets)


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _can_move(source: str, target: str) -> bool:
    """Whether a file can be renamed from one folder to the other: on one disk, and with Landlock since Linux 5.19."""
    return landlock.abi() > 1 and Path(source).stat().st_dev == Path(target).stat().st_dev
