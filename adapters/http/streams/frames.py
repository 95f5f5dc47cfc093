"""Server-sent events (WHATWG HTML, 9.2): routes make plain frames, the response pipeline seals them one by one."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from time import monotonic
from typing import Any

from fastapi.responses import StreamingResponse

from adapters.http.problems import problem_of
from autolearn.protocol.headers import EVENT_STREAM, POSITION
from domain.errors import AutoLearnError

END = b"\n\n"
FORM = re.compile(rb"event: ([a-z]+)\ndata: ([^\n]*)\n\n")
BURST_SECONDS = 0.002  # of frames in a row
REST_SECONDS = 0.020  # for everything else, before the next burst


def make_frame(name: str, value: Any) -> bytes:
    """Return one event: its name (progress, state, result, problem, communication) and a JSON value."""
    return _make_raw_frame(name, json.dumps(value).encode())


def _make_raw_frame(name: str, value: bytes) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), value)


def split_frames(chunk: bytes) -> list[bytes]:
    """Return whole frames that leave together one by one; what is after the last one's end is not a frame."""
    *whole, rest = chunk.split(END)
    return [frame + END for frame in whole] + ([rest] if rest else [])


def seal_frame(plain: bytes, number: int, seal: Callable[[str, bytes], bytes]) -> bytes:
    """Return the n-th frame with its data sealed; raises ValueError for anything that `make_frame` did not make."""
    form = FORM.fullmatch(plain)
    if form is None:
        msg = "only whole frames leave the backend"
        raise ValueError(msg)
    return b"event: %s\nid: %d\ndata: %s\n\n" % (form[1], number, seal(form[1].decode(), form[2]))


class FramePacer:
    """Lets frames of all event streams leave one after the other, so that calls are served between any two of them.

    One per process; a stream that has to wait is later, and loses nothing.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._began = self._last = 0.0

    async def wait_turn(self) -> None:
        async with self._lock:
            now = monotonic()
            if now - self._last > REST_SECONDS:
                self._began = now
            elif now - self._began > BURST_SECONDS:
                await asyncio.sleep(REST_SECONDS)
                self._began = monotonic()
            else:
                await asyncio.sleep(0)
            self._last = monotonic()


class EventStreamResponse(StreamingResponse):
    media_type = EVENT_STREAM


def event_stream(frames: AsyncIterator[bytes], pacer: FramePacer, position: int | None = None) -> EventStreamResponse:
    """Return frames as they come; the position is the one that the first frame is true for.

    A refusal on the way is the last frame, for the status has been sent long before.
    """
    headers = {"Cache-Control": "no-store"} | ({} if position is None else {POSITION: str(position)})
    return EventStreamResponse(_with_refusal(frames, pacer), headers=headers)


async def _with_refusal(frames: AsyncIterator[bytes], pacer: FramePacer) -> AsyncIterator[bytes]:
    try:
        async for frame in frames:
            await pacer.wait_turn()
            yield frame
    except AutoLearnError as refusal:
        yield _make_raw_frame("problem", problem_of(refusal).body)
