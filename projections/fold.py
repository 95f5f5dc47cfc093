"""The one fold of the log into documents and rows: the live projection, a rebuild and a replay all use it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import groupby
from typing import Final

from domain.errors import AutoLearnError, DiskReserveError, ForbiddenError, NotAbleError
from projections import catalog, experiment, prediction, search, session, tasks, tries
from projections.garbage_collection import gc_paused
from projections.history import row_of
from projections.ports import Batch, Body, Change, CommitFeed, Current, Documents, HistoryRow, Recorded

# Raise the number of a projection whose documents or rows change, in shape or in content: the backend then folds that
# one anew. Mind what reads another's documents: `session`, `tasks` and `history` read those of `experiment`,
# `session` and `tasks` those of `search`.
VERSIONS: Final = {"catalog": 2, "session": 2, "experiment": 4, "history": 4, "tasks": 2, "search": 1, "prediction": 1}
VERSION: Final = sum(VERSIONS.values())  # of all together: it grows with each change of one

KINDS_OF: Final = {  # the documents of each projection; `history` has rows instead
    "catalog": (catalog.KIND, catalog.DATASET_VERSION, catalog.NAMES),
    "session": (session.KIND, session.OPEN_SESSION, session.MEMBER, session.COMMITTED),
    "experiment": (experiment.KIND, experiment.ANNOTATION, tries.KIND),
    "history": (),
    "tasks": (tasks.KIND, tasks.EVALUATION, tasks.REPRODUCTION),
    "search": (search.KIND, search.TRIAL, search.OWN_SEARCH),
    "prediction": (prediction.KIND, prediction.LISTED),
}
PROJECTION_OF: Final = {kind: name for name, kinds in KINDS_OF.items() for kind in kinds}
KINDS: Final = tuple(PROJECTION_OF)

Evolve = Callable[[Recorded, Current], list[Change]]

EVOLVE: dict[str, tuple[Evolve, ...]] = {  # by the kind of a stream; what it does not change is not asked
    "experiment": (session.evolve, experiment.evolve, tasks.evolve),
    "session": (session.evolve,),
    "search": (session.evolve, search.evolve, tasks.evolve),
    "dataset": (catalog.evolve,),
    "model": (catalog.evolve,),
    "measure": (catalog.evolve,),
    "prediction": (prediction.evolve,),
}

WRITTEN_ONCE = frozenset(  # no event changes or ends them
    {
        catalog.DATASET_VERSION,
        session.MEMBER,
        session.COMMITTED,
        search.OWN_SEARCH,
        experiment.ANNOTATION,
        prediction.KIND,
        prediction.LISTED,
    }
)

Key = tuple[str, str]


def commits(recorded: Sequence[Recorded]) -> Iterator[list[Recorded]]:
    """Group events by the commit they belong to."""
    for _, events in groupby(recorded, key=lambda one: one.commit):
        yield list(events)


class Fold:
    """Folds commits one by one. `read` gives the store's documents; up to `keep` of those in use stay in memory."""

    def __init__(self, read: Current, keep: int = 2000) -> None:
        self._read = read
        self._keep = keep
        self._known: dict[Key, Body | None] = {}

    def add(self, commit: Sequence[Recorded], batch: Batch) -> None:
        """Fold a whole commit into the batch, or (where an event cannot be folded) raise and change nothing.

        Several changes of one document within a commit make one version: no position lies between them.
        """
        changed: dict[Key, Body | None] = {}
        new: set[Key] = set()
        rows: dict[int, HistoryRow] = {}

        def current(kind: str, id: str) -> Body | None:
            key = (kind, id)
            return changed[key] if key in changed else self.current(kind, id)

        for recorded in commit:
            kind, _, _ = recorded.event.originator_id.partition(":")
            changes = [change for evolve in EVOLVE.get(kind, ()) for change in evolve(recorded, current)]
            for kind, id, body, is_new in changes:
                changed[kind, id] = body
                if is_new:
                    new.add((kind, id))
            row = row_of(recorded, current)
            if row is not None:
                rows[row.n] = row
        self._take(changed, new, batch)
        position = batch.position = commit[-1].commit
        batch.documents += [(kind, id, position, body) for (kind, id), body in changed.items()]
        batch.history += rows.values()

    def _take(self, changed: dict[Key, Body | None], new: set[Key], batch: Batch) -> None:
        """Remember what changed, and let the batch say what was there before it."""
        before, known = batch.before, self._known
        for key, body in changed.items():
            if key in new:
                before[key] = None
            elif key not in before:
                before[key] = self.current(*key)
            if key[0] not in WRITTEN_ONCE:
                known[key] = body

    def current(self, kind: str, id: str) -> Body | None:
        """Return a document as folded so far."""
        key = (kind, id)
        if key not in self._known:
            self._known[key] = self._read(kind, id)
        return self._known[key]

    def trim(self) -> None:
        """Forget documents once there are too many; only after the batch was applied to the store."""
        if len(self._known) > self._keep:
            self._known.clear()

    def forget(self) -> None:
        """Forget all: what was folded last was not applied."""
        self._known.clear()


UNABLE: Final = (NotAbleError, DiskReserveError, ForbiddenError)  # of servers and disks: no event is to blame
CommitObserver = Callable[[Sequence[Recorded]], None]


class Poisoned(Exception):  # noqa: N818 - it names the event's state
    """The commit at `position` cannot be read or folded: a poison, as queues call a message that stops its readers."""

    def __init__(self, position: int, sentence: str) -> None:
        super().__init__(sentence)
        self.position = position
        self.sentence = sentence


@gc_paused()
def fold_after(
    feed: CommitFeed,
    fold: Fold,
    position: int,
    limit: int,
    until: int | None = None,
    *,
    observe: CommitObserver | None = None,
) -> tuple[Batch, Poisoned | None]:
    """Fold about `limit` events after a position, none beyond `until`; return what came before a poison, and it.

    `observe` gets each commit that was folded. Raises one of UNABLE where the log cannot be read at all.
    """
    batch = Batch(position)
    recorded, poison = read_after(feed, position, limit)
    for commit in commits(recorded):
        if until is not None and commit[0].commit > until:
            return batch, None
        try:
            fold.add(commit, batch)
        except Exception as error:  # noqa: BLE001 - an event of any shape must end here, with its position
            names = ", ".join(dict.fromkeys(one.event.NAME for one in commit))
            sentence = f"Commit {commit[0].commit} ({names}) cannot be folded: {type(error).__name__}: {error}."
            return batch, Poisoned(commit[0].commit, sentence)
        if observe is not None:
            observe(commit)
    return batch, poison


def read_after(feed: CommitFeed, position: int, limit: int) -> tuple[Sequence[Recorded], Poisoned | None]:
    """Read decoded events; where one cannot be decoded, those of the commits before it, or else the poison."""
    try:
        return feed.after(position, limit), None
    except UNABLE:
        raise
    except Exception as error:  # noqa: BLE001 - stored bytes can be wrong in any way
        if limit > 1:
            return read_after(feed, position, limit // 2)
        return [], Poisoned(_next_commit(feed, position), f"An event cannot be read: {str(error).rstrip('.')}.")


def _next_commit(feed: CommitFeed, position: int) -> int:
    try:
        raw = feed.raw_after(position, 1)
    except UNABLE:
        raise
    except AutoLearnError:  # not even where the commit ends can be read
        return position + 1
    return raw[0].position if raw else position + 1


class ProjectionUpdater:
    """Folds the log into read models, batch by batch; projections that are behind the others are folded alone first.

    To fold one alone is to fold all, as of its own position, and to write only what is its own: the documents of the
    others are read as they were there. Up to `keep` documents stay in memory.
    """

    def __init__(self, feed: CommitFeed, documents: Documents, keep: int = 2000) -> None:
        self._feed = feed
        self._documents = documents
        self._position = 0
        self._fold = Fold(self._read, keep)

    @gc_paused()
    def step(self, limit: int, until: int | None = None) -> bool:
        """Fold about `limit` events, none beyond `until`; return False where there was nothing to fold.

        Raises Poisoned after it folded what comes before the poison.
        """
        positions = self._documents.positions()
        self._position = position = min(positions.values())
        ahead = [at for at in positions.values() if at > position]
        end = min(filter(None, [until, *ahead]), default=None)
        batch, poison = fold_after(self._feed, self._fold, position, limit, end)
        if batch.position > position:
            try:
                self._documents.apply(batch_of(batch, [name for name, at in positions.items() if at == position]))
            except BaseException:
                self._fold.forget()
                raise
            self._fold.trim()
        if poison is not None:
            raise poison
        return batch.position > position

    def forget(self) -> None:
        """Forget what was read: other read models are to be updated from now on."""
        self._fold.forget()

    def _read(self, kind: str, id: str) -> Body | None:
        document = self._documents.get(kind, id, self._position)
        return document.body if document else None


def batch_of(batch: Batch, projections: Collection[str]) -> Batch:
    """Return the part of a batch that is of some projections."""
    return Batch(
        batch.position,
        [one for one in batch.documents if PROJECTION_OF[one[0]] in projections],
        batch.history if "history" in projections else [],
        frozenset(projections),
        batch.before,
    )
