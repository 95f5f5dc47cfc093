"""Answers that are passed on as they come: sealed events, and the raw bytes of a fitted model."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import MutableHeaders

from adapters.http.middleware.request_context import Passage
from adapters.http.streams.frames import frames_in, sealed_frame
from autolearn.protocol.headers import EVENT_STREAM, RAW
from autolearn.protocol.sealing import event_purpose, seal


@dataclass(slots=True)
class Stream:
    """Bytes on their way: how many, and their digest (of the plain ones). `seal` is that of status and headers."""

    passage: Passage
    is_open: bool = False
    seal: str = ""
    size: int = 0
    _digest: Any = field(default_factory=hashlib.sha256)

    def passed(self, chunk: bytes) -> bytes:
        """Return what is sent for a chunk."""
        self.size += len(chunk)
        self._digest.update(chunk)
        return chunk

    @property
    def sha256(self) -> str:
        """The digest (hex) so far."""
        return str(self._digest.hexdigest())


@dataclass(slots=True)
class EventStream(Stream):
    """Frames, one or several at a time: each is sealed for its number."""

    number: int = 0

    def passed(self, chunk: bytes) -> bytes:
        """Seal frames; their size counts as sent, their digest as they were."""
        self._digest.update(chunk)
        sealed = b"".join(self._sealed(frame) for frame in frames_in(chunk))
        self.size += len(sealed)
        return sealed

    def _sealed(self, frame: bytes) -> bytes:
        self.number += 1
        return sealed_frame(frame, self.number, self._sealed_data)

    def _sealed_data(self, name: str, data: bytes) -> bytes:
        it = self.passage
        if it.proof is None:
            msg = "a stream of nobody"
            raise ValueError(msg)
        purpose = event_purpose(self.number, name, self.seal)
        return seal(it.proof.key, purpose, it.proof.claims.request_id, it.method, it.target, data)


def stream_for(headers: MutableHeaders, passage: Passage) -> Stream | None:
    """Return the stream that an answer is, or None for one that is held and sealed whole."""
    kind = headers.get("content-type", "").partition(";")[0]
    if kind == EVENT_STREAM:
        return EventStream(passage)
    raw = passage.row is not None and passage.row.raw
    return Stream(passage) if raw and kind == RAW else None
