"""Replay: the state at a position, computed from the log alone in memory, and held against the read models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from domain.errors import NotFoundError
from projections import catalog, experiment, session
from projections.catalog_answers import SHELVES, offered
from projections.change import Body
from projections.fold import KINDS, Fold, Key, commits
from projections.following import read_after
from projections.nearest import nearest
from projections.plain import plain
from projections.ports import OPEN, Batch, Documents, Feed, History, HistoryRow, Recorded

BATCH = 2000
LISTED = 1000  # experiments and sessions in the answer; `counts` tells of all
Finding = tuple[int, str]


class State:
    """All documents and rows that are true after the commits folded so far."""

    def __init__(self) -> None:
        self.documents: dict[Key, tuple[int, Body]] = {}
        self.rows: dict[int, HistoryRow] = {}
        self.position = 0
        self.at: datetime | None = None
        self._fold = Fold(self._current)

    def add(self, commit: list[Recorded]) -> None:
        """Fold a whole commit; raises whatever its events raise, and is unchanged then."""
        batch = Batch(0)
        self._fold.add(commit, batch)
        for kind, id, from_, body in batch.documents:
            if body is None:
                self.documents.pop((kind, id), None)
            else:
                self.documents[kind, id] = (from_, body)
        self.rows.update((row.n, row) for row in batch.history)
        self._fold.trim()
        self.position, self.at = batch.position, commit[0].at

    def of(self, kind: str) -> list[Body]:
        """Return the documents of a kind, in the order of their last change."""
        found = [version for key, version in self.documents.items() if key[0] == kind]
        return [body for _, body in sorted(found, key=lambda version: version[0])]

    def _current(self, kind: str, id: str) -> Body | None:
        version = self.documents.get((kind, id))
        return version[1] if version else None


def differences(state: State, documents: Documents, history: History) -> Iterator[Finding]:
    """Yield (position, what) wherever the read models at the state's position are not what the log says."""
    for kind in KINDS:
        known = {id for of, id in state.documents if of == kind}
        for document in documents.versions(kind, state.position):
            known.discard(document.id)
            expected = state.documents.get((kind, document.id))
            if expected is None:
                yield document.from_, f"the read models have {kind} {document.id!r}, the log has not"
            elif expected != (document.from_, document.body):
                yield expected[0], f"{kind} {document.id!r} is not what the log says"
        for id in sorted(known):
            yield state.documents[kind, id][0], f"{kind} {id!r} is missing in the read models"
    yield from _row_differences(state, history)


def _row_differences(state: State, history: History) -> Iterator[Finding]:
    known = set(state.rows)
    for row in history.versions(state.position):
        known.discard(row.n)
        expected = state.rows.get(row.n)
        if expected is None:
            yield row.from_, f"the history has row {row.n}, the log has not"
        elif expected != replace(row, to=OPEN):
            yield expected.from_, f"history row {row.n} ({expected.body['experiment']}) is not what the log says"
    for n in sorted(known):
        yield state.rows[n].from_, f"history row {n} ({state.rows[n].body['experiment']}) is missing"


def replay(
    feed: Feed, documents: Documents, history: History, position: int, stream: str | None = None
) -> Iterator[Body]:
    """Yield progress (`{step, position, of}`), and last the answer with `matches_read_models`.

    `position` is that of a commit and the read models must have reached it. With `stream`, the answer has its events
    and what they amount to. Raises Poisoned for an event that cannot be read, NotFoundError for an unknown stream.
    """
    state, seen, names = State(), list[Body](), set[str]()
    while state.position < position:
        recorded, poison = read_after(feed, state.position, BATCH)
        if poison is not None:
            raise poison
        for commit in commits([one for one in recorded if one.commit <= position]):
            state.add(commit)
            names.update(one.event.originator_id for one in commit)
            seen.extend(_told(one) for one in commit if one.event.originator_id == stream)
        yield {"step": "replay", "position": state.position, "of": position}
        if not recorded:
            break
    if stream is not None and stream not in names:
        raise NotFoundError.named("stream", stream, nearest(stream, names))
    found = [{"position": at, "what": what} for at, what in differences(state, documents, history)]
    told = _summary(state) if stream is None else {"stream": stream, "events": seen, "state": _state_of(state, stream)}
    at = state.at.isoformat() if state.at else None
    yield {"position": position, "at": at} | told | {"matches_read_models": not found, "differences": found[:100]}


def _summary(state: State) -> Body:
    sessions, experiments = state.of(session.KIND), state.of(experiment.KIND)
    on_offer = {shelf: offered(_shelf(state, kind)) for shelf, kind in SHELVES.items()}
    return {
        "sessions": sessions[-LISTED:],
        "experiments": [experiment.status_of(body) for body in experiments[-LISTED:]],
        "catalog": on_offer,
        "counts": {
            "sessions": len(sessions),
            "experiments": len(experiments),
            "committed": len(state.rows),
            "withdrawn": sum(row.withdrawn for row in state.rows.values()),
        },
    }


def _shelf(state: State, kind: str) -> list[Body]:
    return sorted((body for body in state.of(catalog.KIND) if body["kind"] == kind), key=lambda body: str(body["name"]))


def _told(recorded: Recorded) -> Body:
    event, metadata = recorded.event, recorded.event.metadata
    facts: dict[str, Any] = plain(
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


def _state_of(state: State, stream: str) -> Body | None:
    kind, _, name = stream.partition(":")
    if kind in SHELVES.values():
        key = (catalog.KIND, f"{kind}/{name}")
    else:
        key = (kind, name.replace(":", "-")) if kind == session.KIND else (kind, name)
    version = state.documents.get(key)
    return version[1] if version else None
