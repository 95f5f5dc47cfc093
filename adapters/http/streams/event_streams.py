"""Answers as events: a refusal on the way is the last frame, for the status has been sent long before."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi.responses import StreamingResponse

from adapters.http.problems import problem_of
from adapters.http.streams.frames import raw_frame
from adapters.http.streams.pace import Pace
from autolearn.protocol.headers import EVENT_STREAM, POSITION
from domain.errors import AutoLearnError


class EventStreamResponse(StreamingResponse):
    """Frames as they come."""

    media_type = EVENT_STREAM


def as_events(frames: AsyncIterator[bytes], pace: Pace, position: int | None = None) -> EventStreamResponse:
    """Return the answer; the position is the one that the first frame is true for."""
    headers = {"Cache-Control": "no-store"} | ({} if position is None else {POSITION: str(position)})
    return EventStreamResponse(_with_refusal(frames, pace), headers=headers)


async def _with_refusal(frames: AsyncIterator[bytes], pace: Pace) -> AsyncIterator[bytes]:
    try:
        async for frame in frames:
            await pace.turn()
            yield frame
    except AutoLearnError as refusal:
        yield raw_frame("problem", problem_of(refusal).body)
