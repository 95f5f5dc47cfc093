"""Replay of one stream: its events and its state, from that stream and the few that its state depends on.

A session counts what its experiments and searches have unfinished, and an experiment's row has the session's tries. So
the session and its members are folded together; every other stream stands alone. No more of the log is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from domain.errors import AutoLearnError, NotFoundError
from domain.experiment_events import TrainingRequested
from domain.lookup import MOST_NEAREST, nearest_names
from domain.search_events import SearchRequested
from domain.session_events import ExperimentAdded, SearchAdded
from domain.values import experiment_stream, search_stream, stream_of_session
from projections import catalog, session
from projections.filters.conditions import Compare
from projections.fold import EVOLVE, Fold, Poisoned, commits
from projections.jsonable import to_jsonable
from projections.ports import MOST_PAGE_ROWS, Batch, Body, Feed, History, HistoryQuery, HistoryRow, Recorded
from projections.verification.stores import InspectedStores

MOST_DIFFERENCES: Final = 100
LOOKED_THROUGH: Final = 10_000  # so many positions at the end are looked through for a stream of a similar name
ENDS: Final = ("/", "-", "@")  # what may follow the name in the id of a document about a part of it

Found = dict[tuple[str, str], tuple[int, Body | None]]


def replay_stream(stores: InspectedStores, position: int, stream: str) -> Iterator[Body]:
    """Yield progress, and last the answer: events, state, and whether the read models say the same of the stream.

    Raises Poisoned for an event that cannot be read or folded, NotFoundError for an unknown stream.
    """
    yield {"step": "replay", "position": 0, "of": position}
    events = _read(stores.feed, stream, position)
    if not events:
        raise _unknown_stream_error(stores, position, stream)
    found, rows = _fold(_with_related(stores.feed, stream, events, position))
    kind, name = document_of(stream)
    own = {key: of_log for key, of_log in found.items() if _is_part(key[1], name)}
    differences = list(_document_differences(stores, position, own))
    differences += _row_differences(stores.history, position, name, rows)
    answer: Body = {"position": position, "at": _time_of(stores.feed, position), "stream": stream}
    answer |= {"state": found.get((kind, name), (0, None))[1], "events": [_event(one) for one in events]}
    listed = [{"position": at, "what": what} for at, what in differences[:MOST_DIFFERENCES]]
    yield answer | {"matches_read_models": not listed, "differences": listed}


def _with_related(feed: Feed, stream: str, own: list[Recorded], until: int) -> list[Recorded]:
    """Return the events of a stream and of those that its state depends on, in order."""
    first, of_session = own[0].event, own
    if isinstance(first, TrainingRequested | SearchRequested):
        of_session = _read(feed, stream_of_session(first.session), until)
    elif not stream.startswith(f"{session.KIND}:"):
        return own
    members = [name for one in of_session if (name := _member(one.event)) and name != stream]
    others = [one for name in members for one in _read(feed, name, until)]
    return sorted({one.position: one for one in (*own, *of_session, *others)}.values(), key=lambda one: one.position)


def _read(feed: Feed, stream: str, until: int) -> list[Recorded]:
    try:
        return feed.of_stream(stream, until)
    except AutoLearnError as error:
        if "position" not in error.facts:
            raise
        sentence = f"An event cannot be read: {error.sentence.rstrip('.')}."
        raise Poisoned(error.facts["position"], sentence) from error


def _member(event: Any) -> str | None:
    if isinstance(event, ExperimentAdded):
        return experiment_stream(event.experiment)
    return search_stream(event.search) if isinstance(event, SearchAdded) else None


def _fold(recorded: list[Recorded]) -> tuple[Found, dict[int, HistoryRow]]:
    """Return the last version of each document (None: it was ended) and of each row of history."""
    fold, batch = Fold(lambda _, __: None), Batch(0)
    for commit in commits([one for one in recorded if one.event.originator_id.partition(":")[0] in EVOLVE]):
        try:
            fold.add(commit, batch)
        except Exception as error:
            sentence = f"Commit {commit[0].commit} cannot be folded: {type(error).__name__}: {error}."
            raise Poisoned(commit[0].commit, sentence) from error
    found = {(kind, id): (from_, body) for kind, id, from_, body in batch.documents}
    return found, {row.n: row for row in batch.history}


def document_of(stream: str) -> tuple[str, str]:
    """Return kind and id of the document about a stream."""
    kind, _, name = stream.partition(":")
    if kind in catalog.PARTS.values():
        return catalog.KIND, f"{kind}/{name}"
    return kind, name.replace(":", "-") if kind == session.KIND else name


def _is_part(id: str, name: str) -> bool:
    return id == name or id.startswith(tuple(f"{name}{end}" for end in ENDS))


def _document_differences(stores: InspectedStores, position: int, of_log: Found) -> Iterator[tuple[int, str]]:
    for (kind, id), (from_, body) in of_log.items():
        stored = stores.documents.get(kind, id, position)
        if body is None:
            if stored is not None:
                yield from_, f"the read models have a {kind} {id!r} that the log has not"
        elif stored is None:
            yield from_, f"{kind} {id!r} is missing in the read models"
        elif (stored.from_, stored.body) != (from_, body):
            yield from_, f"{kind} {id!r} is not what the log says"


def _row_differences(
    history: History, position: int, name: str, rows: dict[int, HistoryRow]
) -> Iterator[tuple[int, str]]:
    expected = next((row for row in rows.values() if row.body["experiment"] == name), None)
    if expected is None:
        return
    stored = list(_rows_of(history, position, name))
    if stored != [expected.body]:
        yield expected.from_, f"history row {str(expected.n)!r} (experiment {name!r}) is not what the log says"


def _rows_of(history: History, position: int, name: str) -> Iterator[Body]:
    """Stream the rows of an experiment as of a position; a page of the history may be short, and still have a next."""
    after = None
    while True:
        query = HistoryQuery(
            position, Compare("experiment", "=", name), after=after, limit=MOST_PAGE_ROWS, withdrawn=True
        )
        page = history.page(query)
        yield from page.rows
        after = page.next
        if after is None:
            return


def _time_of(feed: Feed, position: int) -> str | None:
    at = feed.commit_at(position).at
    return at.isoformat() if at else None


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


def _unknown_stream_error(stores: InspectedStores, position: int, stream: str) -> NotFoundError:
    """Name streams whose name after the colon begins so, or of the youngest those with a similar one."""
    named_so = [it for kind in EVOLVE for it in stores.stream_names(f"{kind}:{stream}", MOST_NEAREST)][:MOST_NEAREST]
    youngest = stores.feed.raw_after(max(position - LOOKED_THROUGH, 0), LOOKED_THROUGH)
    error = NotFoundError.for_name("stream", stream, named_so or nearest_names(stream, _begun(youngest, position)))
    if ":" in stream:
        return error
    return NotFoundError(f"{error.sentence} A stream is written KIND:NAME, for example experiment:ID.", **error.facts)


def _begun(raw: Iterable[Any], position: int) -> list[str]:
    return [event.stream for it in raw if it.position <= position for event in it.events if event.version == 1]
