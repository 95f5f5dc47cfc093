"""Blobs on this machine's disk: files named by the SHA-256 of their bytes, flushed before they count."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from adapters.host.files import open_regular
from adapters.host.private_files import sweep
from autolearn.secret_files import flush
from commands.ports import BlobMissing
from domain.values import BlobRef

LOCAL_SCRATCH = "scratch"
SCRATCH_NAME = re.compile(r"[0-9a-f]{32}(\.[a-z]{1,10})?")  # what `scratch` and launchers make
SHA256 = re.compile(r"[0-9a-f]{64}")


class FileBlobs:
    """`commands.ports.Blobs` in a folder, given by its path or as `file:///…`.

    It does without fsspec, whose import costs 95 ms and which knows no fsync. `scratch_folder` is for temporary
    files: by default a folder beside the blobs. `read_only` makes no folder.
    """

    fault: str | None = None  # of a store that does not answer: a disk of this machine does

    def __init__(self, url: str, scratch_folder: str | None = None, *, read_only: bool = False) -> None:
        folder = folder_of(url)
        if folder is None:
            raise ValueError(f"{url} is no folder of this machine.")
        self._root = folder
        self._scratch = Path(scratch_folder) if scratch_folder else folder / LOCAL_SCRATCH
        if not read_only:
            for made in (self._root, self._scratch):
                made.mkdir(parents=True, exist_ok=True, mode=0o700)

    def put_file(self, path: str) -> BlobRef:
        sha256, size = digest_of(path)
        source, target = Path(path), self._root / path_of(sha256)
        if target.is_file() and digest_of(target)[0] == sha256:
            source.unlink()
        else:
            self._make_folder(target.parent)
            finish(source)
            _move(source, target)
        flush(target.parent)
        return BlobRef(sha256=sha256, size=size)

    def open(self, sha256: str) -> BinaryIO:
        try:
            return open_regular(self._root / path_of(sha256))
        except FileNotFoundError:
            raise BlobMissing(sha256) from None

    def stored(self) -> Iterator[str]:
        """Stream the SHA-256 of all blobs; other files are skipped and never opened."""
        for path in self._root.glob("*/*/*"):
            with suppress(BlobMissing):
                if path_of(path.name) == path.relative_to(self._root).as_posix():
                    yield path.name

    def scratch(self, suffix: str) -> str:
        return str(self._scratch / f"{uuid4().hex}{suffix}")

    def sweep(self) -> int:
        """Remove what earlier processes left in scratch; return how many entries."""
        return sweep(self._scratch, SCRATCH_NAME)

    def check(self, sha256: str) -> str | None:
        """Return None where the blob's bytes have this SHA-256, else a sentence that says what is wrong."""
        try:
            with self.open(sha256) as file:
                found = hashlib.file_digest(cast("BufferedReader", file), "sha256").hexdigest()
        except BlobMissing:
            return "it is missing"
        except OSError as error:
            return f"it cannot be read: {error.strerror or error}"
        return None if found == sha256 else changed(found)

    def _make_folder(self, folder: Path) -> None:
        if folder != self._root and not folder.exists():
            self._make_folder(folder.parent)
            folder.mkdir(mode=0o700, exist_ok=True)
            flush(folder.parent)


def folder_of(url: str) -> Path | None:
    """Return the folder of this machine that a URL names; None for another file system."""
    parts = urlsplit(url)
    if parts.scheme in ("file", "local"):  # fsspec's names of this machine's files
        return Path(unquote(parts.path)).absolute()
    return None if "://" in url else Path(url).absolute()


def path_of(sha256: str) -> str:
    """Return where a blob is below its place; raises BlobMissing for what can be no SHA-256."""
    if not SHA256.fullmatch(sha256):
        raise BlobMissing(sha256)
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"  # two levels keep each folder small


def digest_of(path: str | Path) -> tuple[str, int]:
    """Return a local file's SHA-256 (hex) and its size in bytes."""
    with cast("BufferedReader", open_regular(Path(path))) as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), os.fstat(file.fileno()).st_size


def changed(found: str) -> str:
    """Say that a blob has other bytes than its name says."""
    return f"it was changed: its bytes have SHA-256 {found}"


def finish(file: Path) -> None:
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
        finish(near)
        near.replace(target)
        source.unlink()
