"""A fitted model on its way out, checked against its SHA-256 before the first byte leaves."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from adapters.http.routes.request_schemas import When
from adapters.http.routes.route_context import Visit
from commands.ports import BlobMissing
from domain.errors import ConflictError, NotAbleError

BLOCK = 256 * 1024


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """The file, at its beginning; its size in bytes and digest; the position at which the experiment was looked up."""

    file: BinaryIO
    size: int
    sha256: str
    position: int


def opened_model(visit: Visit, experiment: str, when: When) -> OpenedModel:
    """Open the model of an experiment that the caller may see; raises NotFoundError, ConflictError, NotAbleError."""
    queries = visit.backend.queries
    at = None if when.as_of is None else queries.as_of(when.as_of).position
    shown = queries.show(visit.viewer, experiment, at)
    blob = (shown.get("blobs") or {}).get("model")
    if blob is None:
        raise ConflictError(f"Experiment {shown['experiment']} has no model: its training is {shown['state']}.")
    try:
        file = visit.backend.blobs.open(blob["sha256"])
    except BlobMissing:
        raise _damaged(experiment) from None
    if _digest_of(file) != blob["sha256"]:
        file.close()
        raise _damaged(experiment)
    size = file.tell()
    file.seek(0)
    return OpenedModel(file, size, blob["sha256"], shown["position"])


async def chunks(visit: Visit, file: BinaryIO) -> AsyncIterator[bytes]:
    """Yield the file in blocks, and close it."""
    try:
        while block := await visit.lanes.quick(partial(file.read, BLOCK)):
            yield block
    finally:
        file.close()


def _digest_of(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := file.read(BLOCK):
        digest.update(block)
    return digest.hexdigest()


def _damaged(experiment: str) -> NotAbleError:
    return NotAbleError(f"The stored model of {experiment} is missing or was changed: `autolearn verify` says more.")
