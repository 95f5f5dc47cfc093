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

from adapters.files.blob_backends import DiskShelf, RemoteShelf, Shelf, digest_of
from adapters.host.private_files import sweep
from commands.ports import BlobMissing
from domain.values import BlobRef

LOCAL_SCRATCH = "scratch"
SCRATCH_NAME = re.compile(r"[0-9a-f]{32}(\.[a-z]{1,10})?")  # of what `scratch` and launchers make


class FileBlobs:
    """Content-addressed files in a folder or at a URL (`file:///data/blobs`, `s3://…`).

    `scratch_folder` is where temporary files go; without it, a folder beside the blobs (of a remote URL: required).
    `read_only`: no folder is made.
    """

    def __init__(self, url: str, scratch_folder: str | None = None, *, read_only: bool = False) -> None:
        folder = folder_of(url)
        if folder is None and scratch_folder is None:
            msg = f"Blobs at {url} need a scratch folder on this machine."
            raise ValueError(msg)
        self._shelf: Shelf = RemoteShelf(url) if folder is None else DiskShelf(folder, read_only=read_only)
        self._scratch = Path(scratch_folder) if scratch_folder else Path(folder or "") / LOCAL_SCRATCH
        if not read_only:
            self._scratch.mkdir(parents=True, exist_ok=True, mode=0o700)

    def put_file(self, path: str) -> BlobRef:
        """Move a finished local file in; when this returns, it is on disk under its final name."""
        sha256, size = digest_of(path)
        self._shelf.take(Path(path), _place(sha256))
        return BlobRef(sha256=sha256, size=size)

    def open(self, sha256: str) -> BinaryIO:
        """Open for reading; raises BlobMissing."""
        try:
            return self._shelf.open(_place(sha256))
        except FileNotFoundError:
            raise BlobMissing(sha256) from None

    def stored(self) -> Iterator[str]:
        """Stream the names of all blobs on this machine's disk; files in other places are none, and never opened."""
        for place in self._shelf.places():
            sha256 = place.rpartition("/")[2]
            with suppress(BlobMissing):
                if _place(sha256) == place:
                    yield sha256

    def scratch(self, suffix: str) -> str:
        """Return a fresh path for a temporary file on the blobs' disk."""
        return str(self._scratch / f"{uuid4().hex}{suffix}")

    def sweep(self) -> int:
        """Remove what earlier processes left in scratch and return how many entries: once, at the owner's start."""
        return sweep(self._scratch, SCRATCH_NAME)

    def check(self, sha256: str) -> str | None:
        """Return None where the blob's bytes have this SHA-256, else what is wrong."""
        try:
            with self.open(sha256) as file:
                found = hashlib.file_digest(cast("BufferedReader", file), "sha256").hexdigest()
        except BlobMissing:
            return f"blob {sha256} is missing"
        except OSError as error:
            return f"blob {sha256} cannot be read: {error.strerror or error}"
        return None if found == sha256 else f"blob {sha256} was changed: its bytes have SHA-256 {found}"


def folder_of(url: str) -> Path | None:
    """Return the folder of this machine that a URL names; None for another file system."""
    parts = urlsplit(url)
    if parts.scheme in ("file", "local"):  # fsspec's names of this machine's files
        return Path(unquote(parts.path)).absolute()
    return None if "://" in url else Path(url).absolute()


def _place(sha256: str) -> str:
    """Two levels of folders keep each one small; what is no digest names no blob, and never a path."""
    if len(sha256) != hashlib.sha256().digest_size * 2 or not set(sha256) <= set("0123456789abcdef"):
        raise BlobMissing(sha256)
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"
