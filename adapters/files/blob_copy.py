"""Blobs copied on demand: whoever checks a copied log asks for each blob that it names."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from adapters.files.blobs import FileBlobs, digest_of
from adapters.files.remote_blobs import RemoteBlobs
from autolearn.secret_files import flush
from commands.ports import BlobMissing
from domain.errors import AutoLearnError, NotAbleError

PIECE = 1 << 20


class BlobCopy:
    """`projections.ports.BlobCheck` of a place for blobs that fetches from another place what is not whole there.

    `lost` names the blobs that the other place does not have whole either: they are not a fault of the copy. `failure`
    is why a blob could not be copied, which the other place may well have: then the copy is not finished.
    """

    def __init__(self, source: FileBlobs | RemoteBlobs, target: FileBlobs | RemoteBlobs) -> None:
        self._source, self._target = source, target
        self.copied, self.bytes = 0, 0
        self.lost: list[str] = []
        self.failure: AutoLearnError | None = None

    def check(self, sha256: str) -> str | None:
        """Copy the blob unless it is there, whole; return what is wrong with it even so."""
        try:
            return self._target.check(sha256) and self._copy(sha256)
        except AutoLearnError as failure:
            self.failure = failure
            raise
        except OSError as error:
            self.failure = NotAbleError(f"Blob {sha256} cannot be copied: {error.strerror or error}.")
            raise self.failure from error

    def stored(self) -> Iterable[str]:
        """Stream nothing: only what the log names is copied, and other blobs in the place are not this copy's."""
        return ()

    def _copy(self, sha256: str) -> str | None:
        path = Path(self._target.scratch(".blob"))
        try:
            with self._source.open(sha256) as source, path.open("xb") as copy:
                shutil.copyfileobj(source, copy, PIECE)
            flush(path)
            found, size = digest_of(path)
            if found != sha256:
                self.lost.append(sha256)
                return None
            self._target.put_file(str(path))
        except BlobMissing:
            self.lost.append(sha256)
            return None
        finally:
            path.unlink(missing_ok=True)
        self.copied, self.bytes = self.copied + 1, self.bytes + size
        return self._target.check(sha256)
