"""Rebuild: one projection, or all, folded anew from the log beside the read models that serve meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

from domain.errors import NotFoundError
from domain.lookup import nearest_names
from projections.fold import VERSIONS, ProjectionUpdater
from projections.ports import Body, CommitFeed, Documents

BATCH = 10_000  # events: most versions of a document then end in the batch in which they begin, and are written once
KEPT = 20_000  # documents in memory


def check_known(projection: str | None) -> None:
    """Raise NotFoundError for a name that no projection has; None means all."""
    if projection is not None and projection not in VERSIONS:
        there_are = f"There is no projection {projection!r}: there are {', '.join(VERSIONS)}."
        raise NotFoundError(there_are, nearest=nearest_names(projection, VERSIONS))


def rebuild(feed: CommitFeed, fresh: Documents, until: int) -> Iterator[Body]:
    """Fold the log up to a position into `fresh`; yields `{step, position, of}`. Raises Poisoned.

    Of `fresh` that is to be rebuilt stands at position 0. Runs in a process of its own; `Runner.adopt` then brings the
    result up to date and switches to it.
    """
    updater = ProjectionUpdater(feed, fresh, KEPT)
    while fresh.position() < until and updater.step(BATCH, until):
        yield {"step": "rebuild", "position": fresh.position(), "of": until}
