"""Replay: the state at a position, computed from the log alone, and held against the read models."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from domain.errors import NotFoundError
from domain.lookup import nearest
from projections.fold import KINDS
from projections.jsonable import to_jsonable
from projections.ports import OPEN, Body, Documents, Feed, History, Recorded
from projections.replay.state import StreamState, Summary
from projections.spill import OpenSpillTable
from projections.verification.comparison import Comparison
from projections.verification.versions import Version, version_of_document, version_of_row

MOST_DIFFERENCES = 100
NEAR = 10_000  # so many streams, the youngest, are looked through for one of a similar name


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay reads: the log, the read models that it must equal, and room for what it puts aside."""

    feed: Feed
    documents: Documents
    history: History
    open_spill: OpenSpillTable


class Watched:
    """What a replay keeps of the commits that it folds: the last time, a stream's events, names of streams."""

    def __init__(self, stream: str | None) -> None:
        self.at: str | None = None
        self.events: list[Body] = []
        self.streams: deque[str] = deque(maxlen=NEAR)
        self._stream = stream

    def look(self, commit: Sequence[Recorded]) -> None:
        """See a commit."""
        self.at = commit[0].at.isoformat()
        self.streams.extend(one.event.originator_id for one in commit if one.event.originator_version == 1)
        self.events.extend(_told(one) for one in commit if one.event.originator_id == self._stream)


def replay(stores: Replayed, position: int, stream: str | None = None) -> Iterator[Body]:
    """Yield progress (`{step, position, of}`), and last the answer with `matches_read_models`.

    `position` is that of a commit and the read models must have reached it. With `stream`, the answer has its events
    and what they amount to. Raises Poisoned for an event that cannot be read, NotFoundError for an unknown stream.
    """
    watched, state = Watched(stream), Summary() if stream is None else StreamState(stream)
    comparison = Comparison(stores.feed, position, stores.open_spill, partial(_stored, stores, position), _is_open)
    for reached in comparison.run(state.add, watched.look):
        yield {"step": "replay", "position": reached, "of": position}
    if comparison.poisons:
        raise comparison.poisons[0]
    told = state.told()
    if stream is not None:
        if not watched.events:
            raise NotFoundError.named("stream", stream, nearest(stream, watched.streams))
        told |= {"stream": stream, "events": watched.events}
    found = [{"position": at, "what": what} for at, what in comparison.findings[:MOST_DIFFERENCES]]
    yield {"position": position, "at": watched.at} | told | {"matches_read_models": not found, "differences": found}


def _stored(stores: Replayed, position: int) -> Iterator[Version]:
    """Stream what the read models say is true at the position."""
    for kind in KINDS:
        yield from (version_of_document(it, position) for it in stores.documents.versions(kind, position))
    yield from (version_of_row(it, position) for it in stores.history.versions(position))


def _is_open(version: Version) -> bool:
    return version.to == OPEN


def _told(recorded: Recorded) -> Body:
    event, metadata = recorded.event, recorded.event.metadata
    facts: dict[str, Any] = to_jsonable(
        event.model_dump(exclude={"originator_id", "originator_version", "metadata"}, mode="json")
    )
    return {
        "position": recorded.position,
        "at": recorded.at.isoformat(),
        "name": event.NAME.rpartition(".")[0],
        "version": event.originator_version,
        "actor": metadata.actor,
        "correlation": metadata.correlation,
        "facts": facts,
    }
