"""What verify needs of the blobs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class BlobCheck(Protocol):
    """Blobs, by the SHA-256 of their bytes."""

    def check(self, sha256: str) -> str | None:
        """Return None where the blob's bytes have this SHA-256, else what is wrong."""
        ...

    def stored(self) -> Iterable[str]:
        """Stream what this machine's disk holds under such names, whoever named it; nothing of a remote place."""
        ...
