"""A raw file on its way in: straight to the blobs' disk, never whole in memory, and gone when its call is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from anyio import CancelScope
from fastapi import Request

from adapters.http.middleware.bodies import GoneError
from adapters.http.routes.route_context import Visit
from commands.cancellation import Cancellation
from domain.errors import AutoLearnError, DiskReserveError

T = TypeVar("T")

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
        await visit.lanes.certain(partial(path.unlink, missing_ok=True))


async def while_connected(
    request: Request, work: Callable[[Cancellation], Awaitable[T]], cancellation: Cancellation | None = None
) -> T:
    """Do what belongs to a call whose body is whole: raises GoneError if the caller hangs up."""
    cancellation = cancellation or Cancellation()
    with CancelScope() as scope:
        watching = asyncio.ensure_future(_cut_when_gone(request, cancellation, scope))
        try:
            return await work(cancellation)
        except AutoLearnError:
            if cancellation.is_requested:
                raise GoneError from None
            raise
        finally:
            watching.cancel()
    raise GoneError


async def _cut_when_gone(request: Request, cancellation: Cancellation, scope: CancelScope) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    cancellation.request()
    scope.cancel()


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
