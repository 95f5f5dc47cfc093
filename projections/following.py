"""Reading the log and folding it, commit by commit, up to the first event that cannot be read or folded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from domain.errors import AutoLearnError, DiskReserveError, ForbiddenError, NotAbleError
from projections.fold import Fold, commits
from projections.ports import Batch, Feed, Recorded

UNABLE: Final = (NotAbleError, DiskReserveError, ForbiddenError)  # of servers and disks: no event is to blame
Look = Callable[[Sequence[Recorded]], None]


class Poisoned(Exception):  # noqa: N818 - it names the event's state
    """The commit at `position` cannot be read or folded."""

    def __init__(self, position: int, sentence: str) -> None:
        super().__init__(sentence)
        self.position = position
        self.sentence = sentence


def fold_after(
    feed: Feed, fold: Fold, position: int, limit: int, until: int | None = None, *, look: Look | None = None
) -> tuple[Batch, Poisoned | None]:
    """Fold about `limit` events after a position, none beyond `until`; return what came before a poison, and it.

    `look` is shown each commit that was folded. Raises one of UNABLE where the log cannot be read at all.
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
        if look is not None:
            look(commit)
    return batch, poison


def read_after(feed: Feed, position: int, limit: int) -> tuple[Sequence[Recorded], Poisoned | None]:
    """Read decoded events; where one cannot be decoded, those of the commits before it, or else the poison."""
    try:
        return feed.after(position, limit), None
    except UNABLE:
        raise
    except Exception as error:  # noqa: BLE001 - stored bytes can be wrong in any way
        if limit > 1:
            return read_after(feed, position, limit // 2)
        return [], Poisoned(_next_commit(feed, position), f"An event cannot be read: {str(error).rstrip('.')}.")


def _next_commit(feed: Feed, position: int) -> int:
    try:
        raw = feed.raw_after(position, 1)
    except UNABLE:
        raise
    except AutoLearnError:  # not even where the commit ends can be read
        return position + 1
    return raw[0].position if raw else position + 1
