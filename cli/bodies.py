"""What a call carries: nothing, JSON (sealed) or a raw file (signed by its SHA-256); signed anew at every sending."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from adapters.security.calls import OutgoingCall
from domain.errors import BadInputError

Signed = tuple[dict[str, str], "bytes | BinaryIO | None"]


class Body:
    """No body."""

    @contextmanager
    def signed(self, call: OutgoingCall) -> Iterator[Signed]:
        """Give the headers and content to send, for one sending."""
        yield call.without_body(), None


@dataclass(frozen=True)
class JsonBody(Body):
    """JSON, as bytes."""

    content: bytes

    @contextmanager
    def signed(self, call: OutgoingCall) -> Iterator[Signed]:
        """Seal it."""
        yield call.with_json(self.content)


@dataclass(frozen=True)
class RawBody(Body):
    """A file, sent as it is."""

    path: Path
    sha256: str
    size: int

    @classmethod
    def of(cls, path: Path) -> RawBody:
        """Take the measure of a file; raises BadInputError for a pipe or device, which can be read only once."""
        if not path.is_file():
            raise BadInputError(f"{path} is no plain file: save what it gives as one, and send that.")
        with path.open("rb") as file:
            return cls(path, hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)

    @contextmanager
    def signed(self, call: OutgoingCall) -> Iterator[Signed]:
        """Open it for one sending."""
        with self.path.open("rb") as file:
            yield call.with_file(self.sha256) | {"Content-Length": str(self.size)}, file


NO_BODY = Body()
