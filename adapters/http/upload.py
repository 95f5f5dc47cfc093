"""A raw file on its way in: straight to the blobs' disk, never whole in memory, and gone when its call is over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from fastapi import Request

from adapters.http.visit import Visit
from domain.errors import DiskReserveError

BLOCK = 1 << 20
CHECKED_EVERY = 16 * BLOCK  # bytes between two looks at the disk's reserve


@asynccontextmanager
async def uploaded(visit: Visit, request: Request) -> AsyncIterator[str]:
    """Give the path of the received file; raises what the gate finds meanwhile (too large, not the signed body)."""
    path = Path(visit.backend.blobs.scratch(".upload"))
    try:
        await _receive(visit, request, path)
        yield str(path)
    finally:
        await visit.lanes.quick(partial(path.unlink, missing_ok=True))


async def _receive(visit: Visit, request: Request, path: Path) -> None:
    waiting, written = bytearray(), 0
    await visit.lanes.quick(partial(path.touch, mode=0o600))
    async for chunk in request.stream():
        waiting += chunk
        if len(waiting) >= BLOCK:
            if written % CHECKED_EVERY < len(waiting):
                await visit.lanes.quick(visit.backend.communications.check_able)
            written += len(waiting)
            await visit.lanes.quick(partial(_append, path, bytes(waiting)))
            waiting.clear()
    await visit.lanes.quick(partial(_append, path, bytes(waiting)))
    visit.passage.take_digest()


def _append(path: Path, block: bytes) -> None:
    try:
        with path.open("ab") as file:
            file.write(block)
    except OSError as failed:
        raise DiskReserveError(f"The file could not be stored: {failed.strerror}.") from None
