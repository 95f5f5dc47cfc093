"""Blobs on another machine: the backend alone talks to their store, tasks read and write files of this machine."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event as Signal
from threading import Lock
from typing import Any, BinaryIO, Final
from uuid import uuid4

from adapters.files.blob_cache import BlobCache
from adapters.files.blobs import SCRATCH_NAME, SHA256, changed, digest_of, path_of
from adapters.files.remote_files import NEVER, RemoteFiles
from adapters.files.store_check import StoreCheck
from adapters.host.files import open_regular
from adapters.host.private_files import sweep
from commands.ports import BlobMissing
from domain.values import BlobRef

NAMES_OF_BLOBS: Final = frozenset({"sha256", "model_blob", "learned_blob"})  # in the facts of a task
STRIPES: Final = 16

logger = logging.getLogger(__name__)


class RemoteBlobs:
    """`commands.ports.Blobs` at an fsspec URL, with copies in a cache; temporary files go to `scratch_folder`.

    Raises NotAbleError while the store cannot be used, and DiskReserveError where this machine's disk is full.
    """

    def __init__(
        self,
        url: str,
        scratch_folder: str,
        cache: BlobCache,
        *,
        read_only: bool = False,
        files: RemoteFiles | None = None,
    ) -> None:
        self._files = files or RemoteFiles(url)
        self._scratch = Path(scratch_folder)
        self._cache = cache
        if not read_only:
            self._scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._store = StoreCheck(self._files, self._scratch)
        self._fetching = [Lock() for _ in range(STRIPES)]  # two who want the same blob load it once
        self.check_usable = self._store.run

    @property
    def fault(self) -> str | None:
        """Why the store cannot be used, in a sentence that names no place; None where it can."""
        return self._store.fault

    def put_file(self, path: str, stop: Signal = NEVER) -> BlobRef:
        """Store a finished local file; it is gone afterwards, and where it was if it could not be stored."""
        given, own = Path(path), Path(self.scratch(".put"))
        given.rename(own)  # out of the reach of whoever made it, before anybody looks at it
        try:
            sha256, size = digest_of(own)
            with self._store.use():
                self._files.put(own, path_of(sha256), stop)
        except BaseException:
            own.rename(given)
            raise
        self._cache.add(sha256, own)
        return BlobRef(sha256=sha256, size=size)

    def open(self, sha256: str) -> BinaryIO:
        """Open a copy of a blob; raises BlobMissing where the store has none with these bytes."""
        path_of(sha256)
        if (file := self._cache.open(sha256)) is not None:
            return file
        with self._fetched(sha256) as own:
            file = open_regular(own)
            self._cache.add(sha256, own)
            return file

    def stored(self) -> Iterable[str]:
        """Stream nothing: what no event names costs nothing to keep, and listing a bucket does."""
        return ()

    def scratch(self, suffix: str) -> str:
        return str(self._scratch / f"{uuid4().hex}{suffix}")

    def sweep(self) -> int:
        """Remove what earlier processes left in scratch; return how many entries."""
        return sweep(self._scratch, SCRATCH_NAME)

    def check(self, sha256: str) -> str | None:
        """Return None where the stored bytes have this SHA-256, else what is wrong; raises NotAbleError.

        The cache is not asked: what counts is what the store has.
        """
        own = (
            self.scratch(".get")
            if os.access(self._scratch, os.W_OK)
            else str(Path(tempfile.gettempdir()) / uuid4().hex)
        )
        try:
            self._load(sha256, Path(own), NEVER)
            found = digest_of(own)[0]
        except BlobMissing:
            return "it is missing"
        finally:
            Path(own).unlink(missing_ok=True)
        return None if found == sha256 else changed(found)

    def link(self, sha256: str, target: Path, stop: Signal) -> None:
        """Let a blob stand at a path of this machine; raises BlobMissing."""
        if self._cache.link(sha256, target):
            return
        with self._fetching[int(sha256[0], STRIPES)]:
            if self._cache.link(sha256, target):
                return
            with self._fetched(sha256, stop) as own:
                os.link(own, target)
                self._cache.add(sha256, own)

    @contextmanager
    def _fetched(self, sha256: str, stop: Signal = NEVER) -> Iterator[Path]:
        """Load a blob, and yield a file with its bytes; raises BlobMissing."""
        own = Path(self.scratch(".get"))
        try:
            self._load(sha256, own, stop)
            if (found := digest_of(own)[0]) != sha256:
                logger.warning("blob %s: %s", sha256, changed(found))
                raise BlobMissing(sha256)
            yield own
        finally:
            own.unlink(missing_ok=True)

    def _load(self, sha256: str, target: Path, stop: Signal) -> None:
        path = path_of(sha256)
        try:
            with self._store.use():
                self._files.get(path, target, stop)
        except FileNotFoundError:
            self._store.confirm()  # a missing bucket looks like a missing blob
            raise BlobMissing(sha256) from None


class TaskBlobs:
    """The blobs of one task, in a folder of its own: those that it may read, and those that it makes.

    So a task needs no network, no keys and no client, and sees no blob but its own.
    """

    def __init__(self, blobs: RemoteBlobs, folder: Path) -> None:
        self.folder = folder
        self._blobs = blobs
        self._provided: set[str] = set()

    def provide(self, facts: Mapping[str, Any], stop: Signal) -> None:
        """Bring the blobs that the facts of a task name; what is missing stays so, and the task says it."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        for sha256 in sorted(set(_named(facts)) - self._provided):
            target = self.folder / path_of(sha256)
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with suppress(BlobMissing):
                self._blobs.link(sha256, target, stop)
                self._provided.add(sha256)

    def store_new(self, stop: Signal) -> None:
        """Store what the task made. Called again after an outage it goes on where it was."""
        for path in sorted(self.folder.glob("*/*/*")):
            if SHA256.fullmatch(path.name) and path.name not in self._provided:
                self._blobs.put_file(str(path), stop)


def _named(facts: Any) -> Iterator[str]:
    if isinstance(facts, Mapping):
        for name, value in facts.items():
            if name in NAMES_OF_BLOBS and isinstance(value, str) and SHA256.fullmatch(value):
                yield value
            else:
                yield from _named(value)
    elif isinstance(facts, list | tuple):
        for value in facts:
            yield from _named(value)
