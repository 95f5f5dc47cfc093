"""Copies, on this machine's disk, of blobs that are on another machine; bounded, and lost without harm."""

from __future__ import annotations

import errno
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from adapters.files.blobs import finish
from adapters.host.files import open_regular

SHARE = 16  # the cache is counted again when this process has added a sixteenth of the limit


class BlobCache:
    """At most `limit` bytes, and what was added since they were last counted; what was used longest ago goes first.

    Several processes may share a folder. A blob that is in use stays readable when it is removed here.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._added = limit + 1  # what is there was not counted yet
        self._counting = threading.Lock()

    def open(self, sha256: str) -> BinaryIO | None:
        """Open a copy; None where there is none."""
        try:
            file = open_regular(self._folder / sha256)
        except FileNotFoundError:
            return None
        self._mark_used(sha256)
        return file

    def link(self, sha256: str, target: Path) -> bool:
        """Let a copy stand at another path, too; False where there is none, or the path is on another disk."""
        try:
            os.link(self._folder / sha256, target)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EXDEV, errno.EPERM, errno.EMLINK):
                return False
            raise
        self._mark_used(sha256)
        return True

    def add(self, sha256: str, file: Path) -> None:
        """Move a file whose digest was checked into the cache; on another disk it is only removed."""
        finish(file)  # a crash must not leave a half file under a whole one's name
        size = file.stat().st_size
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            file.replace(self._folder / sha256)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            file.unlink()
            return
        with self._counting:
            self._added += size
            if self._added > self._limit // SHARE:
                self._remove_oldest()
                self._added = 0

    def _mark_used(self, sha256: str) -> None:
        with suppress(OSError):  # removed meanwhile
            os.utime(self._folder / sha256)

    def _remove_oldest(self) -> None:
        found = []
        for path in self._folder.iterdir():
            with suppress(OSError):
                it = path.stat()
                found.append((it.st_mtime_ns, it.st_size, path))
        left = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if left <= self._limit:
                return
            path.unlink(missing_ok=True)
            left -= size
