"""Where in the log one can look: a position with its time and head, the end, and the newest commits of sessions."""

from __future__ import annotations

from projections.ports import OPEN, Body, CommitEnd, Documents, Feed
from projections.session import COMMITTED

MOST_MARKS = 100


def positions_answer(documents: Documents, feed: Feed, at: int) -> Body:
    """Return `{position, at, head, end, end_at, marks}` as of the position of a commit.

    `marks` are the newest sessions of the whole log, whatever `at` is: newest first, as far as they are folded in.
    """
    end = feed.commit_at(OPEN)
    there = end if at == end.position else feed.commit_at(at)
    marks = [document.body for document in documents.list(COMMITTED, limit=MOST_MARKS)]
    return {
        "position": there.position,
        "at": _written(there),
        "head": there.hash.hex(),
        "end": end.position,
        "end_at": _written(end),
        "marks": marks,
    }


def _written(commit: CommitEnd) -> str | None:
    return commit.at.isoformat() if commit.at else None
