"""Where blobs stand: this machine's disk (fsync, rename), or a remote file system by fsspec."""

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

from adapters.host.durability import flush
from adapters.host.plain_files import opened_plain
from domain.errors import BadInputError


class Shelf(Protocol):
    """Holds files by relative place; a file is wholly there or not at all."""

    def take(self, source: Path, place: str) -> None:
        """Move a finished local file to its place, durably; the source is gone then."""
        ...

    def open(self, place: str) -> BinaryIO:
        """Open for reading; raises FileNotFoundError."""
        ...

    def places(self) -> Iterable[str]:
        """Stream where this machine's disk may hold files."""
        ...


class DiskShelf:
    """A folder. Uses the operating system itself: importing fsspec costs 95 ms, and it knows no fsync."""

    def __init__(self, root: Path, *, read_only: bool = False) -> None:
        self._root = root
        if not read_only:
            root.mkdir(parents=True, exist_ok=True, mode=0o700)

    def take(self, source: Path, place: str) -> None:
        """Flush, rename, flush the folder; a file that is there already, and right, only has its folder flushed."""
        target = self._root / place
        if target.is_file() and digest_of(target)[0] == target.name:
            source.unlink()
        else:
            self._make_folder(target.parent)
            _finish(source)
            _move(source, target)
        flush(target.parent)

    def open(self, place: str) -> BinaryIO:
        """Open for reading."""
        return opened_plain(self._root / place)

    def places(self) -> Iterator[str]:
        """Stream all files two folders deep."""
        return (path.relative_to(self._root).as_posix() for path in self._root.glob("*/*/*"))

    def _make_folder(self, folder: Path) -> None:
        if folder != self._root and not folder.exists():
            self._make_folder(folder.parent)
            folder.mkdir(mode=0o700, exist_ok=True)
            flush(folder.parent)


def _finish(file: Path) -> None:
    """Let nobody write to it by mistake, and flush it; by its descriptor, as tasks may not change modes by path."""
    with file.open("rb") as opened:
        os.fchmod(opened.fileno(), 0o400)
        os.fsync(opened.fileno())


def _move(source: Path, target: Path) -> None:
    try:
        source.replace(target)
    except PermissionError:  # a task may add blobs and replace none: somebody else was quicker with the same bytes
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


class RemoteShelf:
    """Any fsspec file system (`s3://`, `memory://`, a mounted volume of another kind); else BadInputError."""

    def __init__(self, url: str) -> None:
        import fsspec.core  # noqa: PLC0415 - 95 ms that only remote blobs need

        self._files: Any
        try:
            self._files, self._root = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError) as wrong:  # no such protocol; one whose package is not installed
            fitting = "Blobs go to a folder, `file:///…`, `s3://…`, or another URL whose package fsspec finds."
            raise BadInputError(f"AUTOLEARN_BLOBS={url} is no place for blobs here: {wrong}. {fitting}") from wrong

    def take(self, source: Path, place: str) -> None:
        """Upload beside the target, then move: most file systems show a half-written upload."""
        target = f"{self._root}/{place}"
        if not self._files.exists(target):
            part = f"{target}.{uuid4().hex}.part"
            self._files.makedirs(part.rpartition("/")[0], exist_ok=True)
            self._files.put_file(str(source), part)
            self._files.mv(part, target)
        source.unlink()

    def open(self, place: str) -> BinaryIO:
        """Open for reading."""
        return cast("BinaryIO", self._files.open(f"{self._root}/{place}", "rb"))

    def places(self) -> Iterable[str]:
        """Stream nothing: whoever keeps the files lists them."""
        return ()


def digest_of(path: str | Path) -> tuple[str, int]:
    """Return a local file's SHA-256 and its size."""
    with cast("BufferedReader", opened_plain(Path(path))) as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), os.fstat(file.fileno()).st_size
