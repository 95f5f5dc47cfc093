"""Files and folders that only this user can use, and their removal by name without following links."""

from __future__ import annotations

import logging
import os
import re
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from domain.errors import BadInputError

logger = logging.getLogger(__name__)

UMASK: Final = 0o077  # of every process of ours: what it takes away is what others may never do
FOLDER, FILE = 0o700, 0o600
OTHERS_MAY_WRITE: Final = 0o022
REAL_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


def make_own_folder(folder: Path, *, real: bool = False) -> None:
    """Make a folder for this user alone, or check the existing one; raises BadInputError for an unsafe one.

    A folder that others can only read is closed to them. `real` refuses links: files in the folder are removed by name.
    """
    with suppress(FileExistsError):  # the existing one is checked below
        folder.mkdir(parents=True, mode=FOLDER)
    if real and folder.is_symlink():
        raise BadInputError(f"{folder} is a link: AutoLearn removes what it left there, so it must be a folder itself.")
    found = check_own_folder(folder)
    if found.st_mode & UMASK:
        logger.warning("others could read %s (mode %o): it is closed to them", folder, stat.S_IMODE(found.st_mode))
    if stat.S_IMODE(found.st_mode) != FOLDER:
        folder.chmod(FOLDER)


def check_own_folder(folder: Path) -> os.stat_result:
    """Raise BadInputError for a folder that is another user's, or that others may change."""
    found = folder.stat()
    if not stat.S_ISDIR(found.st_mode):
        raise BadInputError(f"{folder} is not a folder.")
    if found.st_uid != os.geteuid():
        raise BadInputError(
            f"{folder} belongs to another user (id {found.st_uid}), who may change what a backend keeps there:"
            " run it as that user, or name a folder of your own."
        )
    _refuse_writers(folder, found)
    return found


def check_folder_of_secret(folder: Path) -> None:
    """Raise BadInputError where a user other than root could replace the secret."""
    try:
        found = folder.stat()
    except OSError:
        return  # reading the secret reports what is wrong
    if found.st_uid not in (os.geteuid(), 0):
        raise BadInputError(f"{folder} belongs to another user (id {found.st_uid}): keep the master key elsewhere.")
    if not os.statvfs(folder).f_flag & os.ST_RDONLY:
        _refuse_writers(folder, found)


def close_files(folder: Path, ours: re.Pattern[str]) -> None:
    """Remove other users' permissions from this user's files with these names: a copy or an older version set them."""
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for name in _names(directory, ours):
            found = os.stat(name, dir_fd=directory, follow_symlinks=False)
            if stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid() and found.st_mode & UMASK:
                logger.warning(
                    "others could use %s (mode %o): it is closed", folder / name, stat.S_IMODE(found.st_mode)
                )
                with suppress(OSError):
                    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory)
                    try:
                        os.fchmod(descriptor, os.fstat(descriptor).st_mode & ~UMASK & 0o7777)
                    finally:
                        os.close(descriptor)
    finally:
        os.close(directory)


def append_to(file: Path) -> int:
    """Return a descriptor that appends to a regular file, made if missing; raises BadInputError for links and FIFOs."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(file, flags, FILE)
    except OSError as error:
        raise BadInputError(f"{file} cannot be written ({error.strerror}): it must be a plain file.") from error
    os.set_blocking(descriptor, True)
    return descriptor


def sweep(folder: Path, made: re.Pattern[str]) -> int:
    """Remove this user's leftovers whose names match from a folder; return how many entries were removed."""
    try:
        directory = os.open(folder, REAL_FOLDER)
    except OSError:  # not there, or a link
        return 0
    try:
        return sum(_remove(name, directory) for name in _names(directory, made))
    finally:
        os.close(directory)


def discard(path: Path) -> None:
    """Remove a file or a folder tree of this user, following no link; no failure is an error."""
    with suppress(OSError):
        directory = os.open(path.parent, REAL_FOLDER)
        try:
            _remove(path.name, directory)
        finally:
            os.close(directory)


def _names(directory: int, pattern: re.Pattern[str]) -> list[str]:
    return list(filter(pattern.fullmatch, os.listdir(directory)))


def _remove(name: str, directory: int) -> bool:
    with suppress(OSError):
        found = os.stat(name, dir_fd=directory, follow_symlinks=False)
        if found.st_uid != os.geteuid():
            return False
        if stat.S_ISDIR(found.st_mode):
            shutil.rmtree(name, ignore_errors=True, dir_fd=directory)  # through no link either: avoids_symlink_attacks
        else:
            os.unlink(name, dir_fd=directory)
        return True
    return False


def _refuse_writers(folder: Path, found: os.stat_result) -> None:
    if found.st_mode & OTHERS_MAY_WRITE:
        raise BadInputError(
            f"Others may write to {folder} (mode {stat.S_IMODE(found.st_mode):o}), and so change what a backend keeps"
            f" there: `chmod {FOLDER:o}` it and look at what is in it, or name a folder inside it that is made then."
        )
