"""Replay: the state at a position, computed from the log alone, and held against the read models."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

from domain.errors import NotFoundError
from domain.lookup import MOST_NEAREST, nearest_names
from domain.task_status import task_status
from projections import catalog, experiment, search, session
from projections.catalog import PARTS, offered
from projections.fold import KINDS
from projections.jsonable import to_jsonable
from projections.newest import Newest
from projections.ports import OPEN, Body, Recorded
from projections.verification.read_models import ROW, Comparison, Version, version_of_document, version_of_row
from projections.verification.stores import InspectedStores

MOST_DIFFERENCES: Final = 100
MOST_STREAMS: Final = 10_000  # so many streams, the youngest, are looked through for one of a similar name
WITHDRAWN: Final = 0  # its index in a row's version


def replay(stores: InspectedStores, position: int, stream: str | None = None) -> Iterator[Body]:
    """Yield progress (`{step, position, of}`), and last the answer with `matches_read_models`.

    `position` is that of a commit and the read models must have reached it. With `stream`, the answer has its events
    and its document. Raises Poisoned for an event that cannot be read, NotFoundError for an unknown stream.
    """

    def stored() -> Iterator[Version]:
        for kind in KINDS:
            yield from (version_of_document(it, position) for it in stores.documents.versions(kind, position))
        yield from (version_of_row(it, position) for it in stores.history.versions(position))

    commits, state = CommitSummary(stream), WholeState() if stream is None else StreamState(stream)
    comparison = Comparison(stores.feed, position, stores.open_spill, stored, lambda version: version.to == OPEN)
    for reached in comparison.run(state.add, commits.add):
        yield {"step": "replay", "position": reached, "of": position}
    if comparison.poisons:
        raise comparison.poisons[0]
    answer: Body = {"position": position, "at": commits.at} | state.answer()
    if stream is not None:
        if not commits.events:
            raise _unknown_stream_error(stream, commits.streams)
        answer |= {"stream": stream, "events": commits.events}
    found = [{"position": at, "what": what} for at, what in comparison.findings[:MOST_DIFFERENCES]]
    yield answer | {"matches_read_models": not found, "differences": found}


def _unknown_stream_error(stream: str, known: Collection[str]) -> NotFoundError:
    named_so = [it for it in known if it.partition(":")[2].startswith(stream)][:MOST_NEAREST]
    error = NotFoundError.for_name("stream", stream, named_so or nearest_names(stream, known))
    if ":" in stream:
        return error
    return NotFoundError(f"{error.sentence} A stream is written KIND:NAME, for example experiment:ID.", **error.facts)


class CommitSummary:
    """What a replay keeps of the commits: the time of the last one, a stream's events, names of streams."""

    def __init__(self, stream: str | None) -> None:
        self.at: str | None = None
        self.events: list[Body] = []
        self.streams: deque[str] = deque(maxlen=MOST_STREAMS)
        self._stream = stream

    def add(self, commit: Sequence[Recorded]) -> None:
        self.at = commit[0].at.isoformat()
        self.streams.extend(one.event.originator_id for one in commit if one.event.originator_version == 1)
        self.events.extend(_event(one) for one in commit if one.event.originator_id == self._stream)


class WholeState:
    """Of the versions that are true at the end: sessions, experiments, what is on offer, and how many there are."""

    def __init__(self) -> None:
        self._newest = {session.KIND: Newest(), experiment.KIND: Newest(), search.KIND: Newest()}
        self._catalog: list[Body] = []
        self._rows: Counter[str] = Counter()

    def add(self, version: Version) -> None:
        if version.kind == ROW:
            self._rows["committed"] += 1
            self._rows["withdrawn"] += version.value[WITHDRAWN]
        elif version.kind == catalog.KIND:
            self._catalog.append(version.value)
        elif version.kind in self._newest:
            self._newest[version.kind].add(version.from_, version.value)

    def answer(self) -> Body:
        sessions, experiments, searches = (self._newest[it.KIND] for it in (session, experiment, search))
        by_name = sorted(self._catalog, key=lambda body: str(body["name"]))
        return {
            "sessions": list(sessions),
            "experiments": [task_status("training", body) for body in experiments],
            "searches": [search.shown(body) for body in searches],
            "catalog": {part: offered(it for it in by_name if it["kind"] == kind) for part, kind in PARTS.items()},
            "counts": {
                "sessions": sessions.count,
                "experiments": experiments.count,
                "searches": searches.count,
                "committed": self._rows["committed"],
                "withdrawn": self._rows["withdrawn"],
            },
        }


class StreamState:
    """Of the versions that are true at the end: the document about one stream."""

    def __init__(self, stream: str) -> None:
        kind, _, name = stream.partition(":")
        self._key = kind, name.replace(":", "-") if kind == session.KIND else name
        if kind in PARTS.values():
            self._key = catalog.KIND, f"{kind}/{name}"
        self._state: Any = None

    def add(self, version: Version) -> None:
        if (version.kind, version.id) == self._key:
            self._state = version.value

    def answer(self) -> Body:
        return {"state": self._state}


def _event(recorded: Recorded) -> Body:
    event, metadata = recorded.event, recorded.event.metadata
    facts = event.model_dump(exclude={"originator_id", "originator_version", "metadata"}, mode="json")
    return {
        "position": recorded.position,
        "at": recorded.at.isoformat(),
        "name": event.NAME.rpartition(".")[0],
        "version": event.originator_version,
        "actor": metadata.actor,
        "correlation": metadata.correlation,
        "facts": to_jsonable(facts),
    }
