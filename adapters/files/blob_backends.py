"""Where blobs are stored: this machine's disk (fsync, rename), or a remote file system through fsspec."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast
from uuid import uuid4

from adapters.host.files import open_regular
from autolearn.secret_files import flush
from domain.errors import BadInputError


class BlobBackend(Protocol):
    """Stores files under relative paths; a file is wholly there or not at all."""

    def take(self, source: Path, path: str) -> None:
        """Move a finished local file to its path, durably; the source is gone afterwards."""
        ...

    def open(self, path: str) -> BinaryIO:
        """Open for reading; raises FileNotFoundError."""
        ...

    def paths(self) -> Iterable[str]:
        """Stream the paths of files on this machine's disk; nothing for a remote file system."""
        ...


class DiskBackend:
    """A folder. It does without fsspec, whose import costs 95 ms and which knows no fsync."""

    def __init__(self, root: Path, *, read_only: bool = False) -> None:
        self._root = root
        if not read_only:
            root.mkdir(parents=True, exist_ok=True, mode=0o700)

    def take(self, source: Path, path: str) -> None:
        target = self._root / path
        if target.is_file() and digest_of(target)[0] == target.name:
            source.unlink()
        else:
            self._make_folder(target.parent)
            _finish(source)
            _move(source, target)
        flush(target.parent)

    def open(self, path: str) -> BinaryIO:
        return open_regular(self._root / path)

    def paths(self) -> Iterator[str]:
        return (path.relative_to(self._root).as_posix() for path in self._root.glob("*/*/*"))

    def _make_folder(self, folder: Path) -> None:
        if folder != self._root and not folder.exists():
            self._make_folder(folder.parent)
            folder.mkdir(mode=0o700, exist_ok=True)
            flush(folder.parent)


def _finish(file: Path) -> None:
    """Make the file read-only and flush it; by its descriptor, because tasks may not change modes by path."""
    with file.open("rb") as opened:
        os.fchmod(opened.fileno(), 0o400)
        os.fsync(opened.fileno())


def _move(source: Path, target: Path) -> None:
    try:
        source.replace(target)
    except PermissionError:  # a task may add blobs and replace none: another one added the same bytes first
        if not target.exists():
            raise
        source.unlink()
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        near = target.parent / f".{uuid4().hex}.part"  # on the target's disk: renames do not cross disks
        shutil.copyfile(source, near)
        _finish(near)
        near.replace(target)
        source.unlink()


class FsspecBackend:
    """Any fsspec file system (`s3://`, `memory://`, …); raises BadInputError for an unknown one."""

    def __init__(self, url: str) -> None:
        import fsspec.core  # noqa: PLC0415 - 95 ms that only remote blobs need

        self._files: Any
        try:
            self._files, self._root = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError) as wrong:  # no such protocol; one whose package is not installed
            fitting = "Blobs go to a folder, `file:///…`, `s3://…`, or another URL whose package fsspec finds."
            raise BadInputError(f"AUTOLEARN_BLOBS={url} is not a place for blobs here: {wrong}. {fitting}") from wrong

    def take(self, source: Path, path: str) -> None:
        target = f"{self._root}/{path}"
        if not self._files.exists(target):
            part = f"{target}.{uuid4().hex}.part"  # most file systems show a half-written upload
            self._files.makedirs(part.rpartition("/")[0], exist_ok=True)
            self._files.put_file(str(source), part)
            self._files.mv(part, target)
        source.unlink()

    def open(self, path: str) -> BinaryIO:
        return cast("BinaryIO", self._files.open(f"{self._root}/{path}", "rb"))

    def paths(self) -> Iterable[str]:
        return ()


def digest_of(path: str | Path) -> tuple[str, int]:
    """Return a local file's SHA-256 (hex) and its size in bytes."""
    with cast("BufferedReader", open_regular(Path(path))) as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), os.fstat(file.fileno()).st_size
