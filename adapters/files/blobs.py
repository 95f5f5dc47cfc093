"""Blobs: files named by the SHA-256 of their bytes, on this machine's disk or on any fsspec file system."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from adapters.files.blob_backends import BlobBackend, DiskBackend, FsspecBackend, digest_of
from adapters.host.private_files import sweep
from commands.ports import BlobMissing
from domain.values import BlobRef

LOCAL_SCRATCH = "scratch"
SCRATCH_NAME = re.compile(r"[0-9a-f]{32}(\.[a-z]{1,10})?")  # what `scratch` and launchers make
SHA256 = re.compile(r"[0-9a-f]{64}")


class FileBlobs:
    """`commands.ports.Blobs` in a folder or at a URL (`file:///data/blobs`, `s3://…`).

    `scratch_folder` is for temporary files: by default a folder beside the blobs; a remote URL needs one given.
    `read_only` makes no folder.
    """

    def __init__(self, url: str, scratch_folder: str | None = None, *, read_only: bool = False) -> None:
        folder = folder_of(url)
        if folder is None and scratch_folder is None:
            msg = f"Blobs at {url} need a scratch folder on this machine."
            raise ValueError(msg)
        self._backend: BlobBackend = FsspecBackend(url) if folder is None else DiskBackend(folder, read_only=read_only)
        self._scratch = Path(scratch_folder) if scratch_folder else Path(folder or "") / LOCAL_SCRATCH
        if not read_only:
            self._scratch.mkdir(parents=True, exist_ok=True, mode=0o700)

    def put_file(self, path: str) -> BlobRef:
        sha256, size = digest_of(path)
        self._backend.take(Path(path), _path_of(sha256))
        return BlobRef(sha256=sha256, size=size)

    def open(self, sha256: str) -> BinaryIO:
        try:
            return self._backend.open(_path_of(sha256))
        except FileNotFoundError:
            raise BlobMissing(sha256) from None

    def stored(self) -> Iterator[str]:
        """Stream the SHA-256 of all blobs on this machine's disk; other files are skipped and never opened."""
        for path in self._backend.paths():
            sha256 = path.rpartition("/")[2]
            with suppress(BlobMissing):
                if _path_of(sha256) == path:
                    yield sha256

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
        return None if found == sha256 else f"it was changed: its bytes have SHA-256 {found}"


def folder_of(url: str) -> Path | None:
    """Return the folder of this machine that a URL names; None for another file system."""
    parts = urlsplit(url)
    if parts.scheme in ("file", "local"):  # fsspec's names of this machine's files
        return Path(unquote(parts.path)).absolute()
    return None if "://" in url else Path(url).absolute()


def _path_of(sha256: str) -> str:
    if not SHA256.fullmatch(sha256):
        raise BlobMissing(sha256)
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"  # two levels keep each folder small
