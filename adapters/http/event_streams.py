"""Answers as events: a refusal on the way is the last frame, for the status has been sent long before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from fastapi.responses import StreamingResponse
from starlette.types import Message, Send

from adapters.http.bodies import GoneError
from adapters.http.frames import EVENT_STREAM, raw_frame
from adapters.http.pace import Pace
from adapters.http.problems import problem_of
from domain.errors import AutoLearnError

STALL_SECONDS = 30.0  # a reader takes nothing for so long: its stream ends


class EventStreamResponse(StreamingResponse):
    """Frames as they come, to a reader that takes them."""

    media_type = EVENT_STREAM

    async def stream_response(self, send: Send) -> None:
        """Send them; GoneError where the reader stands still."""

        async def sent_soon(message: Message) -> None:
            try:
                async with asyncio.timeout(STALL_SECONDS):
                    await send(message)
            except TimeoutError:
                raise GoneError from None

        await super().stream_response(sent_soon)


def as_events(frames: AsyncIterator[bytes], pace: Pace, position: int | None = None) -> EventStreamResponse:
    """Return the answer; the position is the one that the first frame is true for."""
    headers = {"Cache-Control": "no-store"} | ({} if position is None else {"AutoLearn-Position": str(position)})
    return EventStreamResponse(_with_refusal(frames, pace), headers=headers)


async def _with_refusal(frames: AsyncIterator[bytes], pace: Pace) -> AsyncIterator[bytes]:
    try:
        async for frame in frames:
            await pace.turn()
            yield frame
    except AutoLearnError as refusal:
        yield raw_frame("problem", problem_of(refusal).body)
