"""Raw files: received onto the blobs' disk, and sent block by block."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

from fastapi.responses import StreamingResponse

from adapters.http.routes.context import RouteContext
from autolearn.protocol.headers import RAW
from domain.errors import DiskReserveError

BLOCK = 256 * 1024
UPLOAD_BLOCK = 1 << 20
CHECKED_EVERY = 16 * UPLOAD_BLOCK  # bytes between two looks at the disk's reserve


class RawResponse(StreamingResponse):
    media_type = RAW


@asynccontextmanager
async def receive_file(context: RouteContext) -> AsyncIterator[str]:
    """Give the path of the received file, which goes straight to the blobs' disk and is gone when its call is over.

    Raises what the middleware finds meanwhile (too large, not the signed body).
    """
    pools = context.pools
    path = Path(context.backend.blobs.scratch(".upload"))
    try:
        waiting, written = bytearray(), 0
        await pools.run(partial(path.touch, mode=0o600))
        async for chunk in context.http.stream():
            waiting += chunk
            if len(waiting) >= UPLOAD_BLOCK:
                if written % CHECKED_EVERY < len(waiting):
                    await pools.run(context.backend.audit_log.check_able)
                written += len(waiting)
                await pools.run(partial(_append, path, bytes(waiting)))
                waiting.clear()
        await pools.run(partial(_append, path, bytes(waiting)))
        context.request.take_file_digest()
        yield str(path)
    finally:
        await pools.run_always(partial(path.unlink, missing_ok=True))


def _append(path: Path, block: bytes) -> None:
    try:
        with path.open("ab") as file:
            file.write(block)
    except OSError as failed:
        raise DiskReserveError(f"The file could not be stored: {failed.strerror}.") from None


@asynccontextmanager
async def file_for_answer(context: RouteContext) -> AsyncIterator[str]:
    """Give the path of an empty file for a task to fill; gone when its call is over, but for who has it open."""
    path = Path(context.backend.blobs.scratch(".answer"))
    try:
        await context.pools.run(partial(path.touch, mode=0o600))
        yield str(path)
    finally:
        await context.pools.run_always(partial(path.unlink, missing_ok=True))


async def answer_by_file(
    context: RouteContext, path: str, size: int, headers: dict[str, str], status: int = 200
) -> RawResponse:
    """Answer with a file; `headers` beside its size."""
    file: BinaryIO = await context.pools.run(lambda: Path(path).open("rb"))  # noqa: SIM115 - read_blocks closes it
    sent = headers | {"Content-Length": str(size), "Cache-Control": "no-store"}
    return RawResponse(read_blocks(context, file), status, sent)


async def read_blocks(context: RouteContext, file: BinaryIO) -> AsyncIterator[bytes]:
    try:
        while block := await context.pools.run(partial(file.read, BLOCK)):
            yield block
    finally:
        file.close()
