"""Replay: the state at a position, computed from the log alone, and held against the read models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from domain.task_status import task_status
from projections import catalog, experiment, search, session
from projections.catalog import PARTS, offered
from projections.newest import Newest
from projections.ports import Body, Recorded
from projections.stream_replay import MOST_DIFFERENCES, replay_stream
from projections.verification.read_models import ROW, Comparison, StoredVersions, Version
from projections.verification.stores import InspectedStores

WITHDRAWN: Final = 0  # its index in a row's version


def replay(stores: InspectedStores, position: int, stream: str | None = None) -> Iterator[Body]:
    """Yield progress (`{step, position, of}`), and last the answer with `matches_read_models`.

    `position` is that of a commit and the read models must have reached it. With `stream`, the answer has its events
    and its document. Raises Poisoned for an event that cannot be read, NotFoundError for an unknown stream.
    """
    return _replay_whole(stores, position) if stream is None else replay_stream(stores, position, stream)


def _replay_whole(stores: InspectedStores, position: int) -> Iterator[Body]:
    state = WholeState()
    stored = StoredVersions(stores.documents, stores.history, position, open_only=True)
    comparison = Comparison(stores.feed, stored, stores.open_spill)
    for reached in comparison.run(state.add, state.note_commit):
        yield {"step": "replay", "position": reached, "of": position}
    if comparison.poisons:
        raise comparison.poisons[0]
    found = [{"position": at, "what": what} for at, what in comparison.findings[:MOST_DIFFERENCES]]
    answer: Body = {"position": position, "at": state.at} | state.answer()
    yield answer | {"matches_read_models": not found, "differences": found}


class WholeState:
    """Of the versions that are true at the end: sessions, experiments, what is on offer, and how many there are."""

    def __init__(self) -> None:
        self.at: str | None = None  # the time of the last commit
        self._newest = {session.KIND: Newest(), experiment.KIND: Newest(), search.KIND: Newest()}
        self._catalog: list[Body] = []
        self._rows: Counter[str] = Counter()

    def note_commit(self, commit: Sequence[Recorded]) -> None:
        self.at = commit[0].at.isoformat()

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
