"""Rebuild: all read models folded anew from the log into a store of their own, beside the one that serves meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

from domain.errors import NotFoundError
from domain.lookup import nearest
from projections.fold import Fold, fold_after
from projections.ports import Body, Documents, Feed
from projections.runner import body_of

BATCH = 2000
PROJECTIONS = ("catalog", "session", "experiment", "history", "tasks")  # one fold makes them all, into one store
KEPT = 50_000


def check_known(projection: str | None) -> None:
    """Raise NotFoundError for a name that no projection has; None means all."""
    if projection is not None and projection not in PROJECTIONS:
        raise NotFoundError.named("projection", projection, nearest(projection, PROJECTIONS))


def rebuild(feed: Feed, fresh: Documents, until: int) -> Iterator[Body]:
    """Fold the log up to a position into documents; yields `{step, position, of}`. Raises Poisoned.

    Runs in a process of its own; `Runner.adopt` then brings the result up to date and switches to it.
    """
    fold = Fold(lambda kind, id: body_of(fresh, kind, id), KEPT)
    while (position := fresh.position()) < until:
        batch, poison = fold_after(feed, fold, position, BATCH, until)
        if batch.position > position:
            fresh.apply(batch)
            fold.trim()
            yield {"step": "rebuild", "position": batch.position, "of": until}
        if poison is not None:
            raise poison
        if batch.position == position:
            return
